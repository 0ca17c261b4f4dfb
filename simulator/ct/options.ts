/** What can be set on the simulated CT scanner, and what holds where nothing is set. */
import type { Vector3 } from '../../imaging/index.js';
import { checkWholeNumbers } from '../checks.js';
import { simulatorError } from '../errors.js';
import { checkBeam, clinicalFanBeam, type Beam } from './beam.js';
import type { Bowtie } from './measure.js';
import type { ReconstructionKernel } from './reconstructionKernel.js';

export interface CtOptions {
  readonly beam: Beam;
  readonly bowtie: Bowtie | undefined;
  /** Tube voltage, for the record; the beam has one colour, that of `waterPerMm`. */
  readonly tubeVoltageKv: number;
  /** Attenuation of water at the effective energy. */
  readonly waterPerMm: number;
  /** Of a full dose, over one turn. */
  readonly tubeCurrentTimeMas: number;
  /**
   * Quanta that a channel counts over a turn, a mAs and a mm of slice thickness, with nothing but the
   * middle of the bowtie in the way.
   */
  readonly quantaPerMasMm: number;
  /** Of one row of the detector in one view: standard deviation of the electronics, in quanta. */
  readonly electronicNoiseQuanta: number;
  /** Height of a row of the detector at the isocentre. A slice adds up the rows in its thickness. */
  readonly detectorRowMm: number;
  /** Share of a channel's signal that each neighbour gets, 0 to below 1/3. */
  readonly crosstalk: number;
  /** One series of slices for each, of the full dose; Infinity is a scan without noise. */
  readonly doseFractions: readonly number[];
  /** Each dose is reconstructed with each of them. */
  readonly kernels: readonly ReconstructionKernel[];
  readonly nSlices: number;
  readonly sliceThicknessMm: number;
  /** Between the centres of neighbouring slices. */
  readonly sliceSpacingMm: number;
  /** Edge of the square image, pixels. */
  readonly matrix: number;
  readonly fovMm: number;
  /** Centre of the reconstructed stack, LPS. */
  readonly centreMm: Vector3;
  /** [x, y] of the rotation axis, LPS: where the table puts the patient. */
  readonly isocentreMm: readonly [number, number];
  /** Of the grid on which the body is painted and projected. */
  readonly bodyPixelMm: number;
  /** Planes of the body whose mean is a slice. */
  readonly planesPerSlice: number;
  /** 0 to 2^32 - 1; equal options with equal seeds give equal slices, in whatever order they are made. */
  readonly seed: number;
}

/**
 * A lumbar spine at 120 kV. 0.193/cm is water at 70 keV (NIST, Hubbell & Seltzer, doi 10.18434/T4D01F).
 * The quanta give about 11 HU behind 30 cm of water at 3 mm, 200 mAs and the soft kernel; they agree with
 * an air kerma of 80 µGy/mAs at 1 m, 3e4 quanta/mm²/µGy and half of them counted. The electronics and the
 * bowtie are chosen: vendors publish neither.
 */
export const defaultCtOptions: CtOptions = {
  beam: clinicalFanBeam,
  bowtie: { waterDiameterMm: 400, leastShare: 0.03 },
  tubeVoltageKv: 120,
  waterPerMm: 0.0193,
  tubeCurrentTimeMas: 200,
  quantaPerMasMm: 2e6,
  electronicNoiseQuanta: 8,
  detectorRowMm: 0.625,
  crosstalk: 0,
  doseFractions: [1],
  kernels: ['soft'],
  nSlices: 1,
  sliceThicknessMm: 3,
  sliceSpacingMm: 3,
  matrix: 512,
  fovMm: 250,
  centreMm: [0, 0, 0],
  isocentreMm: [0, 0],
  bodyPixelMm: 0.5,
  planesPerSlice: 3,
  seed: 1,
};

/** @throws SIM_ERR_OPTION, naming the option */
export function checkCtOptions(options: CtOptions): void {
  checkBeam(options.beam);
  checkWholeNumbers([
    ['nSlices', options.nSlices, 1, 4096],
    ['matrix', options.matrix, 2, 2048],
    ['planesPerSlice', options.planesPerSlice, 1, 64],
    ['seed', options.seed, 0, 2 ** 32 - 1],
  ]);
  const { bowtie } = options;
  const ranges: readonly [name: string, value: number, above: number, to: number][] = [
    ['tubeVoltageKv', options.tubeVoltageKv, 0, 200],
    ['waterPerMm', options.waterPerMm, 0, 1],
    ['tubeCurrentTimeMas', options.tubeCurrentTimeMas, 0, 1e5],
    ['quantaPerMasMm', options.quantaPerMasMm, 0, 1e12],
    ['detectorRowMm', options.detectorRowMm, 0, 100],
    ['sliceThicknessMm', options.sliceThicknessMm, 0, 100],
    ['sliceSpacingMm', options.sliceSpacingMm, 0, 1000],
    ['fovMm', options.fovMm, 0, 1000],
    ['bodyPixelMm', options.bodyPixelMm, 0, 10],
    ['bowtie.waterDiameterMm', bowtie?.waterDiameterMm ?? 1, 0, 1000],
    ['bowtie.leastShare', bowtie?.leastShare ?? 1, 0, 1],
    ...options.doseFractions.map((fraction): [string, number, number, number] => ['doseFractions', fraction, 0, Infinity]),
  ];
  for (const [name, value, above, to] of ranges) {
    if (!(value > above && value <= to)) {
      throw simulatorError('SIM_ERR_OPTION', `${name} = ${value}; it must be above ${above} and at most ${to}`);
    }
  }
  if (!(options.electronicNoiseQuanta >= 0 && options.electronicNoiseQuanta <= 1e6)) {
    throw simulatorError('SIM_ERR_OPTION', `electronicNoiseQuanta = ${options.electronicNoiseQuanta}; it must be from 0 to 1e6`);
  }
  if (!(options.crosstalk >= 0 && options.crosstalk < 1 / 3)) {
    throw simulatorError('SIM_ERR_OPTION', `crosstalk = ${options.crosstalk}; it must be from 0 to below 1/3`);
  }
  if (options.doseFractions.length === 0 || options.kernels.length === 0) {
    throw simulatorError('SIM_ERR_OPTION', 'no doseFractions or no kernels; at least one of each is needed');
  }
}
