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
  const [fx, fy, fz] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  const [tx, ty, tz] = [x - fx, y - fy, z - fz];
  const [sx, sy, sz] = [tx * tx * (3 - 2 * tx), ty * ty * (3 - 2 * ty), tz * tz * (3 - 2 * tz)];
  const firstX = fx + start;
  const firstY = fy + (start >>> 8);
  const firstZ = fz + (start >>> 16);
  const x0 = firstX & 63;
  const x1 = (firstX + 1) & 63;
  const y0 = (firstY & 63) << 6;
  const y1 = ((firstY + 1) & 63) << 6;
  const z0 = (firstZ & 63) << 12;
  const z1 = ((firstZ + 1) & 63) << 12;
  const [v000, v100, v010, v110] = [lattice[z0 | y0 | x0]!, lattice[z0 | y0 | x1]!, lattice[z0 | y1 | x0]!, lattice[z0 | y1 | x1]!];
  const [v001, v101, v011, v111] = [lattice[z1 | y0 | x0]!, lattice[z1 | y0 | x1]!, lattice[z1 | y1 | x0]!, lattice[z1 | y1 | x1]!];
  const v00 = v000 + sx * (v100 - v000);
  const v10 = v010 + sx * (v110 - v010);
  const v01 = v001 + sx * (v101 - v001);
  const v11 = v011 + sx * (v111 - v011);
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
