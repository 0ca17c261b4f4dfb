/**
 * How well levels are named: simulated sagittal series of spines with 4, 5 and 6 lumbar vertebrae, in fields of view that hold both
 * ends of the lumbar spine, one of them or neither, through the network and the rules of analysis/structures.
 *
 *   npx tsx bench/levels.ts --first 820005 --count 6 --cache /tmp/levels      a table of what is right, wrong and uncertain
 *   … --list                                                                  and a line a series
 *
 * Each seed is a person with 4, with 5 and with 6 lumbar vertebrae, in T1w or T2w by turns, in seven fields: 21 series. Whether the levels can be known
 * is told by the truth's labels within the slices: S1 and the whole body of T12 have to be in it, and T12's rib on one side at least, with the place beside the
 * next vertebra. What cannot be known has to be called uncertain. `--cache` keeps what the network drew, so that rules are tried in
 * seconds; it is drawn anew where the weights are others.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { AnalysisSeries, RunModel } from '../analysis/index.js';
import { intoFrame } from '../analysis/geometry.js';
import { segmentGroup, type LabelledClasses } from '../analysis/segment/index.js';
import { locate } from '../analysis/structures/locate.js';
import { stackOf } from '../analysis/structures/regions.js';
import { volumeOf, type ImageGeometry, type Vector3, type Volume } from '../imaging/index.js';
import { ModelHost, readModels, shippedModels } from '../models/index.js';
import { buildPatient, drawPatient, paintLabels, Random, surroundingLabels, type SimulatedPatient } from '../simulator/index.js';
import { segmentationModel, usableSegmentation } from '../src/analysis/index.js';
import { planeOf, seriesOf } from '../test/analysis/truthSpine.js';
import { printTable } from './report.js';

const { values: options } = parseArgs({
  options: {
    first: { type: 'string', default: '810000' }, count: { type: 'string', default: '6' }, cache: { type: 'string' },
    pathology: { type: 'string', default: 'random:grades=uniform' }, snr: { type: 'string', default: '20' }, list: { type: 'boolean', default: false },
  },
});

const contrasts = ['t1w', 't2w'] as const;
const pixelMm = 0.8;
const [depthMm, sliceMm, nPainted, nSlices] = [280, 4.4, 19, 15];
/** z that is painted; fields are cut from it. */
const [bottomMm, topMm] = [-232, 240];
const fieldNames = ['whole', 'tight', 'moved', 'aside', 'narrow', 'high', 'low'] as const;
type FieldName = (typeof fieldNames)[number];

interface Field {
  readonly bottomMm: number;
  readonly topMm: number;
  /** Of what is painted. */
  readonly firstSlice: number;
  readonly nSlices: number;
}

/** What one series shows, by the truth. */
interface Seen {
  readonly vertebrae: readonly { readonly name: string; readonly centreMm: Vector3 }[];
  readonly hasSacrum: boolean;
  /** Bone of the last rib within the slices, on the sides where the place beside L1 is within them, too. */
  readonly ribMm3: { readonly left: number; readonly right: number };
}

interface Case {
  readonly seed: number;
  readonly nLumbar: 4 | 5 | 6;
  readonly field: FieldName;
  readonly contrast: (typeof contrasts)[number];
  readonly seen: Seen;
  readonly labelled: LabelledClasses;
}

/** A rib's section, of which a third is in a slice. */
const leastRibMm3 = 110;
/** Of the distance between the middles of bodies, half of a body's height. */
const ofPitch = 0.42;

function fieldsOf({ scene }: SimulatedPatient, random: Random): Record<FieldName, Field> {
  const height = (name: string) => scene.frames.get(name)!.originMm[2];
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const middle = Math.floor((nPainted - nSlices) / 2);
  const field = (bottom: number, top: number, firstSlice = middle, n = nSlices): Field => ({ bottomMm: bottom, topMm: top, firstSlice, nSlices: n });
  const [t12, s1] = [height('T12'), height('S1')];
  const shift = between(-8, 8);
  const moved = between(20, 60) * (random.uniform() < 0.5 ? -1 : 1);
  const [lowest, highest] = [s1 + between(14, 60), t12 - between(10, 60)];
  return {
    whole: field(-140 + shift, 140 + shift),
    tight: field(s1 - between(12, 30), t12 + between(18, 32)),
    moved: field(-140 + moved, 140 + moved),
    aside: field(-140 + shift, 140 + shift, random.uniform() < 0.5 ? 0 : nPainted - nSlices),
    narrow: field(-140 + shift, 140 + shift, middle + 2, nSlices - 4),
    high: field(lowest, Math.min(topMm, lowest + depthMm)),
    low: field(Math.max(bottomMm, highest - depthMm), highest),
  };
}

function paintedGeometry({ scene }: SimulatedPatient): ImageGeometry {
  const l3 = scene.frames.get('L3')!.originMm;
  const rows = Math.round((topMm - bottomMm) / pixelMm);
  const columns = Math.round(depthMm / pixelMm);
  return {
    centreMm: [l3[0], l3[1] + 15, (topMm + bottomMm) / 2], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0],
    fovMm: [columns * pixelMm, rows * pixelMm, nPainted * sliceMm], matrixSize: [columns, rows, nPainted],
  };
}

/** Rows and slices of a field. */
function cut({ geometry, data }: Volume<Float32Array>, field: Field): Volume<Float32Array> {
  const [columns, rows, slices] = geometry.matrixSize;
  const rowAt = (zMm: number) => Math.max(0, Math.min(rows, Math.round((geometry.centreMm[2] + geometry.fovMm[1] / 2 - zMm) / pixelMm)));
  const [first, end] = [rowAt(field.topMm), rowAt(field.bottomMm)];
  const kept = new Float32Array(columns * (end - first) * field.nSlices);
  for (let slice = 0; slice < field.nSlices; slice++) {
    const from = (field.firstSlice + slice) * rows * columns;
    kept.set(data.subarray(from + first * columns, from + end * columns), slice * (end - first) * columns);
  }
  const up = (rows / 2 - (first + end) / 2) * pixelMm;
  const on = (field.firstSlice + field.nSlices / 2 - slices / 2) * sliceMm;
  const centreMm: Vector3 = [geometry.centreMm[0] - on, geometry.centreMm[1], geometry.centreMm[2] + up];
  return volumeOf({ ...geometry, centreMm, fovMm: [geometry.fovMm[0], (end - first) * pixelMm, field.nSlices * sliceMm], matrixSize: [columns, end - first, field.nSlices] }, kept);
}

/** Noise at this SNR of the median of what is bright, and a coil array's fall-off towards the front. */
function asMeasured({ geometry, data }: Volume<Float32Array>, random: Random): Volume<Float32Array> {
  const bright = [...data.filter((value, index) => index % 97 === 0 && value > 0)].sort((a, b) => a - b);
  const std = bright[bright.length >> 1]! / Number(options.snr);
  const [columns] = geometry.matrixSize;
  return volumeOf(geometry, data.map((value, index) => Math.hypot(value * (0.4 + ((index % columns) / columns) ** 2) + std * random.normal(), std * random.normal())));
}

/** Bone of the last ribs in the painted slices: on which side, in which slice, how high. */
type RibPixels = readonly { readonly side: 'left' | 'right'; readonly slice: number; readonly zMm: number }[];

function ribPixelsOf({ scene, anatomy }: SimulatedPatient, geometry: ImageGeometry): RibPixels {
  const frame = scene.frames.get('T12')!;
  const { upperWidthMm, upperDepthMm, anteriorHeightMm } = scene.plan.vertebrae.find(({ name }) => name === 'T12')!.body;
  const [, y, z] = frame.originMm;
  const [columns, rows] = [80, 60];
  const around: ImageGeometry = { ...geometry, centreMm: [geometry.centreMm[0], y + 25, z], fovMm: [columns, rows, geometry.fovMm[2]], matrixSize: [columns, rows, nPainted] };
  return Array.from({ length: nPainted }, (_, slice) => slice).flatMap((slice) => {
    const x = geometry.centreMm[0] + geometry.fovMm[2] / 2 - (slice + 0.5) * sliceMm;
    return [...paintLabels(anatomy, planeOf(around, slice)).labels].flatMap((label, at) => {
      if (label !== surroundingLabels.otherBone) return [];
      const place: Vector3 = [x, y + 25 - columns / 2 + (at % columns) + 0.5, z + rows / 2 - Math.floor(at / columns) - 0.5];
      const [u, v, w] = intoFrame(frame, place);
      const [beside, behind] = [Math.abs(u) - upperWidthMm / 2, v - upperDepthMm / 2];
      const isRib = beside > -3 && beside < 16 && behind > -8 && behind < 24 && Math.abs(w) < 0.6 * anteriorHeightMm;
      return isRib ? [{ side: u > 0 ? 'left' : 'right', slice, zMm: place[2] } as const] : [];
    });
  });
}

function seenIn({ scene }: SimulatedPatient, ribPixels: RibPixels, { centreMm, fovMm }: ImageGeometry, { firstSlice, nSlices: n }: Field): Seen {
  const [bottom, top] = [centreMm[2] - fovMm[1] / 2, centreMm[2] + fovMm[1] / 2];
  const l1 = scene.frames.get('L1')!;
  const halfWidth = scene.plan.vertebrae.find(({ name }) => name === 'L1')!.body.upperWidthMm / 2;
  const ribOf = (side: 'left' | 'right') => {
    const x = l1.originMm[0] + (side === 'left' ? 1 : -1) * (halfWidth + 9);
    if (Math.abs(x - centreMm[0]) > fovMm[2] / 2 || l1.originMm[2] - 10 < bottom) return 0;
    return sliceMm * ribPixels.filter((one) => one.side === side && one.slice >= firstSlice && one.slice < firstSlice + n && one.zMm > bottom && one.zMm < top).length;
  };
  return {
    vertebrae: [...scene.frames].map(([name, { originMm }]) => ({ name, centreMm: originMm })),
    hasSacrum: scene.frames.get('S1')!.originMm[2] - 5 > bottom,
    ribMm3: { left: ribOf('left'), right: ribOf('right') },
  };
}

const caseFile = (seed: number, nLumbar: number, field: string, contrast: string) => join(options.cache!, `${seed}-${nLumbar}-${field}-${contrast}.gz`);

function keep({ labelled, ...rest }: Case, sha256: string): void {
  const { classes, confidence, ...about } = labelled;
  const head = Buffer.from(`${JSON.stringify({ sha256, ...rest, about, geometry: classes.geometry })}\n`);
  writeFileSync(caseFile(rest.seed, rest.nLumbar, rest.field, rest.contrast), gzipSync(Buffer.concat([head, classes.data, confidence]), { level: 1 }));
}

function kept(file: string, sha256: string): Case | undefined {
  if (!existsSync(file)) return undefined;
  const all = gunzipSync(readFileSync(file));
  const end = all.indexOf(10);
  const { sha256: own, about, geometry, ...rest } = JSON.parse(all.subarray(0, end).toString()) as Omit<Case, 'labelled'> & { sha256: string; about: object; geometry: ImageGeometry };
  if (own !== sha256) return undefined;
  const n = geometry.matrixSize.reduce((product, size) => product * size, 1);
  const part = (index: number) => new Uint8Array(all.subarray(end + 1 + index * n, end + 1 + (index + 1) * n));
  return { ...rest, labelled: { ...about, classes: volumeOf(geometry, part(0)), confidence: part(1) } as LabelledClasses };
}

async function* casesOf(seed: number, nLumbar: 4 | 5 | 6, run: RunModel, sha256: string): AsyncGenerator<Case> {
  const contrast = contrasts[(seed + nLumbar) % 2]!;
  if (options.cache !== undefined) {
    const files = fieldNames.map((field) => caseFile(seed, nLumbar, field, contrast));
    if (files.every((file) => existsSync(file))) {
      for (const file of files) {
        const one = kept(file, sha256);
        if (one === undefined) break;
        yield one;
        if (file === files.at(-1)) return;
      }
    }
  }
  const patient = buildPatient(drawPatient({ seed, region: 'lumbar', pathology: options.pathology, nLumbar }, 1.5), 1.5);
  const random = new Random(seed * 10 + nLumbar);
  const fields = fieldsOf(patient, random);
  const geometry = paintedGeometry(patient);
  const ribPixels = ribPixelsOf(patient, geometry);
  const painted = seriesOf(patient, { contrast, orientation: 'sagittal' }, geometry);
  const measured = asMeasured(painted.volume, random);
  for (const field of fieldNames) {
    const volume = cut(measured, fields[field]);
    const series: AnalysisSeries = { ...painted, volume };
    const [labelled] = await segmentGroup([{ index: 0, series }], run);
    const one: Case = { seed, nLumbar, field, contrast, seen: seenIn(patient, ribPixels, volume.geometry, fields[field]), labelled: labelled! };
    if (options.cache !== undefined) keep(one, sha256);
    yield one;
  }
}

interface Row {
  readonly one: Omit<Case, 'labelled'>;
  readonly canBeKnown: boolean;
  readonly outcome: 'right' | 'wrong' | 'uncertain' | 'refused';
  /** Of what is uncertain: whether the likeliest names were right. */
  readonly isRight: boolean;
  readonly hasDuplicate: boolean;
  readonly reasons: string;
  readonly names: string;
}

function rowOf({ labelled, ...one }: Case): Row {
  const { seen } = one;
  const { centreMm, fovMm } = labelled.classes.geometry;
  const centreOf = (vertebra: string) => seen.vertebrae.find(({ name }) => name === vertebra)!.centreMm[2];
  const hasT12 = centreOf('T12') + ofPitch * (centreOf('T12') - centreOf('L1')) < centreMm[2] + fovMm[1] / 2;
  const canBeKnown = seen.hasSacrum && hasT12 && Math.max(seen.ribMm3.left, seen.ribMm3.right) >= leastRibMm3;
  try {
    const { levels, numbering } = locate([stackOf(labelled)], false);
    const named = levels.bodies.filter(({ name }) => name !== '');
    const isRight = named.every(({ name, frame: { originMm } }) => {
      const away = (centreMm: Vector3) => Math.hypot(...centreMm.map((value, axis) => value - originMm[axis]!));
      return [...seen.vertebrae].sort((a, b) => away(a.centreMm) - away(b.centreMm))[0]!.name === name;
    });
    return {
      one, canBeKnown, isRight, outcome: !numbering.certain ? 'uncertain' : isRight ? 'right' : 'wrong',
      hasDuplicate: new Set(named.map(({ name }) => name)).size < named.length,
      reasons: numbering.reasons.join('; '), names: named.map(({ name }) => name).join(' '),
    };
  } catch (error) {
    return { one, canBeKnown, outcome: 'refused', isRight: false, hasDuplicate: false, reasons: error instanceof Error ? error.message : String(error), names: '' };
  }
}

function tableOf(title: string, rows: readonly Row[], groups: readonly (readonly [string, (row: Row) => boolean])[]): void {
  printTable(title, ['', 'series', 'certain and right', 'certain and wrong', 'uncertain', 'of these likeliest right', 'refused', 'a name twice'], groups.map(([name, isIn]) => {
    const own = rows.filter(isIn);
    const n = (outcome: Row['outcome']) => own.filter((row) => row.outcome === outcome).length;
    return [
      name, own.length, `${n('right')} (${((100 * n('right')) / own.length).toFixed(1)} %)`, n('wrong'), n('uncertain'),
      own.filter((row) => row.outcome === 'uncertain' && row.isRight).length, n('refused'), own.filter((row) => row.hasDuplicate).length,
    ];
  }));
}

const patienceMs = 300_000;
const host = new ModelHost(await readModels([shippedModels]), { notice: () => undefined, startTimeoutMs: patienceMs, loadTimeoutMs: patienceMs });
const model = usableSegmentation(segmentationModel(host.entries));
const run: RunModel = (inputs) => host.run(model.id, inputs, { timeoutMs: patienceMs });
if (options.cache !== undefined) mkdirSync(options.cache, { recursive: true });
const rows: Row[] = [];
for (let seed = Number(options.first); seed < Number(options.first) + Number(options.count); seed++) {
  for (const nLumbar of [4, 5, 6] as const) {
    for await (const one of casesOf(seed, nLumbar, run, model.sha256)) {
      const row = rowOf(one);
      rows.push(row);
      if (options.list) {
        const { left, right } = one.seen.ribMm3;
        console.log(`${seed} ${nLumbar} ${one.field.padEnd(6)} ${one.contrast} ${row.canBeKnown ? 'known  ' : 'unknown'} ${row.outcome.padEnd(9)} ${row.isRight ? 'right' : 'WRONG'} ribs ${left.toFixed(0)}/${right.toFixed(0)}${one.seen.hasSacrum ? ' S1' : ''}: ${row.names}: ${row.reasons}`);
      }
    }
    console.error(`${seed} with ${nLumbar}: ${rows.filter((row) => row.outcome === 'right').length} of ${rows.length} certain and right`);
  }
}
host.close();
tableOf('levels that can be known', rows.filter(({ canBeKnown }) => canBeKnown), [
  ['all', () => true], ...[4, 5, 6].map((n) => [`${n} lumbar`, (row: Row) => row.one.nLumbar === n] as const),
  ...contrasts.map((contrast) => [contrast, (row: Row) => row.one.contrast === contrast] as const), ...fieldNames.map((field) => [field, (row: Row) => row.one.field === field] as const),
]);
tableOf('levels that cannot', rows.filter(({ canBeKnown }) => !canBeKnown), [
  ['all', () => true], ['no S1', ({ one }) => !one.seen.hasSacrum], ['T12 out of the image or cut, or no rib of it', ({ one }) => one.seen.hasSacrum],
]);
const why = new Map<string, number>();
for (const row of rows.filter(({ canBeKnown, outcome }) => canBeKnown && outcome !== 'right')) why.set(`${row.outcome}: ${row.reasons}`, (why.get(`${row.outcome}: ${row.reasons}`) ?? 0) + 1);
printTable('why what can be known is not certain', ['series', 'reason'], [...why].sort(([, a], [, b]) => b - a).map(([reason, n]) => [n, reason]));
