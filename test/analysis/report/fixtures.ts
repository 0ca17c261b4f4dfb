/** A small spine of boxes, oblique and not symmetric in any direction, and what might have been found on it. */
import {
  bodyCode, discCode, foramenCode, makeReport, structureCodes, type AnalysisSeries, type Assessment, type Finding, type Frame, type LabelledStack, type Report, type Spine,
} from '../../../analysis/index.js';
import { pointOf, volumeOf, type ImageGeometry, type Vector3 } from '../../../imaging/index.js';
import { obliqueGeometry } from '../../src/delivery/fixtures.js';

const [columns, rows, slices] = [40, 56, 4];
const stepMm = 4.5;
const finer = 2;

/** Labels are on a grid that is finer within the slices. Their first pixels share a corner with those of the image. */
export const imageGeometry: ImageGeometry = { ...obliqueGeometry(columns, rows), fovMm: [80, 112, slices * stepMm], matrixSize: [columns, rows, slices] };
export const labelGeometry: ImageGeometry = withCorner({ ...imageGeometry, matrixSize: [columns * finer, rows * finer, slices] }, [-0.25, -0.25, 0]);

/** Boxes in pixels of the image: columns, rows and slices [from, to). */
export const boxes: readonly { readonly code: number; readonly column: readonly [number, number]; readonly row: readonly [number, number]; readonly slice: readonly [number, number] }[] = [
  { code: bodyCode('L4'), column: [8, 22], row: [4, 18], slice: [0, 4] },
  { code: discCode('L4-L5'), column: [9, 23], row: [19, 24], slice: [1, 4] },
  { code: bodyCode('L5'), column: [10, 24], row: [25, 40], slice: [0, 3] },
  { code: foramenCode('L4-L5', 'left'), column: [27, 30], row: [15, 24], slice: [3, 4] },
  { code: foramenCode('L4-L5', 'right'), column: [27, 31], row: [16, 24], slice: [0, 1] },
  { code: structureCodes.sac, column: [26, 30], row: [0, 50], slice: [1, 3] },
];

export function smallSpine(synthetic = false, certain = true): Spine {
  return {
    series: [seriesOf('t2w', false), seriesOf('stir', synthetic)],
    stacks: [stackOf(0), stackOf(1)],
    vertebrae: [{ name: 'L4', frame: frameAt(0), partial: false, confidence: 0.9 }, { name: 'L5', frame: frameAt(2), partial: false, confidence: 0.9 }],
    segments: [{ name: 'L4-L5', upper: 'L4', lower: 'L5', frame: frameAt(1), halfWidthMm: 20, halfDepthMm: 14, confidence: 0.9 }],
    numbering: { certain, reasons: certain ? ['the sacrum', 'the last rib'] : ['only the sacrum'] },
  };
}

export function finding(kind: Finding['kind'], more: Partial<Finding> = {}): Finding {
  return { kind, measures: [], grades: [], signs: [], basis: { seriesIndices: [0], synthetic: false }, confidence: 0.9, ...more };
}

const drawing: NonNullable<Finding['drawing']> = {
  seriesIndex: 0, sliceIndex: 1, centreMm: pointOf(imageGeometry, [16, 21, 1]), extentMm: 60, outlines: [bodyCode('L4'), discCode('L4-L5')],
  lines: [{ fromMm: pointOf(imageGeometry, [26, 21, 1]), toMm: pointOf(imageGeometry, [30, 21, 1]), text: 'AP 8.0 mm' }],
  areas: [{ pointsMm: [pointOf(imageGeometry, [10, 8, 1]), pointOf(imageGeometry, [14, 8, 1]), pointOf(imageGeometry, [12, 12, 1])], text: 'type 1' }],
};

/** @param synthetic whether the findings of the second series are computed ones */
export function assessment(synthetic = false): Assessment {
  const level = 'L4-L5';
  return {
    findings: [
      finding('centralCanal', { level, measures: [{ name: 'sacArea', value: 71.4, unit: 'mm2' }], grades: [{ scale: 'centralCanal', value: 'severe', severity: 'severe', marginShare: 0.06 }], drawing }),
      finding('foramen', { level, side: 'left', measures: [{ name: 'width', value: 2.4, unit: 'mm' }], grades: [{ scale: 'foramen', value: 'moderate', severity: 'moderate', marginShare: 0.2 }] }),
      finding('foramen', { level, side: 'right', measures: [{ name: 'width', value: 4.1, unit: 'mm' }], grades: [{ scale: 'foramen', value: 'normal', severity: 'normal', marginShare: 0.025 }] }),
      finding('modic', { level, measures: [{ name: 'upperShare', value: 0.12, unit: '1' }], grades: [{ scale: 'modic', value: '1' }], basis: { seriesIndices: [0, 1], synthetic }, drawing: { ...drawing, seriesIndex: 1 } }),
      finding('vertebralHeights', { level: 'L4', measures: [{ name: 'heightLoss', value: 0.31, unit: '1' }], grades: [{ scale: 'genant', value: '2', severity: 'moderate' }, { scale: 'genantType', value: 'wedge' }], confidence: 0.62 }),
      finding('lordosis', { measures: [{ name: 'lumbarLordosis', value: 41.6, unit: 'deg' }] }),
    ],
    notAssessed: [
      { kind: 'lateralRecess', level, side: 'left', code: 'ANALYSIS_INFO_NO_SERIES', got: 'no axial series' },
      { kind: 'vertebralHeights', level: 'L5', code: 'ANALYSIS_INFO_NOT_COVERED', got: 'cut by the image' },
    ],
  };
}

export function report(synthetic = false, certain = true): Report {
  return makeReport(smallSpine(synthetic, certain), assessment(synthetic), {
    software: { name: 'Conus', version: '0.1.0' }, models: [{ id: 'spine-structures', version: '1.0.0', sha256: 'ab'.repeat(32) }], created: new Date('2026-02-03T04:05:06Z'),
  });
}

function seriesOf(contrast: 't2w' | 'stir', synthetic: boolean): AnalysisSeries {
  const data = Float32Array.from({ length: columns * rows * slices }, (_, i) => 100 + (i % columns) + 3 * (Math.floor(i / columns) % rows));
  return { volume: volumeOf(imageGeometry, data), contrast, orientation: 'sagittal', synthetic, denoised: false, description: `${contrast} sagittal`, seriesInstanceUid: contrast === 't2w' ? '1.2.3.10' : '1.2.3.11' };
}

function stackOf(seriesIndex: number): LabelledStack {
  const data = new Uint16Array(columns * finer * rows * finer * slices);
  for (const { code, column, row, slice } of boxes) {
    for (let k = slice[0]; k < slice[1]; k++) {
      for (let j = row[0] * finer; j < row[1] * finer; j++) data.fill(code, (k * rows * finer + j) * columns * finer + column[0] * finer, (k * rows * finer + j) * columns * finer + column[1] * finer);
    }
  }
  return { seriesIndex, orientation: 'sagittal', codes: volumeOf(labelGeometry, data), confidence: new Uint8Array(data.length).fill(230) };
}

function frameAt(place: number): Frame {
  const originMm = pointOf(imageGeometry, [[15, 11, 2], [16, 21.5, 2], [17, 32, 1]][place] as unknown as Vector3);
  return { originMm, x: imageGeometry.sliceDirection, y: imageGeometry.rowDirection, z: imageGeometry.columnDirection.map((value) => -value) as unknown as Vector3 };
}

/** The same grid moved so that its first voxel lies at this place of the image. */
function withCorner(geometry: ImageGeometry, imageVoxel: Vector3): ImageGeometry {
  const [is, wanted] = [pointOf(geometry, [0, 0, 0]), pointOf(imageGeometry, imageVoxel)];
  return { ...geometry, centreMm: geometry.centreMm.map((value, axis) => value + wanted[axis]! - is[axis]!) as unknown as Vector3 };
}
