/**
 * The binding of the WebAssembly kernels: one compiled module, instantiated by every thread on the
 * session's shared memory. Pointers are byte offsets into that memory.
 */
import './webassembly.js';
import type { Arena } from './arena.js';
import type { CoilMapExports, CombineExports, EnergyExports, FftExports, GrappaExports, ReadoutExports, SenseExports, ShiftedSumExports, WaveletExports, EspiritExports } from './exports.js';
import { kernelsWasmBase64 } from './wasm.generated.js';

export { Arena, type ArenaRange } from './arena.js';

const PAGE_BYTES = 65536;
/** What 32-bit addresses reach. */
const MAX_PAGES = 65536;

/** The raw exports of the module, as recon/kernels/assembly declares them. */
export type KernelExports = FftExports & ReadoutExports & CombineExports & EnergyExports & GrappaExports & CoilMapExports & SenseExports &
  ShiftedSumExports & WaveletExports & EspiritExports;

/** The kernels on one thread: where they work and who owns the bytes. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  readonly wasm: KernelExports;
  readonly arena: Arena;
}

let compiled: WebAssembly.Module | undefined;

/** The compiled module; compiled once a thread. It can be posted to a worker, which then need not compile. */
export function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelsWasmBase64, 'base64'));
  return compiled;
}

/** A shared memory that starts with one page and may grow to `limitBytes` (at most 4 GiB). */
export function createSessionMemory(limitBytes: number): WebAssembly.Memory {
  const maximum = Math.min(MAX_PAGES, Math.max(1, Math.ceil(limitBytes / PAGE_BYTES)));
  return new WebAssembly.Memory({ initial: 1, maximum, shared: true });
}

/** Instantiates the kernels on `memory`; what they need beside their arguments comes from `arena`. */
export function bindKernels(
  memory: WebAssembly.Memory,
  arena: Arena,
  module: WebAssembly.Module = kernelModule(),
): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, wasm: exports as unknown as KernelExports, arena };
}
