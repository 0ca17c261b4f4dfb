import { describe, expect, it } from 'vitest';
import { findSpine, levelCodeOf, structureCodes, type AnalysisSeries, type Spine } from '../../../analysis/index.js';
import { intoFrame } from '../../../analysis/geometry.js';
import { classIndex } from '../../../analysis/segment/index.js';
import { pointOf, voxelOf, type ImageGeometry, type Vector3 } from '../../../imaging/index.js';
import { blockSpine, networkOf, repainted, sagittalGeometry as geometry, seriesOf, worsened, type BlockSpine } from '../blockSpine.js';

const distance = (a: Vector3, b: Vector3) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const dot = (a: Vector3, b: Vector3) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const namesOf = ({ vertebrae }: Spine) => vertebrae.map(({ name }) => name);
const five = blockSpine({ nLumbar: 5 });
const find = async (classes: Uint8Array, series: AnalysisSeries = five.series) => findSpine([series], networkOf([{ classes, geometry }]));
const changed = (isIn: (place: Vector3, now: number) => boolean, to: number) => repainted(five.classes, geometry, isIn, to);

function expectPlaces({ vertebrae, segments }: Spine, { frames }: BlockSpine): void {
  for (const { name, frame } of [...vertebrae.filter(({ partial }) => !partial), ...segments]) {
    const truth = frames.get(name);
    // What the border cuts is placed by what is left of it.
    if (truth === undefined || voxelOf(geometry, truth.originMm)[1] < 20) continue;
    const [x, y, z] = intoFrame(truth, frame.originMm);
    // From side to side no more is known than slices tell.
    expect(Math.abs(x), name).toBeLessThan(4.5);
    expect(Math.hypot(y, z), name).toBeLessThan(name === 'S1' ? 5 : 2.5);
    for (const axis of ['x', 'y', 'z'] as const) expect(dot(frame[axis], truth[axis]), `${axis} of ${name}`).toBeGreaterThan(Math.cos((5 * Math.PI) / 180));
  }
}

describe('levels', () => {
  it.each([[5, 0], [4, 0], [6, 0], [5, 0.5]] as const)('of %d lumbar vertebrae, bent by %d degrees a level, are named and placed from ragged labels', async (nLumbar, bendDeg) => {
    const spine = blockSpine({ nLumbar, bendDeg });
    const { spine: found } = await find(worsened(spine.classes, geometry, 10 * nLumbar + bendDeg), spine.series);
    const names = namesOf(found);
    expect(new Set(names).size).toBe(names.length);
    expect(names.slice(-nLumbar - 2)).toEqual(['T12', ...Array.from({ length: nLumbar }, (_, index) => `L${index + 1}`), 'S1']);
    // Bent aside, a rib of T12 leaves the slices on one side: the other one tells.
    expect(found.numbering).toMatchObject({ certain: true });
    expect(found.segments.map(({ name }) => name)).toEqual(names.slice(1).map((lower, place) => `${names[place]!}-${lower}`));
    expectPlaces(found, spine);
    for (const { halfWidthMm, halfDepthMm } of found.segments) {
      expect(Math.abs(halfWidthMm - 22)).toBeLessThan(4);
      expect(Math.abs(halfDepthMm - 17)).toBeLessThan(1.6);
    }
  }, 600_000);

  it('are not certain without ribs in the image, nor without the sacrum', async () => {
    const [l1, l5] = [five.frames.get('L1')!, five.frames.get('L5')!];
    const low = await find(changed((place) => intoFrame(l1, place)[2] > 0, 0));
    expect(namesOf(low.spine).slice(-5)).toEqual(['L2', 'L3', 'L4', 'L5', 'S1']);
    expect(low.spine.numbering.certain).toBe(false);
    expect(low.spine.numbering.reasons.join()).toMatch(/no ribs/);
    const high = await find(changed((place) => intoFrame(l5, place)[2] < 0, 0));
    expect(namesOf(high.spine)).toContain('T12');
    expect(distance(high.spine.vertebrae.find(({ name }) => name === 'L3')!.frame.originMm, five.frames.get('L3')!.originMm)).toBeLessThan(3);
    expect(high.spine.numbering.certain).toBe(false);
    expect(high.spine.numbering.reasons.join()).toMatch(/no sacrum/);
  }, 600_000);

  it('are not certain where ribs are on one side only, or end where they cannot', async () => {
    const oneSided = await find(changed(([x], now) => now === classIndex.otherBone && x > 0, 0));
    expect(oneSided.spine.numbering.certain).toBe(false);
    expect(namesOf(oneSided.spine)).toContain('L5');
    const t11 = five.frames.get('T11')!;
    const tooHigh = await find(changed((place, now) => now === classIndex.otherBone && intoFrame(t11, place)[2] < 15, 0));
    expect(tooHigh.spine.numbering.certain).toBe(false);
  }, 600_000);

  it('are certain though a transverse process of L2 is taken for a rib', async () => {
    const l2 = five.frames.get('L2')!;
    const isProcess = (place: Vector3) => {
      const [u, v, w] = intoFrame(l2, place);
      return u > 24 && u < 34 && v > 27 && v < 39 && Math.abs(w) < 5;
    };
    const { spine } = await find(changed((place, now) => now === 0 && isProcess(place), classIndex.otherBone));
    expect(spine.numbering.certain).toBe(true);
  }, 600_000);

  it('keep count where bodies run together or a disc is split, and say where one was not seen', async () => {
    const at = five.frames.get('L2-L3')!;
    const fused = await find(changed((place, now) => now === classIndex.disc && Math.abs(intoFrame(at, place)[2]) < 8, classIndex.vertebralBody));
    expect(namesOf(fused.spine).slice(-6)).toEqual(['L1', 'L2', 'L3', 'L4', 'L5', 'S1']);
    expect(fused.spine.numbering.certain).toBe(false);
    expect(fused.spine.segments.find(({ name }) => name === 'L2-L3')!.confidence).toBeLessThan(0.6);
    const split = await find(changed((place, now) => now === classIndex.disc && Math.abs(intoFrame(at, place)[1]) < 3, 0));
    expect(namesOf(split.spine)).toEqual(namesOf((await find(five.classes)).spine));
    expectPlaces(split.spine, five);
  }, 600_000);
});

describe('codes', () => {
  it('are those of the truth', async () => {
    const { spine } = await find(five.classes);
    const { codes, confidence } = spine.stacks[0]!;
    expect(confidence.length).toBe(codes.data.length);
    const first = voxelOf(codes.geometry, pointOf(geometry, [0, 0, 0]));
    const [columns, rows] = geometry.matrixSize;
    // The middle of a pixel lies in the middle of the finer ones that it became.
    const factor = codes.geometry.matrixSize[0] / columns;
    const middle = (factor - 1) / 2;
    [middle, middle, 0].forEach((index, axis) => expect(first[axis]).toBeCloseTo(index, 6));
    const counts = new Map<string, [number, number]>();
    const named = new Set(namesOf(spine).slice(1));
    five.codes.forEach((code, at) => {
      const known = levelCodeOf(code);
      if (known !== undefined && !named.has(known.level)) return;
      const kind = known?.kind ?? String(code);
      const [column, line] = [at % columns, Math.floor(at / columns)];
      const [row, slice] = [line % rows, Math.floor(line / rows)];
      const count = counts.get(kind) ?? [0, 0];
      count[1]++;
      const fine = (slice * rows * factor + row * factor + Math.floor(middle)) * columns * factor + column * factor + Math.floor(middle);
      if (codes.data[fine] === code) count[0]++;
      counts.set(kind, count);
    });
    for (const [kind, [right, all]] of counts) expect(right / all, kind).toBeGreaterThan(kind === 'arch' || kind === '9' ? 0.8 : 0.9);
    expect(counts.size).toBeGreaterThan(9);
  }, 600_000);

  it('have no second canal beside the midline', async () => {
    const isTube = ([x, y, z]: Vector3, now: number) => now === 0 && x > 24 && Math.abs(y - 70) < 8 && z > 20 && z < 160;
    const classes = changed(isTube, classIndex.sac);
    const { spine } = await find(classes);
    const { codes, confidence } = spine.stacks[0]!;
    const [column, row, slice] = voxelOf(codes.geometry, [30, 70, 90]).map(Math.round) as [number, number, number];
    const at = (slice * codes.geometry.matrixSize[1] + row) * codes.geometry.matrixSize[0] + column;
    expect([codes.data[at], confidence[at]]).toEqual([0, 0]);
    const share = (data: ArrayLike<number>, code: number) => Array.prototype.filter.call(data, (value) => value === code).length / data.length;
    expect(share(codes.data, structureCodes.sac)).toBeGreaterThan(0.9 * share(five.codes, structureCodes.sac));
  }, 600_000);

  it('of axial slices are those of the sagittal levels', async () => {
    const { frames } = five;
    const at = frames.get('L3-L4')!;
    const axial: ImageGeometry = { centreMm: at.originMm, rowDirection: at.x, columnDirection: at.y, sliceDirection: at.z, fovMm: [120, 120, 45], matrixSize: [192, 192, 9] };
    const slices = blockSpine({ nLumbar: 5, geometry: axial });
    const { spine } = await findSpine([slices.series, five.series], networkOf([{ classes: five.classes, geometry }, { classes: slices.classes, geometry: axial }]));
    expect(spine.stacks.map(({ seriesIndex, orientation }) => [seriesIndex, orientation])).toEqual([[1, 'sagittal'], [0, 'axial']]);
    const { codes } = spine.stacks[1]!;
    const factor = codes.geometry.matrixSize[0] / 192;
    let [right, all] = [0, 0];
    slices.codes.forEach((code, pixel) => {
      const kind = levelCodeOf(code)?.kind;
      if (kind !== 'body' && kind !== 'disc') return;
      const [column, row, slice] = [pixel % 192, Math.floor(pixel / 192) % 192, Math.floor(pixel / 192 ** 2)];
      all++;
      if (codes.data[(slice * 192 * factor + row * factor) * 192 * factor + column * factor] === code) right++;
    });
    expect(all).toBeGreaterThan(5000);
    expect(right / all).toBeGreaterThan(0.95);
    const alone = await findSpine([slices.series], networkOf([{ classes: slices.classes, geometry: axial }]));
    expect(alone.spine.numbering.certain).toBe(false);
    expect(alone.spine.vertebrae).toEqual([]);
  }, 600_000);
});

describe('doubts and refusals', () => {
  it('calls partial what the border cuts, and nothing else', async () => {
    const { spine } = await find(five.classes);
    for (const { name, frame, partial } of spine.vertebrae) {
      const [, row] = voxelOf(geometry, frame.originMm);
      expect(partial, name).toBe(row < 14);
    }
    expect(spine.vertebrae.some(({ partial }) => partial)).toBe(true);
  }, 600_000);

  it.each([true, false])('notes metal where signal is missing, labels too: %s', async (isMissing) => {
    const isHole = (place: Vector3) => distance(place, five.frames.get('L3')!.originMm) < 15;
    const classes = changed((place) => isMissing && isHole(place), 0);
    const dark = seriesOf(classes, geometry);
    const data = Float32Array.from(repainted(new Uint8Array(classes.length), geometry, isHole, 1), (hole, at) => (hole === 1 ? 0 : dark.volume.data[at]!));
    const { spine, notes } = await find(classes, { ...dark, volume: { geometry, data } });
    expect(notes).toEqual([expect.objectContaining({ code: 'ANALYSIS_WARN_METAL', levels: ['L3'] })]);
    const confidence = new Map(spine.vertebrae.map((one) => [one.name, one.confidence]));
    expect(confidence.get('L3')).toBeLessThan(0.6);
    expect(confidence.get('L1')).toBeGreaterThan(0.6);
  }, 600_000);

  it('refuses what is no such image, with a code', async () => {
    const { series } = five;
    const blank = { ...series, volume: { geometry, data: new Float32Array(series.volume.data.length).fill(7) } };
    const fat = changed((place, now) => now === 0 && place[1] > 60 && place[1] < 64, classIndex.epiduralFat);
    for (const [given, code] of [
      [[], 'ANALYSIS_ERR_NO_SERIES'], [[blank], 'ANALYSIS_ERR_EMPTY'], [[{ ...series, contrast: 't1w' }], 'ANALYSIS_ERR_CONTRAST'],
      [[{ ...seriesOf(fat, geometry), contrast: 'stir' }], 'ANALYSIS_ERR_CONTRAST'], [[{ ...series, orientation: 'axial' }], 'ANALYSIS_ERR_ORIENTATION'],
      [[{ ...series, synthetic: true, qualityLight: 'red' }], 'ANALYSIS_ERR_NO_SERIES'],
    ] as const) {
      await expect(findSpine(given as readonly AnalysisSeries[], networkOf([{ classes: code === 'ANALYSIS_ERR_CONTRAST' ? fat : five.classes, geometry }])), code).rejects.toMatchObject({ code });
    }
    await expect(find(new Uint8Array(five.classes.length))).rejects.toMatchObject({ code: 'ANALYSIS_ERR_NO_SPINE' });
    await expect(findSpine([series], () => Promise.resolve({}))).rejects.toMatchObject({ code: 'ANALYSIS_ERR_NETWORK' });
  }, 600_000);

  it('gives series on one grid one set of labels, in which computed ones have no say', async () => {
    const computed: AnalysisSeries = { ...five.series, synthetic: true, qualityLight: 'amber', description: 'SYN' };
    const network = networkOf([five].map(({ classes }) => ({ classes, geometry })));
    const { spine, notes } = await findSpine([computed, five.series], network);
    expect(network.asked.length).toBe(geometry.matrixSize[2]);
    expect(notes).toEqual([]);
    expect(spine.stacks.map(({ seriesIndex }) => seriesIndex).sort()).toEqual([0, 1]);
    expect(spine.stacks[0]!.codes).toBe(spine.stacks[1]!.codes);
    const separate = networkOf([{ classes: interleaved(five.classes, new Uint8Array(five.classes.length)), geometry: { ...geometry, matrixSize: [180, 320, 22] } }, { classes: five.classes, geometry }, { classes: five.classes, geometry }]);
    const other = await findSpine([five.series, { ...five.series, contrast: 'pdw' }], separate);
    expect(other.notes.map(({ code }) => code)).toEqual(['ANALYSIS_WARN_MOVED']);
    expect(other.spine.stacks.length).toBe(2);
  }, 600_000);
});

/** Slices of one and the other in turn: as two series on one grid are asked for. */
function interleaved(a: Uint8Array, b: Uint8Array): Uint8Array {
  const plane = 180 * 320;
  const both = new Uint8Array(a.length + b.length);
  for (let slice = 0; slice < a.length / plane; slice++) {
    both.set(a.subarray(slice * plane, (slice + 1) * plane), 2 * slice * plane);
    both.set(b.subarray(slice * plane, (slice + 1) * plane), (2 * slice + 1) * plane);
  }
  return both;
}
