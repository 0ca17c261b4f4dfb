/**
 * From the image that is asked for to the k-space that is sampled, along the phase encoding and, for
 * 3D, along the partitions. Both axes follow the same rules:
 *
 *   encoded FOV = FOV · (1 + oversampling), rounded to whole pixels
 *   lines       = pixels · (1 + oversampling) · resolution: fewer lines than pixels are zero-filled
 *   acquired    = all of them but the side that partial Fourier leaves out
 *
 * Counters start at 0 with the first acquired line, as converters of vendor data write them: where
 * the beginning is left out, the centre is no longer the middle of the encoded matrix.
 */
import type { MrdLimit } from 'ismrmrd';
import type { Point } from '../phantom/shapes.js';
import type { ScanOptions } from './options.js';

export interface PhaseAxis {
  /** Pixels of the image, without interpolation. */
  readonly nPixels: number;
  readonly fovMm: number;
  readonly encodedFovMm: number;
  /** Lines of the whole k-space; zero frequency is line floor(nLines / 2). */
  readonly nLines: number;
  /** The lines from firstLine to before endLine are acquired. */
  readonly firstLine: number;
  readonly endLine: number;
}

/** How k-space is sampled. */
export interface Sampling {
  /** [columns, rows] of the image, without interpolation */
  readonly matrix: Point;
  readonly fovMm: Point;
  /** Samples a readout over columns. */
  readonly readoutOversampling: 1 | 2;
  /** Where it is left out, one line a row. */
  readonly phase?: PhaseAxis;
  /** 3D only. */
  readonly partitions?: PhaseAxis;
  /** Pixels of the reconstructed image over those of the matrix, in the plane. */
  readonly interpolation?: 1 | 2;
}

interface AxisOptions {
  readonly oversampling: number;
  readonly resolution: number;
  readonly partialFourier: number;
  readonly side: ScanOptions['partialFourierSide'];
}

export function phaseAxis(nPixels: number, fovMm: number, options: Partial<AxisOptions> = {}): PhaseAxis {
  const { oversampling = 0, resolution = 1, partialFourier = 1, side = 'start' } = options;
  const nOversampled = Math.round(nPixels * (1 + oversampling));
  const nLines = Math.max(1, Math.round(nOversampled * resolution));
  // The line at the centre is always there.
  const nAcquired = Math.min(nLines, Math.max(Math.floor(nLines / 2) + 1, Math.round(nLines * partialFourier)));
  const firstLine = side === 'start' ? nLines - nAcquired : 0;
  return {
    nPixels,
    fovMm,
    encodedFovMm: (fovMm * nOversampled) / nPixels,
    nLines,
    firstLine,
    endLine: firstLine + nAcquired,
  };
}

export function samplingOf(options: ScanOptions): Sampling {
  const { matrix, fovMm, readoutOversampling, interpolation, nPartitions, sliceThicknessMm } = options;
  const { partialFourierSide: side } = options;
  return {
    matrix,
    fovMm,
    readoutOversampling,
    interpolation,
    phase: phaseAxis(matrix[1], fovMm[1], {
      oversampling: options.phaseOversampling,
      resolution: options.phaseResolution,
      partialFourier: options.partialFourier,
      side,
    }),
    ...(nPartitions > 1 && {
      partitions: phaseAxis(nPartitions, nPartitions * sliceThicknessMm, {
        oversampling: options.partitionOversampling,
        partialFourier: options.partitionPartialFourier,
        side,
      }),
    }),
  };
}

export const phaseOf = (sampling: Sampling): PhaseAxis => sampling.phase ?? phaseAxis(sampling.matrix[1], sampling.fovMm[1]);
/** One partition that is no axis: 2D. */
const noPartitions = phaseAxis(1, 1);
export const partitionsOf = (sampling: Sampling): PhaseAxis => sampling.partitions ?? noPartitions;
export const samplesOf = ({ matrix, readoutOversampling }: Sampling): number => matrix[0] * readoutOversampling;

/** kspaceEncodeStep of a line of the whole k-space. */
export const counterOf = ({ firstLine }: PhaseAxis, line: number): number => line - firstLine;
export const centreCounter = (axis: PhaseAxis): number => counterOf(axis, Math.floor(axis.nLines / 2));

export function limitsOf(axis: PhaseAxis): MrdLimit {
  return { minimum: 0, maximum: axis.endLine - axis.firstLine - 1, center: centreCounter(axis) };
}
