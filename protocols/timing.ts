/**
 * How long a series takes.
 *
 * One repetition serves as many slices as their trains fit into TR, one after the other:
 *
 *   train   = saturation + inversion + TI + (ETL + 1/2) ΔTE + spoiler                (fast spin echo; TI only after an inversion)
 *           = saturation + excitation / 2 + TE_last + 1 / (2 bandwidth) + spoiler    (gradient echo)
 *   slices per repetition = floor(TR / train)
 *   concatenations        = ceil(slices / slices per repetition), or as given
 *   shots                 = ceil(lines / ETL), and as many for every average
 *   time    = TR * concatenations * (dummies + shots * averages + ceil(separate calibration lines / ETL))
 *
 * after the adjustments and the noise scan of the series. Every average repeats the same trains, so that a line
 * lies on the same echo in all of them: the averages do not share a train.
 *
 * Source: Bernstein, King, Zhou, Handbook of MRI Pulse Sequences, Elsevier 2004: chapter 14 (gradient echo, inversion
 * recovery, slices interleaved within TR) and section 16.4 (RARE). Durations of pulses and spoilers are typical values.
 */
import { acquiredLines } from './encoding.js';
import { ProtocolError } from './errors.js';
import { nSlicesOf } from './geometry.js';
import type { EchoTrainSequence, Protocol, Sequence, Series } from './schema.js';

/** Gaussian saturation of fat with its spoiler. */
const FAT_SATURATION_MS = 20;
/** Half of an adiabatic inversion pulse; TI counts from its middle. */
const HALF_INVERSION_MS = 5;
/** Half of a slice-selective excitation; echo times count from its middle. */
const HALF_EXCITATION_MS = 1.5;
/** Spoiler after the last echo. */
const SPOILER_MS = 3;

export interface SeriesTiming {
  /** Of one slice, from the first preparation pulse to the end of its spoiler. */
  readonly trainMs: number;
  readonly nSlices: number;
  /** Most that fit into one repetition. */
  readonly slicesPerRepetition: number;
  readonly concatenations: number;
  /** Lines of one slice and one average, embedded calibration lines among them. */
  readonly nLines: number;
  /** Excitations of one slice in one average. */
  readonly shots: number;
  readonly adjustmentsMs: number;
  readonly noiseScanMs: number;
  readonly dummiesMs: number;
  /** Of a separate calibration scan. */
  readonly calibrationMs: number;
  readonly imagingMs: number;
  readonly totalMs: number;
}

export type Timed = Pick<
  Series,
  'sequence' | 'geometry' | 'acceleration' | 'partialFourier' | 'echoFraction' | 'averages' | 'concatenations' | 'dummies'
>;

/** At which inversion time fat gives no signal, ms. */
export type FatNull = (sequence: EchoTrainSequence, fieldStrengthT: Protocol['fieldStrengthT']) => number;

/** The protocol with every inversion time of `auto` in whole ms. */
export function resolveInversionTimes(protocol: Protocol, fatNull: FatNull): Protocol {
  return { ...protocol, series: protocol.series.map((series) => resolveInversionTime(series, protocol.fieldStrengthT, fatNull)) };
}

export function resolveInversionTime(series: Series, fieldStrengthT: Protocol['fieldStrengthT'], fatNull: FatNull): Series {
  const { sequence } = series;
  if (sequence.kind !== 'stirTse' || sequence.tiMs !== 'auto') return series;
  return { ...series, sequence: { ...sequence, tiMs: Math.round(fatNull(sequence, fieldStrengthT)) } };
}

/** undefined without an inversion. @throws PROTOCOL_ERR_INVERSION_TIME where it is still `auto` */
export function inversionTimeMs(sequence: Sequence): number | undefined {
  if (sequence.kind !== 'stirTse') return undefined;
  if (sequence.tiMs === 'auto') throw new ProtocolError('PROTOCOL_ERR_INVERSION_TIME', 'tiMs "auto"');
  return sequence.tiMs;
}

/** Of one slice. @throws PROTOCOL_ERR_INVERSION_TIME */
export function trainMs(sequence: Sequence): number {
  switch (sequence.kind) {
    case 'tse':
    case 'stirTse': {
      const tiMs = inversionTimeMs(sequence);
      const preparationMs = tiMs === undefined ? HALF_EXCITATION_MS : HALF_INVERSION_MS + tiMs;
      return saturationMs(sequence) + preparationMs + (sequence.echoTrainLength + 0.5) * sequence.echoSpacingMs + SPOILER_MS;
    }
    case 'spoiledGre':
      return saturationMs(sequence) + gradientEchoMs(sequence.teMs, sequence.bandwidthHzPerPixel);
    case 'dixonGre':
      return gradientEchoMs(Math.max(...sequence.teMs), sequence.bandwidthHzPerPixel);
  }
}

function saturationMs({ fatSuppression }: { readonly fatSuppression: 'none' | 'spectral' }): number {
  return fatSuppression === 'spectral' ? FAT_SATURATION_MS : 0;
}

function gradientEchoMs(lastEchoMs: number, bandwidthHzPerPixel: number): number {
  return HALF_EXCITATION_MS + lastEchoMs + 500 / bandwidthHzPerPixel + SPOILER_MS;
}

/** Lines after one excitation. */
export function echoTrainLengthOf(sequence: Sequence): number {
  return sequence.kind === 'tse' || sequence.kind === 'stirTse' ? sequence.echoTrainLength : 1;
}

export interface ImagingTime {
  readonly trMs: number;
  readonly concatenations: number;
  /** Of one slice in one average. */
  readonly nLines: number;
  readonly echoTrainLength: number;
  readonly averages: number;
}

/** TR * concatenations * ceil(lines / echo train length) * averages */
export function imagingTimeMs({ trMs, concatenations, nLines, echoTrainLength, averages }: ImagingTime): number {
  return trMs * concatenations * Math.ceil(nLines / echoTrainLength) * averages;
}

/**
 * @param preparation of the protocol
 * @throws PROTOCOL_ERR_TIMING, PROTOCOL_ERR_LINES, PROTOCOL_ERR_INVERSION_TIME
 */
export function timingOf(series: Timed, preparation: Protocol['preparation']): SeriesTiming {
  const { sequence, averages, dummies } = series;
  const { lines, separateCalibration } = acquiredLines(series);
  const nSlices = nSlicesOf(series);
  const ofTrain = trainMs(sequence);
  const slicesPerRepetition = Math.floor(sequence.trMs / ofTrain);
  if (slicesPerRepetition === 0) {
    throw new ProtocolError('PROTOCOL_ERR_TIMING', `a train of ${ofTrain.toFixed(1)} ms in a repetition time of ${sequence.trMs} ms`);
  }
  const concatenations = series.concatenations ?? Math.ceil(nSlices / slicesPerRepetition);
  const slicesAtOnce = Math.ceil(nSlices / concatenations);
  if (slicesAtOnce > slicesPerRepetition) {
    throw new ProtocolError(
      'PROTOCOL_ERR_TIMING',
      `${slicesAtOnce} slices of ${ofTrain.toFixed(1)} ms at once (${nSlices} in ${concatenations} concatenations) in a repetition time of ${sequence.trMs} ms`,
    );
  }
  const echoTrainLength = echoTrainLengthOf(sequence);
  const shots = Math.ceil(lines.length / echoTrainLength);
  const repetitionsMs = sequence.trMs * concatenations;
  const parts = {
    adjustmentsMs: preparation.adjustmentsS * 1000,
    noiseScanMs: preparation.noiseScanS * 1000,
    dummiesMs: repetitionsMs * dummies,
    calibrationMs: repetitionsMs * Math.ceil(separateCalibration.length / echoTrainLength),
    imagingMs: imagingTimeMs({ trMs: sequence.trMs, concatenations, nLines: lines.length, echoTrainLength, averages }),
  };
  return {
    trainMs: ofTrain,
    nSlices,
    slicesPerRepetition,
    concatenations,
    nLines: lines.length,
    shots,
    ...parts,
    totalMs: Object.values(parts).reduce((sum, part) => sum + part, 0),
  };
}

export interface ExamTiming {
  /** In the order of the protocol. */
  readonly series: readonly (SeriesTiming & Pick<Series, 'id'>)[];
  readonly totalMs: number;
}

/** @throws PROTOCOL_ERR_TIMING, PROTOCOL_ERR_LINES, PROTOCOL_ERR_INVERSION_TIME */
export function examTimingOf(protocol: Protocol): ExamTiming {
  const series = protocol.series.map((one) => ({ id: one.id, ...timingOf(one, protocol.preparation) }));
  return { series, totalMs: series.reduce((sum, { totalMs }) => sum + totalMs, 0) };
}
