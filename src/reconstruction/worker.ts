/**
 * A reconstruction worker: owns the scans that are pinned to it and does calibrations and iterations for the
 * scans of its fellows. It sleeps in the event loop; a scan's readouts are taken from its ring in
 * turns, so that no scan keeps the others waiting.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { CodedError } from 'ismrmrd';
import {
  Arena,
  bindKernels,
  CartesianReconstruction,
  ColumnHelper,
  runCalibration,
  runSolve,
  selfTest,
  warmUpDenoising,
  type CalibrationOutcome,
  type SolveOutcome,
  type DenoiseOutcome,
  type DenoiseRunner,
} from '../../recon/index.js';
import { collectGarbage } from './collectGarbage.js';
import type { FromWorker, ToWorker, WorkerSettings } from './messages.js';
import { RingConsumer } from './ring.js';

if (parentPort === null) throw new Error('this module runs in a worker thread');
const port = parentPort;

/** Readouts of one scan before the next scan has its turn. */
const readoutsATurn = 32;

function send(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

type JobOutcome = CalibrationOutcome | SolveOutcome;

/** One scan: its ring, its reconstruction, and the jobs that it waits for. */
class Scan {
  readonly #session: number;
  readonly #ring: RingConsumer;
  readonly #reconstruction: CartesianReconstruction;
  readonly #jobs = new Map<number, (outcome: JobOutcome) => void>();
  #nextJobId = 0;
  readonly #denoising = new Map<number, (outcome: DenoiseOutcome) => void>();
  #nextRequestId = 0;
  #finishWanted = false;
  /** An error stopped it; it waits for the images that were complete. */
  #broken = false;
  #over = false;
  #turnPending = false;

  constructor(message: Extract<ToWorker, { type: 'open' }>) {
    const { memory, ring, arenaStartByte, memoryLimitBytes, plan, storedNoise, hasDenoiser } = message;
    this.#session = message.session;
    this.#ring = new RingConsumer(memory.buffer, ring);
    const arena = new Arena(memory, { startByte: arenaStartByte, limitBytes: memoryLimitBytes });
    this.#reconstruction = new CartesianReconstruction(
      plan,
      bindKernels(memory, arena),
      {
        image: (image) => send({ type: 'image', session: this.#session, image }, [image.data.buffer as ArrayBuffer]),
        notice: (notice) => send({ type: 'notice', session: this.#session, notice }),
        solve: (job, done) => this.#sendJob(job, done as (outcome: JobOutcome) => void),
        help: (work) => send({ type: 'help', session: this.#session, work }),
      },
      (job, done) => this.#sendJob(job, done as (outcome: JobOutcome) => void),
      storedNoise,
      hasDenoiser ? this.#denoise : undefined,
    );
  }

  /** To another worker, which answers a job with an outcome of its kind. */
  #sendJob(job: Extract<FromWorker, { type: 'job' }>['job'], done: (outcome: JobOutcome) => void): void {
    const jobId = this.#nextJobId++;
    this.#jobs.set(jobId, done);
    send({ type: 'job', session: this.#session, jobId, job });
  }

  takeTurn(): void {
    if (this.#over || this.#broken) return;
    this.#guard(() => {
      for (let n = 0; n < readoutsATurn; n++) {
        // The next calibration that is done gives it another turn.
        if (this.#reconstruction.isBehind) return;
        const readout = this.#ring.next();
        if (this.#ring.takeProducerWaits()) send({ type: 'room', session: this.#session });
        if (readout === undefined) {
          this.#reconstruction.pause();
          if (!this.#ring.isEmpty) continue;
          if (this.#finishWanted) this.#finish();
          else if (!this.#ring.sleep()) continue;
          return;
        }
        this.#reconstruction.push(readout, readout.samplesPointer);
      }
      this.#ring.release();
      if (this.#ring.takeProducerWaits()) send({ type: 'room', session: this.#session });
      this.scheduleTurn();
    });
  }

  /** Lets the messages and the scans that wait have their turn first. */
  scheduleTurn(): void {
    if (this.#turnPending) return;
    this.#turnPending = true;
    setImmediate(() => {
      this.#turnPending = false;
      this.takeTurn();
    });
  }

  finish(): void {
    this.#finishWanted = true;
    this.takeTurn();
  }

  jobDone(jobId: number, outcome: JobOutcome): void {
    const done = this.#jobs.get(jobId);
    this.#jobs.delete(jobId);
    if (!this.#over && done !== undefined) this.#guard(() => done(outcome));
    this.scheduleTurn();
  }

  denoised(requestId: number, outcome: DenoiseOutcome): void {
    const done = this.#denoising.get(requestId);
    this.#denoising.delete(requestId);
    if (!this.#over && done !== undefined) this.#guard(() => done(outcome));
  }

  close(): void {
    this.#over = true;
  }

  readonly #denoise: DenoiseRunner = (request, done) => {
    const requestId = this.#nextRequestId++;
    this.#denoising.set(requestId, done);
    const buffers = request.images.flatMap(({ data, noise }) => [data.buffer, noise.buffer]) as ArrayBuffer[];
    send({ type: 'denoise', session: this.#session, requestId, request }, buffers);
  };

  #finish(): void {
    this.#reconstruction.finish(() => {
      this.#over = true;
      send({ type: 'finished', session: this.#session, summary: this.#reconstruction.summary });
    });
  }

  /** Whatever goes wrong ends this scan and no other. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      const isFirst = !this.#broken;
      this.#broken = true;
      const fail = () => {
        this.#over = true;
        const code = error instanceof CodedError ? error.code : 'RECON_ERR_INTERNAL';
        const got = error instanceof CodedError ? error.got : String(error);
        send({ type: 'failed', session: this.#session, code, got });
      };
      // Images that were complete before still come out.
      if (isFirst) this.#guard(() => this.#reconstruction.stop(fail));
      else fail();
    }
  }
}

/** Once at least, then again and again: the engine optimises what runs often. */
function testAndWarmUp({ warmUpMs }: WorkerSettings): string | undefined {
  try {
    const end = performance.now() + warmUpMs;
    do selfTest();
    while (performance.now() < end);
    if (warmUpMs > 0) warmUpDenoising();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const failure = testAndWarmUp(workerData as WorkerSettings);
// The memories of the self-test.
collectGarbage();
send({ type: 'ready', failure });

const scans = new Map<number, Scan>();
/** What helps with the scan of a fellow; the last one that asked. */
let helper: { readonly session: number; readonly of: ColumnHelper } | undefined;

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'open': {
      const scan = new Scan(message);
      scans.set(message.session, scan);
      // Readouts may be there already; else it goes to sleep, to be woken by the first.
      scan.takeTurn();
      return;
    }
    case 'readouts':
      scans.get(message.session)?.takeTurn();
      return;
    case 'finish':
      scans.get(message.session)?.finish();
      return;
    case 'abort':
      scans.get(message.session)?.close();
      scans.delete(message.session);
      return;
    case 'help':
      if (helper?.session !== message.session) helper = { session: message.session, of: new ColumnHelper(message.memory) };
      helper.of.help(message.work);
      return;
    case 'collect':
      helper = undefined;
      collectGarbage();
      return;
    case 'job':
      send({
        type: 'jobDone',
        session: message.session,
        jobId: message.jobId,
        outcome: message.job.kind === 'solve' ? runSolve(message.memory, message.job) : runCalibration(message.memory, message.job),
      });
      return;
    case 'jobDone':
      scans.get(message.session)?.jobDone(message.jobId, message.outcome);
      return;
    case 'denoised':
      scans.get(message.session)?.denoised(message.requestId, message.outcome);
      return;
  }
});
