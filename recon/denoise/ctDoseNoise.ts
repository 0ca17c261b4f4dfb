/**
 * The noise map of a CT image whose dose and reconstruction kernel are known. A reading of N quanta behind a line
 * integral p, with electronics of s_e quanta, leaves in the measured line integral the variance
 *
 *   v = exp(p) / N + s_e² exp(2 p) / N²
 *
 * and filtered backprojection with |f| W(f) adds up what the lines through a pixel have,
 *
 *   s²(x) = (pi / n)² a  2 int_0^(1/2a) f² W² df  sum_views v(view, t(x)),
 *
 * for n parallel views over half a turn with a mm between their lines, or n views of a fan over a full one, each line of
 * which is measured twice. Without a window and behind a constant p it is pi² v / (12 n a²). The line integrals are those of
 * the image itself, on a coarse grid: what lies outside of the image attenuates nothing here, so the whole body has to be in it.
 *
 * Kak & Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 5.2; Zeng 2015, doi 10.1109/TNS.2015.2467219.
 */
import { interpolated } from './coarseMaps.js';

export interface CtDose {
  /** Readings that meet in a pixel: views over half a turn of parallel beams, over a full turn of a fan. */
  readonly nViews: number;
  /** Distance of neighbouring lines at the isocentre. */
  readonly lineSpacingMm: number;
  /** Quanta that reach a channel in a view with nothing in the way, of a line `distanceMm` from the isocentre. */
  readonly quantaAt: (distanceMm: number) => number;
  /** Standard deviation of the electronics in a reading, quanta. */
  readonly electronicNoiseQuanta: number;
  /** W at f line pairs a mm, from 0 to half the inverse of the line spacing. */
  readonly kernelWindow: (frequencyPerMm: number) => number;
  readonly waterPerMm: number;
}

export interface CtImageGrid {
  readonly rows: number;
  readonly columns: number;
  readonly pixelMm: number;
  /** Centre of pixel [0, 0], mm from the isocentre. */
  readonly firstXMm: number;
  readonly firstYMm: number;
}

const coarseMm = 4;
const nAngles = 90;
const nFrequencies = 256;
/** Fewer quanta tell nothing more: scanners average neighbours there. */
const fewestQuanta = 1;

/**
 * @param hounsfield float32 [rows, columns], HU, with the whole body in it
 * @returns float32 [rows, columns], HU
 */
export function ctNoiseOfDose(hounsfield: Float32Array, grid: CtImageGrid, dose: CtDose): Float32Array {
  const { nViews, lineSpacingMm, kernelWindow, waterPerMm } = dose;
  const factor = Math.max(1, Math.round(coarseMm / grid.pixelMm));
  const coarse = binned(hounsfield, grid, factor, waterPerMm);
  const variances = lineVarianceMeans(coarse, dose);
  const nyquistPerMm = 1 / (2 * lineSpacingMm);
  let power = 0;
  for (let k = 0; k < nFrequencies; k++) {
    const f = ((k + 0.5) / nFrequencies) * nyquistPerMm;
    power += (2 * (f * kernelWindow(f)) ** 2 * nyquistPerMm) / nFrequencies;
  }
  const scale = (Math.PI * 1000 * Math.sqrt((lineSpacingMm * power) / nViews)) / waterPerMm;
  const fine = interpolated(variances, coarse.rows, coarse.columns, grid.rows, grid.columns, factor, (factor - 1) / 2);
  return Float32Array.from(fine, (variance) => scale * Math.sqrt(variance));
}

interface Coarse extends CtImageGrid {
  /** Attenuation per mm. */
  readonly values: Float64Array;
}

/** Means over factor x factor pixels. */
function binned(hounsfield: Float32Array, { rows: nRows, columns: nColumns, pixelMm, firstXMm, firstYMm }: CtImageGrid, factor: number, waterPerMm: number): Coarse {
  const [rows, columns] = [Math.ceil(nRows / factor), Math.ceil(nColumns / factor)];
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < nRows; row++) {
    for (let column = 0; column < nColumns; column++) {
      const at = Math.floor(row / factor) * columns + Math.floor(column / factor);
      values[at]! += (Math.max(0, hounsfield[row * nColumns + column]! / 1000 + 1) * waterPerMm) / (factor * factor);
    }
  }
  const shiftMm = ((factor - 1) / 2) * pixelMm;
  return { rows, columns, pixelMm: factor * pixelMm, firstXMm: firstXMm + shiftMm, firstYMm: firstYMm + shiftMm, values };
}

/** Mean of v over the lines through each pixel, [rows, columns]. */
function lineVarianceMeans({ rows, columns, pixelMm, firstXMm, firstYMm, values }: Coarse, { quantaAt, electronicNoiseQuanta }: CtDose): Float64Array {
  const radiusMm = Math.hypot(Math.max(Math.abs(firstXMm), Math.abs(firstXMm + columns * pixelMm)), Math.max(Math.abs(firstYMm), Math.abs(firstYMm + rows * pixelMm)));
  const reach = Math.ceil(radiusMm / pixelMm) + 1;
  const incident = Float64Array.from({ length: 2 * reach + 1 }, (_, bin) => quantaAt((bin - reach) * pixelMm));
  const means = new Float64Array(rows * columns);
  for (let angle = 0; angle < nAngles; angle++) {
    const theta = (Math.PI * (angle + 0.5)) / nAngles;
    const [cos, sin] = [Math.cos(theta), Math.sin(theta)];
    const placeOf = (row: number, column: number) => ((firstXMm + column * pixelMm) * cos + (firstYMm + row * pixelMm) * sin) / pixelMm + reach;
    const lines = new Float64Array(2 * reach + 1);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const place = placeOf(row, column);
        const bin = Math.floor(place);
        const value = values[row * columns + column]! * pixelMm;
        lines[bin]! += (1 - (place - bin)) * value;
        lines[bin + 1]! += (place - bin) * value;
      }
    }
    const variances = lines.map((p, bin) => {
      const quanta = Math.max(fewestQuanta, incident[bin]! * Math.exp(-p));
      return 1 / quanta + (electronicNoiseQuanta / quanta) ** 2;
    });
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const place = placeOf(row, column);
        const bin = Math.floor(place);
        means[row * columns + column]! += (variances[bin]! + (place - bin) * (variances[bin + 1]! - variances[bin]!)) / nAngles;
      }
    }
  }
  return means;
}
