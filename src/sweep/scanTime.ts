/**
 * How long a scan takes to acquire the lines that are kept:
 *
 *   TR * concatenations * sum over images of a slice and their averages of ceil(lines / echo train length)
 *
 * Concatenations are read off the order of the readouts: slices whose readouts overlap in time share their
 * repetitions, those that come one after the other do not. Several contrasts are echoes of the same
 * excitations. Adjustments, noise scan and dummies are left out.
 */
import type { MrdHeader } from 'ismrmrd';
import { imagingTimeMs } from '../../protocols/index.js';
import { isLine } from '../raw/index.js';
import type { RecordedScan } from './recordedScan.js';
import { isOfImage, type KeptReadouts } from './undersample.js';

export interface SequenceTiming {
  readonly trMs: number;
  readonly echoTrainLength: number;
  readonly concatenations: number;
}

const trains = /turbo|tse|fse|rare|haste/i;

/**
 * @param given what the operator knows better than the header
 * @returns undefined where header and operator leave it open
 */
export function sequenceTimingOf(
  scan: RecordedScan, given: { readonly trMs?: number | undefined; readonly echoTrainLength?: number | undefined },
): SequenceTiming | undefined {
  const trMs = given.trMs ?? scan.header.sequenceParameters?.TR[0];
  const echoTrainLength = given.echoTrainLength ?? echoTrainLengthOf(scan.header);
  if (trMs === undefined || !(trMs > 0) || echoTrainLength === undefined) return undefined;
  return { trMs, echoTrainLength, concatenations: concatenationsOf(scan) };
}

/** A header without it is one line an excitation, unless the sequence is one with echo trains. */
function echoTrainLengthOf({ encoding, sequenceParameters }: MrdHeader): number | undefined {
  const announced = encoding[0]?.echoTrainLength;
  if (announced !== undefined && announced > 0) return announced;
  return trains.test(sequenceParameters?.sequence_type ?? '') ? undefined : 1;
}

function concatenationsOf({ readouts, calibration }: RecordedScan): number {
  const spans = new Map<number, [first: number, last: number]>();
  const firstOfSlice = new Map<number, string>();
  readouts.forEach((readout, index) => {
    if (!isOfImage(readout, calibration)) return;
    const { slice, image } = readout;
    if (!firstOfSlice.has(slice)) firstOfSlice.set(slice, image);
    if (firstOfSlice.get(slice) !== image) return;
    const span = spans.get(slice);
    if (span === undefined) spans.set(slice, [index, index]);
    else span[1] = index;
  });
  let concatenations = 0;
  let end = -1;
  for (const [first, last] of [...spans.values()].sort((a, b) => a[0] - b[0])) {
    if (first > end) concatenations++;
    end = Math.max(end, last);
  }
  return concatenations;
}

export interface KeptLines {
  /** Of one image in one average, calibration lines among them. */
  readonly nLines: number;
  /** Of a separate calibration of one slice. */
  readonly nSeparateLines: number;
  readonly averages: number;
  /** Images of a slice that have excitations of their own: phases, repetitions and sets. */
  readonly nRounds: number;
}

export function keptLinesOf({ readouts, calibration }: RecordedScan, kept: KeptReadouts): KeptLines {
  const lines = readouts.filter((readout, index) => isLine(readout) && kept[index] !== undefined);
  const ofImages = lines.filter((readout) => isOfImage(readout, calibration));
  const first = ofImages[0]!;
  const ofFirst = ofImages.filter(({ image }) => image === first.image);
  const separate = lines.filter((readout) => !isOfImage(readout, calibration) && readout.slice === first.slice);
  return {
    nLines: new Set(ofFirst.map(({ line }) => line)).size,
    nSeparateLines: new Set(separate.map(({ line }) => line)).size,
    averages: new Set(ofFirst.map(({ average }) => average)).size,
    nRounds: new Set(ofImages.map(({ round }) => round)).size,
  };
}

export function scanMinutes({ trMs, concatenations, echoTrainLength }: SequenceTiming, { nLines, nSeparateLines, averages, nRounds }: KeptLines): number {
  const sequence = { trMs, concatenations, echoTrainLength };
  const imagingMs = nRounds * imagingTimeMs({ ...sequence, nLines, averages });
  return (imagingMs + imagingTimeMs({ ...sequence, nLines: nSeparateLines, averages: 1 })) / 60_000;
}
