/**
 * From the MRD header and the parameters to the plan of a Cartesian 2D reconstruction, every choice
 * recorded with the header field that made it.
 *
 * Sizes along each axis: the encoded matrix covers the encoded FOV; the reconstructed one covers the
 * smaller or equal reconstructed FOV. k-space is placed, centre on centre, into
 *   padded = round(reconMatrix · encodedFov / reconFov)
 * samples (zero-filled where that is finer than what was encoded), transformed, and the central
 * reconMatrix pixels are kept: oversampling removal, phase oversampling and interpolation at once.
 */
import type { MrdHeader } from 'ismrmrd';
import { reconError } from '../errors.js';
import { reconNotice } from '../notices.js';
import { isPartial, type SampledExtent } from '../partial-fourier/index.js';
import type { Decision, ReconNotice, ReconParameters } from '../types.js';

/** Plain data: it crosses threads as it is. */
export interface CartesianPlan {
  readonly parameters: ReconParameters;
  /** Channels that the header announces; readouts have the last word. */
  readonly nCoilsAnnounced: number | undefined;
  readonly coilNames: readonly string[];
  readonly relativeReceiverNoiseBandwidth: number | undefined;
  /** Samples of a readout after zero-filling, with oversampling. */
  readonly paddedColumns: number;
  readonly nColumns: number;
  /** Encoded matrix along the phase encoding: rows of a slab. */
  readonly nLines: number;
  readonly paddedRows: number;
  readonly nRows: number;
  /** Rows that coils are combined on: nRows, or all of paddedRows where k-space is worked on afterwards. */
  readonly combinedRows: number;
  /** Rows of coil maps: combinedRows, or nLines where the image is solved for, over the encoded field of view. */
  readonly mapRows: number;
  /** Counter of the k-space centre line; it lies in slab row floor(nLines / 2). */
  readonly centreLine: number;
  readonly firstLine: number;
  readonly lastLine: number;
  readonly acceleration: number;
  /** The image is solved for as a whole, instead of synthesising lines. */
  readonly iterative: 'sense' | 'l1' | undefined;
  /**
   * `separate`: calibration lines stand apart and are never imaging lines. `interleaved`: the lattice moves on
   * from image to image, so that several of them fill k-space; their lines calibrate all.
   */
  readonly calibration: 'embedded' | 'separate' | 'interleaved' | 'none';
  /** Readouts that each line is the mean of. */
  readonly nAverages: number;
  /** Centre lines of the further encodings whose calibration lines serve this one, by encoding. */
  readonly referenceCentreLines: readonly (number | undefined)[];
  /** Images a slice position gives: contrasts, phases, repetitions and sets multiplied. */
  readonly nImagesPerSlice: number;
  /** [columns, rows, slice thickness] of the reconstructed image, mm */
  readonly fovMm: readonly [number, number, number];
}

export interface CartesianPlanning {
  readonly plan: CartesianPlan;
  readonly decisions: readonly Decision[];
  readonly notices: readonly ReconNotice[];
}

/** The largest matrix along one axis; a larger one in a header is a mistake or an attack. */
const largestMatrix = 4096;
const largestAcceleration = 8;
/** Arrays of no more channels than this are taken as they are: what compression saves it costs. */
export const mostCoilsUncompressed = 16;

/**
 * @throws CodedError RECON_ERR_NO_ENCODING, RECON_ERR_TRAJECTORY, RECON_ERR_3D, RECON_ERR_MATRIX,
 *   RECON_ERR_FOV, RECON_ERR_ACCELERATION, RECON_ERR_LIMITS
 */
export function planCartesian(header: MrdHeader, parameters: ReconParameters): CartesianPlanning {
  const decisions: Decision[] = [];
  const notices: ReconNotice[] = [];
  const decide = (what: string, value: string | number, because: string, source: string) =>
    decisions.push({ what, value: String(value), because, source });

  const encoding = header.encoding[0];
  if (encoding === undefined) throw reconError('RECON_ERR_NO_ENCODING', 'a header without an encoding element');
  if (header.encoding.length > 1) {
    notices.push(
      reconNotice(
        'RECON_WARN_OTHER_ENCODING',
        `The header has ${header.encoding.length} encodings; the first one is reconstructed. Of the others only calibration lines of the same field of view are used.`,
      ),
    );
  }
  if (encoding.trajectory !== 'cartesian') {
    throw reconError('RECON_ERR_TRAJECTORY', `trajectory "${encoding.trajectory}"`);
  }
  decide('trajectory', 'cartesian', 'the header says so', 'encoding[0].trajectory');

  const encoded = encoding.encodedSpace;
  const recon = encoding.reconSpace;
  const axes = ['x', 'y', 'z'] as const;
  for (const [name, space] of [['encodedSpace', encoded], ['reconSpace', recon]] as const) {
    for (const axis of axes) {
      const size = space.matrixSize[axis];
      if (!Number.isInteger(size) || size < 1 || size > largestMatrix) {
        throw reconError('RECON_ERR_MATRIX', `${name}.matrixSize.${axis} = ${size}`);
      }
      const fovMm = space.fieldOfView_mm[axis];
      if (!(fovMm > 0) || !Number.isFinite(fovMm)) {
        if (axis === 'z') continue; // Converters leave the thickness at 0; it only ends up in headers.
        throw reconError('RECON_ERR_FOV', `${name}.fieldOfView_mm.${axis} = ${fovMm}`);
      }
    }
  }
  if (encoded.matrixSize.z > 1) {
    throw reconError('RECON_ERR_3D', `encodedSpace.matrixSize.z = ${encoded.matrixSize.z}`);
  }

  const nColumns = recon.matrixSize.x;
  const nRows = recon.matrixSize.y;
  const paddedColumns = Math.round((nColumns * encoded.fieldOfView_mm.x) / recon.fieldOfView_mm.x);
  const paddedRows = Math.round((nRows * encoded.fieldOfView_mm.y) / recon.fieldOfView_mm.y);
  for (const [axis, padded, kept] of [['x', paddedColumns, nColumns], ['y', paddedRows, nRows]] as const) {
    if (padded < kept || padded > largestMatrix) {
      throw reconError(
        'RECON_ERR_FOV',
        `encodedSpace.fieldOfView_mm.${axis} / reconSpace.fieldOfView_mm.${axis} = ${encoded.fieldOfView_mm[axis]} / ${recon.fieldOfView_mm[axis]}`,
      );
    }
  }
  decide(
    'image matrix', `${nColumns} x ${nRows}`,
    `${encoded.matrixSize.x} x ${encoded.matrixSize.y} encoded, transformed as ${paddedColumns} x ${paddedRows}, the central part kept`,
    'encoding[0].encodedSpace, encoding[0].reconSpace',
  );

  const nLines = encoded.matrixSize.y;
  const limits = encoding.encodingLimits.kspace_encoding_step_1;
  const firstLine = limits?.minimum ?? 0;
  const lastLine = limits?.maximum ?? nLines - 1;
  const centreLine = limits?.center ?? Math.floor(nLines / 2);
  if (firstLine > lastLine || centreLine < firstLine || centreLine > lastLine + 1) {
    throw reconError('RECON_ERR_LIMITS', `kspace_encoding_step_1 minimum ${firstLine}, centre ${centreLine}, maximum ${lastLine}`);
  }
  const slabFirst = centreLine - Math.floor(nLines / 2);
  if (firstLine < slabFirst || lastLine >= slabFirst + nLines) {
    throw reconError(
      'RECON_ERR_LIMITS',
      `lines ${firstLine} to ${lastLine} about centre ${centreLine} in an encoded matrix of ${nLines}`,
    );
  }
  decide(
    'phase encoding', `lines ${firstLine} to ${lastLine}, centre ${centreLine}`,
    limits ? 'the header gives the limits' : 'the header gives no limits: the whole encoded matrix is expected',
    'encoding[0].encodingLimits.kspace_encoding_step_1',
  );
  const isPartialAlongPhase = isPartial(sampledRows({ firstLine, lastLine, centreLine }, paddedRows));
  if (isPartialAlongPhase) {
    decide(
      'partial Fourier', `${lastLine - firstLine + 1} of ${nLines} lines, ${parameters.partialFourier}`,
      parameters.partialFourier === 'auto'
        ? 'the limits leave a side of k-space out; the phase of the first image decides how it is completed'
        : `partialFourier=${parameters.partialFourier}`,
      'encoding[0].encodingLimits.kspace_encoding_step_1',
    );
  }

  const factors = encoding.parallelImaging?.accelerationFactor;
  const announced = factors?.kspace_encoding_step_1 ?? 1;
  if (!Number.isInteger(announced) || announced < 1 || announced > largestAcceleration) {
    throw reconError('RECON_ERR_ACCELERATION', `accelerationFactor.kspace_encoding_step_1 = ${announced}`);
  }
  if ((factors?.kspace_encoding_step_2 ?? 1) > 1) {
    throw reconError('RECON_ERR_3D', `accelerationFactor.kspace_encoding_step_2 = ${factors?.kspace_encoding_step_2}`);
  }
  const count = (limit: { maximum: number } | undefined) => (limit?.maximum ?? 0) + 1;
  const loops = encoding.encodingLimits;
  const nImagesPerSlice = count(loops.contrast) * count(loops.phase) * count(loops.repetition) * count(loops.set);
  const nAveragesAnnounced = count(loops.average);
  const { interleavingDimension } = encoding.parallelImaging ?? {};
  // R averages whose lattices complement each other are one full k-space: nothing is left to synthesise.
  const averagesFill =
    encoding.parallelImaging?.calibrationMode === 'interleaved' && interleavingDimension === 'average' && nAveragesAnnounced >= announced;
  const acceleration = averagesFill ? 1 : announced;
  decide(
    'acceleration', averagesFill && announced > 1 ? `R = ${announced} an average, filled by ${nAveragesAnnounced} of them` : `R = ${acceleration}`,
    averagesFill && announced > 1 ? 'the lattices of the averages complement each other' : factors ? 'the header says so' : 'the header has no parallelImaging element',
    'encoding[0].parallelImaging.accelerationFactor.kspace_encoding_step_1',
  );

  const mode = encoding.parallelImaging?.calibrationMode;
  const calibration =
    acceleration === 1
      ? 'none'
      : mode === 'separate' || mode === 'external'
        ? 'separate'
        : mode === 'interleaved' && interleavingDimension !== 'average' && nImagesPerSlice > 1
          ? 'interleaved'
          : 'embedded';
  decide(
    'calibration lines',
    calibration === 'none' ? 'central lines of the scan itself' : calibration,
    calibration === 'none'
      ? 'the scan is fully sampled'
      : mode === undefined
        ? 'no calibrationMode: lines flagged as calibration are taken as embedded'
        : calibration === 'separate'
          ? 'calibrationMode says so: such lines calibrate and never enter an image'
          : calibration === 'interleaved'
            ? `calibrationMode says so: the lines of ${acceleration} images together fill k-space`
          : mode === 'embedded'
            ? 'calibrationMode says so'
            : `calibrationMode "${mode}": lines flagged as calibration are used where there are any`,
    'encoding[0].parallelImaging.calibrationMode',
  );
  const combinedRows = isPartialAlongPhase ? paddedRows : nRows;
  const { unalias } = parameters;
  const iterative = acceleration > 1 && (unalias === 'sense' || unalias === 'l1') ? unalias : undefined;
  if (acceleration > 1) {
    const method = {
      auto: `GRAPPA ${parameters.kernelReadout} x ${parameters.kernelPhase}, Tikhonov ${parameters.grappaRegularization}`,
      grappa: `GRAPPA ${parameters.kernelReadout} x ${parameters.kernelPhase}, Tikhonov ${parameters.grappaRegularization}`,
      sense: `SENSE, ${parameters.senseIterations} conjugate-gradient iterations, Tikhonov ${parameters.senseRegularization}`,
      l1: `SENSE with l1 wavelets, ${parameters.l1Iterations} iterations, ${parameters.l1Regularization} of the noise`,
      none: 'none',
    }[unalias];
    decide(
      'unaliasing', method,
      unalias === 'auto' ? 'the scan is regularly undersampled' : `unalias=${unalias}`,
      unalias === 'auto' ? 'encoding[0].parallelImaging' : 'parameter unalias',
    );
    if (unalias !== 'none') {
      decide(
        'measured calibration lines', calibration === 'embedded' && parameters.keepCalibrationLines ? 'kept in the image' : 'not in the image',
        calibration === 'separate' ? 'separate lines may differ in contrast' : `keepCalibrationLines=${parameters.keepCalibrationLines}`,
        calibration === 'separate' ? 'encoding[0].parallelImaging.calibrationMode' : 'parameter keepCalibrationLines',
      );
    }
  }
  const mapsName = { walsh: 'Walsh', espirit: 'ESPIRiT' }[coilMapEstimator(parameters, iterative)];
  if (iterative !== undefined && parameters.combine === 'rss') {
    decide('coil combination', `coil maps from calibration lines (${mapsName})`, `unalias=${unalias} works with nothing else`, 'parameter unalias');
  } else {
    decide(
      'coil combination', parameters.combine === 'rss' ? 'root-sum-of-squares' : `coil maps from calibration lines (${mapsName})`,
      parameters.combine === 'auto' ? 'the best that the data allow; root-sum-of-squares where there is no calibration' : `combine=${parameters.combine}`,
      'parameter combine',
    );
  }
  decide(
    'prewhitening', parameters.prewhiten ? 'from the noise readouts, where there are any' : 'off',
    `prewhiten=${parameters.prewhiten}`, 'flag 19, parameter prewhiten',
  );

  const { coilCompression, coilCompressionEnergy } = parameters;
  decide(
    'coil compression',
    coilCompression === 'auto' ? `with more than ${mostCoilsUncompressed} coils, to ${100 * coilCompressionEnergy} % of the signal's energy` : String(coilCompression),
    coilCompression === 'auto' ? 'many channels hold little more than few' : `coilCompression=${coilCompression}`,
    'parameter coilCompression, parameter coilCompressionEnergy',
  );

  const nAverages = averagesFill ? Math.floor(nAveragesAnnounced / announced) : nAveragesAnnounced;
  const nSlices = count(loops.slice);
  decide(
    'images', `slices: ${nSlices}, images a slice: ${nImagesPerSlice}, averages: ${nAverages}`,
    'the limits of the counters', 'encoding[0].encodingLimits',
  );

  return {
    plan: {
      parameters,
      nCoilsAnnounced: header.acquisitionSystemInformation?.receiverChannels,
      coilNames: coilNames(header),
      relativeReceiverNoiseBandwidth: header.acquisitionSystemInformation?.relativeReceiverNoiseBandwidth,
      paddedColumns,
      nColumns,
      nLines,
      paddedRows,
      nRows,
      combinedRows,
      mapRows: iterative === undefined ? combinedRows : nLines,
      centreLine,
      firstLine,
      lastLine,
      acceleration,
      iterative,
      calibration,
      nAverages,
      referenceCentreLines: header.encoding.map((reference, at) => (at > 0 ? referenceCentreLine(reference, encoding) : undefined)),
      nImagesPerSlice,
      fovMm: [recon.fieldOfView_mm.x, recon.fieldOfView_mm.y, recon.fieldOfView_mm.z],
    },
    decisions,
    notices,
  };
}

/** Whether lines are synthesised by a GRAPPA kernel. */
export function needsKernel({ acceleration, iterative, parameters }: CartesianPlan): boolean {
  return acceleration > 1 && iterative === undefined && parameters.unalias !== 'none';
}

export function needsCoilMaps({ iterative, parameters }: CartesianPlan): boolean {
  return iterative !== undefined || parameters.combine !== 'rss';
}

/** How coil maps are estimated: where the image is solved for, the object's outline and the folds of the maps matter. */
export function coilMapEstimator({ coilMapMethod }: ReconParameters, iterative: CartesianPlan['iterative']): 'walsh' | 'espirit' {
  if (coilMapMethod !== 'auto') return coilMapMethod;
  return iterative === undefined ? 'walsh' : 'espirit';
}

/** Centre line of a reference scan whose k-space has the spacing of the imaging scan's; undefined where it has not. */
function referenceCentreLine(reference: MrdHeader['encoding'][number], imaging: MrdHeader['encoding'][number]): number | undefined {
  const isLike = (axis: 'x' | 'y') => {
    const ratio = reference.encodedSpace.fieldOfView_mm[axis] / imaging.encodedSpace.fieldOfView_mm[axis];
    return Math.abs(ratio - 1) < 1e-3;
  };
  if (reference.trajectory !== 'cartesian' || !isLike('x') || !isLike('y')) return undefined;
  return reference.encodingLimits.kspace_encoding_step_1?.center ?? Math.floor(reference.encodedSpace.matrixSize.y / 2);
}

/** The sampled part of a k-space of `nRows`, with the centre line at floor(nRows / 2). */
export function sampledRows(
  { firstLine, lastLine, centreLine }: Pick<CartesianPlan, 'firstLine' | 'lastLine' | 'centreLine'>, nRows: number,
): SampledExtent {
  const centre = Math.floor(nRows / 2);
  return { n: nRows, from: Math.max(0, centre + firstLine - centreLine), end: Math.min(nRows, centre + lastLine - centreLine + 1) };
}

function coilNames(header: MrdHeader): string[] {
  const names: string[] = [];
  for (const label of header.acquisitionSystemInformation?.coilLabel ?? []) {
    if (label.coilNumber >= 0 && label.coilNumber < 1024) names[label.coilNumber] = label.coilName;
  }
  return Array.from(names, (name, coil) => name ?? `coil ${coil}`);
}
