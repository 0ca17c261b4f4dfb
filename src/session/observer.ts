/** Who looks on at a session, and changes nothing: exams, delivery, reports. */
import type { AcquisitionHeader, MrdHeader, MrdImage } from 'ismrmrd';
import type { NoiseRecord, ReconImage, ReconNotice, ReconSummary } from '../../recon/index.js';
import type { Choice } from '../chain/index.js';
import type { SessionSummary } from './summary.js';

export interface SessionObserver {
  /** The header of a session that reconstructs is read. */
  described?(header: MrdHeader): void;
  /** Chain and parameters are fixed, before the first readout; and whether noise of another session serves this one. */
  chosen?(choice: Choice, header: MrdHeader, storedNoise: NoiseRecord | undefined): void;
  readout?(header: AcquisitionHeader): void;
  /** No more input is taken; images may still come. */
  inputEnded?(): void;
  /** An image on its way to the client; its pixels are not to be changed. */
  imageMade?(image: ReconImage): void;
  /** An image that the client sent, on its way back. */
  imageReturned?(image: MrdImage): void;
  /** What is remarked to the client, each time. */
  remarked?(notice: ReconNotice): void;
  reconstructed?(summary: ReconSummary): void;
  /** Without an error, every image of the session itself is made, handed on and kept; what others make of them may still go back. */
  completed?(noticeCodes: readonly string[]): void;
  /** The last call. */
  closed?(summary: SessionSummary): void;
}

/**
 * Several observers as one, none of which can hurt the session or another.
 * @param failed is told what one of them threw
 */
export function joinObservers(observers: readonly SessionObserver[], failed: (error: unknown) => void): SessionObserver {
  const each = (tell: (observer: SessionObserver) => void): void => {
    for (const observer of observers) {
      try {
        tell(observer);
      } catch (error) {
        failed(error);
      }
    }
  };
  return {
    described: (header) => each((observer) => observer.described?.(header)),
    chosen: (choice, header, storedNoise) => each((observer) => observer.chosen?.(choice, header, storedNoise)),
    readout: (header) => each((observer) => observer.readout?.(header)),
    inputEnded: () => each((observer) => observer.inputEnded?.()),
    imageMade: (image) => each((observer) => observer.imageMade?.(image)),
    imageReturned: (image) => each((observer) => observer.imageReturned?.(image)),
    remarked: (notice) => each((observer) => observer.remarked?.(notice)),
    reconstructed: (summary) => each((observer) => observer.reconstructed?.(summary)),
    completed: (noticeCodes) => each((observer) => observer.completed?.(noticeCodes)),
    closed: (summary) => each((observer) => observer.closed?.(summary)),
  };
}
