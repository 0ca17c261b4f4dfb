/**
 * GRAPPA synthesis in hybrid space, where the kernel is one matrix a column:
 *
 *   H[t, line, x] = sum over measured taps j and coils c of  h[m, t, (j, c)](x) H[c, source line j, x]
 *
 * It is exact: the convolution along the readout, periodic, is a product after the readout's transform.
 */
import type { ColumnRange } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import { sourceLine } from './plan.js';
import type { GrappaKernel, HybridSlab, SynthesisedLine } from './types.js';

/**
 * Writes every target line of all coils; targets must not be sources of one another. They may come one
 * by one, as soon as their sources are in, or many at once, which loads the weights of a strip of columns once.
 * @param columns those to do, in ranges that begin at multiples of four
 */
export function fillLines(
  { arena, wasm }: Kernels,
  kernel: GrappaKernel,
  slab: HybridSlab,
  targets: readonly SynthesisedLine[],
  columns: Iterable<ColumnRange> = [{ from: 0, end: kernel.nColumns }],
): void {
  const { nCoils, nColumns } = kernel;
  const nTaps = kernel.kernelPhase * kernel.kernelSlice;
  const stride = nTaps + 2;
  arena.withScratch(4 * stride * targets.length, (table) => {
    const entries = arena.i32(table, stride * targets.length);
    targets.forEach((target, i) => {
      entries[i * stride] = target.offset;
      entries[i * stride + 1] = target.line;
      for (let tap = 0; tap < nTaps; tap++) {
        const present = (target.sources >> tap) & 1;
        entries[i * stride + 2 + tap] = present ? sourceLine(target, tap, kernel, slab.nLines) : -1;
      }
    });
    arena.withScratch(32 * nTaps * nCoils, (sources) => {
      for (const { from, end } of columns) {
        wasm.fillLines(
          kernel.pointer, slab.pointer, slab.coilBytes, nCoils, nColumns, from, end, nTaps, table, targets.length, sources,
        );
      }
    });
  });
}
