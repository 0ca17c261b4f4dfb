/**
 * One client of the live channel. It has a place in the row of changes and is sent the next ones as fast as it reads;
 * nothing is queued for it but what the socket holds. One that falls behind what the ring keeps gets a reset, which
 * says everything anew: so a slow client costs no memory and never misses a state. Pictures are sent while the socket
 * has room, and left out otherwise.
 */
import type { PixelWindow, SlicePlane, Vector3 } from '../../imaging/index.js';
import { greyPicture } from '../../imaging/index.js';
import { planeView } from '../exams/index.js';
import type { ExamPicture, ExamView, PicturePlace } from '../exams/index.js';
import type { PictureMessage, ServerMessage, Subscription } from './messages.js';
import type { ChangeRing } from './ring.js';
import { encodeMessage } from './wire.js';

/** A socket as far as a subscriber knows it. */
export interface Channel {
  /** Bytes that were sent and not yet taken by the system. */
  readonly bufferedAmount: number;
  /** @param taken is called when the bytes are on their way */
  send(bytes: Uint8Array, taken: () => void): void;
}

export interface SubscriberLimits {
  /** Beyond so many waiting bytes no picture is sent. */
  readonly pictureQueueBytes: number;
  /** Beyond so many no change is sent until some are taken. */
  readonly changeQueueBytes: number;
}

export const defaultLimits: SubscriberLimits = { pictureQueueBytes: 4 << 20, changeQueueBytes: 1 << 20 };

/** Longest side of a thumbnail, pixels. */
const THUMBNAIL = 96;

export class Subscriber {
  readonly #channel: Channel;
  readonly #ring: ChangeRing;
  readonly #exams: () => ExamView[];
  readonly #subscription: Subscription;
  readonly #limits: SubscriberLimits;
  /** Sequence number of the last change that was sent; undefined where everything is to be said anew. */
  #place: number | undefined;
  #nLost = 0;

  constructor(channel: Channel, ring: ChangeRing, exams: () => ExamView[], subscription: Subscription, isSameEpoch: boolean, limits = defaultLimits) {
    this.#channel = channel;
    this.#ring = ring;
    this.#exams = exams;
    this.#subscription = subscription;
    this.#limits = limits;
    const { since } = subscription;
    this.#place = isSameEpoch && since !== undefined && ring.reaches(since) ? since : undefined;
  }

  /** Sends what there is, as far as there is room. */
  pump(): void {
    while (this.#channel.bufferedAmount <= this.#limits.changeQueueBytes) {
      if (this.#place === undefined || !this.#ring.reaches(this.#place)) {
        this.#place = this.#ring.latest;
        this.#send({ kind: 'reset', sequence: this.#place, exams: this.#exams() });
        continue;
      }
      const change = this.#ring.at(this.#place + 1);
      if (change === undefined) return;
      this.#place = change.sequence;
      this.#send({ kind: 'change', change });
    }
  }

  picture(picture: ExamPicture, { examId, seriesId, at }: PicturePlace): void {
    const { pictures, pixels, examIds } = this.#subscription;
    if (pictures === 'none' || examIds?.includes(examId) === false) return;
    // A picture of a series that the client has not heard of yet would mean nothing to it.
    if (this.#place !== this.#ring.latest || this.#channel.bufferedAmount > this.#limits.pictureQueueBytes) {
      this.#nLost++;
      return;
    }
    if (this.#nLost > 0) this.#send({ kind: 'lost', nPictures: this.#nLost });
    this.#nLost = 0;
    const step = pictures === 'thumbnails' ? Math.ceil(Math.max(picture.rows, picture.columns) / THUMBNAIL) : 1;
    const { rows, columns, values, geometry } = shrunk(picture, step);
    const { output, number, slice, window } = picture;
    this.#send({
      kind: 'picture', after: this.#ring.latest, examId, seriesId, output, at, number, slice, rows, columns, window: { ...window },
      ...(geometry !== undefined && { geometry: planeView(geometry) }),
      pixels: pixels === 'float32' ? values : inWindow(values, rows, columns, window),
    } satisfies PictureMessage);
  }

  #send(message: ServerMessage): void {
    this.#channel.send(encodeMessage(message), () => this.pump());
  }
}

function inWindow(values: Float32Array, rows: number, columns: number, window: PixelWindow): Uint8Array {
  return greyPicture(values, rows, columns, window).data as Uint8Array;
}

type Shrunk = Pick<ExamPicture, 'rows' | 'columns' | 'values' | 'geometry'>;

/** Every pixel the mean of step x step; what is left over at the edges is cut off. */
function shrunk({ rows, columns, values, geometry }: Shrunk, step: number): Shrunk {
  if (step === 1) return { rows, columns, values, ...(geometry !== undefined && { geometry }) };
  const [nRows, nColumns] = [Math.max(1, Math.floor(rows / step)), Math.max(1, Math.floor(columns / step))];
  const means = new Float32Array(nRows * nColumns);
  const [high, wide] = [Math.min(step, rows), Math.min(step, columns)];
  for (let row = 0; row < nRows; row++) {
    for (let column = 0; column < nColumns; column++) {
      let sum = 0;
      for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) sum += values[(row * step + y) * columns + column * step + x]!;
      means[row * nColumns + column] = sum / (high * wide);
    }
  }
  return { rows: nRows, columns: nColumns, values: means, ...(geometry !== undefined && { geometry: coarser(geometry, high, wide) }) };
}

/** The first pixel of a coarser grid lies in the middle of those that it is the mean of. */
function coarser({ originMm, rowStepMm, columnStepMm, thicknessMm }: SlicePlane, high: number, wide: number): SlicePlane {
  const of = (value: (axis: 0 | 1 | 2) => number): Vector3 => [value(0), value(1), value(2)];
  return {
    originMm: of((axis) => originMm[axis] + ((wide - 1) / 2) * columnStepMm[axis] + ((high - 1) / 2) * rowStepMm[axis]),
    rowStepMm: of((axis) => high * rowStepMm[axis]),
    columnStepMm: of((axis) => wide * columnStepMm[axis]),
    thicknessMm,
  };
}
