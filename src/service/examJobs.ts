/**
 * What exams want done, by way of the queue: jobs that one event asks for and that are about the same series go together;
 * whoever performs them, on this node or another, tells the exam how they go. A job may come twice, or after it was
 * done: only what the exam still wants is performed.
 */
import { createHash } from 'node:crypto';
import { CodedError } from 'ismrmrd';
import { failureOfJob } from '../exams/index.js';
import type { ExamKeeper, Job } from '../exams/index.js';
import { jobPriority } from '../jobs/index.js';
import type { JobKind, JobQueue, JobRun, KeptJob, NewJob } from '../jobs/index.js';
import type { Logger } from '../log.js';
import type { Reason } from '../spool/index.js';
import { Batches } from './batches.js';

export interface ExamJobsOptions {
  readonly exams: ExamKeeper;
  readonly queue: JobQueue;
  /** Resolves when everything is known here that was kept anywhere before; at once where a node is alone. */
  readonly caughtUp: () => Promise<void>;
  readonly log: Logger;
}

export interface ExamWork {
  /** What is to go together with others of the same. */
  readonly togetherBy?: (job: Job) => string;
  readonly needs?: () => NonNullable<NewJob['needs']>;
  /**
   * All of them are about one exam and the same series. A throw is the failure of each of them that was not told before;
   * one that a fault caused is tried again.
   */
  readonly perform: (jobs: readonly Job[], run: JobRun, tell: JobTeller) => Promise<void>;
}

/** How one of the jobs ended, before all of them do. */
export interface JobTeller {
  done(job: Job): void;
  failed(job: Job, error: unknown): void;
}

/** Of a group: which jobs of which exam. */
interface Payload {
  readonly examId: string;
  readonly jobIds: readonly string[];
}

export class ExamJobs {
  readonly #options: ExamJobsOptions;

  constructor(options: ExamJobsOptions) {
    this.#options = options;
  }

  perform(kind: Extract<JobKind, 'synthesise' | 'analyse'>, { togetherBy = () => '', needs, perform }: ExamWork): void {
    const { exams, queue, log } = this.#options;
    const batches = new Batches<Job>((batch) => {
      const job = this.#queued(kind, batch, needs?.());
      queue.add(job).catch((error: unknown) => log.warn({ exam: job.examId, code: (error as { code?: string }).code }, 'a job is not in the queue yet'));
    });
    exams.take(kind, (job) => batches.add([job.examId, ...job.seriesIds, togetherBy(job)].join(' '), job));
    queue.perform(kind, (run) => this.#perform(run, perform), { gaveUp: (job, why) => this.#gaveUp(job, why) });
  }

  #queued(kind: JobKind, batch: readonly Job[], needs: NewJob['needs']): NewJob {
    const { examId } = batch[0]!;
    const { state, priority } = this.#options.exams.exam(examId);
    const jobIds = batch.map(({ id }) => id).sort();
    const payload: Payload = { examId, jobIds };
    return {
      id: `${examId}-${createHash('sha256').update(jobIds.join(' ')).digest('hex').slice(0, 12)}`,
      kind, payload, examId, priority: jobPriority(state === 'active' ? 'onTheTable' : 'finished', priority?.level),
      ...(needs !== undefined && { needs }),
    };
  }

  async #perform(run: JobRun, perform: ExamWork['perform']): Promise<undefined> {
    await this.#options.caughtUp();
    const { exams } = this.#options;
    const jobs = this.#wanted(run.job);
    if (jobs.length === 0) return undefined;
    for (const job of jobs) exams.tellJob(job, 'running');
    const ended = new Set<Job>();
    const end = (job: Job, state: 'done' | 'failed', why?: Pick<Reason, 'code'> & { readonly text: string }) => {
      if (ended.has(job)) return;
      ended.add(job);
      exams.tellJob(job, state, why);
    };
    const tell: JobTeller = { done: (job) => end(job, 'done'), failed: (job, error) => end(job, 'failed', failureOfJob(job, error)) };
    try {
      await perform(jobs, run, tell);
      jobs.forEach(tell.done);
    } catch (error) {
      if (run.signal.aborted || isFault(error)) throw error;
      for (const job of jobs) tell.failed(job, error);
    }
    await exams.settled();
    return undefined;
  }

  /** Of the jobs that it was made for, those that are not done. */
  #wanted({ payload }: KeptJob): Job[] {
    const { examId, jobIds } = payload as Payload;
    return this.#options.exams.book.undoneJobs(examId).filter(({ id }) => jobIds.includes(id));
  }

  #gaveUp(kept: KeptJob, { code, message }: Reason): void {
    for (const job of this.#wanted(kept)) this.#options.exams.tellJob(job, 'failed', { code, text: message });
  }
}

/** Another attempt may go better: nobody knows what went wrong, or it was the program that ended. */
const isFault = (error: unknown) => !(error instanceof CodedError) || /_THREAD$|^MODEL_ERR_(?:HOST|CRASHED)$/.test(error.code);
