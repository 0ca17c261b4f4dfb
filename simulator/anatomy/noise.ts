/**
 * Smooth noise in space, for the texture of tissues and uneven surfaces: random values on the points of
 * a cubic lattice of unit spacing, between them blended by 3t² - 2t³ along each axis (Perlin 1985,
 * doi 10.1145/325165.325247, with values in place of gradients). Mean 0, standard deviation about 1,
 * within 4. The lattice repeats after 64 points.
 *
 * The values come from a hash of integers, so they are the same on every machine.
 */
const size = 64;
/** Uniform values have the variance 1/3, and blending keeps (26/35)³ of it on average. */
const gain = Math.sqrt(3) / (26 / 35) ** 1.5;
const lattice = Float32Array.from({ length: size ** 3 }, (_, index) => gain * (hash(index) / 2 ** 31 - 1));

/** @param seed integer: where in the lattice the noise begins */
export function smoothNoise(x: number, y: number, z: number, seed: number): number {
  const start = hash(seed ^ 0x2545f491);
  // A lattice shows along its axes; a second one, turned, hides them.
  const u = (x + y + z) * third;
  const v = (x - y) * half;
  const w = (x + y - 2 * z) * sixth;
  return half * (latticeNoise(x, y, z, start) + latticeNoise(u, v, w, start >>> 3));
}

const half = Math.SQRT1_2;
const third = 1 / Math.sqrt(3);
const sixth = 1 / Math.sqrt(6);

function latticeNoise(x: number, y: number, z: number, start: number): number {
  const fx = Math.floor(x);
  const fy = Math.floor(y);
  const fz = Math.floor(z);
  const tx = x - fx;
  const ty = y - fy;
  const tz = z - fz;
  const sx = tx * tx * (3 - 2 * tx);
  const sy = ty * ty * (3 - 2 * ty);
  const sz = tz * tz * (3 - 2 * tz);
  const firstX = fx + start;
  const firstY = fy + (start >>> 8);
  const firstZ = fz + (start >>> 16);
  const x0 = firstX & 63;
  const x1 = (firstX + 1) & 63;
  const y0 = (firstY & 63) << 6;
  const y1 = ((firstY + 1) & 63) << 6;
  const z0 = (firstZ & 63) << 12;
  const z1 = ((firstZ + 1) & 63) << 12;
  const low = z0 | y0;
  const lowBehind = z0 | y1;
  const high = z1 | y0;
  const highBehind = z1 | y1;
  const v00 = lattice[low | x0]! + sx * (lattice[low | x1]! - lattice[low | x0]!);
  const v10 = lattice[lowBehind | x0]! + sx * (lattice[lowBehind | x1]! - lattice[lowBehind | x0]!);
  const v01 = lattice[high | x0]! + sx * (lattice[high | x1]! - lattice[high | x0]!);
  const v11 = lattice[highBehind | x0]! + sx * (lattice[highBehind | x1]! - lattice[highBehind | x0]!);
  const below = v00 + sy * (v10 - v00);
  const above = v01 + sy * (v11 - v01);
  return below + sz * (above - below);
}

/** 32 well mixed bits of an integer (the finaliser of MurmurHash3, Appleby 2008, public domain). */
function hash(index: number): number {
  let h = Math.imul(index, 0x9e3779b1);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
