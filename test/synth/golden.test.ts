/**
 * What the numerics gave before they were made fast, on a pair with shading, noise, motion and a blob that only T2w has:
 * golden.json, written from that version. Registration, resampling, shading, contrasts, intervals and evidence are all in it.
 */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { synthesise, type SynthesisResult } from '../../synth/index.js';
import { probesOf, goldenPair, type Golden } from './goldenPair.js';

let golden: Golden;
let result: SynthesisResult;

beforeAll(async () => {
  golden = JSON.parse(await readFile(new URL('golden.json', import.meta.url), 'utf8')) as Golden;
  const { input, wanted, network } = goldenPair();
  result = await synthesise(input, wanted, network, { deliverRed: true });
});

const close = (values: readonly number[], expected: readonly number[], tolerance: number) => {
  expect(values.length).toBe(expected.length);
  const farthest = values.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k]!) / (1 + Math.abs(expected[k]!))), 0);
  expect(farthest).toBeLessThan(tolerance);
};

describe('the same as ever', () => {
  it('registration', () => {
    const { shiftMm, rotationDeg, residualMm, nmiBefore, nmiAfter, overlapShare } = result.registration;
    close([...shiftMm, ...rotationDeg, residualMm, nmiBefore, nmiAfter, overlapShare], golden.registration, 1e-6);
  });
  it('light and reasons', () => {
    expect({ light: result.light, reasons: result.reasons.map(({ message }) => message) }).toEqual({ light: golden.light, reasons: golden.reasons });
  });
  it('evidence of each slice', () => {
    result.gate.forEach(({ features, score }, slice) => close([...Object.values(features), score], golden.gate[slice]!, 1e-4));
  });
  it('images and maps', () => {
    const probes = probesOf(result);
    expect(Object.keys(probes)).toEqual(Object.keys(golden.probes));
    for (const [name, values] of Object.entries(probes)) close(values, golden.probes[name]!, 1e-4);
  });
});
