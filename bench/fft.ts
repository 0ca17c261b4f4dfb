/**
 * Medians of the Fourier transforms and of the two passes fused with them, one thread, in ms.
 * Each stands beside the time that copying the bytes it must read and write takes in the same run:
 * the ratio tells how far from the memory's limit it is, whatever the machine.
 *
 *   npx tsx bench/fft.ts
 */
import {
  Arena,
  bindKernels,
  coilImages,
  combineRss,
  combineSlice,
  createSessionMemory,
  fftColumns,
  fftLines,
  planFft,
  planReadout,
  planSlab,
  transformReadout,
} from '../recon/index.js';
import { medianMs } from './report.js';

const limitBytes = 2 ** 28;
const memory = createSessionMemory(limitBytes);
const arena = new Arena(memory, { startByte: 0, limitBytes });
const kernels = bindKernels(memory, arena);

function random(nFloats: number): number {
  const pointer = arena.allocate(4 * nFloats);
  const values = arena.f32(pointer, nFloats);
  for (let i = 0; i < nFloats; i++) values[i] = Math.random() - 0.5;
  return pointer;
}

/** Median of copying half the bytes that are read and written: a copy reads and writes each once. */
function copyMs(nBytesMoved: number): number {
  const nBytes = Math.ceil(nBytesMoved / 2);
  return arena.withScratch(2 * nBytes, (pointer) => {
    const from = arena.u8(pointer, nBytes);
    const to = arena.u8(pointer + nBytes, nBytes);
    return medianMs(() => to.set(from));
  });
}

function report(what: string, nBytesMoved: number, run: () => void): void {
  const ms = medianMs(run);
  const limitMs = copyMs(nBytesMoved);
  console.log(`${what.padEnd(34)} ${ms.toFixed(3).padStart(8)} ${(ms / limitMs).toFixed(1).padStart(8)}`);
}

console.log(`${''.padEnd(34)} ${'ms'.padStart(8)} ${'x copy'.padStart(8)}`);

for (const n of [256, 320, 384, 240, 448, 512]) {
  const image = random(2 * n * n);
  const plan = planFft(kernels, n);
  report(`fft ${n} x ${n}`, 4 * 8 * n * n, () => {
    fftLines(kernels, plan, image, n, 'forward');
    fftColumns(kernels, plan, image, n, 'inverse');
  });
  arena.release(image);
}

const nCoils = 16;
const nSamples = 640;
const n = 320;
const samples = random(2 * nCoils * nSamples);
const slab = random(2 * nCoils * n * n);
const readoutShape = { nCoils, nSamples, centerSample: nSamples / 2, paddedLength: nSamples, nColumns: n };
const lowerTriangle = Float32Array.from({ length: 2 * nCoils * nCoils }, (_, i) =>
  Math.floor(i / 2) % nCoils <= Math.floor(i / 2 / nCoils) ? Math.random() : 0,
);
const whitened = planReadout(kernels, readoutShape, lowerTriangle);
const unwhitened = planReadout(kernels, readoutShape);
const readoutBytes = 8 * nCoils * (nSamples + n);
let line = 0;
for (const [what, plan] of [['whitened', whitened], ['unwhitened', unwhitened]] as const) {
  report(`readout 16 x 640 -> 320, ${what}`, readoutBytes, () => {
    transformReadout(kernels, plan, samples, slab + 8 * n * line, 8 * n * n);
    line = (line + 1) % n;
  });
}

const maps = random(2 * nCoils * n * n);
const image = random(2 * n * n);
const plan = planSlab(kernels, {
  nCoils, nLines: n, nColumns: n, centreLine: n / 2, paddedRows: n, nRows: n,
});
const slabBytes = 8 * nCoils * n * n;
report('combine 320 x 320 x 16, maps', 2 * slabBytes, () => combineSlice(kernels, plan, slab, maps, image));
report('combine 320 x 320 x 16, RSS', slabBytes, () => combineRss(kernels, plan, slab, image));
report('coil images 320 x 320 x 16', 2 * slabBytes, () => coilImages(kernels, plan, slab, maps));
