import { describe, expect, it } from 'vitest';
import {
  Arena,
  bindKernels,
  createSessionMemory,
  fftColumns,
  fftLines,
  kernelModule,
  planFft,
} from '../../../recon/index.js';
import { centredDft, freshKernels, lineOf, place, randomComplex, relativeError } from '../fft/reference.js';

describe('the kernels', () => {
  it('are compiled once', () => {
    expect(kernelModule()).toBe(kernelModule());
  });

  it('need no bytes but those of their arena', () => {
    const limitBytes = 2 ** 22;
    const memory = createSessionMemory(limitBytes);
    const before = new Uint8Array(memory.buffer).fill(0xa5);
    // Whatever an instance writes by itself at its birth would overwrite another thread's data.
    bindKernels(memory, new Arena(memory, { startByte: 0, limitBytes }));
    expect(before.every((byte) => byte === 0xa5)).toBe(true);
    expect(memory.buffer.byteLength).toBe(65536);
  });

  it('work side by side on one memory, each in its own range', () => {
    const limitBytes = 2 ** 22;
    const memory = createSessionMemory(limitBytes);
    const half = limitBytes / 2;
    const low = bindKernels(memory, new Arena(memory, { startByte: 0, endByte: half, limitBytes }));
    const high = bindKernels(memory, new Arena(memory, { startByte: half, limitBytes }));
    const n = 74;
    const [lowLines, highLines] = [randomComplex(6 * n, 1), randomComplex(6 * n, 2)];
    const lowPointer = place(low, lowLines);
    const lowPlan = planFft(low, n);
    const highPointer = place(high, highLines);
    const highPlan = planFft(high, n);
    fftLines(low, lowPlan, lowPointer, 6, 'forward');
    fftLines(high, highPlan, highPointer, 6, 'inverse');
    fftColumns(high, planFft(high, 6), highPointer, n, 'inverse');
    fftColumns(high, planFft(high, 6), highPointer, n, 'forward');
    for (let line = 0; line < 6; line++) {
      const lowLine = low.arena.f32(lowPointer + 8 * n * line, 2 * n);
      const highLine = high.arena.f32(highPointer + 8 * n * line, 2 * n);
      expect(relativeError(lowLine, centredDft(lineOf(lowLines, line, n), 'forward'))).toBeLessThan(1e-6);
      expect(relativeError(highLine, centredDft(lineOf(highLines, line, n), 'inverse'))).toBeLessThan(1e-6);
    }
  });

  it('go on working after the memory has grown', () => {
    const kernels = freshKernels();
    const n = 60;
    const line = randomComplex(n, 3);
    const pointer = place(kernels, line);
    const plan = planFft(kernels, n);
    const before = kernels.memory.buffer;
    kernels.arena.allocate(2 ** 20);
    expect(kernels.memory.buffer).not.toBe(before);
    fftLines(kernels, plan, pointer, 1, 'forward');
    expect(relativeError(kernels.arena.f32(pointer, 2 * n), centredDft(line, 'forward'))).toBeLessThan(1e-6);
  });
});
