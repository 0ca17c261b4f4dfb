/** Documents of confirmed reports at the service of a process: one at a time, off the main thread. */
import type { CodedError } from 'ismrmrd';
import type { Logger } from '../log.js';
import { NetworkJobs } from '../networkJobs/index.js';
import type { ConfirmJob } from './confirm.js';

/** The compiled module, also when this file itself runs from source, as in tests. */
const threadFile = new URL(import.meta.url.endsWith('.ts') ? '../../dist/src/analysis/confirmThread.js' : './confirmThread.js', import.meta.url);

export interface ReportWriterOptions {
  readonly longestMs: number;
  readonly timeoutError: (got: string) => CodedError;
  readonly threadError: (got: string) => CodedError;
  readonly log: Logger;
}

export class ReportWriter {
  readonly #jobs: NetworkJobs<ConfirmJob, Uint8Array[]>;

  constructor(options: ReportWriterOptions) {
    // These jobs ask for no network.
    const host = { run: () => Promise.reject(options.threadError('a run of a network')) };
    this.#jobs = new NetworkJobs({ ...options, thread: threadFile, host });
  }

  /** Whole DICOM files. Does not end where the process closes first. @throws CodedError (as a rejection) DICOM_ERR_*, or that it took too long or broke */
  write(job: ConfirmJob): Promise<Uint8Array[]> {
    return this.#jobs.perform(() => ({ modelId: '', job }));
  }

  close(): Promise<void> {
    return this.#jobs.close();
  }
}
