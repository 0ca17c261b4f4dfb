/** An answer on the wire whose images are kept as well; only CLOSE, and what is made of complete images, wait until the disk has them. */
import type { CodedError, MrdHeader, MrdImage } from 'ismrmrd';
import type { ReconImage, ReconNotice } from '../../recon/index.js';
import type { DeliverySettings } from '../delivery/index.js';
import type { SessionAnswer } from '../session/index.js';
import type { KeptSession } from './keeper.js';

export class KeepingAnswer implements SessionAnswer {
  readonly #wire: SessionAnswer;
  readonly #kept: KeptSession;
  readonly #rawIsKept: () => Promise<void>;

  /** @param rawIsKept resolves when the raw data so far are on the disk */
  constructor(wire: SessionAnswer, kept: KeptSession, rawIsKept: () => Promise<void>) {
    this.#wire = wire;
    this.#kept = kept;
    this.#rawIsKept = rawIsKept;
  }

  begin(header: MrdHeader, settings: DeliverySettings): void {
    this.#wire.begin(header, settings);
    this.#kept.begin(header, settings);
  }

  image(image: ReconImage): void {
    this.#wire.image(image);
    this.#kept.image(image);
  }

  returned(image: MrdImage): void {
    this.#wire.returned(image);
  }

  text(text: string): void {
    this.#wire.text(text);
  }

  response(correlationId: bigint, response: string): void {
    this.#wire.response(correlationId, response);
  }

  dependency(attributes: string): void {
    this.#wire.dependency(attributes);
  }

  ready(): Promise<void> | undefined {
    return this.#wire.ready();
  }

  notices(): readonly ReconNotice[] {
    return this.#wire.notices();
  }

  async complete(): Promise<void> {
    await this.#keep();
  }

  async close(error?: CodedError): Promise<void> {
    await this.#keep(error);
    await this.#wire.close(error);
  }

  /** Once; later calls find everything kept. */
  async #keep(error?: CodedError): Promise<void> {
    if (this.#kept.isEnding) return void (await this.#kept.ended);
    await this.#rawIsKept();
    for (const { code, message } of await this.#kept.end(error)) this.#wire.text(`WRN ${code}: ${message}`);
  }

  abort(error: CodedError): void {
    void this.#kept.end(error);
    this.#wire.abort?.(error);
  }
}
