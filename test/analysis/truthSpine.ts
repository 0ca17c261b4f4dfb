/**
 * A simulated patient as the analysis would find them if it made no mistake: the truth's labels on stacks of slices, and
 * images by the signal equations without noise. Measures are tested on it apart from the network.
 */
import type { AnalysisSeries, Contrast, LabelledStack, Orientation, Spine } from '../../analysis/index.js';
import {
  fastSpinEcho, fatSaturation, inversionRecoveryFastSpinEcho, nullingInversionTimeMs, pointOf, volumeOf, voxelSignal, waterAndFat,
  type FieldStrengthT, type ImageGeometry, type Tissue, type Vector3,
} from '../../imaging/index.js';
import {
  buildPatient, drawPatient, paintChannels, paintLabels, patientTruth, spineLabels, vertebraNumber,
  type Plane, type SimulatedPatient, type Truth,
} from '../../simulator/index.js';
import { fatSaturationPulse } from '../../synth/index.js';

export interface StackOptions {
  readonly contrast: Contrast;
  readonly orientation: Orientation;
  /** An axial stack: through this disc, in its plane. */
  readonly segment?: string;
  readonly nSlices?: number;
  readonly sliceStepMm?: number;
  readonly fovMm?: number;
  /** Pixels of the images. */
  readonly pixelMm?: number;
  /** Added to the middle of the stack. */
  readonly shiftMm?: Vector3;
}

export interface TruthSpine {
  readonly spine: Spine;
  readonly truth: Truth;
  readonly patient: SimulatedPatient;
}

const labelPixelMm = 0.4;
const planesPerSlice = 3;

export function truthSpine(
  options: { readonly seed: number; readonly pathology?: string; readonly nLumbar?: 4 | 5 | 6; readonly region?: 'lumbar' | 'cervical' | 'thoracolumbar' },
  stacks: readonly StackOptions[], fieldStrengthT: FieldStrengthT = 1.5,
): TruthSpine {
  const { region = 'lumbar', ...rest } = options;
  const patient = buildPatient(drawPatient({ ...rest, region }, fieldStrengthT), fieldStrengthT);
  return { patient, spine: spineOf(patient, stacks, fieldStrengthT), truth: patientTruth(patient, fieldStrengthT) };
}

/** Frames and names are the simulator's own. */
export function spineOf(patient: SimulatedPatient, stacks: readonly StackOptions[], fieldStrengthT: FieldStrengthT = 1.5): Spine {
  const geometries = stacks.map((stack) => geometryOf(patient, stack));
  const { scene } = patient;
  const named = [...scene.vertebrae].filter(([name]) => /^[CTL]/.test(name) || name === 'S1');
  const inside = (pointMm: Vector3) => geometries.some((geometry) => within(geometry, pointMm));
  const vertebrae = named
    .filter(([name, { frame }]) => name !== 'C1' && inside(frame.originMm))
    .sort(([a], [b]) => vertebraNumber(a) - vertebraNumber(b))
    .map(([name, { frame }]) => ({ name, frame, partial: false, confidence: 1 }));
  const present = new Set(vertebrae.map(({ name }) => name));
  const segments = [...scene.segments]
    .map(([name, site]) => {
      const [upper, lower] = name.split('-') as [string, string];
      return { name, upper, lower, frame: site.frame, halfWidthMm: site.halfWidthMm, halfDepthMm: site.halfDepthMm, confidence: 1 };
    })
    .filter(({ upper, lower, frame }) => present.has(upper) && present.has(lower) && inside(frame.originMm))
    .sort((a, b) => vertebraNumber(a.upper) - vertebraNumber(b.upper));
  return {
    series: stacks.map((stack, index) => seriesOf(patient, stack, geometries[index]!, fieldStrengthT)),
    stacks: stacks.map(({ orientation }, seriesIndex): LabelledStack => {
      const codes = labelsOn(patient, geometries[seriesIndex]!);
      return { seriesIndex, orientation, codes, confidence: new Uint8Array(codes.data.length).fill(255) };
    }),
    vertebrae, segments,
    numbering: { certain: true, reasons: ['the truth'] },
  };
}

function geometryOf({ scene, discs }: SimulatedPatient, stack: StackOptions): ImageGeometry {
  const { orientation, segment = 'L3-L4', nSlices = orientation === 'axial' ? 5 : 15, sliceStepMm = orientation === 'axial' ? 4 : 4.4, shiftMm = [0, 0, 0] } = stack;
  const { fovMm = orientation === 'axial' ? 160 : 280, pixelMm = 0.8 } = stack;
  const frame = discs.get(segment) ?? scene.segments.values().next().value!.frame;
  const directions: Record<Orientation, [Vector3, Vector3, Vector3]> = {
    sagittal: [[0, 1, 0], [0, 0, -1], [-1, 0, 0]],
    axial: [frame.x, frame.y, frame.z],
    coronal: [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
  };
  const [rowDirection, columnDirection, sliceDirection] = directions[orientation];
  const n = Math.round(fovMm / pixelMm);
  const behindMm = orientation === 'coronal' ? 0 : 15;
  const centreMm = frame.originMm.map((value, axis) => value + shiftMm[axis]! + (axis === 1 ? behindMm : 0)) as unknown as Vector3;
  return { centreMm, rowDirection, columnDirection, sliceDirection, fovMm: [n * pixelMm, n * pixelMm, nSlices * sliceStepMm], matrixSize: [n, n, nSlices] };
}

function within({ centreMm, rowDirection, columnDirection, sliceDirection, fovMm }: ImageGeometry, pointMm: Vector3): boolean {
  return [rowDirection, columnDirection, sliceDirection].every((direction, axis) => {
    const away = direction.reduce((sum, value, k) => sum + value * (pointMm[k]! - centreMm[k]!), 0);
    return Math.abs(away) < fovMm[axis]! / 2;
  });
}

/** Roots within the sac are sac, the sacral vertebrae below S1 sacrum: as the network has it. */
function labelsOn({ anatomy }: SimulatedPatient, geometry: ImageGeometry): LabelledStack['codes'] {
  const slices = geometry.matrixSize[2];
  const fine: ImageGeometry = {
    ...geometry,
    matrixSize: [Math.round(geometry.fovMm[0] / labelPixelMm), Math.round(geometry.fovMm[1] / labelPixelMm), slices],
  };
  const nPixels = fine.matrixSize[0] * fine.matrixSize[1];
  const data = new Uint16Array(nPixels * slices);
  for (let slice = 0; slice < slices; slice++) data.set(paintLabels(anatomy, planeOf(fine, slice)).labels, slice * nPixels);
  return volumeOf(fine, data.map((code) => asFound(code)));
}

function asFound(code: number): number {
  const { csf, cord, epiduralFat, ligamentumFlavum, sacrum, root } = spineLabels;
  if ([csf, cord, epiduralFat, ligamentumFlavum, sacrum, root].some((known) => known === code) || code === 49) return code;
  if (code < 100) return 0;
  const [kind, level] = [code - (code % 100), code % 100];
  if (level <= 25) return code;
  return kind === 100 && level === 26 ? code : kind === 100 || kind === 200 || kind === 300 ? sacrum : 0;
}

/** Images by the signal equations, without noise. */
export function seriesOf(patient: SimulatedPatient, { contrast, orientation }: Pick<StackOptions, 'contrast' | 'orientation'>, geometry: ImageGeometry, fieldStrengthT: FieldStrengthT = 1.5): AnalysisSeries {
  const isCt = contrast === 'ct' || contrast === 'syntheticCt';
  const sequence = sequenceOf(contrast);
  const tiMs = nullingInversionTimeMs(patient.fat.t1Ms, sequence);
  const left = fatSaturation(patient.fat, fatSaturationPulse);
  const signalOf = (tissue: Tissue) => 1000 * voxelSignal(waterAndFat(tissue, patient.fat, (relaxation, compartment) =>
    contrast === 'stir' ? inversionRecoveryFastSpinEcho(relaxation, sequence, { tiMs })
      : isFatSaturated(contrast) ? fastSpinEcho(relaxation, sequence, { residual: left[compartment], delayMs: 0 }) : fastSpinEcho(relaxation, sequence)));
  // Of CT, what is nothing is air.
  const coefficients = new Map([...patient.anatomy.tissues].map(([name, tissue]) => [name, [isCt ? tissue.hounsfield + 1000 : signalOf(tissue)]]));
  const [columns, rows, slices] = geometry.matrixSize;
  const data = new Float32Array(columns * rows * slices);
  for (let slice = 0; slice < slices; slice++) {
    const painted = data.subarray(slice * columns * rows, (slice + 1) * columns * rows);
    for (let plane = 0; plane < planesPerSlice; plane++) {
      paintChannels(patient.anatomy, planeOf(geometry, slice + (plane + 0.5) / planesPerSlice - 0.5), coefficients, [painted], 1 / planesPerSlice);
    }
  }
  return {
    volume: volumeOf(geometry, isCt ? data.map((value) => value - 1000) : data.map(Math.abs)),
    contrast, orientation, synthetic: contrast === 'syntheticCt', denoised: false, description: `${contrast} ${orientation}`,
    fieldStrengthT, ...(isCt ? {} : { trMs: sequence.trMs, teMs: sequence.teMs }), ...(contrast === 'stir' ? { tiMs } : {}),
  };
}

function sequenceOf(contrast: Contrast) {
  if (contrast === 't1w' || contrast === 't1fs') return { trMs: 600, teMs: 10, echoTrainLength: 3, echoSpacingMs: 10, refocusingAngleDeg: 150 };
  const teMs = contrast === 'stir' ? 50 : contrast === 'pdw' || contrast === 'pdfs' ? 30 : 100;
  return { trMs: 4000, teMs, echoTrainLength: 16, echoSpacingMs: 10, refocusingAngleDeg: 150 };
}

function isFatSaturated(contrast: Contrast): boolean {
  return contrast === 't2fs' || contrast === 't1fs' || contrast === 'pdfs';
}

/** Pixels of a slice; fractions are planes within its thickness. */
export function planeOf(geometry: ImageGeometry, slice: number): Plane {
  const [nColumns, nRows] = geometry.matrixSize;
  const [columnMm, rowMm] = [geometry.fovMm[0] / nColumns, geometry.fovMm[1] / nRows];
  const along = (direction: Vector3, mm: number) => direction.map((value) => value * mm) as unknown as Vector3;
  return { originMm: pointOf(geometry, [0, 0, slice]), nColumns, nRows, columnStepMm: along(geometry.rowDirection, columnMm), rowStepMm: along(geometry.columnDirection, rowMm) };
}
