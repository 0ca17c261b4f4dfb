/**
 * The Fourier transform of a phantom, exact, in float64.
 *
 *   F(k) = Σ weight ∫_shape exp(-i 2π k·r) dr                                   k in cycles/mm
 *
 *   ellipse   2π a b J1(w)/w · exp(-i 2π k·c),  w = 2π |(a k·e1, b k·e2)|
 *   polygon   i/(2π|k|²) Σ_edges (k × e) sinc(k·e) exp(-i 2π k·m)     e edge, m its middle
 *
 * The ellipse is textbook (Van de Walle 2000, doi 10.1109/42.897811; Guerquin-Kern 2012,
 * doi 10.1109/TMI.2011.2174158). The polygon is the divergence theorem applied to
 * k exp(-i 2π k·r) / (-i 2π |k|²), whose divergence is exp(-i 2π k·r), edge by edge (Lee & Mittra
 * 1983, IEEE Trans Antennas Propag 31:99).
 *
 * All exponentials are products of one factor in u and one in v, so on a lattice they come from
 * tables. The phantom is real, so F(-k) is the conjugate of F(k), and half of the lattice is enough;
 * the other half of a lattice that is shifted along u is that of one shifted the other way.
 */
import { besselJ1OverX } from './bessel.js';
import { areaMm2, signedAreaMm2, type Ellipse, type Point, type Polygon, type WeightedShape } from './shapes.js';

/** F on k = (i stepU + shiftU, j stepV), |i| <= halfU, |j| <= halfV. */
export interface Lattice {
  /** Cycles/mm. */
  readonly stepU: number;
  readonly stepV: number;
  /** 0 where it is left out. */
  readonly shiftU?: number;
  readonly halfU: number;
  readonly halfV: number;
}

/** complex128 interleaved [2 halfV + 1, 2 halfU + 1]; units of intensity times mm². */
export function transformOnLattice(shapes: readonly WeightedShape[], lattice: Lattice): Float64Array {
  const { halfU, halfV, shiftU = 0 } = lattice;
  const width = 2 * halfU + 1;
  const values = new Float64Array(2 * width * (2 * halfV + 1));
  const upper = upperHalf(shapes, lattice);
  values.set(upper, 2 * width * halfV);
  const mirrored = shiftU === 0 ? upper : upperHalf(shapes, { ...lattice, shiftU: -shiftU });
  const last = values.length - 2;
  for (let index = 0; index < 2 * width * halfV; index += 2) {
    values[index] = mirrored[last - index - 2 * width * halfV]!;
    values[index + 1] = -mirrored[last - index - 2 * width * halfV + 1]!;
  }
  return values;
}

/** The rows j >= 0. */
function upperHalf(shapes: readonly WeightedShape[], lattice: Lattice): Float64Array {
  const { stepU, stepV, halfU, halfV, shiftU = 0 } = lattice;
  const upper = new Float64Array(2 * (2 * halfU + 1) * (halfV + 1));
  for (const { shape, weight } of shapes) if (shape.kind === 'polygon') addEdges(upper, shape, weight, lattice);
  const polygonArea = shapes.reduce((sum, { shape, weight }) => sum + (shape.kind === 'polygon' ? weight * areaMm2(shape) : 0), 0);
  for (let j = 0, index = 0; j <= halfV; j++) {
    for (let i = -halfU; i <= halfU; i++, index += 2) {
      const squared = (i * stepU + shiftU) ** 2 + (j * stepV) ** 2;
      // Waves longer than 1000 km: the sum over edges would be 0/0, and the area is exact to 1e-5 rad.
      if (squared < 1e-18) {
        upper[index] = polygonArea;
        upper[index + 1] = 0;
        continue;
      }
      const factor = 1 / (2 * Math.PI * squared);
      const re = upper[index]!;
      upper[index] = -factor * upper[index + 1]!;
      upper[index + 1] = factor * re;
    }
  }
  for (const { shape, weight } of shapes) if (shape.kind === 'ellipse') addEllipse(upper, shape, weight, lattice);
  return upper;
}

/** F at one point, [re, im]. */
export function transformAt(shapes: readonly WeightedShape[], [ku, kv]: Point): [number, number] {
  const at = transformOnLattice(shapes, { stepU: 1, stepV: kv, shiftU: ku, halfU: 0, halfV: 1 }).subarray(-2);
  return [at[0]!, at[1]!];
}

function addEllipse(upper: Float64Array, shape: Ellipse, weight: number, lattice: Lattice): void {
  const { stepU, stepV, halfU, halfV, shiftU = 0 } = lattice;
  const [centreU, centreV] = shape.centreMm;
  const [a, b] = shape.semiAxesMm;
  const cos = Math.cos(shape.angleRad);
  const sin = Math.sin(shape.angleRad);
  const phaseU = phaseTable(-2 * Math.PI * centreU * stepU, -halfU, halfU, -2 * Math.PI * centreU * shiftU);
  const phaseV = phaseTable(-2 * Math.PI * centreV * stepV, 0, halfV);
  const factor = 2 * Math.PI * a * b * weight;
  let index = 0;
  for (let j = 0; j <= halfV; j++) {
    const kv = j * stepV;
    const vRe = phaseV[2 * j]!;
    const vIm = phaseV[2 * j + 1]!;
    for (let i = 0; i <= 2 * halfU; i++, index += 2) {
      const ku = (i - halfU) * stepU + shiftU;
      const x = a * (ku * cos + kv * sin);
      const y = b * (kv * cos - ku * sin);
      const jinc = factor * besselJ1OverX(2 * Math.PI * Math.sqrt(x * x + y * y));
      const uRe = phaseU[2 * i]!;
      const uIm = phaseU[2 * i + 1]!;
      upper[index]! += jinc * (uRe * vRe - uIm * vIm);
      upper[index + 1]! += jinc * (uRe * vIm + uIm * vRe);
    }
  }
}

/** Adds weight Σ_edges (k × e) sinc(k·e) exp(-i 2π k·m), without the factor that all polygons share. */
function addEdges(upper: Float64Array, shape: Polygon, weight: number, lattice: Lattice): void {
  const { stepU, stepV, halfU, halfV, shiftU = 0 } = lattice;
  const { cornersMm } = shape;
  const orientedWeight = weight * Math.sign(signedAreaMm2(shape));

  cornersMm.forEach(([u1, v1], corner) => {
    const [u2, v2] = cornersMm[(corner + 1) % cornersMm.length]!;
    const edgeU = u2 - u1;
    const edgeV = v2 - v1;
    const middleU = phaseTable(-Math.PI * (u1 + u2) * stepU, -halfU, halfU, -Math.PI * (u1 + u2) * shiftU);
    const middleV = phaseTable(-Math.PI * (v1 + v2) * stepV, 0, halfV);
    // exp(i π k·e), of which the imaginary part is the sine of sinc(k·e).
    const alongU = phaseTable(Math.PI * edgeU * stepU, -halfU, halfU, Math.PI * edgeU * shiftU);
    const alongV = phaseTable(Math.PI * edgeV * stepV, 0, halfV);
    let index = 0;
    for (let j = 0; j <= halfV; j++) {
      const kv = j * stepV;
      const mRe = middleV[2 * j]!;
      const mIm = middleV[2 * j + 1]!;
      const vRe = alongV[2 * j]!;
      const vIm = alongV[2 * j + 1]!;
      for (let i = 0; i <= 2 * halfU; i++, index += 2) {
        const ku = (i - halfU) * stepU + shiftU;
        const along = Math.PI * (ku * edgeU + kv * edgeV);
        const sine = alongU[2 * i]! * vIm + alongU[2 * i + 1]! * vRe;
        const sinc = Math.abs(along) < 1e-3 ? 1 - (along * along) / 6 : sine / along;
        const amplitude = orientedWeight * (ku * edgeV - kv * edgeU) * sinc;
        const uRe = middleU[2 * i]!;
        const uIm = middleU[2 * i + 1]!;
        upper[index]! += amplitude * (uRe * mRe - uIm * mIm);
        upper[index + 1]! += amplitude * (uRe * mIm + uIm * mRe);
      }
    }
  });
}

/** exp(i (offset + angle n)) for n from `first` to `last`, interleaved. */
function phaseTable(angle: number, first: number, last: number, offset = 0): Float64Array {
  const table = new Float64Array(2 * (last - first + 1));
  for (let n = first; n <= last; n++) {
    table[2 * (n - first)] = Math.cos(offset + angle * n);
    table[2 * (n - first) + 1] = Math.sin(offset + angle * n);
  }
  return table;
}
