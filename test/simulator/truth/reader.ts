/**
 * An independent reader: it gets label volumes and the label table, nothing of the plan, its frames or the code that
 * measures the truth. Vertebrae and discs find their axes in their own voxels (second moments), planes are resampled
 * from the volume, lengths are extents of voxels.
 */
import { pointOf, voxelOf, type Vector3, type Volume } from '../../../imaging/index.js';
import type { LabelEntry } from '../../../simulator/spine/index.js';

interface Cloud {
  readonly points: Float64Array;
  readonly centre: Vector3;
  /** Unit vectors of the second moments, largest first. */
  readonly axes: readonly [Vector3, Vector3, Vector3];
}

export class Reader {
  readonly #labels: Volume<Uint16Array>;
  readonly #voxelMm: number;
  readonly #clouds = new Map<number, Cloud | undefined>();
  readonly #codes = new Map<string, number>();
  readonly #voxels = new Map<number, number[]>();

  constructor(labels: Volume<Uint16Array>, table: readonly LabelEntry[]) {
    this.#labels = labels;
    this.#voxelMm = labels.geometry.fovMm[0] / labels.geometry.matrixSize[0];
    for (const { code, name, level = '', side = '' } of table) this.#codes.set(`${name} ${level} ${side}`.trim(), code);
    labels.data.forEach((label, voxel) => {
      if (label === 0) return;
      const known = this.#voxels.get(label);
      if (known === undefined) this.#voxels.set(label, [voxel]);
      else known.push(voxel);
    });
  }

  /** [anterior, middle, posterior] height of a body, mm. */
  bodyHeights(vertebra: string, above: string, below: string): readonly [number, number, number] | undefined {
    const [own, upper, lower] = [vertebra, above, below].map((name) => this.cloud(`vertebralBody ${name}`));
    if (own === undefined) return undefined;
    // Along the column, not along the body's own moments: a crushed body is wider than high.
    const up = unit(minus((upper ?? own).centre, (lower ?? own).centre));
    const back = unit(cross([1, 0, 0], up).map((value) => -value) as unknown as Vector3);
    const slab = coordinates(own, [cross(back, up).map((value) => value) as unknown as Vector3, back, up]).filter(([x]) => Math.abs(x) < 2.5);
    return profile(slab, this.#voxelMm, [0.1, 0.5, 0.9]);
  }

  /** Of the sac in the plane of a disc, mm². */
  sacArea(disc: string): number | undefined {
    const cloud = this.cloud(`disc ${disc}`);
    if (cloud === undefined) return undefined;
    const normal = cloud.axes[2];
    const back = unit(minus([0, 1, 0], scaled(normal, normal[1])));
    const across = cross(back, normal);
    const step = 0.4;
    let count = 0;
    const wanted = new Set([this.#codes.get('csf')!, this.#codes.get('cord')!]);
    for (let v = 8; v < 55; v += step) {
      for (let u = -20; u < 20; u += step) {
        if (wanted.has(this.labelAt(plus(cloud.centre, plus(scaled(across, u), scaled(back, v)))))) count++;
      }
    }
    return count * step * step;
  }

  /**
   * Volumes of lesions in the part of a body that is clearly nearer to one of its discs than to the other, mm³ by code:
   * a large change of one endplate reaches past the middle.
   */
  lesionsTowards(lesions: Volume<Uint8Array>, vertebra: string, disc: string, otherDisc: string): Map<number, number> | undefined {
    const [towards, away] = [this.cloud(`disc ${disc}`), this.cloud(`disc ${otherDisc}`)];
    if (towards === undefined || away === undefined) return undefined;
    const { geometry } = this.#labels;
    const [columns, rows] = geometry.matrixSize;
    const volumes = new Map<number, number>();
    for (const voxel of this.#voxels.get(this.#codes.get(`vertebralBody ${vertebra}`)!) ?? []) {
      const code = lesions.data[voxel]!;
      if (code === 0) continue;
      const point = pointOf(geometry, [voxel % columns, Math.floor(voxel / columns) % rows, Math.floor(voxel / (columns * rows))]);
      const distance = ({ centre }: Cloud) => Math.hypot(point[0] - centre[0], point[1] - centre[1], point[2] - centre[2]);
      if (distance(towards) < 0.7 * distance(away)) volumes.set(code, (volumes.get(code) ?? 0) + this.#voxelMm ** 3);
    }
    return volumes;
  }

  /** Forwards slip of the upper body on the lower one as a share of the lower one's depth. */
  slipShare(upper: string, lower: string): number | undefined {
    const [above, below] = [this.cloud(`vertebralBody ${upper}`), this.cloud(`vertebralBody ${lower}`)];
    const disc = this.cloud(`disc ${upper}-${lower}`);
    if (above === undefined || below === undefined || disc === undefined) return undefined;
    const up = disc.axes[2][2] > 0 ? disc.axes[2] : scaled(disc.axes[2], -1);
    const back = unit(minus([0, 1, 0], scaled(up, up[1])));
    const nearUpper = coordinatesAt(above, disc.centre, [cross(back, up), back, up]).filter(([x]) => Math.abs(x) < 4);
    const nearLower = coordinatesAt(below, disc.centre, [cross(back, up), back, up]).filter(([x]) => Math.abs(x) < 4);
    if (nearUpper.length === 0 || nearLower.length === 0) return undefined;
    // Along the endplate below: a line through its highest voxels, the rims left out.
    const tops = new Map<number, number>();
    for (const [, y, z] of nearLower) tops.set(Math.round(y), Math.max(tops.get(Math.round(y)) ?? -Infinity, z));
    const inner = [...tops].sort((p, q) => p[0] - q[0]).slice(4, -4);
    const mean = (index: 0 | 1) => inner.reduce((sum, point) => sum + point[index], 0) / inner.length;
    const [y0, z0] = [mean(0), mean(1)];
    const slope = inner.reduce((sum, [y, z]) => sum + (y - y0) * (z - z0), 0) / inner.reduce((sum, [y]) => sum + (y - y0) ** 2, 0);
    const size = Math.hypot(1, slope);
    // Margins of the layer next to the disc.
    const rim = (points: readonly Vector3[], side: 1 | -1) => {
      const turned = points.map(([, y, z]) => [(y + slope * z) / size, (z - slope * y) / size] as const);
      const nearest = Math.min(...turned.map(([, z]) => side * z));
      const layer = turned.filter(([, z]) => side * z < nearest + 4).map(([y]) => y).sort((p, q) => p - q);
      return { back: layer[Math.floor(0.985 * layer.length)]!, front: layer[Math.floor(0.015 * layer.length)]! };
    };
    const [a, b] = [rim(nearUpper, 1), rim(nearLower, -1)];
    return (b.back - a.back) / (b.back - b.front);
  }

  /** Voxels of a code in another volume on the same grid, by what they lie in. */
  count(volume: Volume<Uint8Array>, code: number): { readonly voxels: number; readonly within: ReadonlyMap<number, number> } {
    const within = new Map<number, number>();
    let voxels = 0;
    volume.data.forEach((other, voxel) => {
      if (other !== code) return;
      voxels++;
      const label = this.#labels.data[voxel]!;
      within.set(label, (within.get(label) ?? 0) + 1);
    });
    return { voxels, within };
  }

  /** Mean of a map over the inner quarter of a disc's middle. */
  nucleusMean(map: Volume, disc: string): number | undefined {
    const cloud = this.cloud(`disc ${disc}`);
    if (cloud === undefined) return undefined;
    const up = cloud.axes[2];
    const back = unit(minus([0, 1, 0], scaled(up, up[1])));
    const points = coordinates(cloud, [cross(back, up), back, up]);
    const mid = points.filter(([x]) => Math.abs(x) < 3);
    const depths = mid.map(([, y]) => y).sort((a, b) => a - b);
    const [front, rear] = [depths[Math.floor(0.02 * depths.length)]!, depths[Math.floor(0.98 * depths.length)]!];
    let [sum, count] = [0, 0];
    for (const [x, y, z] of mid) {
      const share = (y - front) / (rear - front);
      if (share < 0.28 || share > 0.72) continue;
      const column = mid.filter((other) => Math.abs(other[1] - y) < 1).map((other) => other[2]);
      const [low, high] = [Math.min(...column), Math.max(...column)];
      if (Math.abs(z - (low + high) / 2) > 0.22 * (high - low)) continue;
      const [i, j, k] = voxelOf(map.geometry, plus(cloud.centre, plus(scaled(cross(back, up), x), plus(scaled(back, y), scaled(up, z))))).map(Math.round) as [number, number, number];
      const [columns, rows] = map.geometry.matrixSize;
      sum += map.data[(k * rows + j) * columns + i]!;
      count++;
    }
    return count === 0 ? undefined : sum / count;
  }

  /** Height of a disc in its middle over its depth. */
  discHeightOverDepth(disc: string): number | undefined {
    const cloud = this.cloud(`disc ${disc}`);
    if (cloud === undefined) return undefined;
    const up = cloud.axes[2];
    const back = unit(minus([0, 1, 0], scaled(up, up[1])));
    const slab = coordinates(cloud, [cross(back, up), back, up]).filter(([x]) => Math.abs(x) < 2.5);
    const heights = profile(slab, this.#voxelMm, [0.15, 0.85]);
    const depths = slab.map(([, y]) => y).sort((a, b) => a - b);
    return heights === undefined ? undefined : (heights[0]! + heights[1]!) / 2 / (depths[Math.floor(0.98 * depths.length)]! - depths[Math.floor(0.02 * depths.length)]!);
  }

  cloud(name: string): Cloud | undefined {
    const code = this.#codes.get(name);
    if (code === undefined) return undefined;
    if (!this.#clouds.has(code)) this.#clouds.set(code, this.#cloudOf(code));
    return this.#clouds.get(code);
  }

  #cloudOf(code: number): Cloud | undefined {
    const { geometry } = this.#labels;
    const [columns, rows] = geometry.matrixSize;
    const voxels = this.#voxels.get(code) ?? [];
    if (voxels.length < 100) return undefined;
    const points = new Float64Array(3 * voxels.length);
    const sum = [0, 0, 0];
    // One affine, three steps: pointOf for each voxel would be slow.
    const [first, alongColumn, alongRow, alongSlice] = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]].map((voxel) => pointOf(geometry, voxel as unknown as Vector3)) as [Vector3, Vector3, Vector3, Vector3];
    const [dc, dr, ds] = [minus(alongColumn, first), minus(alongRow, first), minus(alongSlice, first)];
    voxels.forEach((voxel, n) => {
      const [i, j, k] = [voxel % columns, Math.floor(voxel / columns) % rows, Math.floor(voxel / (columns * rows))];
      for (let axis = 0; axis < 3; axis++) {
        const value = first[axis]! + i * dc[axis]! + j * dr[axis]! + k * ds[axis]!;
        points[3 * n + axis] = value;
        sum[axis]! += value;
      }
    });
    const centre = sum.map((value) => value / voxels.length) as unknown as Vector3;
    return { points, centre, axes: principalAxes(points, centre) };
  }

  labelAt(point: Vector3): number {
    const { geometry, data } = this.#labels;
    const [i, j, k] = voxelOf(geometry, point).map(Math.round) as [number, number, number];
    const [columns, rows, slices] = geometry.matrixSize;
    return i < 0 || j < 0 || k < 0 || i >= columns || j >= rows || k >= slices ? 0 : data[(k * rows + j) * columns + i]!;
  }
}

/** Extents along z of points in columns at shares of their extent along y. */
function profile(points: readonly Vector3[], voxelMm: number, shares: readonly number[]): readonly [number, number, number] | undefined {
  if (points.length < 50) return undefined;
  const y = points.map((point) => point[1]).sort((a, b) => a - b);
  const [front, back] = [y[Math.floor(0.01 * y.length)]!, y[Math.floor(0.99 * y.length)]!];
  return shares.map((share) => {
    const at = front + share * (back - front);
    const z = points.filter((point) => Math.abs(point[1] - at) < 1).map((point) => point[2]).sort((a, b) => a - b);
    // The steps of slanting faces cost about as much as the voxel adds.
    return z[Math.floor(0.97 * z.length)]! - z[Math.floor(0.03 * z.length)]! + voxelMm + 0.03 * z[z.length - 1]! - 0.03 * z[0]!;
  }) as unknown as readonly [number, number, number];
}

function coordinates(cloud: Cloud, axes: readonly [Vector3, Vector3, Vector3]): Vector3[] {
  return coordinatesAt(cloud, cloud.centre, axes);
}

function coordinatesAt({ points }: Cloud, origin: Vector3, axes: readonly [Vector3, Vector3, Vector3]): Vector3[] {
  return Array.from({ length: points.length / 3 }, (_, n): Vector3 => {
    const way: Vector3 = [points[3 * n]! - origin[0], points[3 * n + 1]! - origin[1], points[3 * n + 2]! - origin[2]];
    return [dot(way, axes[0]), dot(way, axes[1]), dot(way, axes[2])];
  });
}

/** Jacobi rotations of the second moments. */
function principalAxes(points: Float64Array, centre: Vector3): readonly [Vector3, Vector3, Vector3] {
  const m = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  for (let n = 0; n < points.length; n += 3) {
    for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) m[a]![b]! += (points[n + a]! - centre[a]!) * (points[n + b]! - centre[b]!);
  }
  const v = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  for (let sweep = 0; sweep < 30; sweep++) {
    for (const [p, q] of [[0, 1], [0, 2], [1, 2]] as const) {
      if (Math.abs(m[p]![q]!) < 1e-9) continue;
      const theta = 0.5 * Math.atan2(2 * m[p]![q]!, m[q]![q]! - m[p]![p]!);
      const [c, s] = [Math.cos(theta), Math.sin(theta)];
      for (const rows of [m, v]) {
        for (const row of rows) [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!];
      }
      const [rp, rq] = [[...m[p]!], [...m[q]!]];
      for (let k = 0; k < 3; k++) {
        m[p]![k] = c * rp[k]! - s * rq[k]!;
        m[q]![k] = s * rp[k]! + c * rq[k]!;
      }
    }
  }
  const order = [0, 1, 2].sort((a, b) => m[b]![b]! - m[a]![a]!);
  return order.map((axis): Vector3 => [v[0]![axis]!, v[1]![axis]!, v[2]![axis]!]) as unknown as readonly [Vector3, Vector3, Vector3];
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function minus(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function plus(a: Vector3, b: Vector3): Vector3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

function scaled(a: Vector3, by: number): Vector3 {
  return [by * a[0], by * a[1], by * a[2]];
}

function unit(a: Vector3): Vector3 {
  return scaled(a, 1 / Math.hypot(...a));
}
