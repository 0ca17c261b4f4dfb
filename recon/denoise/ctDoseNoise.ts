/**
 * The noise map of a CT image whose exposure and reconstruction kernel are known, on a scanner whose noise in a cylinder of
 * water was measured once with that kernel. A line of sight with line integral p and n quanta behind it has the variance
 *
 *   v = 1 / n + (e / n)²,    n = q Q T b(t) exp(-p),   e² = s_e² T
 *
 * (Q mAs, T mm of slice, b the bowtie at t mm from the isocentre, e the electronics), and filtered backprojection adds up what
 * the lines through a pixel have, by a factor that is the kernel's alone. Dividing by the middle of the water takes it away:
 *
 *   s²(x) = s_w² mean_lines v(x) / v_w,     v_w = v of Q_w, T_w, exp(-p) = exp(-mu d), b = 1
 *
 * Without electronics q drops out as well. The line integrals are those of the image itself, on a coarse grid: what lies outside
 * of the image attenuates nothing here, so the whole body has to be in it (`reachesBorder`).
 *
 * Kak & Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 5.2; Zeng 2015, doi 10.1109/TNS.2015.2467219.
 */
import { interpolated } from './coarseMaps.js';

export interface CtExposure {
  /** Of one turn, at this slice. */
  readonly exposureMas: number;
  readonly sliceThicknessMm: number;
}

/** What a cylinder of water about the isocentre showed. */
export interface CtWaterNoise extends CtExposure {
  readonly phantomDiameterMm: number;
  /** Standard deviation in its middle. */
  readonly noiseHu: number;
  /** Attenuation of water at the beam's effective energy. */
  readonly waterPerMm: number;
}

export interface CtBeam {
  /** The cylinder of water that the filter makes up for, and what its thickest part lets through, relative to its middle. */
  readonly bowtie?: { readonly waterDiameterMm: number; readonly leastShare: number } | undefined;
  /** Quanta that a channel counts in a view, a mAs and a mm of slice with nothing in the way; standard deviation of the electronics in a mm. */
  readonly electronics?: { readonly quantaPerMasMm: number; readonly noiseQuanta: number } | undefined;
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
/** Fewer quanta tell nothing more: scanners average neighbours there. */
const fewestQuanta = 1;
/** Denser than this is body, and so much of it on the border of an image is a body that goes on outside; a table is less. */
const bodyHu = -300;
const mostBodyOnBorder = 0.05;

/**
 * @param hounsfield float32 [rows, columns], HU, with the whole body in it
 * @returns float32 [rows, columns], HU
 */
export function ctNoiseOfDose(hounsfield: Float32Array, grid: CtImageGrid, exposure: CtExposure, water: CtWaterNoise, beam: CtBeam = {}): Float32Array {
  const { waterPerMm, phantomDiameterMm, noiseHu } = water;
  const factor = Math.max(1, Math.round(coarseMm / grid.pixelMm));
  const coarse = binned(hounsfield, grid, factor, waterPerMm);
  const variances = lineVarianceMeans(coarse, (p, distanceMm) => lineVariance(p, bowtieShare(beam, waterPerMm, distanceMm), exposure, beam));
  const scale = noiseHu / Math.sqrt(lineVariance(waterPerMm * phantomDiameterMm, 1, water, beam));
  return interpolated(variances, coarse.rows, coarse.columns, grid.rows, grid.columns, factor, (factor - 1) / 2, (variance) => scale * Math.sqrt(variance));
}

/** Whether a body goes on outside of an image, float32 [rows, columns], HU. */
export function reachesBorder(hounsfield: Float32Array, rows: number, columns: number): boolean {
  let nBody = 0;
  const see = (row: number, column: number) => {
    if (hounsfield[row * columns + column]! > bodyHu) nBody++;
  };
  for (let column = 0; column < columns; column++) [0, rows - 1].forEach((row) => see(row, column));
  for (let row = 1; row < rows - 1; row++) [0, columns - 1].forEach((column) => see(row, column));
  return nBody > mostBodyOnBorder * 2 * (rows + columns - 2);
}

function bowtieShare({ bowtie }: CtBeam, waterPerMm: number, distanceMm: number): number {
  if (bowtie === undefined) return 1;
  const { waterDiameterMm, leastShare } = bowtie;
  const chordMm = Math.sqrt(Math.max(0, waterDiameterMm ** 2 - 4 * distanceMm ** 2));
  return Math.max(leastShare, Math.exp(-waterPerMm * (waterDiameterMm - chordMm)));
}

/** v; where electronics are not known, in units of 1 / q. */
function lineVariance(p: number, share: number, { exposureMas, sliceThicknessMm }: CtExposure, { electronics }: CtBeam): number {
  const behind = exposureMas * sliceThicknessMm * share * Math.exp(-p);
  if (electronics === undefined) return 1 / behind;
  const quanta = Math.max(fewestQuanta, electronics.quantaPerMasMm * behind);
  return 1 / quanta + (electronics.noiseQuanta / quanta) ** 2 * sliceThicknessMm;
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

/** Mean over the lines through each pixel of what they have by line integral and distance from the isocentre, [rows, columns]. */
function lineVarianceMeans({ rows, columns, pixelMm, firstXMm, firstYMm, values }: Coarse, varianceOf: (p: number, distanceMm: number) => number): Float64Array {
  const radiusMm = Math.hypot(Math.max(Math.abs(firstXMm), Math.abs(firstXMm + columns * pixelMm)), Math.max(Math.abs(firstYMm), Math.abs(firstYMm + rows * pixelMm)));
  const reach = Math.ceil(radiusMm / pixelMm) + 1;
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
    const variances = lines.map((p, bin) => varianceOf(p, (bin - reach) * pixelMm));
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
