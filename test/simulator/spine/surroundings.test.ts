import { describe, expect, it } from 'vitest';
import { tissueNames } from '../../../imaging/index.js';
import {
  ColumnCourse, paintLabels, surroundingLabels, surroundings, type Person, type Plane, type Station,
} from '../../../simulator/index.js';

const person: Person = { seed: 5, sex: 'female', statureScale: 1, fatScale: 1, muscleFat: 0.1 };
const column = (names: readonly string[], spacingMm: number): ColumnCourse =>
  new ColumnCourse(
    names.map((name, index): Station => ({
      name, centreMm: [0, -4, (names.length / 2 - index) * spacingMm], halfWidthMm: 0.6 * spacingMm, halfDepthMm: 0.45 * spacingMm,
    })),
  );
const lumbar = column(['T11', 'T12', 'L1', 'L2', 'L3', 'L4', 'L5', 'S1'], 37);
const cervical = column(['C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'T1', 'T2', 'T3'], 19);
const axial = (z: number): Plane => ({ originMm: [-220, -220, z], columnStepMm: [2, 0, 0], rowStepMm: [0, 2, 0], nColumns: 221, nRows: 221 });
const labelsAt = (course: ColumnCourse, z: number) => paintLabels({ structures: surroundings(course, person), tissues: new Map() }, axial(z)).labels;

describe('ColumnCourse', () => {
  it('knows the vertebrae that it has and reckons the others', () => {
    expect(lumbar.heightOf('L3')).toBe(0);
    expect(lumbar.heightOf('T10')).toBeCloseTo(lumbar.heightOf('T11') + 37, 9);
    expect(lumbar.heightOf('C7')).toBeCloseTo(lumbar.heightOf('T11') + 11 * 37, 9);
    expect(cervical.heightOf('T5')).toBeCloseTo(cervical.heightOf('T3') - 2 * 19, 9);
  });

  it('goes through the centres and stays near them beyond the ends', () => {
    for (const { centreMm } of lumbar.stations) expect(lumbar.at(centreMm[2]).y).toBeCloseTo(centreMm[1], 9);
    expect(Math.abs(lumbar.at(600).y - lumbar.at(lumbar.topMm).y)).toBeLessThan(40);
  });
});

describe('surroundings', () => {
  it.each([['lumbar', lumbar], ['cervical', cervical]] as const)('of a %s column are the same for the same seed and use known tissues', (_name, course) => {
    const structures = surroundings(course, person);
    const known = new Set<string>(tissueNames);
    for (const { tissue, texture } of structures) {
      expect(known).toContain(tissue);
      if (texture !== undefined) expect(known).toContain(texture.tissue);
    }
    expect(labelsAt(course, 0)).toEqual(labelsAt(course, 0));
    const other = paintLabels({ structures: surroundings(course, { ...person, seed: 6 }), tissues: new Map() }, axial(0)).labels;
    expect(other).not.toEqual(labelsAt(course, 0));
  });

  it('lie within the skin: only skin meets the air outside', () => {
    for (const z of [-60, 0, 60]) {
      const labels = labelsAt(lumbar, z);
      for (let row = 0; row < 221; row++) {
        const first = labels.subarray(row * 221, (row + 1) * 221).findIndex((label) => label !== 0);
        if (first >= 0) expect([surroundingLabels.skin, surroundingLabels.subcutaneousFat]).toContain(labels[row * 221 + first]);
      }
    }
  });

  it('have left and right on their sides, the aorta left of the vena cava and both before the column', () => {
    const labels = labelsAt(lumbar, 30);
    const centroid = (code: number): [number, number] => {
      let [n, x, y] = [0, 0, 0];
      labels.forEach((label, pixel) => {
        if (label !== code) return;
        n += 1;
        x += -220 + 2 * (pixel % 221);
        y += -220 + 2 * Math.floor(pixel / 221);
      });
      expect(n).toBeGreaterThan(10);
      return [x / n, y / n];
    };
    expect(centroid(surroundingLabels.psoasLeft)[0]).toBeGreaterThan(15);
    expect(centroid(surroundingLabels.psoasRight)[0]).toBeLessThan(-15);
    expect(centroid(surroundingLabels.erectorSpinaeLeft)[0]).toBeGreaterThan(15);
    expect(centroid(surroundingLabels.aorta)[0]).toBeGreaterThan(centroid(surroundingLabels.venaCava)[0]);
    expect(centroid(surroundingLabels.aorta)[1]).toBeLessThan(-20);
    expect(centroid(surroundingLabels.multifidusLeft)[1]).toBeGreaterThan(25);
  });

  it('of the neck hold the airway before and the muscles behind the column', () => {
    const labels = labelsAt(cervical, 0);
    const count = (code: number) => labels.filter((label) => label === code).length;
    for (const code of [surroundingLabels.airway, surroundingLabels.neckVessels, surroundingLabels.neckMuscleLeft, surroundingLabels.neckMuscleRight]) {
      expect(count(code)).toBeGreaterThan(5);
    }
    expect(count(surroundingLabels.aorta)).toBe(0);
  });

  it('have one outline: below the chin, from the neck to the shoulders and over the back, no step', () => {
    const stepMm = 2;
    const structures = surroundings(cervical, person);
    const sagittal: Plane = { originMm: [0, -200, 30], columnStepMm: [0, 1, 0], rowStepMm: [0, 0, -stepMm], nColumns: 401, nRows: 100 };
    const coronal: Plane = { originMm: [-250, 0, 30], columnStepMm: [1, 0, 0], rowStepMm: [0, 0, -stepMm], nColumns: 501, nRows: 100 };
    for (const [plane, mostMm] of [[sagittal, 4], [coronal, 8]] as const) {
      const { labels } = paintLabels({ structures, tissues: new Map() }, plane);
      const ends = Array.from({ length: plane.nRows }, (_, row) => {
        const line = labels.subarray(row * plane.nColumns, (row + 1) * plane.nColumns);
        return [line.findIndex((code) => code !== 0), line.findLastIndex((code) => code !== 0)] as const;
      });
      ends.slice(1).forEach((end, row) => {
        for (const side of [0, 1] as const) expect(Math.abs(end[side] - ends[row]![side])).toBeLessThanOrEqual(mostMm);
      });
    }
  });

  it('say of no place on either side of the skin that it is much farther from the other side than it is', () => {
    const outlines = surroundings(cervical, person).filter(({ name }) => name === 'skin' || name === 'skin of the neck');
    expect(outlines).toHaveLength(2);
    const places = Array.from({ length: 30 * 36 }, (_, index) => ({ y: -145 + 10 * (index % 30), z: -230 + 10 * Math.floor(index / 30) }));
    for (const { solid } of outlines) {
      const distances = places.map(({ y, z }) => solid.distanceMm(30, y, z));
      places.forEach((a, i) => {
        places.forEach((b, j) => {
          if (distances[i]! > 0 === distances[j]! > 0) return;
          if (Math.abs(distances[i]!) > 1.3 * Math.hypot(a.y - b.y, a.z - b.z)) expect.fail(`${distances[i]} mm at ${a.y}, ${a.z}; ${b.y}, ${b.z} is nearer`);
        });
      });
    }
  });
});
