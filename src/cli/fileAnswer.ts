/** A session's images into files: DICOM, HDF5 or PNG, whatever the name of the output asks for. */
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage, ReconNotice } from '../../recon/index.js';
import { openOutput } from '../delivery/index.js';
import type { DeliverySettings, ImageOutput, Pseudonymiser } from '../delivery/index.js';
import type { SessionAnswer } from '../session/index.js';
import { cliWarning } from './errors.js';

/** Images that may wait for the disk before the input has to wait. */
const QUEUED_IMAGES = 16;

export interface FileOptions {
  /** Of files that name nobody. */
  readonly pseudonymiser?: Pseudonymiser | undefined;
  /** DICOM as multi-frame objects. */
  readonly enhancedDicom?: boolean | undefined;
}

export class FileAnswer implements SessionAnswer {
  readonly #path: string;
  readonly #narrate: (text: string) => void;
  readonly #options: FileOptions;
  #output: Promise<ImageOutput> | undefined;
  /** Images are written one after the other, in the order in which they came. */
  #written: Promise<void> = Promise.resolve();
  #nQueued = 0;
  #nReturned = 0;
  #files: readonly string[] = [];
  #failure: Error | undefined;

  /**
   * @param narrate is told what a client would read as TEXT
   */
  constructor(path: string, narrate: (text: string) => void, options: FileOptions = {}) {
    this.#path = path;
    this.#narrate = narrate;
    this.#options = options;
  }

  /** What was written, once the answer is closed. */
  get files(): readonly string[] {
    return this.#files;
  }

  /** Why the files are not complete. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  begin(header: MrdHeader, settings: DeliverySettings): void {
    this.#output = openOutput(this.#path, header, { ...settings, enhancedDicom: this.#options.enhancedDicom === true }, this.#options.pseudonymiser);
    this.#output.catch((error: Error) => this.#fail(error));
  }

  image(image: ReconImage): void {
    this.#nQueued++;
    this.#written = this.#written.then(() => this.#write(image)).catch((error: Error) => this.#fail(error));
  }

  returned(): void {
    this.#nReturned++;
  }

  text(text: string): void {
    this.#narrate(text);
  }

  response(_correlationId: bigint, response: string): void {
    this.#narrate(response);
  }

  dependency(attributes: string): void {
    this.#narrate(attributes);
  }

  ready(): Promise<void> | undefined {
    return this.#nQueued > QUEUED_IMAGES ? this.#written : undefined;
  }

  notices(): readonly ReconNotice[] {
    return this.#nReturned === 0
      ? []
      : [cliWarning('CONUS_WARN_IMAGES_NOT_WRITTEN', `${this.#nReturned} images of the input are not in ${this.#path}`)];
  }

  async close(): Promise<void> {
    await this.#written;
    if (this.#output === undefined || this.#failure !== undefined) return;
    try {
      const { files, notices } = await (await this.#output).close();
      this.#files = files;
      for (const notice of notices) this.#narrate(`WRN ${notice.code}: ${notice.message}`);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #write(image: ReconImage): Promise<void> {
    try {
      if (this.#failure === undefined) await (await this.#output)?.write(image);
    } finally {
      this.#nQueued--;
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }
}
