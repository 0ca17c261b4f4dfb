/**
 * How strong the radio-frequency pulses of a series are, on average: an estimate of B1+rms.
 *
 *   B1+rms² = n_slices / TR * sum over the pulses of one train of  (α / γ)² / τ
 *
 * where a pulse of flip angle α is counted as the rectangular one of duration τ with its flip angle. The specific
 * absorption rate goes with (B0 B1+rms)² for the same patient and coil, so a limit stated at 1.5 T is taken over to
 * B0 as limit * 1.5 T / B0. Real pulses are shaped and scanners stretch them: this is for a hint before the scan;
 * the scanner's own monitor decides.
 *
 * Source: Bernstein, King, Zhou, Handbook of MRI Pulse Sequences, Elsevier 2004 (power of pulses); IEC 60601-2-33:2010 +
 * A2:2015, fixed parameter option basic (3.2 µT at 1.5 T).
 */
import type { Protocol, Sequence, Series } from './schema.js';
import { timingOf } from './timing.js';
import type { Timed } from './timing.js';

/** Of the proton. */
const GYROMAGNETIC_RATIO_RAD_PER_S_PER_UT = 267.522;
const EQUIVALENT_PULSE_S = 2e-3;
const FAT_SATURATION_ANGLE_DEG = 100;
const LIMIT_UT_AT_1_5_T = 3.2;

/** @throws PROTOCOL_ERR_TIMING, PROTOCOL_ERR_LINES, PROTOCOL_ERR_INVERSION_TIME */
export function b1RmsUt(series: Timed & Pick<Series, 'sequence'>, preparation: Protocol['preparation']): number {
  const { nSlices, concatenations } = timingOf(series, preparation);
  const angles = anglesDeg(series.sequence);
  const perTrain = angles.reduce((sum, angle) => sum + ((angle * Math.PI) / 180 / GYROMAGNETIC_RATIO_RAD_PER_S_PER_UT) ** 2 / EQUIVALENT_PULSE_S, 0);
  return Math.sqrt((Math.ceil(nSlices / concatenations) * perTrain) / (series.sequence.trMs / 1000));
}

export function b1RmsLimitUt(fieldStrengthT: Protocol['fieldStrengthT']): number {
  return (LIMIT_UT_AT_1_5_T * 1.5) / fieldStrengthT;
}

function anglesDeg(sequence: Sequence): number[] {
  const angles = [sequence.flipAngleDeg];
  if ('fatSuppression' in sequence && sequence.fatSuppression === 'spectral') angles.push(FAT_SATURATION_ANGLE_DEG);
  if (sequence.kind === 'stirTse') angles.push(180);
  if (sequence.kind === 'tse' || sequence.kind === 'stirTse') {
    angles.push(...Array.from({ length: sequence.echoTrainLength }, () => sequence.refocusingAngleDeg));
  }
  return angles;
}
