import { describe, expect, it } from 'vitest';
import { Evidence } from '../../../analysis/segment/evidence.js';
import { shiftBetween } from '../../../analysis/segment/between.js';
import { Sampler } from '../../../analysis/segment/sampler.js';
import { classIndex, fuseWithSagittal, nClasses, segmentGroup, type LabelledClasses } from '../../../analysis/segment/index.js';
import { pointOf, type ImageGeometry, type Vector3 } from '../../../imaging/index.js';
import { latticeOf, moved as placeAfter } from '../../../analysis/geometry.js';
import type { AnalysisSeries, RunModel } from '../../../analysis/index.js';

const { background, vertebralBody, posteriorElements, disc, sac } = classIndex;

/** Bodies and discs, the sac behind them, arches behind that. */
function structureAt([x, y, z]: Vector3): number {
  const height = ((z % 36) + 36) % 36;
  if (Math.abs(x) < 24 && Math.abs(y) < 16) return height < 27 ? vertebralBody : disc;
  if (Math.hypot(x, y - 25) < 8) return sac;
  return Math.abs(x) < 18 && y > 34 && y < 44 && height < 20 ? posteriorElements : background;
}

const sagittal: ImageGeometry = { centreMm: [0, 10, 3], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0], fovMm: [80, 120, 57.2], matrixSize: [100, 150, 13] };
/** At a flat angle to the endplates. */
const [cos, sin] = [Math.cos(0.3), Math.sin(0.3)];
const axial: ImageGeometry = { centreMm: [0, 10, 2], rowDirection: [1, 0, 0], columnDirection: [0, cos, sin], sliceDirection: [0, -sin, cos], fovMm: [72, 80, 48], matrixSize: [96, 112, 12] };

type Opinion = (structure: number) => readonly (readonly [number, number])[];
const certain: Opinion = (structure) => [[structure, 1]];

/** What is seen at each pixel, with probabilities of structures by what is there. */
function evidenceOf(geometry: ImageGeometry, opinion: Opinion = certain, moved: Vector3 = [0, 0, 0]): Evidence {
  const [columns, rows, slices] = geometry.matrixSize;
  const evidence = new Evidence(geometry);
  const { origin, across, down, on } = latticeOf(geometry);
  for (let slice = 0; slice < slices; slice++) {
    const probabilities = new Float32Array(nClasses * rows * columns).fill(0.01 / nClasses);
    for (let pixel = 0; pixel < rows * columns; pixel++) {
      const structure = structureAt(placeAfter(origin, [pixel % columns, across], [Math.floor(pixel / columns), down], [slice, on], [-1, moved]));
      for (const [index, probability] of opinion(structure)) probabilities[index * rows * columns + pixel]! += 0.99 * probability;
    }
    evidence.keep(slice, probabilities, columns);
  }
  return evidence;
}

function labelled(evidence: Evidence, orientation: 'sagittal' | 'axial'): LabelledClasses {
  return { seriesIndices: [0], orientation, classes: { geometry: evidence.geometry, data: evidence.winners.slice() }, confidence: new Uint8Array(evidence.winners.length).fill(200), evidence };
}

/** Labels have the network's pixels doubled; here they begin as the winners on a grid of the same size. */
function fusedWith(own: Evidence, other: Evidence): { before: Uint8Array; after: Uint8Array } {
  const [columns, rows, slices] = own.geometry.matrixSize;
  const fine = new Uint8Array(4 * columns * rows * slices);
  for (let at = 0; at < fine.length; at++) {
    const [column, line] = [at % (2 * columns), Math.floor(at / (2 * columns))];
    fine[at] = own.winners[Math.floor(line / 2) * columns + (column >> 1)]!;
  }
  const one: LabelledClasses = { ...labelled(own, 'axial'), classes: { geometry: { ...own.geometry, matrixSize: [2 * columns, 2 * rows, slices] }, data: fine }, confidence: new Uint8Array(fine.length) };
  const before = fine.slice();
  fuseWithSagittal([one], [labelled(other, 'sagittal')]);
  return { before, after: fine };
}

function shareRight(data: Uint8Array, structure: number): number {
  const [columns, rows, slices] = axial.matrixSize;
  let [right, all] = [0, 0];
  const { origin, across, down, on } = latticeOf(axial);
  for (let slice = 0; slice < slices; slice++) {
    for (let pixel = 0; pixel < rows * columns; pixel++) {
      if (structureAt(placeAfter(origin, [pixel % columns, across], [Math.floor(pixel / columns), down], [slice, on])) !== structure) continue;
      all++;
      if (data[(slice * 2 * rows + 2 * Math.floor(pixel / columns)) * 2 * columns + 2 * (pixel % columns)] === structure) right++;
    }
  }
  return right / all;
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** An axial slice that takes discs for bodies, though not surely. */
const mistaken: Opinion = (structure) => (structure === disc ? [[vertebralBody, 0.6], [disc, 0.4]] : [[structure, 1]]);

describe('evidence of a stack', () => {
  it('gives back the probabilities that it keeps within a fiftieth of their odds', () => {
    const geometry: ImageGeometry = { ...axial, matrixSize: [3, 2, 1] };
    const evidence = new Evidence(geometry);
    const given = new Float32Array(nClasses * 6).fill(0.002);
    const likely = [0.978, 0.9, 0.6, 0.5, 0.3, 0.978];
    likely.forEach((probability, pixel) => {
      given[pixel] = probability;
      given[6 + pixel] = 1 - probability - 0.02;
    });
    evidence.keep(0, given, 3);
    const back = evidence.probabilities(0, { firstRow: 0, firstColumn: 0, rows: 2, columns: 3 });
    for (let at = 0; at < given.length; at++) expect(Math.abs(Math.log(back[at]! / given[at]!))).toBeLessThan(0.05);
  });

  it('is linear in the logarithms between pixels and slices, and says nothing outside', () => {
    const evidence = evidenceOf(axial, (structure) => (structure === disc ? [[disc, 0.7], [vertebralBody, 0.3]] : [[structure, 1]]));
    const sampler = new Sampler(evidence);
    const [at, next, between] = [new Float64Array(nClasses), new Float64Array(nClasses), new Float64Array(nClasses)];
    const read = (voxel: Vector3, into: Float64Array) => {
      expect(sampler.find(...pointOf(axial, voxel))).toBe(true);
      sampler.logs(into);
    };
    read([48, 50, 6], at);
    read([48, 50, 7], next);
    read([48, 50, 6.25], between);
    for (let index = 0; index < nClasses; index++) expect(between[index]).toBeCloseTo(0.75 * at[index]! + 0.25 * next[index]!, 6);
    expect(sampler.awayMm).toBeCloseTo(1, 6);
    expect(sampler.find(...pointOf(axial, [48, 50, 12]))).toBe(false);
    expect(sampler.find(...pointOf(axial, [-1, 50, 6]))).toBe(false);
  });
});

describe('motion between planes', () => {
  it.each<Vector3>([[0, 0, 0], [1.5, -1, 2], [-2, 1, -1.5]])('is found when the patient moved by %f, %f and %f mm', (...moved) => {
    const found = shiftBetween([evidenceOf(axial)], evidenceOf(sagittal, certain, moved))!;
    // Across the sagittal slices a quarter of their step.
    moved.forEach((mm, axis) => expect(Math.abs(found[axis]! - mm)).toBeLessThan(axis === 0 ? 1.1 : 0.5));
  });

  it('is not told of stacks that do not overlap', () => {
    expect(shiftBetween([evidenceOf(axial)], evidenceOf({ ...sagittal, centreMm: [200, 10, 3] }))).toBeUndefined();
  });
});

describe('axial slices with sagittal ones', () => {
  it('take from them what is disc and what is bone', () => {
    const { before, after } = fusedWith(evidenceOf(axial, mistaken), evidenceOf(sagittal));
    expect(shareRight(before, disc)).toBe(0);
    expect(shareRight(after, disc)).toBeGreaterThan(0.9);
    expect(shareRight(after, vertebralBody)).toBeGreaterThan(0.97);
  });

  it('do so, too, after the patient moved', () => {
    const { after } = fusedWith(evidenceOf(axial, mistaken), evidenceOf(sagittal, certain, [1, -1, 2]));
    expect(shareRight(after, disc)).toBeGreaterThan(0.85);
    expect(shareRight(after, vertebralBody)).toBeGreaterThan(0.95);
  });

  it('keep their own canal and arches, whatever the sagittal ones say', () => {
    const narrow: Opinion = (structure) => (structure === sac ? [[background, 0.55], [sac, 0.45]] : structure === posteriorElements ? [[background, 1]] : [[structure, 1]]);
    const { before, after } = fusedWith(evidenceOf(axial, mistaken), evidenceOf(sagittal, narrow));
    for (const structure of [sac, posteriorElements]) expect(shareRight(after, structure)).toBeCloseTo(shareRight(before, structure), 2);
    expect(shareRight(after, disc)).toBeGreaterThan(0.9);
  });

  it('stay as they were where the planes do not see the same', () => {
    const elsewhere: Opinion = (structure) => (structure === vertebralBody || structure === disc ? [[sac, 1]] : [[vertebralBody, 1]]);
    const { before, after } = fusedWith(evidenceOf(axial, mistaken), evidenceOf(sagittal, elsewhere));
    expect(areSame(after, before)).toBe(true);
  });

  it('come out the same every time', () => {
    const once = () => fusedWith(evidenceOf(axial, mistaken), evidenceOf(sagittal, certain, [0.5, 0, 1])).after;
    expect(areSame(once(), once())).toBe(true);
  });
});

describe('labels of a plane that is alone', () => {
  const series: AnalysisSeries = {
    volume: { geometry: { ...sagittal, matrixSize: [48, 64, 3] }, data: Float32Array.from({ length: 3 * 48 * 64 }, (_, at) => 100 + (at % 97)) },
    contrast: 't2w', orientation: 'sagittal', synthetic: false, denoised: false, description: 't2w',
  };
  const run: RunModel = ({ image }) => {
    const plane = image!.data.length;
    const data = Float32Array.from({ length: nClasses * plane }, (_, at) => 3 * Math.sin(0.37 * at + image!.data[at % plane]!));
    return Promise.resolve({ logits: { dims: [1, nClasses, ...image!.dims.slice(2)], data } });
  };

  it('do not depend on whether evidence is kept, and change nothing of each other', async () => {
    const [[plain], [kept]] = [await segmentGroup([{ index: 0, series }], run), await segmentGroup([{ index: 0, series }], run, { keepEvidence: true })];
    expect(plain!.evidence).toBeUndefined();
    const before = kept!.classes.data.slice();
    expect(areSame(before, plain!.classes.data)).toBe(true);
    expect(areSame(kept!.confidence, plain!.confidence)).toBe(true);
    fuseWithSagittal([kept!], []);
    expect(areSame(kept!.classes.data, before)).toBe(true);
  });
});
