/** What a session answers with, whichever way it travels: a socket, a pipe or files. */
import type { CodedError, MrdHeader, MrdImage } from 'ismrmrd';
import type { ReconImage, ReconNotice } from '../../recon/index.js';
import type { DeliverySettings } from '../delivery/index.js';

export interface SessionAnswer {
  /** Before the first reconstructed image: what it belongs to. */
  begin(header: MrdHeader, settings: DeliverySettings): void;
  image(image: ReconImage): void;
  /** An image that the client sent, on its way back. */
  returned(image: MrdImage): void;
  text(text: string): void;
  response(correlationId: bigint, response: string): void;
  /** Meta XML of stored measurements. */
  dependency(attributes: string): void;
  /** Undefined when more may follow at once; else resolves when the receiver has caught up. */
  ready(): Promise<void> | undefined;
  /** Every image of the session itself was given: brings them to safety, where that is to be done. Others may still be returned. */
  complete?(): Promise<void>;
  /** What is to be said of the images so far, before the end. */
  notices(): readonly ReconNotice[];
  /**
   * Ends the answer: CLOSE, or the files closed. Nothing but abort() is called after it.
   * @param error why the session ended, where that was an error
   */
  close(error?: CodedError): Promise<void>;
  /** The receiver is gone, before or while the answer is ended: nothing more can be answered. */
  abort?(error: CodedError): void;
}
