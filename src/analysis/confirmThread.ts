/** The thread that writes the documents of one confirmed report. */
import { serveJob } from '../networkJobs/index.js';
import { documentsOf } from './confirm.js';
import type { ConfirmJob } from './confirm.js';

serveJob<ConfirmJob, Uint8Array[]>((job) => documentsOf(job));
