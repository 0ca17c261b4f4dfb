/**
 * What axial slices gain from the sagittal ones of the same exam (analysis/segment/fusion.ts): Dice against the truth of simulated
 * patients, before and after, and how alike T1w and T2w of the same slices are labelled.
 *
 *   npx tsx bench/fusion.ts --first 764000 --count 4 [--pathology random:grades=uniform] [--shift 0,0,0] [--snr 20] [--out FILE]
 *   npx tsx bench/fusion.ts --read FILE…
 *
 * An exam is 15 sagittal slices T2w and T1w, three blocks of five axial slices in the planes of the lowest discs, and a straight stack of
 * 15 axial slices 5 mm apart, which cuts most endplates at an angle; images by the signal equations with noise and shading. `--shift` moves
 * the patient by so many millimetres between the sagittal and the axial series. Dice is the mean over slices that hold 25 mm² of the
 * structure; roots count for nothing. The weight of the fusion and its reach were chosen on seeds 760000 to 760005, 761001 and 761002.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuseWithSagittal, groupsOf, segmentGroup, structureClasses, type LabelledClasses } from '../analysis/segment/index.js';
import type { AnalysisSeries, RunModel } from '../analysis/index.js';
import { pointOf, voxelOf, voxelSizeMm, type Vector3 } from '../imaging/index.js';
import { ModelHost, readModels, shippedModels } from '../models/index.js';
import { segmentationModel, usableSegmentation } from '../src/analysis/index.js';
import { buildPatient, drawPatient, Random } from '../simulator/index.js';
import { spineOf, type StackOptions, type TruthSpine } from '../test/analysis/truthSpine.js';
import { asMeasured } from './measured.js';
import { printTable } from './report.js';

const { values: options } = parseArgs({
  options: {
    first: { type: 'string', default: '764000' }, count: { type: 'string', default: '4' }, pathology: { type: 'string', default: 'random:grades=uniform' },
    shift: { type: 'string', default: '0,0,0' }, snr: { type: 'string', default: '20' }, out: { type: 'string' }, read: { type: 'string', multiple: true },
  },
});

const groups = { vertebra: ['vertebralBody', 'posteriorElements', 'facetJoint'], disc: ['disc'], canal: ['sac', 'cord'] } as const;
type Group = keyof typeof groups;
const names = Object.keys(groups) as Group[];

interface Row {
  readonly seed: number;
  readonly shift: string;
  /** `blocks T2w before` */
  readonly what: string;
  readonly group: Group;
  readonly dice: number;
}

const contrasts = ['t2w', 't1w'] as const;
const planes: readonly (readonly [string, Omit<StackOptions, 'contrast'>])[] = [
  ['sagittal', { orientation: 'sagittal', pixelMm: 0.73 }],
  ...(['L3-L4', 'L4-L5', 'L5-S1'] as const).map((segment) => ['blocks', { orientation: 'axial', segment, nSlices: 5, pixelMm: 0.625 }] as const),
  ['straight', { orientation: 'axial', segment: 'L3-L4', nSlices: 15, sliceStepMm: 5, pixelMm: 0.625, shiftMm: [0, 0, -10] }],
];
const stacks = planes.flatMap(([, stack]) => contrasts.map((contrast) => ({ ...stack, contrast })));
const leastMm2 = 25;
/** Sagittal slices as far off the midline as the model's card has them. */
const besideMm = 22;

/** 1: vertebra, 2: disc, 3: canal, 255: counts for nothing. */
const groupOfClass = Uint8Array.from(structureClasses, (name) => 1 + names.findIndex((group) => (groups[group] as readonly string[]).includes(name)));
const root = 10;

function groupOfCode(code: number): number {
  if (code === root) return 255;
  return code === 1 || code === 2 ? 3 : [0, 1, 1, 2, 0, 0, 1, 1][Math.floor(code / 100)]!;
}

/** The truth's groups on the pixels of the labels. */
function truthOn({ classes: { geometry } }: LabelledClasses, { codes }: TruthSpine['spine']['stacks'][number], shift: Vector3): Uint8Array {
  const [columns, rows, slices] = geometry.matrixSize;
  const [trueColumns, trueRows] = codes.geometry.matrixSize;
  const truth = new Uint8Array(columns * rows * slices);
  for (let slice = 0, at = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at++) {
        const place = pointOf(geometry, [column, row, slice]);
        const [i, j, k] = voxelOf(codes.geometry, [place[0] - shift[0], place[1] - shift[1], place[2] - shift[2]]).map(Math.round) as [number, number, number];
        truth[at] = i < 0 || j < 0 || i >= trueColumns || j >= trueRows ? 255 : groupOfCode(codes.data[(k * trueRows + j) * trueColumns + i]!);
      }
    }
  }
  return truth;
}

function grouped({ classes: { data } }: LabelledClasses): Uint8Array {
  return data.map((value) => groupOfClass[value]!);
}

/** Of each group and slice; where `truth` has enough of it. */
function dice(found: Uint8Array, truth: Uint8Array, { classes: { geometry } }: LabelledClasses, slices: readonly number[]): { group: Group; dice: number }[] {
  const [columns, rows] = geometry.matrixSize;
  const [columnMm, rowMm] = voxelSizeMm(geometry);
  return slices.flatMap((slice) => names.flatMap((group, index) => {
    let [both, a, b] = [0, 0, 0];
    for (let at = slice * rows * columns; at < (slice + 1) * rows * columns; at++) {
      if (truth[at] === 255) continue;
      const [inFound, inTruth] = [found[at] === index + 1, truth[at] === index + 1];
      if (inFound) a++;
      if (inTruth) b++;
      if (inFound && inTruth) both++;
    }
    return b * columnMm * rowMm < leastMm2 ? [] : [{ group, dice: (2 * both) / (a + b) }];
  }));
}

function movedBy(series: AnalysisSeries, shift: Vector3): AnalysisSeries {
  const { geometry, data } = series.volume;
  return { ...series, volume: { data, geometry: { ...geometry, centreMm: geometry.centreMm.map((value, axis) => value + shift[axis]!) as unknown as Vector3 } } };
}

async function rowsOf(seed: number, run: RunModel): Promise<Row[]> {
  const shift = options.shift.split(',').map(Number) as unknown as Vector3;
  const { stacks: truths, series } = spineOf(buildPatient(drawPatient({ seed, region: 'lumbar', pathology: options.pathology }, 1.5), 1.5), stacks);
  const random = new Random(seed);
  const measured = series.map((one) => asMeasured(one, Number(options.snr), random)).map((one) => (one.orientation === 'sagittal' ? movedBy(one, shift) : one));
  const indexed = measured.map((one, index) => ({ index, series: one }));
  const rows: Row[] = [];
  const label = async (members: typeof indexed) => {
    const labels: LabelledClasses[] = [];
    for (const group of groupsOf(members)) labels.push(...await segmentGroup(group, run, { keepEvidence: true }));
    return labels;
  };
  const sagittal = await label(indexed.slice(0, contrasts.length));
  const truthOf = (labels: LabelledClasses) => truthOn(labels, truths[labels.seriesIndices[0]!]!, labels.orientation === 'sagittal' ? shift : [0, 0, 0]);
  const add = (what: string, found: Uint8Array, truth: Uint8Array, labels: LabelledClasses, slices?: readonly number[]) => {
    const all = Array.from({ length: labels.classes.geometry.matrixSize[2] }, (_, slice) => slice);
    for (const one of dice(found, truth, labels, slices ?? all)) rows.push({ seed, shift: options.shift, what, ...one });
  };
  for (const labels of sagittal) {
    const middle = Math.floor(labels.classes.geometry.matrixSize[2] / 2);
    const reach = Math.floor(besideMm / voxelSizeMm(labels.classes.geometry)[2]);
    add('sagittal', grouped(labels), truthOf(labels), labels, Array.from({ length: 2 * reach + 1 }, (_, place) => middle - reach + place));
  }
  for (const plane of ['blocks', 'straight']) {
    const members = indexed.filter(({ index }) => planes[Math.floor(index / contrasts.length)]![0] === plane);
    const found: Record<string, { before: Uint8Array; after: Uint8Array }[]> = {};
    for (const contrast of [...contrasts, 'both'] as const) {
      const labels = await label(members.filter(({ series: one }) => contrast === 'both' || one.contrast === contrast));
      const truth = labels.map(truthOf);
      const before = labels.map(grouped);
      fuseWithSagittal(labels, sagittal);
      found[contrast] = labels.map((one, place) => ({ before: before[place]!, after: grouped(one) }));
      for (const time of ['before', 'after'] as const) labels.forEach((one, place) => add(`${plane} ${contrast} ${time}`, found[contrast]![place]![time], truth[place]!, one));
      if (contrast === 't1w') {
        for (const time of ['before', 'after'] as const) labels.forEach((one, place) => add(`${plane} t1w against t2w ${time}`, found.t1w![place]![time], found.t2w![place]![time], one));
      }
    }
  }
  return rows;
}

function table(rows: readonly Row[]): void {
  const patients = new Set(rows.map(({ seed }) => seed)).size;
  for (const shift of new Set(rows.map((row) => row.shift))) {
    const own = rows.filter((row) => row.shift === shift);
    printTable(`Dice, ${patients} patients, moved by ${shift} mm`, ['slices', ...names], [...new Set(own.map(({ what }) => what))].map((what) => [
      what, ...names.map((group) => {
        const values = own.filter((row) => row.what === what && row.group === group).map((row) => row.dice);
        return values.length === 0 ? '' : `${(values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3)} (${values.length})`;
      }),
    ]));
  }
}

if (options.read !== undefined) table(options.read.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Row)));
else {
  const host = new ModelHost(await readModels([shippedModels]), { notice: () => undefined });
  const { id } = usableSegmentation(segmentationModel(host.entries));
  const rows: Row[] = [];
  for (let seed = Number(options.first); seed < Number(options.first) + Number(options.count); seed++) {
    const own = await rowsOf(seed, (inputs) => host.run(id, inputs));
    rows.push(...own);
    if (options.out !== undefined) appendFileSync(options.out, own.map((row) => `${JSON.stringify(row)}\n`).join(''));
    console.error(seed);
  }
  host.close();
  table(rows);
}
