/**
 * Which lines of k-space a series acquires.
 *
 * With N lines of full k-space, numbered 0 … N - 1, and the centre c = floor(N / 2):
 *
 *   rows     = round(matrix.phase * phaseFov), encoded with oversampling as E = round(rows * (1 + phaseOversampling))
 *   N        = round(E * phaseResolution)
 *   first    = N - round(N * partialFourier)                  lines before it are left out
 *   lattice  = { y >= first : (y - c) mod R = 0 }             so the centre is always acquired
 *   calibration = { c - floor(n / 2) … c - floor(n / 2) + n - 1 }
 *
 * Embedded calibration lines are acquired with the others; separate ones by a scan of their own, once.
 * Without acceleration there are no calibration lines.
 *
 * Source: Griswold et al. 2002, doi 10.1002/mrm.10171 (R and calibration lines); Bernstein, King, Zhou,
 * Handbook of MRI Pulse Sequences, Elsevier 2004, chapter 13 (partial Fourier, parallel imaging).
 */
import { ProtocolError } from './errors.js';
import type { Series } from './schema.js';

export type Encodable = Pick<Series, 'geometry' | 'acceleration' | 'partialFourier' | 'echoFraction'>;

/** Matrices and fields of view, [readout, phase]. */
export interface Encoding {
  /** Of the image that is delivered. */
  readonly imageMatrix: readonly [columns: number, rows: number];
  readonly imageFovMm: readonly [readout: number, phase: number];
  /** With the oversampling of both directions, at the pixels of the image. */
  readonly encodedMatrix: readonly [samples: number, rows: number];
  readonly encodedFovMm: readonly [readout: number, phase: number];
  /** N: lines that a full k-space has at the measured resolution. */
  readonly nLines: number;
  /** c: the line through the centre of k-space. */
  readonly centreLine: number;
  /** First line that partial Fourier leaves. */
  readonly firstLine: number;
  /** Samples that are acquired of a readout; the first ones of an asymmetric echo are not. */
  readonly nSamples: number;
}

export type LineUse = 'imaging' | 'calibration' | 'calibrationAndImaging';

export interface AcquiredLine {
  /** 0 … nLines - 1; the MRD header's kspace_encode_step_1. */
  readonly line: number;
  readonly use: LineUse;
}

export interface AcquiredLines extends Encoding {
  /** Of one slice and one average, ascending. */
  readonly lines: readonly AcquiredLine[];
  /** Of one slice, ascending, acquired once before the images. */
  readonly separateCalibration: readonly number[];
}

const partialFourierFractions: Readonly<Record<Series['partialFourier'], number>> = { '5/8': 5 / 8, '6/8': 6 / 8, '7/8': 7 / 8, '1': 1 };

export function partialFourierFraction(fraction: Series['partialFourier']): number {
  return partialFourierFractions[fraction];
}

/** @returns sizes without the lines themselves */
export function encodingOf({ geometry, partialFourier, echoFraction }: Omit<Encodable, 'acceleration'>): Encoding {
  const { fovMm, matrix, phaseFov, phaseOversampling, phaseResolution, readoutOversampling } = geometry;
  const rows = Math.round(matrix.phase * phaseFov);
  const encodedRows = Math.round(rows * (1 + phaseOversampling));
  const samples = matrix.readout * readoutOversampling;
  const nLines = Math.round(encodedRows * phaseResolution);
  // What whole pixels make of phaseFov, so that the pixel keeps its size.
  const phaseFovMm = (fovMm.phase * rows) / matrix.phase;
  return {
    imageMatrix: [matrix.readout, rows],
    imageFovMm: [fovMm.readout, phaseFovMm],
    encodedMatrix: [samples, encodedRows],
    encodedFovMm: [fovMm.readout * readoutOversampling, (phaseFovMm * encodedRows) / rows],
    nLines,
    centreLine: Math.floor(nLines / 2),
    firstLine: nLines - Math.round(nLines * partialFourierFraction(partialFourier)),
    nSamples: Math.round(samples * echoFraction),
  };
}

/**
 * The lines of one slice and one average, and those of a separate calibration.
 *
 * @throws PROTOCOL_ERR_LINES where calibration lines lie outside of what is acquired
 */
export function acquiredLines(series: Encodable): AcquiredLines {
  const encoding = encodingOf(series);
  const { nLines, centreLine, firstLine } = encoding;
  const { factor, calibration, calibrationLines } = series.acceleration;
  const nCalibration = factor > 1 && calibration !== 'none' ? calibrationLines : 0;
  const firstCalibration = centreLine - Math.floor(nCalibration / 2);
  const smallest = calibration === 'embedded' ? firstLine : 0;
  if (firstCalibration < smallest || firstCalibration + nCalibration > nLines) {
    throw new ProtocolError(
      'PROTOCOL_ERR_LINES',
      `calibration lines ${firstCalibration} to ${firstCalibration + nCalibration - 1} where lines ${smallest} to ${nLines - 1} can be acquired`,
    );
  }
  const isCentral = (line: number) => line >= firstCalibration && line < firstCalibration + nCalibration;

  const lines: AcquiredLine[] = [];
  for (let line = firstLine; line < nLines; line++) {
    const isRegular = (line - centreLine) % factor === 0;
    if (calibration === 'embedded' && isCentral(line)) lines.push({ line, use: isRegular ? 'calibrationAndImaging' : 'calibration' });
    else if (isRegular) lines.push({ line, use: 'imaging' });
  }
  const separateCalibration =
    calibration === 'separate' ? Array.from({ length: nCalibration }, (_, index) => firstCalibration + index) : [];
  return { ...encoding, lines, separateCalibration };
}
