/**
 * Structures of series by the network, slice by slice.
 *
 *   slice -> view -> normalise -> network -> softmax -> mean over series that share the grid -> finer pixels -> small joints, sure canal
 *
 * Acquired series on one grid get one set of labels, which is the mean of their probabilities; if they do not agree (the
 * patient moved), each has its own. Computed series take the labels of acquired ones on their grid and never add to them.
 * Slices that are thin beside the structures are smoothed with their neighbours. One slice's probabilities are kept at a time
 * (three where they are smoothed); while they are worked on, the network has the next slice.
 */
import { geometryOfAffineLps, pointOf, voxelSizeMm, type ImageGeometry, type Volume } from '../../imaging/index.js';
import type { Tensors } from '../../models/index.js';
import { analysisError } from '../errors.js';
import { moved, type Place } from '../geometry.js';
import type { AnalysisSeries, Orientation, RunModel } from '../types.js';
import { shiftBetween } from './between.js';
import { classIndex, nClasses } from './classes.js';
import { Evidence } from './evidence.js';
import { disputesOf, fused, isOfColumn, partAround, type OtherPlane } from './fusion.js';
import { keepSmallJoints } from './jointSize.js';
import { normalise } from './normalise.js';
import { Refiner } from './subpixel.js';
import { keepSureCanal } from './sureCanal.js';
import { viewOf, type View } from './view.js';

export interface LabelledClasses {
  /** Which of the series lie on this grid and have these labels. */
  readonly seriesIndices: readonly number[];
  readonly orientation: Exclude<Orientation, 'coronal'>;
  /** 0 to 11, [slice, row, column]: the slices of the series, pixels of about 0.4 mm, turned as the network sees them. */
  readonly classes: Volume<Uint8Array>;
  /** Probability of the class, 0 to 255. */
  readonly confidence: Uint8Array;
  /** For stacks of another plane, where it was asked for. */
  readonly evidence?: Evidence;
}

export interface SegmentOptions {
  /** Where the spine is, for axial slices. */
  readonly about?: Place | undefined;
  readonly keepEvidence?: boolean;
}

export interface IndexedSeries {
  readonly index: number;
  readonly series: AnalysisSeries;
}

const multipleOf = 16;
const finePixelMm = 0.4;
/** Slices closer than this are smoothed with their neighbours. */
const thinSliceMm = 2;
/** Pixels that are worked on together. */
const runLength = 1024;
/** Dice's overlap of bodies, discs and sac below which series on one grid do not show the same. */
const leastAgreement = 0.75;

/** Groups of series on one grid, in the order of their first ones. */
export function groupsOf(all: readonly IndexedSeries[]): IndexedSeries[][] {
  const groups: IndexedSeries[][] = [];
  for (const one of all) {
    const group = groups.find(([first]) => sharesGrid(first!.series, one.series));
    if (group === undefined) groups.push([one]);
    else group.push(one);
  }
  return groups;
}

/**
 * @param group series of one orientation on one grid
 * @throws CodedError ANALYSIS_ERR_NETWORK, and those of the model host
 */
export async function segmentGroup(group: readonly IndexedSeries[], run: RunModel, options: SegmentOptions = {}): Promise<LabelledClasses[]> {
  const acquired = group.filter(({ series }) => !series.synthetic);
  const asked = acquired.length > 0 ? acquired : group;
  const { labels, agreement } = await segmentTogether(asked, run, options);
  if (agreement >= leastAgreement) return [{ ...labels, seriesIndices: group.map(({ index }) => index) }];
  const each: LabelledClasses[] = [];
  for (const one of asked) each.push((await segmentTogether([one], run, options)).labels);
  // What was computed from several lies as the first of them.
  const computed = group.filter((one) => !asked.includes(one)).map(({ index }) => index);
  return each.map((one, place) => (place === 0 ? { ...one, seriesIndices: [...one.seriesIndices, ...computed] } : one));
}

async function segmentTogether(group: readonly IndexedSeries[], run: RunModel, { about, keepEvidence = false }: SegmentOptions): Promise<{ labels: LabelledClasses; agreement: number }> {
  const orientation = group[0]!.series.orientation as LabelledClasses['orientation'];
  const views = group.map(({ series }) => viewOf(series.volume, orientation, about));
  const { geometry } = views[0]!;
  const [columns, rows, slices] = geometry.matrixSize;
  const [paddedColumns, paddedRows] = [filledUp(columns), filledUp(rows)];
  const plane = paddedRows * paddedColumns;
  const [pixelMm, , sliceMm] = voxelSizeMm(geometry);
  const factor = factorOf(geometry);
  const finePixels = rows * columns * factor ** 2;
  const [classes, confidence] = [new Uint8Array(slices * finePixels), new Uint8Array(slices * finePixels)];
  const evidence = keepEvidence ? new Evidence(geometry) : undefined;
  const refiner = new Refiner(rows, columns, paddedColumns, paddedRows);
  const finish = (slice: number, probabilities: Float32Array) => {
    evidence?.keep(slice, probabilities, paddedColumns);
    const [own, ofOwn] = [part(classes, slice, finePixels), part(confidence, slice, finePixels)];
    refiner.refine(probabilities, factor, own, ofOwn);
    keepSmallJoints(own, columns * factor, (pixelMm / factor) ** 2);
    // Every axial slice of a spine shows the canal, however faint.
    if (orientation === 'sagittal') keepSureCanal(own, ofOwn, columns * factor);
  };
  const smoothed = slices > 2 && sliceMm < thinSliceMm;
  const kept = Array.from({ length: smoothed ? 4 : 1 }, () => new Float32Array(nClasses * plane));
  const blended = kept[3];
  const winners = group.map(() => new Uint8Array(plane));
  const agreements = group.map(() => ({ both: 0, sum: 0 }));

  const jobs = Array.from({ length: slices * group.length }, (_, job) => ({ slice: Math.floor(job / group.length), member: job % group.length }));
  const ask = ({ slice, member }: (typeof jobs)[number]) => run({ image: imageOf(views[member]!, slice, group[member]!.series, paddedRows, paddedColumns) });
  for await (const [{ slice, member }, { logits }] of ahead(jobs, ask)) {
    if (logits?.data.length !== nClasses * plane) throw analysisError('ANALYSIS_ERR_NETWORK', `logits of ${logits?.dims.join(' x ') ?? 'nothing'} for ${paddedRows} x ${paddedColumns} pixels`);
    const own = kept[smoothed ? slice % 3 : 0]!;
    if (member === 0) own.fill(0);
    addSoftmax(logits.data, 1 / group.length, own, winners[member]!);
    if (member < group.length - 1) continue;
    for (let other = 1; other < group.length; other++) count(winners[0]!, winners[other]!, agreements[other]!);
    if (!smoothed) finish(slice, own);
    else {
      if (slice > 0) finish(slice - 1, blend(kept[(slice - 1) % 3]!, kept[slice > 1 ? (slice - 2) % 3 : (slice - 1) % 3]!, own, blended!));
      if (slice === slices - 1) finish(slice, blend(own, kept[(slice - 1) % 3]!, own, blended!));
    }
  }
  const agreement = Math.min(1, ...agreements.slice(1).map(({ both, sum }) => (sum > 0 ? (2 * both) / sum : 1)));
  const labels = { seriesIndices: group.map(({ index }) => index), orientation, classes: { geometry: finer(geometry, factor), data: classes }, confidence, ...(evidence !== undefined && { evidence }) };
  return { labels, agreement };
}

/** Labels of axial stacks, in place, with what sagittal ones know of the same places; where none does they stay as they are. */
export function fuseWithSagittal(axial: readonly LabelledClasses[], sagittal: readonly LabelledClasses[]): void {
  const own = axial.flatMap(({ evidence }) => evidence ?? []);
  const planes = own.length === 0 ? [] : sagittal.flatMap(({ evidence }): OtherPlane[] => {
    const shiftMm = evidence && shiftBetween(own, evidence);
    return shiftMm === undefined ? [] : [{ evidence: evidence!, shiftMm }];
  });
  if (planes.length === 0) return;
  for (const { evidence, classes, confidence } of axial) if (evidence !== undefined) fuse(evidence, planes, classes, confidence);
}

function fuse(evidence: Evidence, planes: readonly OtherPlane[], { data, geometry }: Volume<Uint8Array>, confidence: Uint8Array): void {
  const [columns, rows, slices] = evidence.geometry.matrixSize;
  const disputes = Array.from({ length: slices }, (_, slice) => disputesOf(evidence, slice, planes));
  const window = partAround(disputes.flat(), rows, columns);
  if (window === undefined) return;
  const factor = factorOf(evidence.geometry);
  const refiner = new Refiner(window.rows, window.columns, window.columns, window.rows);
  const [nRows, nColumns] = [factor * window.rows, factor * window.columns];
  const [fineClasses, fineConfidence] = [new Uint8Array(nRows * nColumns), new Uint8Array(nRows * nColumns)];
  const [allColumns, allRows] = geometry.matrixSize;
  disputes.forEach((ofSlice, slice) => {
    if (ofSlice.length === 0) return;
    refiner.refine(fused(evidence, slice, ofSlice, planes.length, window), factor, fineClasses, fineConfidence);
    // The outermost pixels do not see their neighbours. What is not of the column stays as it was.
    for (let row = factor; row < nRows - factor; row++) {
      const first = (slice * allRows + factor * window.firstRow + row) * allColumns + factor * window.firstColumn;
      for (let x = factor, from = row * nColumns + factor, to = first + factor; x < nColumns - factor; x++, from++, to++) {
        if (!isOfColumn(fineClasses[from]!) && !isOfColumn(data[to]!)) continue;
        data[to] = fineClasses[from]!;
        confidence[to] = fineConfidence[from]!;
      }
    }
  });
}

function factorOf(geometry: ImageGeometry): number {
  return Math.max(1, Math.round(voxelSizeMm(geometry)[0] / finePixelMm));
}

function imageOf(view: View, slice: number, { contrast }: AnalysisSeries, paddedRows: number, paddedColumns: number): Tensors[string] {
  const image = view.slice(slice);
  normalise(image, contrast === 'ct' || contrast === 'syntheticCt');
  const [columns, rows] = view.geometry.matrixSize;
  const data = new Float32Array(paddedRows * paddedColumns);
  for (let row = 0; row < rows; row++) data.set(image.subarray(row * columns, (row + 1) * columns), row * paddedColumns);
  return { dims: [1, 1, paddedRows, paddedColumns], data };
}

/** Asks for the next before the last is worked on. */
async function* ahead<Job, Result>(jobs: readonly Job[], start: (job: Job) => Promise<Result>): AsyncGenerator<[Job, Result]> {
  const begin = (job: Job | undefined) => {
    const begun = job === undefined ? undefined : start(job);
    // Who stops half-way does not wait for it.
    begun?.catch(() => undefined);
    return begun;
  };
  let next = begin(jobs[0]);
  for (const [place, job] of jobs.entries()) {
    const result = await next!;
    next = begin(jobs[place + 1]);
    yield [job, result];
  }
}

/**
 * Adds weight · softmax of the logits [class, pixel]; tells the likeliest class of each pixel. By runs of pixels, each class by itself:
 * planes lie whole pages apart, so that all classes of one pixel would share a line of the cache.
 */
function addSoftmax(logits: Float32Array, weight: number, sum: Float32Array, winner: Uint8Array): void {
  const plane = logits.length / nClasses;
  const [highest, total, exponentials] = [new Float64Array(runLength), new Float64Array(runLength), new Float64Array(nClasses * runLength)];
  for (let first = 0; first < plane; first += runLength) {
    const n = Math.min(runLength, plane - first);
    highest.fill(-Infinity);
    for (let index = 0; index < nClasses; index++) {
      for (let pixel = 0, at = index * plane + first; pixel < n; pixel++, at++) {
        if (logits[at]! > highest[pixel]!) {
          highest[pixel] = logits[at]!;
          winner[first + pixel] = index;
        }
      }
    }
    total.fill(0);
    for (let index = 0; index < nClasses; index++) {
      for (let pixel = 0, at = index * plane + first, to = index * runLength; pixel < n; pixel++, at++, to++) {
        // e^-12 is below the steps of the confidence.
        const lower = logits[at]! - highest[pixel]!;
        total[pixel]! += exponentials[to] = lower < -12 ? 0 : lower === 0 ? 1 : Math.exp(lower);
      }
    }
    for (let index = 0; index < nClasses; index++) {
      for (let pixel = 0, at = index * plane + first, from = index * runLength; pixel < n; pixel++, at++, from++) {
        if (exponentials[from]! > 0) sum[at]! += (weight / total[pixel]!) * exponentials[from]!;
      }
    }
  }
}

function blend(middle: Float32Array, before: Float32Array, after: Float32Array, into: Float32Array): Float32Array {
  for (let at = 0; at < into.length; at++) into[at] = 0.5 * middle[at]! + 0.25 * (before[at]! + after[at]!);
  return into;
}

const compared = new Set([classIndex.vertebralBody, classIndex.disc, classIndex.sac]);

function count(a: Uint8Array, b: Uint8Array, agreement: { both: number; sum: number }): void {
  for (let pixel = 0; pixel < a.length; pixel++) {
    const [inA, inB] = [compared.has(a[pixel]!), compared.has(b[pixel]!)];
    if (inA) agreement.sum++;
    if (inB) agreement.sum++;
    if (inA && a[pixel] === b[pixel]) agreement.both++;
  }
}

/** `factor` times as many pixels over the same area. */
function finer(geometry: ImageGeometry, factor: number): ImageGeometry {
  const [columns, rows, slices] = geometry.matrixSize;
  const [columnMm, rowMm, sliceMm] = voxelSizeMm(geometry);
  const { rowDirection, columnDirection, sliceDirection } = geometry;
  const back = (1 / factor - 1) / 2;
  const first = moved(pointOf(geometry, [0, 0, 0]), [back * columnMm, rowDirection], [back * rowMm, columnDirection]);
  const affine = [0, 1, 2].flatMap((axis) => [
    (rowDirection[axis]! * columnMm) / factor, (columnDirection[axis]! * rowMm) / factor, sliceDirection[axis]! * sliceMm, first[axis]!,
  ]);
  return geometryOfAffineLps([...affine, 0, 0, 0, 1], [factor * columns, factor * rows, slices]);
}

function sharesGrid(a: AnalysisSeries, b: AnalysisSeries): boolean {
  const numbers = ({ orientation, volume: { geometry } }: AnalysisSeries) =>
    [orientation === 'sagittal' ? 0 : 1, ...geometry.centreMm, ...geometry.rowDirection, ...geometry.columnDirection, ...geometry.sliceDirection, ...geometry.fovMm, ...geometry.matrixSize];
  const [own, other] = [numbers(a), numbers(b)];
  return own.every((value, place) => Math.abs(value - other[place]!) < 1e-2);
}

function part(whole: Uint8Array, index: number, size: number): Uint8Array {
  return whole.subarray(index * size, (index + 1) * size);
}

function filledUp(size: number): number {
  return Math.ceil(size / multipleOf) * multipleOf;
}
