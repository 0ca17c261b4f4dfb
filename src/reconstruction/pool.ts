/**
 * Reconstruction off the main thread: a few workers, each scan pinned to one of them. Calibrations are done by whichever
 * worker is least busy, the iterations of SENSE and compressed sensing by a fellow of the one that takes readouts. Each scan
 * has a shared WebAssembly memory of its own, which goes when the scan does.
 */
import { availableParallelism, totalmem } from 'node:os';
import type { MrdHeader } from 'ismrmrd';
import { createSessionMemory, leastScanBytes, planCartesian, reconError, type CartesianPlan, type NoiseRecord, type ReconParameters } from '../../recon/index.js';
import { collectGarbage } from './collectGarbage.js';
import { PinnedScan } from './pinnedScan.js';
import { PoolWorker } from './poolWorker.js';
import { ringBytes, type RingLayout } from './ring.js';
import type { Denoiser, ReconstructionEvents, SessionReconstruction } from './types.js';

const pageBytes = 65536;
const collectionDelayMs = 1000;
const mostEndedBytes = 512 * 2 ** 20;
const leastRingBytes = 8 * 2 ** 20;
const mostRingBytes = 16 * 2 ** 20;
/** Readouts of the announced size that the ring has room for at least, unless that were too much. */
const leastReadouts = 16;
const defaultMemoryLimitBytes = 2 * 2 ** 30;

export interface ReconstructionPoolOptions {
  /** Worker threads; all cores by default. */
  readonly threads?: number;
  /** Most memory that one scan may take, bytes; at most 4 GiB. */
  readonly memoryLimitBytes?: number;
  /** Most memory that all scans together may take when a new one begins, bytes; three quarters of the machine's by default. */
  readonly totalMemoryBytes?: number;
  /** How long each thread repeats its self-test, so that no scan waits for compilers; once where it is 0, the default. */
  readonly warmUpMs?: number;
}

export class ReconstructionPool {
  readonly #workers: PoolWorker[];
  readonly #memoryLimitBytes: number;
  readonly #totalMemoryBytes: number;
  #nextSession = 1;
  /** Memory of scans that ended since the last collection. */
  #endedBytes = 0;
  #collection: NodeJS.Timeout | undefined;

  constructor(options: ReconstructionPoolOptions = {}) {
    const nThreads = options.threads ?? Math.max(1, availableParallelism());
    this.#memoryLimitBytes = Math.min(options.memoryLimitBytes ?? defaultMemoryLimitBytes, 4 * 2 ** 30);
    this.#totalMemoryBytes = options.totalMemoryBytes ?? 0.75 * totalmem();
    this.#workers = Array.from({ length: nThreads }, () =>
      new PoolWorker({
        warmUpMs: options.warmUpMs ?? 0,
        workerForJob: (owner, kind) => (kind === 'solve' ? this.#workerForIterations(owner) : this.#workerForJob(owner)),
        helperOf: (owner) => this.#workers.find((worker) => worker !== owner && worker.load === 0),
        scanEnded: (memoryBytes) => this.#scanEnded(memoryBytes),
      }),
    );
  }

  /** Resolves when every thread has passed its self-test. @throws CodedError (as a rejection) RECON_ERR_SELF_TEST */
  async ready(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.ready));
    // What loading the program left behind is resident as long as nobody looks.
    collectGarbage();
  }

  /**
   * Plans a scan and opens it.
   * @param storedNoise an earlier noise measurement, for a scan that brings none of its own
   * @param denoiser of its images, where there is one
   * @throws CodedError (as a rejection) RECON_ERR_* of planning, RECON_ERR_MEMORY_LIMIT when the scan could never fit, RECON_ERR_MEMORY_BUSY when it does not fit now
   */
  open(header: MrdHeader, parameters: ReconParameters, events: ReconstructionEvents, storedNoise?: NoiseRecord, denoiser?: Denoiser): Promise<SessionReconstruction> {
    // Planning errors reject; the promise is there for pools that will have to wait for a place.
    return Promise.resolve().then(() => {
      const { plan, notices } = planCartesian(header, parameters);
      this.#checkRoom(plan);
      for (const notice of notices) events.notice(notice);

      const memory = createSessionMemory(this.#memoryLimitBytes);
      const ring: RingLayout = { startByte: 64, sampleBytes: ringBytesFor(plan) };
      const arenaStartByte = Math.ceil((ring.startByte + ringBytes(ring)) / pageBytes) * pageBytes;
      memory.grow(Math.max(0, Math.ceil((arenaStartByte - memory.buffer.byteLength) / pageBytes)));
      const worker = this.#leastBusy();
      const scan = new PinnedScan(this.#nextSession++, worker, memory, ring, events, denoiser);
      worker.open(scan, { type: 'open', session: scan.session, memory, ring, arenaStartByte, memoryLimitBytes: this.#memoryLimitBytes, plan, storedNoise, hasDenoiser: denoiser !== undefined });
      return scan;
    });
  }

  /** Ends the threads; scans that are open fail. */
  async close(): Promise<void> {
    clearTimeout(this.#collection);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #checkRoom(plan: CartesianPlan): void {
    const leastBytes = ringBytesFor(plan) + leastScanBytes(plan);
    if (leastBytes > this.#memoryLimitBytes) {
      throw reconError('RECON_ERR_MEMORY_LIMIT', `a scan that takes ${leastBytes} bytes or more, with a limit of ${this.#memoryLimitBytes}`);
    }
    const takenBytes = this.#workers.reduce((sum, worker) => sum + worker.memoryBytes, 0);
    if (takenBytes + leastBytes > this.#totalMemoryBytes) {
      throw reconError(
        'RECON_ERR_MEMORY_BUSY',
        `a scan that takes ${leastBytes} bytes or more beside others that take ${takenBytes} of ${Math.floor(this.#totalMemoryBytes)}`,
      );
    }
  }

  /** Iterations keep a thread for long: a fellow has them wherever there is one, so that the owner goes on taking readouts. */
  #workerForIterations(owner: PoolWorker): PoolWorker {
    const fellows = this.#workers.filter((worker) => worker !== owner);
    return fellows.reduce((least, worker) => (worker.load < least.load ? worker : least), fellows[0] ?? owner);
  }

  /** Who does a calibration of `owner`'s scan: a fellow with less to do, else the owner itself. */
  #workerForJob(owner: PoolWorker): PoolWorker {
    const least = this.#leastBusy();
    return least.load < owner.load ? least : owner;
  }

  /**
   * Every thread may still refer to the memory of a scan that ended. Collecting disturbs the scans that
   * run: it waits until there are none, or until too much has gathered.
   */
  #scanEnded(memoryBytes: number): void {
    this.#endedBytes += memoryBytes;
    clearTimeout(this.#collection);
    // Never here: the end of a scan has still to be answered.
    const delayMs = this.#endedBytes >= mostEndedBytes ? 0 : collectionDelayMs;
    this.#collection = setTimeout(() => this.#collect(), delayMs).unref();
  }

  #collect(): void {
    this.#endedBytes = 0;
    for (const worker of this.#workers) worker.post({ type: 'collect' });
    collectGarbage();
  }

  #leastBusy(): PoolWorker {
    return this.#workers.reduce((least, worker) => (worker.load < least.load ? worker : least));
  }
}

function ringBytesFor({ nCoilsAnnounced, paddedColumns }: CartesianPlan): number {
  const wantedBytes = leastReadouts * 8 * (nCoilsAnnounced ?? Infinity) * paddedColumns;
  return Math.min(mostRingBytes, Math.max(leastRingBytes, Math.ceil(wantedBytes / pageBytes) * pageBytes));
}
