/**
 * A body on the table of the CT scanner, slice by slice:
 *
 *   HU of the planes in the slice -> mean attenuation -> projections (once a slice)
 *     -> for each dose: quanta, electronics, logarithm -> for each kernel: filter, backprojection -> HU
 *
 * A slice counts the quanta of its whole thickness, so that a thick one has less noise. The table stands
 * still during a turn: there are no helical artefacts. The mean over the thickness is taken of the
 * attenuation, not of the transmitted beam, and no colours of the beam are told apart.
 */
import type { ImageGeometry, Vector3 } from '../../imaging/index.js';
import { simulatorError } from '../errors.js';
import { Random } from '../random.js';
import { backproject } from './backproject.js';
import type { ScannedBody } from './body.js';
import { ViewFilter } from './filter.js';
import { toHounsfield, type PixelGrid } from './grid.js';
import { bowtieProfile, measure } from './measure.js';
import { checkCtOptions, defaultCtOptions, type CtOptions } from './options.js';
import { forwardProject } from './project.js';
import type { ReconstructionKernel } from './reconstructionKernel.js';

export interface CtSlice {
  /** float32 [rows, columns], HU; -1000 outside the scanner's field */
  readonly hounsfield: Float32Array;
  /** Of this slice; seen from the feet, as radiologists do: columns to the left, rows to posterior. */
  readonly geometry: ImageGeometry;
  /** From 0, feet first. */
  readonly sliceIndex: number;
  readonly doseFraction: number;
  readonly kernel: ReconstructionKernel;
}

const MOST_BODY_PIXELS = 2 ** 24;
/** Keeps the random streams of a slice's doses apart from those of other slices. */
const STREAMS_A_DOSE = 4096;

export class CtScan {
  readonly options: CtOptions;
  readonly #body: ScannedBody;
  readonly #grid: PixelGrid;
  readonly #filters: ReadonlyMap<ReconstructionKernel, ViewFilter>;
  readonly #profile: Float64Array;

  /** @throws SIM_ERR_OPTION; also where the body reaches the source, or its grid is too large */
  constructor(body: ScannedBody, options: Partial<CtOptions> = {}) {
    this.options = { ...defaultCtOptions, ...options };
    checkCtOptions(this.options);
    const { beam, kernels, bowtie, waterPerMm } = this.options;
    this.#body = body;
    this.#grid = bodyGrid(body, this.options);
    this.#filters = new Map(kernels.map((kernel) => [kernel, new ViewFilter(beam, kernel)]));
    this.#profile = bowtieProfile(beam, bowtie, waterPerMm);
  }

  /**
   * One slice at every dose, with every kernel: doses first, then kernels, in the order of the options.
   * @throws SIM_ERR_OPTION for a slice that the scan does not have
   */
  slice(sliceIndex: number): CtSlice[] {
    const { beam, doseFractions, nSlices, seed, waterPerMm } = this.options;
    if (!Number.isInteger(sliceIndex) || sliceIndex < 0 || sliceIndex >= nSlices) {
      throw simulatorError('SIM_ERR_OPTION', `slice ${sliceIndex} of ${nSlices}`);
    }
    const geometry = this.#geometryOf(sliceIndex);
    const grid = this.#imageGrid();
    const projections = forwardProject(this.#attenuation(geometry.centreMm[2]), this.#grid, beam);
    return doseFractions.flatMap((doseFraction, dose) => {
      const stream = STREAMS_A_DOSE * dose + sliceIndex + 1;
      const random = new Random((seed ^ Math.imul(stream, 0x9e3779b1)) >>> 0);
      const measured = Number.isFinite(doseFraction)
        ? measure(projections, this.#profile, this.#detection(doseFraction), random)
        : projections;
      return [...this.#filters].map(([kernel, filter]) => {
        const hounsfield = toHounsfield(backproject(filter.apply(measured), grid), waterPerMm);
        return { hounsfield, geometry, sliceIndex, doseFraction, kernel };
      });
    });
  }

  #geometryOf(sliceIndex: number): ImageGeometry {
    const { centreMm, fovMm, matrix, nSlices, sliceSpacingMm, sliceThicknessMm } = this.options;
    const z = centreMm[2] + (sliceIndex - Math.floor(nSlices / 2)) * sliceSpacingMm;
    return {
      centreMm: [centreMm[0], centreMm[1], z],
      rowDirection: [1, 0, 0],
      columnDirection: [0, 1, 0],
      sliceDirection: [0, 0, 1],
      fovMm: [fovMm, fovMm, sliceThicknessMm],
      matrixSize: [matrix, matrix, 1],
    };
  }

  /** Pixel floor(N/2) lies on the centre, as in imaging/geometry.ts. */
  #imageGrid(): PixelGrid {
    const { centreMm, fovMm, isocentreMm, matrix } = this.options;
    const pixelMm = fovMm / matrix;
    const firstOf = (axis: 0 | 1) => centreMm[axis] - isocentreMm[axis] - Math.floor(matrix / 2) * pixelMm;
    return { rows: matrix, columns: matrix, pixelMm, firstXMm: firstOf(0), firstYMm: firstOf(1) };
  }

  /** Mean over the slice's thickness, per mm. */
  #attenuation(zMm: number): Float32Array {
    const { isocentreMm, planesPerSlice, sliceThicknessMm, waterPerMm } = this.options;
    const { rows, columns, pixelMm, firstXMm, firstYMm } = this.#grid;
    const image = new Float32Array(rows * columns);
    for (let plane = 0; plane < planesPerSlice; plane++) {
      const z = zMm + ((plane + 0.5) / planesPerSlice - 0.5) * sliceThicknessMm;
      const originMm: Vector3 = [isocentreMm[0] + firstXMm, isocentreMm[1] + firstYMm, z];
      this.#body.paint(
        { originMm, columnStepMm: [pixelMm, 0, 0], rowStepMm: [0, pixelMm, 0], nColumns: columns, nRows: rows },
        image,
        waterPerMm / (1000 * planesPerSlice),
      );
    }
    return image;
  }

  #detection(doseFraction: number) {
    const { beam, crosstalk, detectorRowMm, electronicNoiseQuanta, quantaPerMasMm, sliceThicknessMm, tubeCurrentTimeMas } =
      this.options;
    return {
      quantaPerReading: (quantaPerMasMm * tubeCurrentTimeMas * doseFraction * sliceThicknessMm) / beam.nViews,
      electronicNoiseQuanta: electronicNoiseQuanta * Math.sqrt(sliceThicknessMm / detectorRowMm),
      crosstalk,
    };
  }
}

/** All slices of a scan, feet first, each at every dose and with every kernel. @throws SIM_ERR_OPTION */
export function* simulateCt(body: ScannedBody, options: Partial<CtOptions> = {}): Generator<CtSlice, void> {
  const scan = new CtScan(body, options);
  for (let sliceIndex = 0; sliceIndex < scan.options.nSlices; sliceIndex++) yield* scan.slice(sliceIndex);
}

/** The grid over all of the body, about the isocentre. */
function bodyGrid({ bounds: { min, max } }: ScannedBody, { beam, bodyPixelMm: pixelMm, isocentreMm }: CtOptions): PixelGrid {
  const sizeOf = (axis: 0 | 1) => Math.max(1, Math.ceil((max[axis] - min[axis]) / pixelMm) + 1);
  const firstOf = (axis: 0 | 1) => (min[axis] + max[axis] - (sizeOf(axis) - 1) * pixelMm) / 2 - isocentreMm[axis];
  const grid = { rows: sizeOf(1), columns: sizeOf(0), pixelMm, firstXMm: firstOf(0), firstYMm: firstOf(1) };
  if (!(grid.rows * grid.columns <= MOST_BODY_PIXELS)) {
    throw simulatorError('SIM_ERR_OPTION', `a body of ${grid.columns} x ${grid.rows} pixels of ${pixelMm} mm; bodyPixelMm must be larger`);
  }
  const farthestOf = (axis: 0 | 1) => Math.max(Math.abs(min[axis] - isocentreMm[axis]), Math.abs(max[axis] - isocentreMm[axis]));
  const reachMm = Math.hypot(farthestOf(0), farthestOf(1));
  if (beam.kind === 'fan' && reachMm >= beam.sourceIsocentreMm) {
    throw simulatorError('SIM_ERR_OPTION', `a body that reaches ${reachMm} mm from the isocentre, the source is at ${beam.sourceIsocentreMm} mm`);
  }
  return grid;
}
