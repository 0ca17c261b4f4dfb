/** Which lines of k-space a scan acquired: of one image, the first that was begun. */
import type { MrdHeader } from 'ismrmrd';
import { isLine } from './census.js';
import type { ReadoutFacts } from './census.js';

export type LineUse = 'imaging' | 'calibrationAndImaging' | 'calibration';

export interface SamplingGrid {
  /** Counters of the first and the last line that a full k-space has, and of its centre. */
  readonly firstLine: number;
  readonly lastLine: number;
  readonly centreLine: number;
  readonly nPartitions: number;
}

export interface SampledLine {
  readonly line: number;
  readonly partition: number;
  readonly use: LineUse;
}

export interface SampledImage {
  readonly slice: number;
  /** Of the image and, of its slice, those that calibrate only; in the order of acquisition. */
  readonly readouts: readonly ReadoutFacts[];
  /** Each place once; an imaging line of the same number outweighs a calibration line. */
  readonly lines: readonly SampledLine[];
}

/** Undefined where the header has no encoding. */
export function samplingGridOf({ encoding: [encoding] }: MrdHeader): SamplingGrid | undefined {
  if (encoding === undefined) return undefined;
  const { y, z } = encoding.encodedSpace.matrixSize;
  const centreLine = encoding.encodingLimits.kspace_encoding_step_1?.center ?? Math.floor(y / 2);
  const firstLine = centreLine - Math.floor(y / 2);
  return { firstLine, lastLine: firstLine + y - 1, centreLine, nPartitions: z };
}

/** Undefined where no line was acquired. */
export function sampledImage(readouts: readonly ReadoutFacts[]): SampledImage | undefined {
  const lines = readouts.filter(isLine);
  const first = lines.find(({ use }) => use !== 'calibration') ?? lines[0];
  if (first === undefined) return undefined;
  const ofImage = lines.filter(({ image, slice, use }) => image === first.image || (use === 'calibration' && slice === first.slice));
  return { slice: first.slice, readouts: ofImage, lines: placesOf(ofImage) };
}

function placesOf(readouts: readonly ReadoutFacts[]): SampledLine[] {
  const places = new Map<string, SampledLine>();
  for (const { line, partition, use } of readouts) {
    const key = `${line} ${partition}`;
    const known = places.get(key)?.use;
    const isBoth = known !== undefined && known !== use;
    places.set(key, { line, partition, use: isBoth ? 'calibrationAndImaging' : (use as LineUse) });
  }
  return [...places.values()];
}
