/** Answers as MRD messages. */
import { encodeClose, encodeDependency, encodeImage, encodeResponse, encodeText } from 'ismrmrd';
import type { MrdHeader, MrdImage } from 'ismrmrd';
import type { ReconImage, ReconNotice } from '../../recon/index.js';
import { SeriesBook } from '../delivery/index.js';
import type { DeliverySettings } from '../delivery/index.js';
import type { SessionAnswer } from './answer.js';

/** Where bytes go, in order. Neither method throws: a receiver that is gone is the transport's matter. */
export interface ByteSink {
  write(parts: readonly Uint8Array[]): void;
  /** Undefined when more may be written at once; else resolves when the receiver has caught up. */
  ready(): Promise<void> | undefined;
}

/**
 * How long a remark may wait for company. An answer in the middle of a stream of readouts makes the
 * network stack acknowledge them late (Linux: 40 ms), and a sender with Nagle's algorithm then holds
 * its last readout back for as long: remarks go with the next image, or when this time is over.
 */
const remarkDelayMs = 1000;

export class WireAnswer implements SessionAnswer {
  readonly #sink: ByteSink;
  readonly #held: (readonly Uint8Array[])[] = [];
  #timer: NodeJS.Timeout | undefined;
  #series: SeriesBook | undefined;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  begin(header: MrdHeader, settings: DeliverySettings): void {
    this.#series = new SeriesBook(header, settings);
  }

  image(image: ReconImage): void {
    if (this.#series === undefined) throw new Error('an image before begin()');
    this.#write(encodeImage(this.#series.message(image)));
  }

  returned(image: MrdImage): void {
    this.#write(encodeImage(image));
  }

  text(text: string): void {
    // A TEXT of length 0 crashes the C++ stream tools.
    if (text === '') return;
    this.#held.push(encodeText(text));
    this.#timer ??= setTimeout(() => this.#release(), remarkDelayMs).unref();
  }

  response(correlationId: bigint, response: string): void {
    this.#write(encodeResponse(correlationId, response));
  }

  dependency(attributes: string): void {
    this.#write(encodeDependency(attributes));
  }

  ready(): Promise<void> | undefined {
    return this.#sink.ready();
  }

  notices(): readonly ReconNotice[] {
    return this.#series?.notices ?? [];
  }

  async close(): Promise<void> {
    this.#write(encodeClose());
  }

  abort(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
  }

  #write(parts: readonly Uint8Array[]): void {
    this.#release();
    this.#sink.write(parts);
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const parts of this.#held.splice(0)) this.#sink.write(parts);
  }
}
