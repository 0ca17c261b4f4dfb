/**
 * Coil maps from the central lines of k-space. The images m_c(p) of low resolution are, but for noise, S_c(p) rho(p); how
 * S is told from rho is the method's choice: walsh.ts, inati.ts. Maps are smooth and the images have few samples, so all
 * this is done on a grid twice as fine as their resolution; cubic interpolation brings the maps to the image's grid, where
 * they are normalised, sum_c |S_c|^2 = 1.
 */
import { reconError } from '../errors.js';
import { fftColumns, fftLines, fftPlanBytes, planFft } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import { inatiVectors } from './inati.js';
import { interpolationPoints, normalisationBytes, POINT_BYTES } from './interpolation.js';
import { vectorBytes, walshVectors } from './walsh.js';

/** More lines than these about the centre sharpen nothing that a coil map has. */
const largestLowResolution = 32;
const smallestLowResolution = 16;
/** What rounding up of so few spans may add. */
const alignmentBytes = 4096;

/** `walsh`: the local principal vector; `inati`: the same with maps that are smooth. */
export type CoilMapMethod = 'walsh' | 'inati';

export interface CoilMapCalibration {
  /** Hybrid lines (k-space along the lines, image space along the columns), complex64 interleaved, [nCoils, nCalibrationLines, nColumns]; consecutive lines. */
  readonly calibration: number;
  readonly nCoils: number;
  readonly nCalibrationLines: number;
  readonly nColumns: number;
  /** The first line, relative to the k-space centre: -12 for 24 lines about it. */
  readonly firstLine: number;
  /** Samples of the transform along the phase encoding, of which the central nRows are the image. */
  readonly paddedRows: number;
  readonly nRows: number;
}

/**
 * @returns maps, complex64 [nCoils, nRows, nColumns], in the kernels' memory; release with `arena.release`
 * @throws CodedError RECON_ERR_COIL_MAPS_NO_SIGNAL
 */
export function estimateCoilMaps(kernels: Kernels, calibration: CoilMapCalibration, method: CoilMapMethod = 'walsh'): number {
  const { arena, wasm } = kernels;
  const { nCoils, nColumns, nRows, paddedRows } = calibration;
  const { gridRows, gridColumns, resolutionColumns } = resolutionOf(calibration);
  // Power iteration takes coils in pairs.
  const nPaired = nCoils + (nCoils % 2);
  const nPoints = gridRows * gridColumns;

  return arena.withScratch(2 * 8 * nPoints * nPaired, (images) => {
    const vectors = images + 8 * nPoints * nPaired;
    lowResolutionImages(kernels, calibration, images, { gridRows, gridColumns, resolutionColumns, nPaired });
    const vectorsOf = { walsh: walshVectors, inati: inatiVectors }[method];
    vectorsOf(kernels, { gridRows, gridColumns, nCoils: nPaired }, images, vectors);
    return arena.withScratch(POINT_BYTES * (nRows + nColumns) + normalisationBytes(nCoils), (rowPoints) => {
      const columnPoints = rowPoints + POINT_BYTES * nRows;
      const scratch = columnPoints + POINT_BYTES * nColumns;
      arena.u8(rowPoints, POINT_BYTES * nRows).set(interpolationPoints(nRows, paddedRows, gridRows));
      arena.u8(columnPoints, POINT_BYTES * nColumns).set(interpolationPoints(nColumns, nColumns, gridColumns));
      return arena.withScratch(8 * nCoils * gridRows * nColumns, (wide) => {
        wasm.interpolateLines(vectors, nCoils, nPaired, gridRows, gridColumns, columnPoints, nColumns, wide);
        const maps = arena.allocate(8 * nCoils * nRows * nColumns);
        wasm.interpolateMaps(wide, nCoils, gridRows, nColumns, rowPoints, nRows, maps, scratch);
        return maps;
      });
    });
  });
}

/** Bytes of an arena in which `estimateCoilMaps` has room, by either method: its maps and what it takes beside them. */
export function coilMapBytes(calibration: Omit<CoilMapCalibration, 'calibration'>): number {
  const { nCoils, nColumns, nRows } = calibration;
  const { gridRows, gridColumns } = resolutionOf(calibration);
  const nPaired = nCoils + (nCoils % 2);
  const plans = fftPlanBytes(nColumns) + fftPlanBytes(gridRows) + fftPlanBytes(gridColumns);
  const nCentral = Math.min(calibration.nCalibrationLines, 2 * halfExtent(calibration) + 1);
  const ofLines = 8 * nCoils * nCentral * nColumns;
  const ofVectors = vectorBytes({ gridRows, gridColumns, nCoils: nPaired });
  const ofMaps = POINT_BYTES * (nRows + nColumns) + normalisationBytes(nCoils) + 8 * nCoils * (gridRows + nRows) * nColumns;
  return 2 * 8 * gridRows * gridColumns * nPaired + plans + Math.max(ofLines, ofVectors, ofMaps) + alignmentBytes;
}

/** What the lines resolve, and the grid on which maps are made of it. */
function resolutionOf(calibration: Omit<CoilMapCalibration, 'calibration'>): Omit<Resolution, 'nPaired'> {
  const { nColumns, paddedRows } = calibration;
  const resolutionRows = 2 * halfExtent(calibration);
  const resolutionColumns = Math.min(
    nColumns,
    Math.max(smallestLowResolution, 2 * Math.round((resolutionRows * nColumns) / paddedRows / 2)),
  );
  return { gridRows: gridSize(resolutionRows), gridColumns: gridSize(resolutionColumns), resolutionColumns };
}

/** Lines on either side of the centre that enter, the centre counted with the later ones. */
function halfExtent({ firstLine, nCalibrationLines }: Pick<CoilMapCalibration, 'firstLine' | 'nCalibrationLines'>): number {
  const reach = Math.max(-firstLine, firstLine + nCalibrationLines);
  return Math.min(largestLowResolution / 2, Math.max(1, reach));
}

/** Twice the resolution, a length that transforms fast. */
function gridSize(resolution: number): number {
  return 8 * Math.ceil((2 * Math.max(resolution, smallestLowResolution)) / 8);
}

/** Hann, centred on k = 0 and positive for |k| <= halfWidth. */
function hann(k: number, halfWidth: number): number {
  return 0.5 * (1 + Math.cos((Math.PI * k) / (halfWidth + 1)));
}

interface Resolution {
  readonly gridRows: number;
  readonly gridColumns: number;
  readonly resolutionColumns: number;
  /** Coils a point, the last of them zero where nCoils is odd. */
  readonly nPaired: number;
}

/**
 * Coil images on the coarse grid, complex64 [gridRows, gridColumns, nPaired], apodised along both axes and
 * of mean square 1, so that the power iteration's products stay within float32 whatever the scanner's unit.
 */
function lowResolutionImages(
  kernels: Kernels,
  calibration: CoilMapCalibration,
  target: number,
  { gridRows, gridColumns, resolutionColumns, nPaired }: Resolution,
): void {
  const { arena } = kernels;
  const { nCoils, nCalibrationLines, nColumns, firstLine } = calibration;
  const halfRows = halfExtent(calibration);
  const halfColumns = Math.floor(resolutionColumns / 2);
  const columnCentre = Math.floor(nColumns / 2);
  const from = Math.max(firstLine, -halfRows);
  const nLines = Math.max(0, Math.min(firstLine + nCalibrationLines, halfRows + 1) - from);
  const fromColumn = Math.max(0, columnCentre - halfColumns);
  const endColumn = Math.min(nColumns, columnCentre + halfColumns + 1);
  const readoutPlan = planFft(kernels, nColumns);
  const rowPlan = planFft(kernels, gridRows);
  const columnPlan = planFft(kernels, gridColumns);

  arena.withScratch(8 * nCoils * nLines * nColumns, (lines) => {
    const lineFloats = 2 * nColumns;
    const all = arena.f32(calibration.calibration, nCoils * nCalibrationLines * lineFloats);
    const central = arena.f32(lines, nCoils * nLines * lineFloats);
    for (let coil = 0; coil < nCoils; coil++) {
      const start = (coil * nCalibrationLines + from - firstLine) * lineFloats;
      central.set(all.subarray(start, start + nLines * lineFloats), coil * nLines * lineFloats);
    }
    fftLines(kernels, readoutPlan, lines, nCoils * nLines, 'forward');

    const images = arena.f32(target, 2 * gridRows * gridColumns * nPaired).fill(0);
    const place = (scale: number): number => {
      let energy = 0;
      for (let coil = 0; coil < nCoils; coil++) {
        for (let line = 0; line < nLines; line++) {
          for (let column = fromColumn; column < endColumn; column++) {
            const weight = scale * hann(from + line, halfRows) * hann(column - columnCentre, halfColumns);
            const source = (coil * nLines + line) * lineFloats + 2 * column;
            const point = (gridRows / 2 + from + line) * gridColumns + gridColumns / 2 + column - columnCentre;
            const re = weight * central[source]!;
            const im = weight * central[source + 1]!;
            images[2 * (point * nPaired + coil)] = re;
            images[2 * (point * nPaired + coil) + 1] = im;
            energy += re * re + im * im;
          }
        }
      }
      return energy;
    };
    const energy = place(1);
    if (!(energy > 0 && energy < Infinity)) {
      throw reconError('RECON_ERR_COIL_MAPS_NO_SIGNAL', `calibration lines of energy ${energy}`);
    }
    place(Math.sqrt((gridRows * gridColumns * nCoils) / energy));
  });
  // Coils lie innermost: a grid row is a matrix of as many columns as there are coils.
  fftColumns(kernels, rowPlan, target, gridColumns * nPaired, 'inverse');
  for (let row = 0; row < gridRows; row++) {
    fftColumns(kernels, columnPlan, target + 8 * row * gridColumns * nPaired, nPaired, 'inverse');
  }
}
