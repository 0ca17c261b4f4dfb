/**
 * The readouts of a series in time, as protocols/timing.ts counts it: in each concatenation, one train of
 * every slice in a repetition, the slices evenly spaced, trains and averages one repetition after the
 * other; before them the dummies, and before all the trains of a separate calibration scan.
 */
import { timingOf, acquiredLines, echoTrainLengthOf, type LineUse, type Protocol, type Series } from '../../protocols/index.js';
import { echoOrder } from './echoOrder.js';
import { sliceOrder } from './order.js';

export interface SeriesReadout {
  readonly slice: number;
  /** Of the whole k-space. */
  readonly line: number;
  readonly use: LineUse;
  readonly average: number;
  readonly contrast: number;
  /** From 1. */
  readonly echo: number;
  /** From the begin of the series, of its excitation and of its echo. */
  readonly excitationMs: number;
  readonly timeMs: number;
  readonly firstInImage: boolean;
  readonly lastInImage: boolean;
}

export interface SeriesOrder {
  readonly readouts: readonly SeriesReadout[];
  /** When the noise scan begins. */
  readonly noiseScanMs: number;
  readonly durationMs: number;
  /** The echo that the centre of k-space is given, from 1. */
  readonly effectiveEcho: number;
}

/** @throws ProtocolError where the series cannot be run, or an inversion time is still `auto` */
export function seriesOrder(series: Series, preparation: Protocol['preparation']): SeriesOrder {
  const timing = timingOf(series, preparation);
  const { lines, separateCalibration, centreLine } = acquiredLines(series);
  const { sequence } = series;
  const { trMs } = sequence;
  const echoTrainLength = echoTrainLengthOf(sequence);
  const isTrain = sequence.kind === 'tse' || sequence.kind === 'stirTse';
  const effectiveEcho = isTrain ? effectiveEchoOf(sequence.teMs, sequence.echoSpacingMs, echoTrainLength) : 1;
  const useOf = new Map(lines.map(({ line, use }) => [line, use]));
  const places = (numbers: readonly number[]) => echoOrder(numbers, centreLine, echoTrainLength, effectiveEcho);
  const imaging = byTrain(places(lines.map(({ line }) => line)));
  const calibration = byTrain(places(separateCalibration));

  const order = sliceOrder({
    nSlices: timing.nSlices,
    sliceOrder: series.geometry.slices.interleaved ? 'interleaved' : 'ascending',
  });
  const atOnce = Math.ceil(timing.nSlices / timing.concatenations);
  const concatenations = Array.from({ length: timing.concatenations }, (_, index) => order.slice(index * atOnce, (index + 1) * atOnce));
  // From the begin of a slice's train to its excitation: what is left of it after the last echo is known.
  const beforeExcitationMs = isTrain
    ? timing.trainMs - (echoTrainLength + 0.5) * sequence.echoSpacingMs
    : timing.trainMs - lastEchoMs(sequence.teMs);
  const echoTimesMs = isTrain || !Array.isArray(sequence.teMs) ? [isTrain ? 0 : (sequence.teMs as number)] : sequence.teMs;

  type Draft = Omit<SeriesReadout, 'firstInImage' | 'lastInImage'>;
  const drafts: Draft[] = [];
  const repetition = (startMs: number, slices: readonly number[], train: ReturnType<typeof places>, average: number, use?: LineUse) => {
    slices.forEach((slice, position) => {
      const excitationMs = startMs + (position * trMs) / slices.length + beforeExcitationMs;
      for (const { line, echo } of train) {
        echoTimesMs.forEach((teMs, contrast) => {
          // A calibration scan of its own is made of the first echoes only.
          if (use !== undefined && contrast > 0) return;
          drafts.push({
            slice, line, average, contrast, echo, excitationMs,
            use: use ?? useOf.get(line)!,
            timeMs: excitationMs + (isTrain ? echo * sequence.echoSpacingMs : teMs),
          });
        });
      }
    });
  };
  let timeMs = timing.adjustmentsMs + timing.noiseScanMs;
  for (const slices of concatenations) {
    for (const train of calibration) {
      repetition(timeMs, slices, train, 0, 'calibration');
      timeMs += trMs;
    }
  }
  for (const slices of concatenations) {
    timeMs += series.dummies * trMs;
    for (let average = 0; average < series.averages; average++) {
      for (const train of imaging) {
        repetition(timeMs, slices, train, average);
        timeMs += trMs;
      }
    }
  }
  return { readouts: marked(drafts, series), noiseScanMs: timing.adjustmentsMs, durationMs: timing.totalMs, effectiveEcho };
}

/** The echo nearest to the effective echo time. */
export function effectiveEchoOf(teMs: number, echoSpacingMs: number, echoTrainLength: number): number {
  return Math.min(echoTrainLength, Math.max(1, Math.round(teMs / echoSpacingMs)));
}

const lastEchoMs = (teMs: number | readonly number[]): number => (typeof teMs === 'number' ? teMs : Math.max(...teMs));

function byTrain<Place extends { readonly train: number }>(places: readonly Place[]): Place[][] {
  const trains: Place[][] = [];
  for (const place of places) (trains[place.train] ??= []).push(place);
  return trains;
}

/** The first and the last readout of every image; those of a calibration scan of its own are of none. */
function marked(drafts: readonly Omit<SeriesReadout, 'firstInImage' | 'lastInImage'>[], series: Series): SeriesReadout[] {
  const isOwnScan = series.acceleration.calibration === 'separate';
  const [first, last] = [new Map<string, number>(), new Map<string, number>()];
  const imageOf = ({ slice, contrast }: { slice: number; contrast: number }) => `${slice},${contrast}`;
  drafts.forEach((draft, index) => {
    if (isOwnScan && draft.use === 'calibration') return;
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
