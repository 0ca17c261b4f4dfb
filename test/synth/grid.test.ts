import { describe, expect, it } from 'vitest';
import { invertAffine, motionAffine, pointOf, resample, voxelSizeMm, type ImageGeometry, type RigidMotion, type Volume } from '../../imaging/index.js';
import { commonGrid } from '../../synth/index.js';
import { sagittal, scanned } from '../imaging/twoContrasts.js';

const grid = sagittal({ size: [96, 112, 5], pixelMm: 1.1 });
const t2w = scanned(grid, { contrast: 't2w', noise: 0.02 });
const t1w = scanned(grid, { contrast: 't1w', noise: 0.02, gain: 500 });
const moved = (motion: Partial<RigidMotion>, geometry: ImageGeometry = grid) =>
  scanned(geometry, {
    contrast: 't1w', noise: 0.02, gain: 500,
    toBody: invertAffine(motionAffine({ rotationDeg: [0, 0, 0], shiftMm: [0, 0, 0], centreMm: [0, 0, 0], ...motion })),
  });

describe('series that agree', () => {
  it('are untouched', () => {
    const common = commonGrid(t1w, t2w, [t1w]);
    expect(common.t1w.data).toBe(t1w.data);
    expect(common.t2w.data).toBe(t2w.data);
    expect(common.others[0]!.data).toBe(t1w.data);
    expect(common.t1w.geometry).toEqual(grid);
    expect(common.report.residualMm).toBeLessThan(0.5);
    expect(common.otherReports[0]).toEqual(common.report);
  });
});

describe('series that do not', () => {
  it('come onto the slices of the T2w, without the motion', () => {
    const other = sagittal({ centreMm: [1, 6, -4], size: [120, 120, 6], pixelMm: 0.9, spacingMm: 4.5, obliqueDeg: 4 });
    const common = commonGrid(moved({ rotationDeg: [3, 0, 0], shiftMm: [0, 6, -5] }, other), t2w);
    expect(common.t1w.geometry).toEqual(grid);
    expect(Math.hypot(common.report.shiftMm[1] - 6, common.report.shiftMm[2] + 5)).toBeLessThan(0.6);
    expect(common.report.rotationDeg[0]).toBeGreaterThan(2);
    expect(common.report.residualMm).toBeLessThan(0.7);
    expect(common.report.nmiAfter).toBeGreaterThan(common.report.nmiBefore);
    expect(common.t1w.data.every((value) => value >= 0)).toBe(true);
    // The values are those of a scan without motion, but for the noise and what lies beyond the other's field of view.
    const difference = (volume: Volume) => {
      const both = volume.data.reduce((sum, value, at) => (value > 0 ? sum + (value - t1w.data[at]!) ** 2 : sum), 0);
      return Math.sqrt(both / volume.data.filter((value) => value > 0).length) / 500;
    };
    expect(difference(common.t1w)).toBeLessThan(0.1);
  });

  it.each([
    { pixelMm: 0.5, size: [200, 224, 3] as const, expected: 0.6 },
    { pixelMm: 1.6, size: [64, 80, 3] as const, expected: 1.15 },
  ])('have pixels that the network knows: $pixelMm mm', ({ pixelMm, size, expected }) => {
    const own = sagittal({ size, pixelMm });
    const common = commonGrid(scanned(own, { contrast: 't1w' }), scanned(own, { contrast: 't2w' }));
    const [columnMm, rowMm, sliceMm] = voxelSizeMm(common.t2w.geometry);
    expect([columnMm, rowMm, sliceMm].map((value) => Number(value.toFixed(6)))).toEqual([expected, expected, 5]);
    expect(common.t1w.geometry).toEqual(common.t2w.geometry);
    // About the same middle.
    const middle = ({ geometry }: Volume) => pointOf(geometry, [(geometry.matrixSize[0] - 1) / 2, (geometry.matrixSize[1] - 1) / 2, 1]);
    middle(common.t2w).forEach((value, axis) => expect(value).toBeCloseTo(middle({ geometry: own, data: t1w.data })[axis]!, 6));
  });

  it('pixels that are not square become so', () => {
    const own: ImageGeometry = { ...grid, fovMm: [96 * 0.8, 112 * 1.1, 25] };
    const { t2w: common } = commonGrid(scanned(own, { contrast: 't1w' }), scanned(own, { contrast: 't2w' }));
    const [columnMm, rowMm] = voxelSizeMm(common.geometry);
    expect(columnMm).toBeCloseTo(Math.sqrt(0.88), 6);
    expect(rowMm).toBeCloseTo(columnMm, 6);
  });
});

describe('what is refused', () => {
  it('series of other parts of the body', () => {
    expect(() => commonGrid({ ...t1w, geometry: { ...grid, centreMm: [0, 0, 300] } }, t2w)).toThrow('SYNTH_ERR_NO_OVERLAP');
  });

  it('sagittal and axial', () => {
    const axial: ImageGeometry = { ...grid, rowDirection: [1, 0, 0], columnDirection: [0, 1, 0], sliceDirection: [0, 0, 1] };
    expect(() => commonGrid({ ...t1w, geometry: axial }, t2w)).toThrow('SYNTH_ERR_ORIENTATION');
  });

  it('more motion than patients make', () => {
    expect(() => commonGrid(moved({ shiftMm: [0, 4, -23] }), t2w)).toThrow('SYNTH_ERR_MOTION');
  });

  it('what no rigid motion brings onto each other: rows that drift apart', () => {
    const [columns, rows] = grid.matrixSize;
    const sheared = t1w.data.map((_, at) => {
      const [row, column] = [Math.floor(at / columns) % rows, at % columns];
      const from = Math.min(columns - 1, Math.max(0, column + Math.round(6 * Math.sin((row / rows) * 4 * Math.PI))));
      return t1w.data[at - column + from]!;
    });
    expect(() => commonGrid({ geometry: grid, data: sheared }, t2w)).toThrow('SYNTH_ERR_REGISTRATION');
  });

  it('series without an edge in common', () => {
    expect(() => commonGrid({ geometry: grid, data: new Float32Array(t1w.data.length).fill(1) }, t2w)).toThrow('SYNTH_ERR_REGISTRATION');
    expect(() => commonGrid({ geometry: grid, data: new Float32Array(t1w.data.length) }, t2w)).toThrow('SYNTH_ERR_TOO_SMALL');
  });

  it('volumes that are not what their geometry says', () => {
    expect(() => commonGrid({ geometry: grid, data: t1w.data.subarray(1) }, t2w)).toThrow('SYNTH_ERR_GEOMETRY');
    expect(() => commonGrid(t1w, { ...t2w, geometry: { ...grid, rowDirection: [2, 0, 0] } })).toThrow('SYNTH_ERR_GEOMETRY');
    expect(() => commonGrid(t1w, { ...t2w, geometry: { ...grid, fovMm: [400, 400, 25] } })).toThrow('SYNTH_ERR_GEOMETRY');
  });
});

it('the motion is what resampling undoes', () => {
  const motion: RigidMotion = { rotationDeg: [2, 0, 0], shiftMm: [0, 4, 3], centreMm: [0, 0, 0] };
  const { report } = commonGrid(moved(motion), t2w);
  const undone = resample(moved(motion), grid, 'cubic', { motion: motionAffine({ ...report, centreMm: pointOf(grid, [47.5, 55.5, 2]) }) });
  const again = commonGrid(undone, t2w).report;
  expect(Math.hypot(...again.shiftMm)).toBeLessThan(0.4);
});
