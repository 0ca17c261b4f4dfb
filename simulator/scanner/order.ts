/**
 * The readouts of a scan in the order of acquisition:
 *
 *   surface-coil reference -> reference scan of all slices -> repetitions -> sets -> slices -> averages
 *   -> lines -> contrasts, where slices may also be taken in turn, line by line.
 */
import { counterOf, phaseOf, type Sampling } from './encoding.js';
import { centralLines, imagingLines, separateCalibrationLines, type PlannedLine } from './lines.js';
import type { ScanOptions } from './options.js';

export type ReadoutKind = 'imaging' | 'dummy' | 'navigator' | 'phaseCorrection' | 'arrayReference' | 'bodyCoilReference';

export interface PlannedReadout extends PlannedLine {
  readonly kind: ReadoutKind;
  readonly slice: number;
  readonly average: number;
  readonly contrast: number;
  readonly repetition: number;
  readonly set: number;
  readonly reversed: boolean;
  /** The first and the last one that an image is made of. */
  readonly firstInImage: boolean;
  readonly lastInImage: boolean;
}

type Draft = Omit<PlannedReadout, 'firstInImage' | 'lastInImage'>;

export function readoutOrder(options: ScanOptions, sampling: Sampling): PlannedReadout[] {
  const { nRepetitions, nSets, interleaveSlices } = options;
  const slices = sliceOrder(options);
  const inTurn = (perSlice: readonly Draft[][]): Draft[] => {
    if (!interleaveSlices) return perSlice.flat();
    const longest = Math.max(...perSlice.map(({ length }) => length));
    return Array.from({ length: longest }, (_, index) => perSlice.flatMap((drafts) => drafts[index] ?? [])).flat();
  };
  const before = slices.flatMap((slice) => surfaceCoilReference(options, sampling, slice));
  const reference =
    options.referenceScan === 'beforeScan' ? inTurn(slices.map((slice) => referenceLines(options, sampling, slice))) : [];
  const passes = Array.from({ length: nRepetitions * nSets }, (_, pass) => {
    const loops = { repetition: Math.floor(pass / nSets), set: pass % nSets };
    return inTurn(slices.map((slice) => ofSlice(options, sampling, { ...loops, slice })));
  });
  return [
    ...[...before, ...reference].map((draft) => ({ ...draft, firstInImage: false, lastInImage: false })),
    ...markImages(passes.flat()),
  ];
}

/**
 * Neighbours apart in time, so that they do not saturate each other: every other slice first. As
 * Siemens counts, an even number of slices begins with the second one.
 */
export function sliceOrder({ nSlices, sliceOrder: order }: Pick<ScanOptions, 'nSlices' | 'sliceOrder'>): number[] {
  const slices = Array.from({ length: nSlices }, (_, slice) => slice);
  if (order === 'ascending') return slices;
  const parity = (slice: number) => (slice + nSlices + 1) % 2;
  return [...slices.filter((slice) => parity(slice) === 0), ...slices.filter((slice) => parity(slice) === 1)];
}

interface Loops {
  readonly slice: number;
  readonly repetition: number;
  readonly set: number;
}

const centreLine = (sampling: Sampling): PlannedLine => ({
  line: Math.floor(phaseOf(sampling).nLines / 2),
  partition: Math.floor((sampling.partitions?.nLines ?? 1) / 2),
  use: [],
});

function ofSlice(options: ScanOptions, sampling: Sampling, loops: Loops): Draft[] {
  const { nAverages, calibration, interleavingDimension, referenceScan, dummyReadouts, navigatorReadouts, epi } = options;
  const draft = (line: PlannedLine, details: Partial<Draft> = {}): Draft => ({
    ...line,
    ...loops,
    kind: 'imaging',
    average: 0,
    contrast: 0,
    reversed: options.reverseOddLines && counterOf(phaseOf(sampling), line.line) % 2 === 1,
    ...details,
  });
  const atCentre = (kind: ReadoutKind, count: number, average: number): Draft[] =>
    Array.from({ length: count }, (_, index) =>
      draft(centreLine(sampling), { kind, average, reversed: kind === 'phaseCorrection' && index % 2 === 1 }),
    );
  const averages = Array.from({ length: nAverages }, (_, average) => {
    const shot = calibration === 'interleaved' ? (interleavingDimension === 'average' ? average : loops.repetition) : 0;
    const lines = imagingLines(options, sampling, loops.slice, shot);
    return [
      ...atCentre('phaseCorrection', epi?.phaseCorrectionReadouts ?? 0, average),
      ...atCentre('navigator', navigatorReadouts, average),
      ...lines.flatMap((line, index) =>
        options.echoTimesMs.map((_, contrast) =>
          draft(line, { average, contrast, ...(epi !== undefined && { reversed: index % 2 === 1 }) }),
        ),
      ),
    ];
  }).flat();
  const isFirstPass = loops.repetition === 0 && loops.set === 0;
  const reference = isFirstPass && referenceScan !== 'beforeScan' ? referenceLines(options, sampling, loops.slice) : [];
  return [
    ...atCentre('dummy', dummyReadouts, 0),
    ...(referenceScan === 'amongLines' ? spreadAmong(averages, reference) : [...reference, ...averages]),
  ];
}

function referenceLines(options: ScanOptions, sampling: Sampling, slice: number): Draft[] {
  return separateCalibrationLines(options, sampling).map((line) => ({
    ...line,
    kind: 'imaging',
    slice,
    average: 0,
    contrast: 0,
    repetition: 0,
    set: 0,
    reversed: options.reverseOddLines && counterOf(phaseOf(sampling), line.line) % 2 === 1,
  }));
}

/** Each central line by the array, then each by the body coil, numbered as sets 0 and 1. */
function surfaceCoilReference(options: ScanOptions, sampling: Sampling, slice: number): Draft[] {
  const kinds = ['arrayReference', 'bodyCoilReference'] as const;
  const lines = centralLines(sampling, options.surfaceCoilLines);
  return kinds.flatMap((kind, set) =>
    lines.map((line) => ({
      ...line, use: ['surfaceCoilCorrection'], kind, slice, average: 0, contrast: 0, repetition: 0, set, reversed: false,
    })),
  );
}

/** The guests one by one at even distances among the hosts. */
function spreadAmong(hosts: readonly Draft[], guests: readonly Draft[]): Draft[] {
  let placed = 0;
  const mixed = hosts.flatMap((host, index) => {
    const due = Math.floor(((index + 1) * guests.length) / hosts.length);
    const now = guests.slice(placed, due);
    placed = due;
    return [...now, host];
  });
  return mixed;
}

function markImages(drafts: readonly Draft[]): PlannedReadout[] {
  const imageOf = ({ slice, contrast, repetition, set }: Draft) => [slice, contrast, repetition, set].join();
  const [first, last] = [new Map<string, number>(), new Map<string, number>()];
  drafts.forEach((draft, index) => {
    if (draft.kind !== 'imaging') return;
    const image = imageOf(draft);
    if (!first.has(image)) first.set(image, index);
    last.set(image, index);
  });
  return drafts.map((draft, index) => ({
    ...draft,
    firstInImage: first.get(imageOf(draft)) === index,
    lastInImage: last.get(imageOf(draft)) === index,
  }));
}
