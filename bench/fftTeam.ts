/** Threads that transform a batch of square images in one shared memory, each its share of them, in step. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Arena, bindKernels, createSessionMemory, fftColumns, fftLines, planFft, type Kernels } from '../recon/index.js';

/** Int32 words at the start of the memory: the size to transform, the round that was begun, how many have ended it. */
const SIZE = 0;
const ROUND = 1;
const ENDED = 2;
const startByte = 2 ** 16;
const threadBytes = 2 ** 24;

/** What a further thread runs: on the built kernels, because it reads no TypeScript. */
const workerSource = `
  const { parentPort, workerData: team } = require('node:worker_threads');
  import(${JSON.stringify(new URL('../dist/recon/index.js', import.meta.url).href)}).then((recon) => {
    const words = new Int32Array(team.memory.buffer, 0, 3);
    const from = team.startByte + team.thread * team.threadBytes;
    const endByte = from + team.threadBytes;
    const kernels = recon.bindKernels(team.memory, new recon.Arena(team.memory, { startByte: from, endByte, limitBytes: endByte }));
    parentPort.postMessage('ready');
    for (let round = 0; ; ) {
      Atomics.wait(words, ${ROUND}, round);
      round = Atomics.load(words, ${ROUND});
      if (round === 0) continue;
      const n = Atomics.load(words, ${SIZE});
      const plan = recon.planFft(kernels, n);
      for (let image = team.thread; image < team.batch; image += team.nThreads) {
        const pointer = team.startByte + team.nThreads * team.threadBytes + image * 8 * n * n;
        recon.fftLines(kernels, plan, pointer, n, 'forward');
        recon.fftColumns(kernels, plan, pointer, n, 'inverse');
      }
      Atomics.add(words, ${ENDED}, 1);
    }
  });
`;

export class FftTeam {
  readonly #words: Int32Array;
  readonly #workers: Worker[];
  readonly #kernels: Kernels;
  readonly #batch: number;
  readonly #nThreads: number;

  /** Resolves when every thread waits for work. */
  readonly ready: Promise<unknown>;

  constructor(nThreads: number, batch: number, largest: number) {
    const limitBytes = startByte + nThreads * threadBytes + batch * 8 * largest * largest;
    const memory = createSessionMemory(limitBytes);
    memory.grow(Math.ceil(limitBytes / 65536) - 1);
    const team = { memory, nThreads, batch };
    this.#nThreads = nThreads;
    this.#words = new Int32Array(memory.buffer, 0, 3);
    this.#batch = batch;
    const endByte = startByte + threadBytes;
    this.#kernels = bindKernels(memory, new Arena(memory, { startByte, endByte, limitBytes: endByte }));
    this.#workers = Array.from({ length: nThreads - 1 }, (_, i) =>
      new Worker(workerSource, { eval: true, workerData: { ...team, thread: i + 1, startByte, threadBytes } }),
    );
    this.ready = Promise.all(this.#workers.map((each) => once(each, 'message')));
  }

  /** Transforms the batch, and returns when all of it is done. */
  run(n: number): void {
    const words = this.#words;
    Atomics.store(words, SIZE, n);
    Atomics.store(words, ENDED, 0);
    Atomics.add(words, ROUND, 1);
    Atomics.notify(words, ROUND);
    const plan = planFft(this.#kernels, n);
    for (let image = 0; image < this.#batch; image += this.#nThreads) {
      const pointer = startByte + this.#nThreads * threadBytes + image * 8 * n * n;
      fftLines(this.#kernels, plan, pointer, n, 'forward');
      fftColumns(this.#kernels, plan, pointer, n, 'inverse');
    }
    while (Atomics.load(words, ENDED) < this.#nThreads - 1);
  }

  close(): void {
    for (const each of this.#workers) void each.terminate();
  }
}
