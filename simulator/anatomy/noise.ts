/**
 * Smooth noise in space, for the texture of tissues and uneven surfaces: random values on the points of
 * a cubic lattice of unit spacing, between them blended by 3t² - 2t³ along each axis (Perlin 1985,
 * doi 10.1145/325165.325247, with values in place of gradients). Mean 0, standard deviation about 1,
 * bounded by sqrt(3) / rms. The lattice repeats after 64 points.
 *
 * The values come from a hash of integers, so they are the same on every machine.
 */
const size = 64;
const tables = new Map<number, Float32Array>();
/** Uniform values have the variance 1/3, and blending keeps (26/35)³ of it on average. */
const gain = Math.sqrt(3) / (26 / 35) ** 1.5;

/** @param seed integer */
export function smoothNoise(x: number, y: number, z: number, seed: number): number {
  return noiseOf(noiseTable(seed), x, y, z);
}

/** The lattice of a seed. Loops that ask for many values take it once. */
export function noiseTable(seed: number): Float32Array {
  const known = tables.get(seed);
  if (known !== undefined) return known;
  const table = Float32Array.from({ length: size ** 3 }, (_, index) => gain * (hash(index, seed) / 2 ** 31 - 1));
  // A population of spines would gather a megabyte a texture.
  if (tables.size >= 32) tables.clear();
  tables.set(seed, table);
  return table;
}

export function noiseOf(table: Float32Array, x: number, y: number, z: number): number {
  const [fx, fy, fz] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  const [tx, ty, tz] = [x - fx, y - fy, z - fz];
  const [sx, sy, sz] = [tx * tx * (3 - 2 * tx), ty * ty * (3 - 2 * ty), tz * tz * (3 - 2 * tz)];
  const x0 = fx & 63;
  const x1 = (fx + 1) & 63;
  const y0 = (fy & 63) << 6;
  const y1 = ((fy + 1) & 63) << 6;
  const z0 = (fz & 63) << 12;
  const z1 = ((fz + 1) & 63) << 12;
  const along = (row: number) => table[row | x0]! + sx * (table[row | x1]! - table[row | x0]!);
  const low = along(z0 | y0);
  const below = low + sy * (along(z0 | y1) - low);
  const high = along(z1 | y0);
  const above = high + sy * (along(z1 | y1) - high);
  return below + sz * (above - below);
}

/** 32 well mixed bits of two integers (the finaliser of MurmurHash3, Appleby 2008, public domain). */
function hash(index: number, seed: number): number {
  let h = Math.imul(index ^ Math.imul(seed ^ 0x2545f491, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
