/** A session's memory, a small multi-coil scan in hybrid space, and transforms by their definition. */
import { Arena, bindKernels, createSessionMemory, releaseFft, type HybridSlab, type Kernels } from '../../recon/index.js';
import type { Random } from '../../simulator/index.js';

const limitBytes = 2 ** 28;

export function openSession(): Kernels {
  const memory = createSessionMemory(limitBytes);
  return bindKernels(memory, new Arena(memory, { startByte: 0, limitBytes }));
}

/** Bytes that are in use once the transforms' plans are given back. */
export function usedBytes(kernels: Kernels): number {
  releaseFft(kernels);
  return kernels.arena.usedBytes;
}

/** Complex, interleaved. */
export type Complex = Float64Array;

export interface Shape {
  readonly nCoils: number;
  readonly nLines: number;
  readonly nColumns: number;
}

export function randomComplex(random: Random, n: number): Complex {
  return Float64Array.from({ length: 2 * n }, () => random.normal());
}

/** Copies [nCoils, nLines, nColumns] into the session. */
export function placeSlab({ arena }: Kernels, { nCoils, nLines, nColumns }: Shape, data: ArrayLike<number>): HybridSlab {
  const pointer = arena.allocate(8 * nCoils * nLines * nColumns);
  arena.f32(pointer, 2 * nCoils * nLines * nColumns).set(data);
  return { pointer, coilBytes: 8 * nLines * nColumns, nLines };
}

/** Lines `first` to `first + count - 1` of every coil. */
export function someLines(data: Complex, { nCoils, nLines, nColumns }: Shape, first: number, count: number): Complex {
  const some = new Float64Array(2 * nCoils * count * nColumns);
  for (let coil = 0; coil < nCoils; coil++) {
    const from = 2 * (coil * nLines + first) * nColumns;
    some.set(data.subarray(from, from + 2 * count * nColumns), 2 * coil * count * nColumns);
  }
  return some;
}

/** Centred, orthonormal, by the definition: `n` numbers, `stride` apart, from `at`, in place. */
export function dft(data: Complex, at: number, n: number, stride: number, direction: 'forward' | 'inverse'): void {
  const centre = Math.floor(n / 2);
  const sign = direction === 'forward' ? -1 : 1;
  const out = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < n; j++) {
      const angle = (sign * 2 * Math.PI * (((j - centre) * (k - centre)) % n)) / n;
      const re = data[2 * (at + j * stride)]!;
      const im = data[2 * (at + j * stride) + 1]!;
      out[2 * k] = out[2 * k]! + re * Math.cos(angle) - im * Math.sin(angle);
      out[2 * k + 1] = out[2 * k + 1]! + re * Math.sin(angle) + im * Math.cos(angle);
    }
  }
  for (let k = 0; k < n; k++) {
    data[2 * (at + k * stride)] = out[2 * k]! / Math.sqrt(n);
    data[2 * (at + k * stride) + 1] = out[2 * k + 1]! / Math.sqrt(n);
  }
}

/** Every column of every coil. */
export function dftColumns(data: Complex, { nCoils, nLines, nColumns }: Shape, direction: 'forward' | 'inverse'): Complex {
  const out = data.slice();
  for (let coil = 0; coil < nCoils; coil++) {
    for (let x = 0; x < nColumns; x++) dft(out, coil * nLines * nColumns + x, nLines, nColumns, direction);
  }
  return out;
}

export interface PhantomScan {
  /** complex [nCoils, nLines, nColumns] */
  readonly sensitivities: Complex;
  /** 1 inside the object, [nLines, nColumns] */
  readonly mask: Uint8Array;
  /** Hybrid data, complex [nCoils, nLines, nColumns] */
  readonly hybrid: Complex;
}

/** An ellipse with structure inside, seen by coils on a ring about it. */
export function phantomScan(shape: Shape): PhantomScan {
  const { nCoils, nLines, nColumns } = shape;
  const sensitivities = new Float64Array(2 * nCoils * nLines * nColumns);
  const images = new Float64Array(2 * nCoils * nLines * nColumns);
  const mask = new Uint8Array(nLines * nColumns);
  for (let row = 0; row < nLines; row++) {
    for (let column = 0; column < nColumns; column++) {
      const y = (2 * (row - Math.floor(nLines / 2))) / nLines;
      const x = (2 * (column - Math.floor(nColumns / 2))) / nColumns;
      const radius = Math.hypot(x / 0.7, y / 0.85);
      const inside = Math.min(1, Math.max(0, ((1 - radius) * nColumns) / 6 + 0.5));
      if (inside === 1) mask[row * nColumns + column] = 1;
      const density = inside * (1 + 0.4 * Math.cos(9 * x + 4 * y) + 0.3 * Math.sin(7 * y - 3 * x));
      for (let coil = 0; coil < nCoils; coil++) {
        const angle = (2 * Math.PI * coil) / nCoils;
        const dx = x - 1.3 * Math.cos(angle);
        const dy = y - 1.3 * Math.sin(angle);
        const strength = 1 / (dx * dx + dy * dy + 0.3);
        const phase = 0.5 * angle + 0.4 * Math.sin(angle) * x + 0.5 * Math.cos(angle) * y;
        const at = 2 * ((coil * nLines + row) * nColumns + column);
        sensitivities[at] = strength * Math.cos(phase);
        sensitivities[at + 1] = strength * Math.sin(phase);
        images[at] = density * sensitivities[at]!;
        images[at + 1] = density * sensitivities[at + 1]!;
      }
    }
  }
  return { sensitivities, mask, hybrid: dftColumns(images, shape, 'forward') };
}

/** |a - b| / |b| */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let error = 0;
  let energy = 0;
  for (let i = 0; i < b.length; i++) {
    error += (a[i]! - b[i]!) ** 2;
    energy += b[i]! ** 2;
  }
  return Math.sqrt(error / energy);
}
