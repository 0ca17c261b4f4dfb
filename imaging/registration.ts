/**
 * Rigid motion between two volumes of different contrast: T takes a point of the patient as he lay for `fixed` to the
 * point where he lay for `moving`,
 *
 *   T(r) = R (r - c) + c + t,   T = argmax NMI(T) - λ Σ (p / σ)²,   NMI = (H(F) + H(M∘T)) / H(F, M∘T)
 *
 * with the entropies of the values in the overlap (Studholme 1999, doi 10.1016/S0031-3203(98)00091-0), which is 1 where
 * the volumes have nothing in common and does not reward a small overlap. p are three shifts and a rotation vector along
 * the axes of `fixed`. Between thick slices the images hardly tell what happened across them; the prior σ on motion then
 * decides for no motion, and costs less than the noise of NMI where they do tell.
 *
 * Steps:
 * 1. Pyramids of about 6, 3 and 1.5 mm by averages of whole voxels, along the axes that are finer than that.
 * 2. Shading is divided out of each level: I / (local mean + a tenth of the 90th percentile).
 * 3. Low-discrepancy sample points in the slices of `fixed`, off its pixels: on the pixels, interpolated noise would have
 *    its optima where the grids agree (Pluim 2000, doi 10.1006/cviu.2000.0848).
 * 4. Joint histogram of 32 bins, along `moving` through cubic B-splines, so that NMI has an exact gradient for a given overlap
 *    (Thévenaz and Unser 2000, doi 10.1109/83.887976; Mattes 2003, doi 10.1109/TMI.2003.809072).
 * 5. On the coarsest level all shifts of a lattice, then BFGS from the best of them; on the others BFGS from the last, on
 *    the second from no motion as well.
 * 6. Motion within the slices only, with the rest at zero, where it is about as good.
 *
 * With fewer than five slices in either volume nothing but motion within the slices is looked for.
 */
import { ImagingError } from './errors.js';
import { affineLps, geometryOfAffineLps, invertAffine, transformPoint, voxelSizeMm, type Affine } from './geometry.js';
import type { RealArray } from './metrics.js';
import { ranked } from './statistics.js';
import type { ImageGeometry, Vector3 } from './types.js';
import { volumeOf, type Volume } from './volume.js';

/** r -> R (r - centre) + centre + shift, LPS. */
export interface RigidMotion {
  /** Axis of the rotation times its angle, right-handed about LPS. */
  readonly rotationDeg: Vector3;
  readonly shiftMm: Vector3;
  /** The point that the rotation leaves in place. */
  readonly centreMm: Vector3;
}

export interface Registration {
  /** From points of `fixed` to points of `moving`; about the middle of `fixed`. */
  readonly motion: RigidMotion;
  /** Normalised mutual information where the headers put the volumes, and with the motion: 1 (nothing in common) to 2. */
  readonly nmiBefore: number;
  readonly nmiAfter: number;
  /** Part of `fixed` that `moving` covers, with the motion. */
  readonly overlapShare: number;
}

const levelsMm = [6, 3, 1.5] as const;
const samplesOfLevel = [4000, 10_000, 20_000] as const;
const nBins = 32;
/** Bins of `moving`: a cubic B-spline reaches one bin to the left and two to the right. */
const nMovingBins = nBins + 3;
/** The shifts that the coarsest level starts from, within and across slices. */
const searchReachMm = 24;
const searchStepMm = 8;
const nStarts = 3;
/** σ and λ of the prior: what a patient between two series of one examination may well do, in units of NMI. */
const likelyShiftMm = 8;
const likelyRotationDeg = 5;
const priorWeight = 2e-4;
/**
 * Motion across slices is believed where it gains more than this part of NMI - 1: mixing of slices, which takes noise away,
 * gains up to 0.025 without any motion; 2.5 mm or 2 degrees across slices of 5 mm gain 0.06 to 0.1.
 */
const acrossGain = 0.035;
const shadingWidthMm = 30;
/** Fewer slices tell nothing of motion across them. */
const leastSlices = 5;
/** Least part of the overlap of the headers that a motion must keep: entropies of few samples are too low, and NMI too high. */
const leastOverlapKept = 0.6;
const leastSamples = 100;

const degree = Math.PI / 180;

/** Shifts and rotation (radians times the lever) along the axes of `fixed`: all in mm, so that they are alike to the optimiser. */
type Pose = Float64Array<ArrayBuffer>;
const nParameters = 6;

/**
 * The motion that brings `moving` onto `fixed`; resample(moving, fixed.geometry, method, { motion: motionAffine(motion) }) is
 * `moving` as it would look without it. Values in any units. Deterministic.
 * @throws IMG_ERR_SHAPE, IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS, IMG_ERR_NO_OVERLAP where the headers put the volumes apart
 */
export function registerRigid(fixed: Volume<RealArray>, moving: Volume<RealArray>): Registration {
  const frame = frameOf(fixed.geometry);
  const leverMm = Math.max(20, Math.hypot(fixed.geometry.fovMm[0], fixed.geometry.fovMm[1]) / 4);
  const tellsAcross = Math.min(fixed.geometry.matrixSize[2], moving.geometry.matrixSize[2]) >= leastSlices;
  const within = [0, 1, 5];
  const free = tellsAcross ? [0, 1, 2, 3, 4, 5] : within;
  const pyramids = [fixed, moving].map((volume) => pyramidOf(volume).map(evened));
  const levels = samplesOfLevel.map((nSamples, level) => new Similarity(pyramids[0]![level]!, pyramids[1]![level]!, frame, leverMm, nSamples));

  const starts = latticeOfShifts(fixed.geometry, tellsAcross)
    .map((pose) => ({ pose, value: levels[0]!.value(pose) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, nStarts);
  const still: Pose = new Float64Array(nParameters);
  let pose = still;
  levels.forEach((similarity, level) => {
    // The coarsest level may take one vertebra for the next: that nothing moved is looked at again on the second.
    const candidates = level === 0 ? [still, ...starts.map((start) => start.pose)] : level === 1 && pose !== still ? [still, pose] : [pose];
    const climbed = candidates.map((start) => climb(similarity, start, free, levelsMm[level]!));
    pose = climbed.reduce((best, next) => (next.value > best.value ? next : best)).pose;
  });
  const finest = levels.at(-1)!;
  if (tellsAcross) {
    const inPlane = climb(finest, pose.map((value, parameter) => (within.includes(parameter) ? value : 0)), within, levelsMm.at(-1)!);
    if (inPlane.value - 1 > (1 - acrossGain) * (finest.value(pose) - 1)) pose = inPlane.pose;
  }
  return {
    motion: motionOf(pose, frame, leverMm),
    nmiBefore: finest.measure(still).nmi,
    nmiAfter: finest.measure(pose).nmi,
    overlapShare: finest.measure(pose).overlapShare,
  };
}

/** The motion as a map of homogeneous points, LPS, mm. */
export function motionAffine({ rotationDeg, shiftMm, centreMm }: RigidMotion): Affine {
  const turn = rotationMatrix(rotationDeg.map((angle) => angle * degree));
  const turnedCentre = [0, 1, 2].map((row) => [0, 1, 2].reduce((sum, axis) => sum + turn[3 * row + axis]! * centreMm[axis]!, 0));
  const rowOf = (row: number) => [...turn.slice(3 * row, 3 * row + 3), centreMm[row]! + shiftMm[row]! - turnedCentre[row]!];
  return [...rowOf(0), ...rowOf(1), ...rowOf(2), 0, 0, 0, 1];
}

/** Axes of `fixed` about its middle: row, column, slice direction as columns of a matrix. */
interface Frame {
  readonly centreMm: Vector3;
  /** 4 x 4, from mm along the axes to LPS. */
  readonly toLps: Affine;
  /** -1 where the directions are left-handed. */
  readonly handedness: number;
}

function frameOf(geometry: ImageGeometry): Frame {
  const { rowDirection: u, columnDirection: v, sliceDirection: w, matrixSize } = geometry;
  const centreMm = transformPoint(affineLps(geometry), [(matrixSize[0] - 1) / 2, (matrixSize[1] - 1) / 2, (matrixSize[2] - 1) / 2]);
  const toLps = [0, 1, 2].flatMap((axis) => [u[axis]!, v[axis]!, w[axis]!, centreMm[axis]!]).concat(0, 0, 0, 1);
  const volume = w[0] * (u[1] * v[2] - u[2] * v[1]) + w[1] * (u[2] * v[0] - u[0] * v[2]) + w[2] * (u[0] * v[1] - u[1] * v[0]);
  return { centreMm, toLps, handedness: Math.sign(volume) };
}

function motionOf(pose: Pose, { toLps, centreMm, handedness }: Frame, leverMm: number): RigidMotion {
  const intoLps = (vector: ArrayLike<number>, factor: number) =>
    [0, 1, 2].map((axis) => [0, 1, 2].reduce((sum, along) => sum + factor * toLps[4 * axis + along]! * vector[along]!, 0)) as unknown as Vector3;
  return { shiftMm: intoLps(pose.subarray(0, 3), 1), rotationDeg: intoLps(pose.subarray(3), handedness / (leverMm * degree)), centreMm };
}

/** exp of the cross product with a rotation vector, 3 x 3 (Rodrigues). */
function rotationMatrix(vector: readonly number[]): number[] {
  const angle = Math.hypot(...vector);
  const [sine, versine] = angle > 1e-8 ? [Math.sin(angle) / angle, (1 - Math.cos(angle)) / angle ** 2] : [1, 0.5];
  return powersOfCross(vector, sine, versine);
}

/** The left Jacobian of exp: columns are the rotations that a small change of each component adds. */
function rotationJacobian(vector: readonly number[]): number[] {
  const angle = Math.hypot(...vector);
  const [first, second] = angle > 1e-4
    ? [(1 - Math.cos(angle)) / angle ** 2, (angle - Math.sin(angle)) / angle ** 3]
    : [0.5, 1 / 6];
  return powersOfCross(vector, first, second);
}

/** 1 + a [v]x + b [v]x². */
function powersOfCross([x, y, z]: readonly number[], a: number, b: number): number[] {
  const cross = [0, -z!, y!, z!, 0, -x!, -y!, x!, 0];
  const squared = multiply(cross, cross);
  return cross.map((value, at) => (at % 4 === 0 ? 1 : 0) + a * value + b * squared[at]!);
}

function multiply(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, at) => {
    const [row, column] = [Math.floor(at / 3), at % 3];
    return a[3 * row]! * b[column]! + a[3 * row + 1]! * b[3 + column]! + a[3 * row + 2]! * b[6 + column]!;
  });
}

/** Coarsest first; each level from the next finer one. */
function pyramidOf(volume: Volume<RealArray>): Volume[] {
  const levels: Volume[] = [];
  for (const spacingMm of [...levelsMm].reverse()) levels.unshift(averaged(levels[0] ?? volume, spacingMm));
  return levels;
}

/** Averages over as many whole voxels as make about `spacingMm`, none along axes that are coarser or shorter than eight of them. */
function averaged(volume: Volume<RealArray>, spacingMm: number): Volume {
  const { matrixSize } = volumeOf(volume.geometry, volume.data).geometry;
  const sizeMm = voxelSizeMm(volume.geometry);
  const factors = sizeMm.map((size, axis) =>
    Math.max(1, Math.min(Math.round(spacingMm / size), Math.floor(matrixSize[axis]! / 8)))) as unknown as Vector3;
  const [columns, rows, slices] = matrixSize.map((size, axis) => Math.floor(size / factors[axis]!)) as unknown as Vector3;
  const sum = new Float32Array(columns * rows * slices);
  const [nColumns, nRows] = matrixSize;
  for (let slice = 0; slice < slices * factors[2]; slice++) {
    for (let row = 0; row < rows * factors[1]; row++) {
      const from = (slice * nRows + row) * nColumns;
      const to = (Math.floor(slice / factors[2]) * rows + Math.floor(row / factors[1])) * columns;
      for (let column = 0; column < columns; column++) {
        let alongRow = 0;
        for (let step = 0; step < factors[0]; step++) alongRow += volume.data[from + column * factors[0] + step]!;
        // What is not finite less itself is no number.
        if (alongRow - alongRow === 0) sum[to + column]! += alongRow;
      }
    }
  }
  const count = factors[0] * factors[1] * factors[2];
  const affine = affineLps(volume.geometry);
  const middleOfFirst = transformPoint(affine, [(factors[0] - 1) / 2, (factors[1] - 1) / 2, (factors[2] - 1) / 2]);
  const coarse = [0, 1, 2].flatMap((row) => [...factors.map((factor, axis) => affine[4 * row + axis]! * factor), middleOfFirst[row]!]);
  for (let voxel = 0; voxel < sum.length; voxel++) sum[voxel]! /= count;
  return { geometry: geometryOfAffineLps([...coarse, 0, 0, 0, 1], [columns, rows, slices]), data: sum };
}

/** Without shading, with 0 to 1 for what lies between air and the 99.5th percentile. */
function evened({ geometry, data }: Volume): Volume {
  const [columns, rows, slices] = geometry.matrixSize;
  const [columnMm, rowMm] = voxelSizeMm(geometry);
  const floor = 0.1 * percentile(data, 0.9) || 1;
  const out = new Float32Array(data.length);
  const size = columns * rows;
  const sums = new Float64Array(Math.max(columns, rows) + 1);
  const mean = new Float64Array(size);
  for (let slice = 0; slice < slices; slice++) {
    const image = data.subarray(slice * size, (slice + 1) * size);
    mean.set(image);
    // Three means over a window are nearly a Gaussian; its deviation is the half width of each.
    for (let pass = 0; pass < 3; pass++) {
      for (let row = 0; row < rows; row++) movingMean(mean, row * columns, 1, columns, shadingWidthMm / columnMm, sums);
      for (let column = 0; column < columns; column++) movingMean(mean, column, columns, rows, shadingWidthMm / rowMm, sums);
    }
    for (let pixel = 0; pixel < size; pixel++) out[slice * size + pixel] = image[pixel]! / (mean[pixel]! + floor);
  }
  const white = percentile(out, 0.995) || 1;
  for (let voxel = 0; voxel < out.length; voxel++) out[voxel] = Math.min(Math.max(out[voxel]! / white, 0), 1);
  return { geometry, data: out };
}

/** Mean over up to `reach` neighbours on both sides, in place, of those that there are; `sums`: room for count + 1, the first of them 0. */
function movingMean(values: Float64Array, first: number, stride: number, count: number, reach: number, sums: Float64Array): void {
  const radius = Math.min(Math.round(reach), count - 1);
  for (let at = 0; at < count; at++) sums[at + 1] = sums[at]! + values[first + at * stride]!;
  for (let at = 0; at < count; at++) {
    const from = Math.max(0, at - radius);
    const end = Math.min(count, at + radius + 1);
    values[first + at * stride] = (sums[end]! - sums[from]!) / (end - from);
  }
}

/** Of every seventh value: enough to know it by. */
function percentile(values: Float32Array, share: number): number {
  const some = new Float32Array(Math.ceil(values.length / 7));
  for (let at = 0; at < some.length; at++) some[at] = values[7 * at]!;
  return ranked(some, Math.min(some.length - 1, Math.floor(share * some.length)));
}

function latticeOfShifts(geometry: ImageGeometry, tellsAcross: boolean): Pose[] {
  const stepAcrossMm = Math.max(searchStepMm / 2, voxelSizeMm(geometry)[2]);
  const across = tellsAcross ? symmetricSteps(searchReachMm / 2, stepAcrossMm) : [0];
  const inPlane = symmetricSteps(searchReachMm, searchStepMm);
  return across.flatMap((w) => inPlane.flatMap((v) => inPlane.map((u) => Float64Array.of(u, v, w, 0, 0, 0))));
}

function symmetricSteps(reach: number, step: number): number[] {
  const count = Math.floor(reach / step);
  return Array.from({ length: 2 * count + 1 }, (_, at) => (at - count) * step);
}

interface Measured {
  readonly nmi: number;
  readonly overlapShare: number;
}

/** NMI of two levels over sample points, as a function of the pose. */
class Similarity {
  readonly #moving: Volume;
  /** From mm along the axes of the fixed volume to voxels of the moving one, 3 x 4. */
  readonly #toVoxel: Affine;
  readonly #leverMm: number;
  readonly #nSamples: number;
  /** mm along the axes, [sample, axis]. */
  readonly #places: Float32Array;
  readonly #fixedBins: Uint8Array;
  readonly #leastCount: number;
  /** Of the samples in the overlap: bin of the fixed, place among the bins of the moving value, and its gradient by voxels. */
  readonly #pairBins: Uint8Array;
  readonly #pairValues: Float32Array;
  readonly #slopes: Float32Array;
  readonly #inside: Int32Array;
  readonly #joint = new Float64Array(nBins * nMovingBins);

  constructor(fixed: Volume, moving: Volume, frame: Frame, leverMm: number, nSamples: number) {
    this.#moving = moving;
    this.#leverMm = leverMm;
    const voxelOfLps = invertAffine(affineLps(moving.geometry));
    const [linear, offset] = [multiply(linearOf(voxelOfLps), linearOf(frame.toLps)), transformPoint(voxelOfLps, frame.centreMm)];
    this.#toVoxel = [0, 1, 2].flatMap((row) => [...linear.slice(3 * row, 3 * row + 3), offset[row]!]);
    const [columns, rows, slices] = fixed.geometry.matrixSize;
    this.#nSamples = Math.min(nSamples, columns * rows * slices);
    this.#places = new Float32Array(3 * this.#nSamples);
    this.#fixedBins = new Uint8Array(this.#nSamples);
    this.#pairBins = new Uint8Array(this.#nSamples);
    this.#pairValues = new Float32Array(this.#nSamples);
    this.#slopes = new Float32Array(3 * this.#nSamples);
    this.#inside = new Int32Array(this.#nSamples);
    this.#drawSamples(fixed);
    this.#leastCount = Math.max(leastOverlapKept * this.#collect(new Float64Array(nParameters), false), 1);
    if (this.#leastCount < leastOverlapKept * Math.min(leastSamples, this.#nSamples / 100)) {
      throw new ImagingError('IMG_ERR_NO_OVERLAP', `${this.#collect(new Float64Array(nParameters), false)} of ${this.#nSamples} points in both`);
    }
  }

  measure(pose: Pose): Measured {
    const count = this.#collect(pose, false);
    return { nmi: this.#fill(count), overlapShare: count / this.#nSamples };
  }

  /** NMI less the prior; -Infinity where too little is left of the overlap. */
  value(pose: Pose): number {
    const count = this.#collect(pose, false);
    return count < this.#leastCount ? -Infinity : this.#fill(count) - this.#prior(pose);
  }

  /** The same, and its gradient by the parameters. */
  climbable(pose: Pose): { value: number; gradient: Float64Array } {
    const gradient = new Float64Array(nParameters);
    const count = this.#collect(pose, true);
    if (count < this.#leastCount) return { value: -Infinity, gradient };
    const nmi = this.#fill(count);
    this.#differentiate(pose, count, nmi, gradient);
    for (let parameter = 0; parameter < nParameters; parameter++) {
      gradient[parameter]! -= (2 * priorWeight * pose[parameter]!) / this.#likely(parameter) ** 2;
    }
    return { value: nmi - this.#prior(pose), gradient };
  }

  #likely(parameter: number): number {
    return parameter < 3 ? likelyShiftMm : likelyRotationDeg * degree * this.#leverMm;
  }

  #prior(pose: Pose): number {
    return pose.reduce((sum, value, parameter) => sum + priorWeight * (value / this.#likely(parameter)) ** 2, 0);
  }

  /** The additive recurrence of the plastic number (Roberts 2018): evenly spread, and never on a lattice of the pixels. */
  #drawSamples({ geometry, data }: Volume): void {
    const [columns, rows, slices] = geometry.matrixSize;
    const sizeMm = voxelSizeMm(geometry);
    const plastic = 1.220_744_084_605_759_8;
    const part = (sample: number, power: number) => (0.5 + (sample + 1) / plastic ** power) % 1;
    for (let sample = 0; sample < this.#nSamples; sample++) {
      const [x, y] = [part(sample, 1) * (columns - 1), part(sample, 2) * (rows - 1)];
      const slice = Math.floor(part(sample, 3) * slices);
      const [column, row] = [Math.min(Math.floor(x), Math.max(columns - 2, 0)), Math.min(Math.floor(y), Math.max(rows - 2, 0))];
      const at = (slice * rows + row) * columns + column;
      const [right, down] = [columns > 1 ? 1 : 0, rows > 1 ? columns : 0];
      const [a, b] = [x - column, y - row];
      const value = (1 - b) * ((1 - a) * data[at]! + a * data[at + right]!) + b * ((1 - a) * data[at + down]! + a * data[at + down + right]!);
      this.#fixedBins[sample] = Math.round(value * (nBins - 1));
      this.#places[3 * sample] = (x - (columns - 1) / 2) * sizeMm[0];
      this.#places[3 * sample + 1] = (y - (rows - 1) / 2) * sizeMm[1];
      this.#places[3 * sample + 2] = (slice - (slices - 1) / 2) * sizeMm[2];
    }
  }

  /** From mm along the axes to voxels of the moving volume, with the pose, 3 x 4. */
  #mapOf(pose: Pose): number[] {
    const toVoxel = this.#toVoxel;
    const turn = rotationMatrix(this.#rotationOf(pose));
    return [0, 1, 2].flatMap((row) => {
      const [a, b, c, d] = [toVoxel[4 * row]!, toVoxel[4 * row + 1]!, toVoxel[4 * row + 2]!, toVoxel[4 * row + 3]!];
      return [
        a * turn[0]! + b * turn[3]! + c * turn[6]!,
        a * turn[1]! + b * turn[4]! + c * turn[7]!,
        a * turn[2]! + b * turn[5]! + c * turn[8]!,
        a * pose[0]! + b * pose[1]! + c * pose[2]! + d,
      ];
    });
  }

  #rotationOf(pose: Pose): number[] {
    return [pose[3]! / this.#leverMm, pose[4]! / this.#leverMm, pose[5]! / this.#leverMm];
  }

  /** Interpolates the moving volume, linearly, at all samples that lie in it; how many do. */
  #collect(pose: Pose, withSlopes: boolean): number {
    const { data, geometry } = this.#moving;
    const [columns, rows, slices] = geometry.matrixSize;
    const plane = columns * rows;
    const [xx, xy, xz, x0, yx, yy, yz, y0, zx, zy, zz, z0] = this.#mapOf(pose) as [
      number, number, number, number, number, number, number, number, number, number, number, number];
    const places = this.#places;
    let count = 0;
    for (let sample = 0; sample < this.#nSamples; sample++) {
      const u = places[3 * sample]!;
      const v = places[3 * sample + 1]!;
      const w = places[3 * sample + 2]!;
      const x = xx * u + xy * v + xz * w + x0;
      const y = yx * u + yy * v + yz * w + y0;
      const z = zx * u + zy * v + zz * w + z0;
      if (!(x >= -0.5 && y >= -0.5 && z >= -0.5 && x <= columns - 0.5 && y <= rows - 0.5 && z <= slices - 0.5)) continue;
      const i = x <= 0 ? 0 : x >= columns - 1 ? Math.max(columns - 2, 0) : Math.floor(x);
      const j = y <= 0 ? 0 : y >= rows - 1 ? Math.max(rows - 2, 0) : Math.floor(y);
      const k = z <= 0 ? 0 : z >= slices - 1 ? Math.max(slices - 2, 0) : Math.floor(z);
      const a = Math.min(Math.max(x - i, 0), 1);
      const b = Math.min(Math.max(y - j, 0), 1);
      const c = Math.min(Math.max(z - k, 0), 1);
      const at = k * plane + j * columns + i;
      const right = columns > 1 ? 1 : 0;
      const down = rows > 1 ? columns : 0;
      const over = slices > 1 ? plane : 0;
      const v00 = data[at]! + a * (data[at + right]! - data[at]!);
      const v10 = data[at + down]! + a * (data[at + down + right]! - data[at + down]!);
      const v01 = data[at + over]! + a * (data[at + over + right]! - data[at + over]!);
      const v11 = data[at + over + down]! + a * (data[at + over + down + right]! - data[at + over + down]!);
      const v0 = v00 + b * (v10 - v00);
      const v1 = v01 + b * (v11 - v01);
      this.#pairBins[count] = this.#fixedBins[sample]!;
      this.#pairValues[count] = (v0 + c * (v1 - v0)) * (nBins - 1);
      if (withSlopes) {
        const s0 = (1 - b) * (data[at + right]! - data[at]!) + b * (data[at + down + right]! - data[at + down]!);
        const s1 = (1 - b) * (data[at + over + right]! - data[at + over]!) + b * (data[at + over + down + right]! - data[at + over + down]!);
        this.#slopes[3 * count] = s0 + c * (s1 - s0);
        this.#slopes[3 * count + 1] = (1 - c) * (v10 - v00) + c * (v11 - v01);
        this.#slopes[3 * count + 2] = v1 - v0;
        this.#inside[count] = sample;
      }
      count++;
    }
    return count;
  }

  /** Joint histogram of what was collected, made a distribution; its NMI. */
  #fill(count: number): number {
    const joint = this.#joint.fill(0);
    for (let pair = 0; pair < count; pair++) {
      const value = this.#pairValues[pair]!;
      const below = Math.min(Math.floor(value), nBins - 1);
      const t = value - below;
      const at = this.#pairBins[pair]! * nMovingBins + below;
      const rest = 1 - t;
      joint[at]! += (rest * rest * rest) / 6;
      joint[at + 1]! += (4 + t * t * (3 * t - 6)) / 6;
      joint[at + 2]! += (1 + t * (3 + t * (3 - 3 * t))) / 6;
      joint[at + 3]! += (t * t * t) / 6;
    }
    const marginal = new Float64Array(nMovingBins);
    let [ofFixed, ofBoth] = [0, 0];
    for (let bin = 0; bin < nBins; bin++) {
      let sum = 0;
      for (let other = 0; other < nMovingBins; other++) {
        const p = joint[bin * nMovingBins + other]! / count;
        joint[bin * nMovingBins + other] = p;
        marginal[other]! += p;
        sum += p;
        if (p > 0) ofBoth -= p * Math.log(p);
      }
      if (sum > 0) ofFixed -= sum * Math.log(sum);
    }
    const ofMoving = marginal.reduce((entropy, p) => (p > 0 ? entropy - p * Math.log(p) : entropy), 0);
    this.#marginal = marginal;
    this.#jointEntropy = ofBoth;
    return ofBoth > 0 ? (ofFixed + ofMoving) / ofBoth : 1;
  }

  #marginal = new Float64Array(nMovingBins);
  #jointEntropy = 0;

  /**
   * d NMI = Σ dp(a, b) (NMI ln p(a, b) - ln p(b)) / H(F, M), and dp from the B-splines' derivative, the image's slopes and the
   * map from places to voxels, which is summed first: Σ slope ⊗ [place, 1].
   */
  #differentiate(pose: Pose, count: number, nmi: number, gradient: Float64Array): void {
    if (!(this.#jointEntropy > 0)) return;
    const joint = this.#joint;
    const pull = new Float64Array(joint.length);
    for (let at = 0; at < joint.length; at++) {
      if (joint[at]! > 0) pull[at] = (nmi * Math.log(joint[at]!) - Math.log(this.#marginal[at % nMovingBins]!)) / this.#jointEntropy;
    }
    const sums = new Float64Array(12);
    for (let pair = 0; pair < count; pair++) {
      const value = this.#pairValues[pair]!;
      const below = Math.min(Math.floor(value), nBins - 1);
      const t = value - below;
      const at = this.#pairBins[pair]! * nMovingBins + below;
      const rest = 1 - t;
      const byValue = -0.5 * rest * rest * pull[at]! + t * (1.5 * t - 2) * pull[at + 1]!
        + (0.5 + t * (1 - 1.5 * t)) * pull[at + 2]! + 0.5 * t * t * pull[at + 3]!;
      const place = 3 * this.#inside[pair]!;
      for (let axis = 0; axis < 3; axis++) {
        const pulled = byValue * this.#slopes[3 * pair + axis]!;
        sums[4 * axis]! += pulled * this.#places[place]!;
        sums[4 * axis + 1]! += pulled * this.#places[place + 1]!;
        sums[4 * axis + 2]! += pulled * this.#places[place + 2]!;
        sums[4 * axis + 3]! += pulled;
      }
    }
    const scale = (nBins - 1) / count;
    const turn = rotationMatrix(this.#rotationOf(pose));
    const jacobian = rotationJacobian(this.#rotationOf(pose));
    for (let parameter = 0; parameter < 3; parameter++) {
      for (let axis = 0; axis < 3; axis++) gradient[parameter]! += scale * sums[4 * axis + 3]! * this.#toVoxel[4 * axis + parameter]!;
      const [x, y, z] = [jacobian[parameter]!, jacobian[3 + parameter]!, jacobian[6 + parameter]!];
      const turned = multiply([0, -z, y, z, 0, -x, -y, x, 0], turn);
      const byVoxel = multiply(linearOf(this.#toVoxel), turned);
      for (let at = 0; at < 9; at++) {
        gradient[3 + parameter]! += (scale / this.#leverMm) * sums[4 * Math.floor(at / 3) + (at % 3)]! * byVoxel[at]!;
      }
    }
  }
}

function linearOf(affine: Affine): number[] {
  return [0, 1, 2].flatMap((row) => affine.slice(4 * row, 4 * row + 3));
}

/** BFGS on the free parameters, with steps halved until they gain (Armijo), until they move nothing. */
function climb(similarity: Similarity, start: Pose, free: readonly number[], firstStepMm: number): { pose: Pose; value: number } {
  const n = free.length;
  let pose = Float64Array.from(start);
  const first = similarity.climbable(pose);
  let { value } = first;
  let slope = free.map((parameter) => first.gradient[parameter]!);
  let inverse: number[][] | undefined;
  for (let iteration = 0; iteration < 40; iteration++) {
    const steepness = Math.hypot(...slope);
    if (!(steepness > 0)) break;
    let direction = inverse?.map((row) => row.reduce((sum, entry, at) => sum + entry * slope[at]!, 0));
    let rise = direction?.reduce((sum, entry, at) => sum + entry * slope[at]!, 0) ?? 0;
    if (direction === undefined || !(rise > 0)) {
      inverse = undefined;
      direction = slope.map((entry) => (entry * firstStepMm) / (2 * steepness));
      rise = (steepness * firstStepMm) / 2;
    }
    const length = Math.hypot(...direction);
    let share = Math.min(1, (2 * firstStepMm) / length);
    let next: { pose: Pose; value: number; gradient: Float64Array } | undefined;
    for (; share * length > 0.003; share /= 2) {
      const tried = Float64Array.from(pose);
      free.forEach((parameter, at) => (tried[parameter]! += share * direction[at]!));
      const there = similarity.climbable(tried);
      if (there.value > value + 1e-4 * share * rise) {
        next = { pose: tried, ...there };
        break;
      }
    }
    if (next === undefined) {
      if (inverse === undefined) break;
      inverse = undefined;
      continue;
    }
    const nextSlope = free.map((parameter) => next.gradient[parameter]!);
    const step = direction.map((entry) => entry * share);
    // The negative: curvature of a hill is that of a valley upside down.
    const change = nextSlope.map((entry, at) => slope[at]! - entry);
    inverse = updatedInverse(inverse, step, change, n);
    ({ pose, value } = next);
    slope = nextSlope;
    if (Math.hypot(...step) < 0.01) break;
  }
  return { pose, value };
}

/** The BFGS update of an inverse Hessian; unchanged where the curvature has the wrong sign. */
function updatedInverse(inverse: number[][] | undefined, step: number[], change: number[], n: number): number[][] | undefined {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, entry, at) => sum + entry * b[at]!, 0);
  const curvature = dot(step, change);
  if (!(curvature > 1e-12 * Math.hypot(...step) * Math.hypot(...change))) return inverse;
  const scale = curvature / dot(change, change);
  const before = inverse ?? Array.from({ length: n }, (_, row) => Array.from({ length: n }, (_, column) => (row === column ? scale : 0)));
  const across = before.map((row) => dot(row, change));
  const factor = (1 + dot(change, across) / curvature) / curvature;
  return before.map((row, i) => row.map((entry, j) => entry + factor * step[i]! * step[j]! - (across[i]! * step[j]! + step[i]! * across[j]!) / curvature));
}
