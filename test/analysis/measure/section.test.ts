import { describe, expect, it } from 'vitest';
import type { Frame, LabelledStack } from '../../../analysis/index.js';
import { distanceMm, framePlane, inFrame, nearestSlice, outOfFrame, planeSection, reaches, sliceSection } from '../../../analysis/measure/index.js';
import { affineLps, transformPoint, volumeOf, type ImageGeometry, type Vector3 } from '../../../imaging/index.js';

/** Sagittal slices 4 mm apart with what stands at each point of the patient. */
function stackOf(codeAt: (point: Vector3) => number, turnDeg = 0): LabelledStack {
  const [c, s] = [Math.cos((turnDeg * Math.PI) / 180), Math.sin((turnDeg * Math.PI) / 180)];
  const geometry: ImageGeometry = {
    centreMm: [3, -2, 5], rowDirection: [0, c, s], columnDirection: [0, s, -c], sliceDirection: [-1, 0, 0], fovMm: [64, 80, 36], matrixSize: [160, 200, 9],
  };
  const [data, affine] = [new Uint16Array(160 * 200 * 9), affineLps(geometry)];
  for (let k = 0, voxel = 0; k < 9; k++) {
    for (let j = 0; j < 200; j++) for (let i = 0; i < 160; i++, voxel++) data[voxel] = codeAt(transformPoint(affine, [i, j, k]));
  }
  return { seriesIndex: 0, orientation: 'sagittal', codes: volumeOf(geometry, data), confidence: new Uint8Array(data.length).fill(204) };
}

const frame: Frame = { originMm: [4, -1, 6], x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
const window = { u: [-20, 20], v: [-20, 20] } as const;
const disk = (radiusMm: number) => ([, y, z]: Vector3) => (Math.hypot(y + 1, z - 6) < radiusMm ? 7 : 0);

describe('a section', () => {
  it('holds area, middle and lengths of a disk, however the slices are turned', () => {
    for (const turnDeg of [0, 20, -50]) {
      const stack = stackOf(disk(8), turnDeg);
      const mask = sliceSection(stack, nearestSlice(stack, frame.originMm)!, frame, 'sagittal', window).mask(7);
      expect(mask.areaMm2 / (Math.PI * 64)).toBeCloseTo(1, 1.5);
      expect(Math.hypot(mask.centroid()!.u, mask.centroid()!.v)).toBeLessThan(0.15);
      expect(Math.abs(mask.columnLengthMm(Math.round(mask.section.columnAt(0))) - 16)).toBeLessThan(0.6);
      expect(Math.abs(mask.extentMm({ u: 1, v: 1 }) - 16)).toBeLessThan(0.6);
      expect(mask.confidence).toBeCloseTo(0.8, 5);
    }
  });

  it('goes through thick slices where its plane does', () => {
    const stack = stackOf(([x, y]) => (Math.abs(x - 3) < 10 && Math.abs(y) < 6 ? 7 : 0));
    const mask = planeSection(stack, framePlane(frame, 'axial', 3), window).mask(7);
    expect(mask.areaMm2 / 240).toBeCloseTo(1, 0.8);
    expect(mask.section.pointMm(2, 3)).toEqual([6, 2, 9]);
  });

  it('knows where the stack ends', () => {
    const stack = stackOf(disk(8));
    expect(nearestSlice(stack, [40, 0, 0])).toBeUndefined();
    expect(reaches(stack, [3, -2, 5])).toBe(true);
    expect(reaches(stack, [3, -2, 50])).toBe(false);
    const section = planeSection(stack, framePlane(frame, 'axial'), { u: [-40, 40], v: [-5, 5] });
    expect(section.inside[0]).toBe(0);
    expect(section.inside[Math.round(section.nColumns / 2)]).toBe(1);
  });

  it('takes places into frames and back', () => {
    const turned: Frame = { originMm: [1, 2, 3], x: [0.8, 0.6, 0], y: [-0.6, 0.8, 0], z: [0, 0, 1] };
    expect(distanceMm(outOfFrame(turned, inFrame(turned, [9, -4, 2])), [9, -4, 2])).toBeLessThan(1e-9);
  });
});

describe('a mask', () => {
  const ring = ([, y, z]: Vector3) => (Math.abs(Math.hypot(y + 1, z - 6) - 6) < 2 || Math.hypot(y - 15, z - 6) < 2 ? 7 : 0);
  const stack = stackOf(ring);
  const mask = sliceSection(stack, 4, frame, 'sagittal', window).mask(7);

  it('falls into pieces, is filled and chosen by place', () => {
    const pieces = mask.components();
    expect(pieces.map(({ areaMm2 }) => Math.round(areaMm2 / 10))).toEqual([15, 1]);
    expect(pieces[0]!.filled().areaMm2 / (Math.PI * 64)).toBeCloseTo(1, 1.5);
    expect(mask.pieceAt({ u: 15, v: 0 }).count).toBe(pieces[1]!.count);
  });

  it('has the distances that a search over all its pixels finds', () => {
    const distances = mask.distancesMm();
    const { section } = mask;
    for (let pixel = 0; pixel < distances.length; pixel += 97) {
      const place = { u: section.u(pixel % section.nColumns), v: section.v(Math.floor(pixel / section.nColumns)) };
      expect(distances[pixel]).toBeCloseTo(mask.distanceToMm(place), 9);
    }
    expect(mask.minus(mask).distancesMm()[0]).toBe(Infinity);
  });

  it('loses what is thin when opened and gaps when closed', () => {
    expect(mask.opened(2.5).isEmpty).toBe(true);
    expect(mask.opened(1).areaMm2 / mask.areaMm2).toBeGreaterThan(0.9);
    expect(mask.closed(4.5).largest().areaMm2).toBeGreaterThan(Math.PI * 63);
  });

  it('has outlines about its pieces and its hole, in the patient', () => {
    const outlines = mask.outlinesMm();
    expect(outlines).toHaveLength(3);
    const radii = outlines.map((points) => Math.max(...points.map((point) => distanceMm(point, [point[0], -1, 6]))));
    expect(radii.filter((radius) => Math.abs(radius - 8) < 0.6)).toHaveLength(1);
    expect(radii.filter((radius) => Math.abs(radius - 4) < 0.6)).toHaveLength(1);
    const areas = outlines.map((points) => Math.abs(shoelace(points)));
    const [outer, hole, dot] = areas.sort((a, b) => b - a) as [number, number, number];
    expect((outer - hole + dot) / mask.areaMm2).toBeCloseTo(1, 2);
  });
});

function shoelace(points: readonly Vector3[]): number {
  return points.reduce((sum, [, y, z], index) => {
    const after = points[(index + 1) % points.length]!;
    return sum + (y * after[2] - after[1] * z) / 2;
  }, 0);
}

