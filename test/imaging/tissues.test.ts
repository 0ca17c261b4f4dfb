import { describe, expect, it } from 'vitest';
import { fatAt, tissueAt, tissueNames, tissueVariation, type FieldStrengthT } from '../../imaging/index.js';

const fields: readonly FieldStrengthT[] = [1.5, 3];

describe.each(fields)('every tissue at %s T', (field) => {
  it.each(tissueNames)('%s is physical', (name) => {
    const tissue = tissueAt(name, field);
    expect(tissue.protonDensity).toBeGreaterThanOrEqual(0);
    expect(tissue.protonDensity).toBeLessThanOrEqual(1);
    expect(tissue.fatFraction).toBeGreaterThanOrEqual(0);
    expect(tissue.fatFraction).toBeLessThan(1);
    // T2* <= T2 <= T1, as relaxation theory has it for tissue.
    expect(tissue.t2StarMs).toBeGreaterThan(0);
    expect(tissue.t2StarMs).toBeLessThanOrEqual(tissue.t2Ms);
    expect(tissue.t2Ms).toBeLessThanOrEqual(tissue.t1Ms);
    expect(tissue.hounsfield).toBeGreaterThanOrEqual(-1000);
  });
});

describe('the two fields', () => {
  it.each(tissueNames)('%s: T1 grows with the field, T2 and T2* do not (within measured scatter)', (name) => {
    const [low, high] = [tissueAt(name, 1.5), tissueAt(name, 3)];
    expect(high.t1Ms).toBeGreaterThanOrEqual(low.t1Ms);
    expect(high.t2Ms).toBeLessThanOrEqual(low.t2Ms * 1.02);
    expect(high.t2StarMs).toBeLessThanOrEqual(low.t2StarMs);
    for (const key of ['protonDensity', 'fatFraction', 'hounsfield', 'susceptibilityPpm'] as const) expect(high[key]).toBe(low[key]);
  });

  it('fat has one signal, most of it 3.4 ppm below water', () => {
    for (const field of fields) {
      const { peaks } = fatAt(field);
      expect(peaks.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
      expect(peaks.find(({ weight }) => weight > 0.5)?.shiftPpm).toBe(-3.4);
    }
    expect(fatAt(3).t1Ms).toBeGreaterThan(fatAt(1.5).t1Ms);
  });
});

describe('Hounsfield units', () => {
  const hounsfield = (name: Parameters<typeof tissueAt>[0]) => tissueAt(name, 3).hounsfield;
  it('stand in the order of CT textbooks', () => {
    const ascending = [
      'air', 'subcutaneousFat', 'fattyMuscle', 'csf', 'cord', 'muscle', 'nucleus', 'annulus', 'cancellousBone', 'endplate', 'cortex',
    ] as const;
    ascending.slice(1).forEach((name, i) => expect(hounsfield(name), name).toBeGreaterThan(hounsfield(ascending[i]!)));
    expect(hounsfield('metastasis')).toBeLessThan(hounsfield('cancellousBone') - 50);
    expect(hounsfield('scleroticMetastasis')).toBeGreaterThan(hounsfield('cancellousBone') + 200);
  });
});

it('persons differ, air does not', () => {
  expect(Object.values(tissueVariation.air)).toEqual([0, 0, 0, 0, 0]);
  for (const name of tissueNames) {
    const { protonDensity, t1, t2, fatFraction, hounsfield } = tissueVariation[name];
    for (const relative of [protonDensity, t1, t2]) expect(relative, name).toBeLessThan(0.5);
    if (tissueAt(name, 3).protonDensity > 0) expect(Math.min(protonDensity, t1, t2, hounsfield), name).toBeGreaterThan(0);
    // One standard deviation leaves the fat fraction a fraction.
    const mean = tissueAt(name, 3).fatFraction;
    expect(mean + fatFraction, name).toBeLessThanOrEqual(1);
    expect(mean - fatFraction, name).toBeGreaterThanOrEqual(-0.05);
  }
});
