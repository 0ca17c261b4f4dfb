import { describe, expect, it } from 'vitest';
import { buildPatient, drawPatient } from '../../simulator/index.js';

const nLumbar = (pathology: string, given?: 4 | 5 | 6) =>
  drawPatient({ seed: 7, region: 'lumbar', pathology, ...(given === undefined ? {} : { nLumbar: given }) }, 1.5).plan.transition.nLumbar;

describe('drawPatient', () => {
  it('gives a spine that has the levels that are asked for, where their number is left open', () => {
    // Left alone, this seed has six lumbar vertebrae.
    expect(nLumbar('')).toBe(6);
    expect(nLumbar('modic1:L6-S1')).toBe(6);
    expect(nLumbar('modic1:L5-S1')).toBe(5);
    expect(nLumbar('modic1:L3-L4')).toBe(6);
  });

  it('does not change what is given', () => {
    expect(() => nLumbar('modic1:L5-S1', 6)).toThrow('SIM_ERR_PATHOLOGY');
    expect(() => nLumbar('haemangioma:L9')).toThrow('SIM_ERR_PATHOLOGY');
  });

  it('is plain data, from which the same anatomy is built anew', () => {
    const record = drawPatient({ seed: 3, region: 'lumbar', pathology: 'fatty:3,haemangioma:L2' }, 1.5);
    const again = JSON.parse(JSON.stringify(record)) as typeof record;
    const names = (from: typeof record) => buildPatient(from, 1.5).anatomy.structures.map(({ name, tissue, texture }) => `${name} ${tissue} ${texture?.mean}`);
    expect(names(again)).toEqual(names(record));
  });
});
