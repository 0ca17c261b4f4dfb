/**
 * Plans of the centred, orthonormal discrete Fourier transform of any length n:
 *
 *   F[k] = n^(-1/2) sum_j f[j] exp(-+ 2 pi i (j - c)(k - c) / n),   c = floor(n / 2),
 *
 * minus for `forward` (image to k-space), plus for `inverse` (k-space to image). A plan holds the
 * stages, their roots of unity (computed in float64, rounded once) and scratch, in the kernels' memory,
 * as recon/kernels/assembly/fft.ts reads them. Lengths whose prime factors are small go by mixed radix
 * (Temperton 1983, doi 10.1016/0021-9991(83)90013-X), the others as a convolution of smooth length
 * (Bluestein 1970, doi 10.1109/TAU.1970.1162132).
 */
import type { Kernels } from '../kernels/index.js';
import { reconError } from '../errors.js';

export type FftDirection = 'forward' | 'inverse';

export interface FftPlan {
  readonly n: number;
  /** 1 / sqrt(n), which makes either direction unitary. */
  readonly scale: number;
  /** Address of the stages. */
  readonly pointer: number;
  /** Bytes of a slot, in which the kernels work on four lines. */
  readonly slotBytes: number;
  /** Address of scratch: as many slots as the column kernels need. */
  readonly slots: number;
}

/** The format counts samples and matrix sizes in 16 bits. */
export const MAX_FFT_LENGTH = 65536;
/** Bytes of one element of a block: 4 lanes of complex64. */
const ELEMENT_BYTES = 32;
/** Keeps slots from starting at the same place of the cache where n is a power of two. */
const SLOT_GAP_BYTES = 64;
/** What `combineMaps` takes for 32 columns: 8 slots of input, a spare one and 8 of sums. */
const SCRATCH_SLOTS = 17;
/** Above it, a length is dearer by the definition than by a convolution. */
const LARGEST_RADIX = 31;
const CODELETS = [4, 5, 7, 3, 2];

const STAGES = 0;
const CHIRP = 1;

interface PlanStore {
  readonly plans: Map<number, FftPlan>;
  readonly pointers: number[];
}

const stores = new WeakMap<Kernels, PlanStore>();

/**
 * The plan of length `n`; made at the first call and kept with the kernels.
 * @throws RECON_ERR_FFT_LENGTH for a length that is no positive integer up to `MAX_FFT_LENGTH`.
 */
export function planFft(kernels: Kernels, n: number): FftPlan {
  if (!Number.isInteger(n) || n < 1 || n > MAX_FFT_LENGTH) {
    throw reconError('RECON_ERR_FFT_LENGTH', `a length of ${n}`);
  }
  let store = stores.get(kernels);
  if (store === undefined) stores.set(kernels, (store = { plans: new Map(), pointers: [] }));
  const known = store.plans.get(n);
  if (known !== undefined) return known;
  const take = (nBytes: number): number => {
    const pointer = kernels.arena.allocate(nBytes);
    store.pointers.push(pointer);
    return pointer;
  };
  const radices = radicesOf(n);
  const { pointer, workLength } =
    isSmooth(radices)
      ? { pointer: writeStages(kernels, take, n, radices), workLength: n }
      : writeChirp(kernels, take, n);
  const slotBytes = workLength * ELEMENT_BYTES + SLOT_GAP_BYTES;
  const plan = { n, scale: 1 / Math.sqrt(n), pointer, slotBytes, slots: take(SCRATCH_SLOTS * slotBytes) };
  store.plans.set(n, plan);
  return plan;
}

/** Bytes of an arena that has room for a plan of length n and no more than that. */
export function fftPlanBytes(n: number): number {
  const goesByStages = isSmooth(radicesOf(n));
  const workLength = goesByStages ? n : smoothLength(2 * n - 1);
  const slotBytes = SCRATCH_SLOTS * (workLength * ELEMENT_BYTES + SLOT_GAP_BYTES);
  const tableBytes = 64 * workLength + 8192;
  return (goesByStages ? 1 : 2) * slotBytes + tableBytes;
}

function isSmooth(radices: readonly number[]): boolean {
  return Math.max(...radices, 1) <= LARGEST_RADIX;
}

/** Gives back every plan of these kernels; plans that are still held are void. */
export function releaseFft(kernels: Kernels): void {
  for (const pointer of stores.get(kernels)?.pointers ?? []) kernels.arena.release(pointer);
  stores.delete(kernels);
}

/** The radices of n, codelets first, then its other prime factors. */
function radicesOf(n: number): number[] {
  const radices: number[] = [];
  let rest = n;
  for (const radix of CODELETS) {
    for (; rest % radix === 0; rest /= radix) radices.push(radix);
  }
  for (let factor = 11; rest > 1; factor += 2) {
    if (factor * factor > rest) factor = rest;
    for (; rest % factor === 0; rest /= factor) radices.push(factor);
  }
  return radices;
}

/** exp(-i angle) for each angle, complex64 interleaved. */
function writeTurns(kernels: Kernels, pointer: number, angles: readonly number[]): void {
  const turns = kernels.arena.f32(pointer, 2 * angles.length);
  angles.forEach((angle, i) => {
    turns[2 * i] = Math.cos(angle);
    turns[2 * i + 1] = -Math.sin(angle);
  });
}

function writeStages(
  kernels: Kernels,
  take: (nBytes: number) => number,
  n: number,
  radices: readonly number[],
): number {
  const pointer = take(4 * (3 + 3 * radices.length));
  const words = [n, radices.length, STAGES];
  let length = n;
  for (const radix of radices) {
    const m = length / radix;
    const twiddles = take(8 * m * (radix - 1));
    const angles: number[] = [];
    for (let p = 0; p < m; p++) {
      for (let j = 1; j < radix; j++) angles.push((2 * Math.PI * p * j) / length);
    }
    writeTurns(kernels, twiddles, angles);
    let roots = 0;
    if (!CODELETS.includes(radix)) {
      roots = take(8 * radix);
      writeTurns(kernels, roots, Array.from({ length: radix }, (_, t) => (2 * Math.PI * t) / radix));
    }
    words.push(radix, twiddles, roots);
    length = m;
  }
  kernels.arena.i32(pointer, words.length).set(words);
  return pointer;
}

/** The least length from `least` on that has no prime factor but 2, 3 and 5. */
function smoothLength(least: number): number {
  for (let m = least; ; m++) {
    if (radicesOf(m).every((radix) => radix <= 5)) return m;
  }
}

function writeChirp(
  kernels: Kernels,
  take: (nBytes: number) => number,
  n: number,
): { pointer: number; workLength: number } {
  const m = smoothLength(2 * n - 1);
  const inner = planFft(kernels, m);
  const pointer = take(4 * 7);
  const chirp = take(8 * n);
  // j^2 mod 2n keeps the angle exact where j^2 has outgrown the float64 fraction of a turn.
  const angles = Array.from({ length: n }, (_, j) => (Math.PI * ((j * j) % (2 * n))) / n);
  writeTurns(kernels, chirp, angles);
  const spectrum = take(8 * m);
  writeChirpSpectrum(kernels, inner, chirp, n, spectrum);
  kernels.arena.i32(pointer, 7).set([n, 0, CHIRP, m, inner.pointer, chirp, spectrum]);
  return { pointer, workLength: m };
}

/** (1/m) sum_j b[j] exp(-2 pi i j k / m), where b is the conjugate chirp, b[-j] = b[j], taken round m. */
function writeChirpSpectrum(
  { arena, wasm }: Kernels,
  inner: FftPlan,
  chirp: number,
  n: number,
  spectrum: number,
): void {
  const m = inner.n;
  const centre = Math.floor(m / 2);
  arena.withScratch(8 * m, (pointer) => {
    const turns = arena.f32(chirp, 2 * n);
    const line = arena.f32(pointer, 2 * m).fill(0);
    for (let j = 0; j < n; j++) {
      for (const at of [centre + j, centre - j]) {
        const to = 2 * ((at + m) % m);
        line[to] = turns[2 * j]!;
        line[to + 1] = -turns[2 * j + 1]!;
      }
    }
    wasm.fftLines(inner.pointer, pointer, 1, 0, 1 / m, inner.slots, inner.slotBytes);
    const out = arena.f32(spectrum, 2 * m);
    out.set(line.subarray(2 * centre));
    out.set(line.subarray(0, 2 * centre), 2 * (m - centre));
  });
}
