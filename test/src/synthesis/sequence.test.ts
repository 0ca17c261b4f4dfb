import { describe, expect, it } from 'vitest';
import { areOfTwoPatients, asFraction, clinicalField, fatFractionOf, resolveSequence } from '../../../src/synthesis/index.js';
import type { KnownSequence } from '../../../src/synthesis/index.js';
import type { ImageGeometry } from '../../../imaging/index.js';

const header = (known: KnownSequence) => ({ by: 'header', known }) as const;
const protocol = (known: KnownSequence) => ({ by: 'protocol', known }) as const;

describe('the sequence of an acquired series', () => {
  it('is taken from who knows best, and tells who it was', () => {
    const { sequence, origins } = resolveSequence('t2w', [header({ trMs: 3500, teMs: 102 }), protocol({ teMs: 100, echoTrainLength: 17, echoSpacingMs: 9.5 })]);
    expect(sequence).toEqual({ trMs: 3500, teMs: 102, echoTrainLength: 17, echoSpacingMs: 9.5, refocusingAngleDeg: 150 });
    expect(origins).toEqual({ trMs: 'header', teMs: 'header', echoTrainLength: 'protocol', echoSpacingMs: 'protocol', refocusingAngleDeg: 'typical' });
  });

  it('has a train that fits into TR, also where its spacing is only typical', () => {
    for (const [trMs, echoTrainLength] of [[500, 60], [600, 3], [4000, 17]] as const) {
      const { sequence } = resolveSequence('t1w', [header({ trMs, teMs: 12, echoTrainLength })]);
      expect(sequence.echoTrainLength * sequence.echoSpacingMs).toBeLessThan(trMs);
    }
    expect(resolveSequence('t1w', [header({ trMs: 500, teMs: 14, echoTrainLength: 1 })]).sequence.echoSpacingMs).toBe(14);
  });

  it.each<[string, 't1w' | 't2w' | 't2fs', KnownSequence, string]>([
    ['a gradient echo', 't1w', { trMs: 500, teMs: 5, isGradientEcho: true }, 'SYNTH_ERR_GRADIENT_ECHO'],
    ['an inversion', 't1w', { trMs: 2000, teMs: 12, hasInversion: true }, 'SYNTH_ERR_CONTRAST'],
    ['fat suppression', 't2w', { trMs: 3500, teMs: 100, isFatSuppressed: true }, 'SYNTH_ERR_CONTRAST'],
    ['no echo time', 't2w', { trMs: 3500 }, 'SYNTH_ERR_SEQUENCE'],
    ['a repetition time of 0', 't2w', { trMs: 0, teMs: 100 }, 'SYNTH_ERR_SEQUENCE'],
  ])('is refused with %s', (_what, role, known, code) => {
    expect(() => resolveSequence(role, [header(known)])).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('may be fat-suppressed where that is what it is for', () => {
    expect(resolveSequence('t2fs', [header({ trMs: 3500, teMs: 80, isFatSuppressed: true })]).sequence.teMs).toBe(80);
  });

  it('is of 1.5 or 3 T', () => {
    expect([1.494, 1.5, 2.89, 3].map(clinicalField)).toEqual([1.5, 1.5, 3, 3]);
    for (const field of [0.55, 7, undefined]) expect(() => clinicalField(field)).toThrow(expect.objectContaining({ code: 'SYNTH_ERR_CONTRAST' }) as Error);
  });
});

describe('patients', () => {
  it.each<[boolean, Record<string, unknown>, Record<string, unknown>]>([
    [false, { PatientID: '7' }, { PatientID: ' 7 ' }],
    [true, { PatientID: '7' }, { PatientID: '8' }],
    [false, { PatientID: '7', PatientName: 'A^B' }, { PatientID: '7', PatientName: 'B^A' }],
    [true, { PatientName: [{ Alphabetic: 'A^B' }] }, { PatientName: [{ Alphabetic: 'C^D' }] }],
    [false, { PatientName: [{ Alphabetic: 'A^B' }] }, { PatientName: [{ Alphabetic: 'a^b' }] }],
    [true, { PatientName: 'A^B', PatientBirthDate: '19700101' }, { PatientName: 'A^B', PatientBirthDate: '19710101' }],
    [false, {}, { PatientID: '8' }],
  ])('two of them: %s', (areTwo, a, b) => {
    expect([areOfTwoPatients(a, b), areOfTwoPatients(b, a)]).toEqual([areTwo, areTwo]);
  });
});

describe('fat fractions', () => {
  const geometry: ImageGeometry = { centreMm: [0, 0, 0], rowDirection: [1, 0, 0], columnDirection: [0, 1, 0], sliceDirection: [0, 0, 1], fovMm: [3, 1, 1], matrixSize: [3, 1, 1] };
  const volume = (...values: number[]) => ({ geometry, data: Float32Array.from(values) });
  it('are fat over fat and water, and 0 in air', () => {
    expect([...fatFractionOf(volume(1, 3, 0), volume(1, 1, 0)).data]).toEqual([0.5, 0.75, 0]);
  });
  it('may be stored in per cent, and stay between 0 and 1', () => {
    expect([...asFraction(volume(0, 50, 101)).data]).toEqual([0, 0.5, 1]);
    expect([...asFraction(volume(-0.1, 0.5, 1)).data]).toEqual([0, 0.5, 1]);
  });
});
