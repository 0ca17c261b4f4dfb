/**
 * Medians of 16 Fourier transforms on one thread and on two, in ms, beside FFTW 3 where there are `cc` and its
 * libraries (bench/fftw.c); then of single transforms and of the two passes fused with them, one thread. Each of these stands beside the time that copying the bytes it must read and write takes in the same run:
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
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, medianMs, printTable } from './report.js';
import { FftTeam } from './fftTeam.js';

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

const batch = 16;
const sizes = [256, 320, 384, 240, 448, 512];

/** FFTW's medians by number of threads; undefined where it cannot be built. */
function fftwMs(): Map<number, number[]> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'conus-fftw-'));
  try {
    const program = join(folder, 'fftw');
    const source = fileURLToPath(new URL('fftw.c', import.meta.url));
    if (spawnSync('cc', ['-O2', source, '-o', program, '-lfftw3f_threads', '-lfftw3f', '-lm', '-lpthread']).status !== 0) return undefined;
    return new Map([1, 2].map((nThreads) => {
      const { stdout } = spawnSync(program, [batch, nThreads, ...sizes].map(String), { encoding: 'utf8' });
      return [nThreads, stdout.trim().split('\n').map(Number)];
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const fftw = fftwMs();
const batchRows: (string | number)[][] = [];
for (const nThreads of [1, 2]) {
  const team = new FftTeam(nThreads, batch, Math.max(...sizes));
  await team.ready;
  for (const [i, n] of sizes.entries()) {
    for (let warm = 0; warm < 10; warm++) team.run(n);
    const ours = median(Array.from({ length: 51 }, () => {
      const start = performance.now();
      team.run(n);
      return performance.now() - start;
    }));
    const theirs = fftw?.get(nThreads)?.[i];
    batchRows.push([`${batch} x ${n} x ${n}`, nThreads, ours.toFixed(2), theirs?.toFixed(2) ?? '', theirs === undefined ? '' : (ours / theirs).toFixed(2)]);
  }
  team.close();
}
printTable('transforms along both axes, in place', ['', 'threads', 'ms', 'FFTW ms', 'ours / FFTW'], batchRows);

console.log(`\n${''.padEnd(34)} ${'ms'.padStart(8)} ${'x copy'.padStart(8)}`);

for (const n of sizes) {
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
