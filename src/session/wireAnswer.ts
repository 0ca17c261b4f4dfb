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

export class WireAnswer implements SessionAnswer {
  readonly #sink: ByteSink;
  #series: SeriesBook | undefined;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  begin(header: MrdHeader, settings: DeliverySettings): void {
    this.#series = new SeriesBook(header, settings);
  }

  image(image: ReconImage): void {
    if (this.#series === undefined) throw new Error('an image before begin()');
    this.#sink.write(encodeImage(this.#series.message(image)));
  }

  returned(image: MrdImage): void {
    this.#sink.write(encodeImage(image));
  }

  text(text: string): void {
    // A TEXT of length 0 crashes the C++ stream tools.
    if (text !== '') this.#sink.write(encodeText(text));
  }

  response(correlationId: bigint, response: string): void {
    this.#sink.write(encodeResponse(correlationId, response));
  }

  dependency(attributes: string): void {
    this.#sink.write(encodeDependency(attributes));
  }

  ready(): Promise<void> | undefined {
    return this.#sink.ready();
  }

  notices(): readonly ReconNotice[] {
    return this.#series?.notices ?? [];
  }

  async close(): Promise<void> {
    this.#sink.write(encodeClose());
  }
}
