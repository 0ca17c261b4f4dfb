/** A T1w and a T2w of a simulated lumbar spine as a scanner would give them, painted rather than scanned: seconds in place of minutes. */
import { fatAt, fastSpinEcho, waterAndFat, type FastSpinEchoSequence, type ImageGeometry, type Tissue, type Vector3, type Volume } from '../imaging/index.js';
import { buildPatient, drawPatient, outOfFrame, paintChannels, Random, type SimulatedPatient } from '../simulator/index.js';
import type { SynthesisInput } from '../synth/index.js';

export interface PairOptions {
  readonly seed: number;
  readonly slices: number;
  /** Rows and columns. */
  readonly matrix: number;
  readonly pixelMm: number;
  readonly sliceMm: number;
  readonly pathology: string;
  /** Where the patient lay for T1w, from where he lay for T2w. */
  readonly shiftMm: Vector3;
  /** Of the mean of tissue. */
  readonly noise: number;
}

export const clinicalPair: PairOptions = {
  seed: 11, slices: 15, matrix: 320, pixelMm: 0.85, sliceMm: 4.4, pathology: 'modic1:L4-L5,metastasis:L2', shiftMm: [0, 1.3, -0.9], noise: 0.02,
};

const fieldStrengthT = 1.5;
const sequences = {
  t1w: { trMs: 600, teMs: 10, echoTrainLength: 3, echoSpacingMs: 10, refocusingAngleDeg: 150 },
  t2w: { trMs: 3500, teMs: 100, echoTrainLength: 17, echoSpacingMs: 10, refocusingAngleDeg: 150 },
} as const;

/** Sagittal slices about the disc L3-L4, under a surface coil at the back. */
export function simulatedPair(options: PairOptions = clinicalPair): SynthesisInput {
  const patient = buildPatient(drawPatient({ seed: options.seed, region: 'lumbar', pathology: options.pathology }, fieldStrengthT), fieldStrengthT);
  const centreMm = outOfFrame(patient.discs.get('L3-L4')!, [0, 0, 0]);
  const random = new Random(options.seed);
  return {
    t1w: { volume: scanned(patient, sequences.t1w, centreMm, options.shiftMm, 300, options, random), sequence: sequences.t1w },
    t2w: { volume: scanned(patient, sequences.t2w, centreMm, [0, 0, 0], 900, options, random), sequence: sequences.t2w },
    fieldStrengthT,
  };
}

function scanned(
  patient: SimulatedPatient, sequence: FastSpinEchoSequence, centreMm: Vector3, shiftMm: Vector3, gain: number,
  { slices, matrix, pixelMm, sliceMm, noise }: PairOptions, random: Random,
): Volume<Float32Array> {
  const signalOf = (tissue: Tissue) => {
    const { water, fat } = waterAndFat(tissue, fatAt(fieldStrengthT), (relaxation) => fastSpinEcho(relaxation, sequence));
    return [water + fat];
  };
  const signals = new Map([...patient.anatomy.tissues].map(([name, tissue]) => [name, signalOf(tissue)]));
  const nPixels = matrix * matrix;
  const data = new Float32Array(slices * nPixels);
  const half = (matrix / 2 - 0.5) * pixelMm;
  for (let slice = 0; slice < slices; slice++) {
    const image = data.subarray(slice * nPixels, (slice + 1) * nPixels);
    const originMm: Vector3 = [
      centreMm[0] + (slice - (slices - 1) / 2) * sliceMm - shiftMm[0], centreMm[1] - half - shiftMm[1], centreMm[2] + half - shiftMm[2],
    ];
    paintChannels(patient.anatomy, { originMm, columnStepMm: [0, pixelMm, 0], rowStepMm: [0, 0, -pixelMm], nColumns: matrix, nRows: matrix }, signals, [image], 1);
    const level = noise * 0.3;
    for (let pixel = 0; pixel < nPixels; pixel++) {
      const coil = Math.exp(0.8 * ((pixel % matrix) / matrix - 0.5));
      image[pixel] = gain * Math.hypot(image[pixel]! * coil + level * random.normal(), level * random.normal());
    }
  }
  const geometry: ImageGeometry = {
    centreMm, rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [1, 0, 0],
    fovMm: [matrix * pixelMm, matrix * pixelMm, slices * sliceMm], matrixSize: [matrix, matrix, slices],
  };
  return { geometry, data };
}
