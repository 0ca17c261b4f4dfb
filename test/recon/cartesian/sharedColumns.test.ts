import { afterAll, describe, expect, it } from 'vitest';
import { Worker } from 'node:worker_threads';
import { combineSlice, ColumnHelper, fftPlanBytes, planFft, planSlab, type SharedWork } from '../../../recon/index.js';
import { SharedColumns } from '../../../recon/cartesian/sharedColumns.js';
import { Arena, bindKernels, createSessionMemory } from '../../../recon/index.js';
import { freshKernels, place, randomComplex } from '../fft/reference.js';

const shape = { nCoils: 3, nLines: 30, nColumns: 170, centreLine: 15, paddedRows: 36, nRows: 34 };
const imageFloats = 2 * shape.nRows * shape.nColumns;
const kernels = freshKernels();
const slab = place(kernels, randomComplex(shape.nCoils * shape.nLines * shape.nColumns, 1));
const maps = place(kernels, randomComplex(shape.nCoils * shape.nRows * shape.nColumns, 2));
const image = kernels.arena.allocate(4 * imageFloats);
const plan = planSlab(kernels, shape);
combineSlice(kernels, plan, slab, maps, image);
const alone = kernels.arena.f32(image, imageFloats).slice();

function combinedWith(ask: (work: SharedWork) => void, times = 1, callsAhead = false): Float32Array {
  const shared = new SharedColumns(kernels, shape, ask);
  for (let time = 0; time < times; time++) {
    kernels.arena.f32(image, imageFloats).fill(NaN);
    if (callsAhead) shared.call(0);
    shared.combine(slab, maps, image);
  }
  return kernels.arena.f32(image, imageFloats).slice();
}

describe('a combination that threads share', () => {
  const threads: Worker[] = [];
  afterAll(() => Promise.all(threads.map((thread) => thread.terminate())));

  it('is that of one thread where nobody comes to help', () => {
    expect(combinedWith(() => undefined)).toEqual(alone);
  });

  it('is the same where the helper does everything', () => {
    const helper = new ColumnHelper(kernels.memory);
    expect(combinedWith((work) => helper.help(work), 3)).toEqual(alone);
  });

  it('is the same where the helper is called ahead, waits in vain, and asked once a turn', () => {
    const helper = new ColumnHelper(kernels.memory);
    const asked: SharedWork[] = [];
    const combined = combinedWith((work) => {
      asked.push(work);
      helper.help(work);
    }, 3, true);
    expect(combined).toEqual(alone);
    expect(asked.length).toBe(4);
  });

  it.each([false, true])('is the same where the helper comes for some blocks, called ahead: %s, and finds none of a turn that is over', async (callsAhead) => {
    const source = new URL('../../../dist/recon/index.js', import.meta.url).href;
    const thread = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.source).then(({ ColumnHelper }) => {
        const helper = new ColumnHelper(workerData.memory);
        parentPort.on('message', (work) => { helper.help(work); parentPort.postMessage(work.turn); });
        parentPort.postMessage('ready');
      });`,
      { eval: true, workerData: { source, memory: kernels.memory } },
    );
    threads.push(thread);
    await new Promise((resolve) => thread.once('message', resolve));
    const asked: SharedWork[] = [];
    const answers: number[] = [];
    thread.on('message', (turn: number) => answers.push(turn));
    const combined = combinedWith((work) => {
      asked.push(work);
      thread.postMessage(work);
    }, 50, callsAhead);
    expect(combined).toEqual(alone);
    while (answers.length < asked.length) await new Promise((resolve) => thread.once('message', resolve));
    kernels.arena.f32(image, imageFloats).fill(3);
    for (const work of asked) new ColumnHelper(kernels.memory).help(work);
    expect(kernels.arena.f32(image, imageFloats).every((value) => value === 3)).toBe(true);
  });
});

it('an arena of the size that is told has room for a plan of any length', () => {
  for (const n of [1, 7, 320, 384, 37, 74, 331, 1009, 4096]) {
    const nBytes = fftPlanBytes(n);
    const memory = createSessionMemory(nBytes + 128);
    const arena = new Arena(memory, { startByte: 64, endByte: 64 + nBytes, limitBytes: 64 + nBytes });
    planFft(bindKernels(memory, arena), n);
    if (n > 100) expect(arena.peakBytes).toBeGreaterThan(nBytes / 3);
  }
});
