/**
 * The course of the column: a smooth curve through bodies and discs.
 *
 *   c(z) = Σ_b g(z - z_b) n_b m_b / Σ_b g(z - z_b) n_b
 *
 * over layers b of 4 mm, with the mean m_b of their n_b points and a Gaussian g. A person who lies in the scanner has each height
 * once, so that z tells the place. Below and above, the curve goes on straight.
 */
import { moved, unit, type Place } from '../geometry.js';
import type { Region } from './regions.js';

const layerMm = 4;
const smoothMm = 9;
/** From which the direction of the ends is told. */
const endMm = 24;

export interface Column {
  readonly topMm: number;
  readonly bottomMm: number;
  readonly at: (zMm: number) => Place;
  /** Towards the head. */
  readonly direction: (zMm: number) => Place;
  /** From the curve, along its normal plane as far as that is horizontal. */
  readonly awayMm: (x: number, y: number, z: number) => number;
}

/** @returns undefined where there are too few points */
export function columnOf(regions: readonly Region[]): Column | undefined {
  const largest = Math.max(0, ...regions.map(({ volumeMm3 }) => volumeMm3));
  const main = regions.filter(({ volumeMm3 }) => volumeMm3 > 0.08 * largest);
  const rough = curveOf(main, () => true);
  // Once more without what lies off it.
  return rough && curveOf(main, (x, y, z) => rough.awayMm(x, y, z) < 32);
}

function curveOf(regions: readonly Region[], isIn: (x: number, y: number, z: number) => boolean): Column | undefined {
  const layers = new Map<number, { weight: number; x: number; y: number; z: number }>();
  for (const { points, pointMm3 } of regions) {
    for (let at = 0; at < points.length; at += 3) {
      const [x, y, z] = [points[at]!, points[at + 1]!, points[at + 2]!];
      if (!isIn(x, y, z)) continue;
      const key = Math.floor(z / layerMm);
      const layer = layers.get(key) ?? { weight: 0, x: 0, y: 0, z: 0 };
      layer.weight += pointMm3;
      layer.x += pointMm3 * x;
      layer.y += pointMm3 * y;
      layer.z += pointMm3 * z;
      layers.set(key, layer);
    }
  }
  if (layers.size < 4) return undefined;
  const nodes = [...layers.values()].map(({ weight, x, y, z }) => ({ weight, x: x / weight, y: y / weight, z: z / weight }));
  const heights = nodes.map(({ z }) => z);
  const [bottomMm, topMm] = [Math.min(...heights), Math.max(...heights)];
  const smooth = (zMm: number): Place => {
    let [sum, x, y, z] = [0, 0, 0, 0];
    for (const node of nodes) {
      const g = node.weight * Math.exp(-0.5 * ((zMm - node.z) / smoothMm) ** 2) + 1e-12;
      sum += g;
      x += g * node.x;
      y += g * node.y;
      z += g * node.z;
    }
    return [x / sum, y / sum, z / sum];
  };
  const end = Math.min(endMm, (topMm - bottomMm) / 2);
  const slope = (from: number, to: number): Place => {
    const [a, b] = [smooth(from), smooth(to)];
    return unit([b[0] - a[0], b[1] - a[1], Math.max(1e-3, b[2] - a[2])]);
  };
  const [lowest, highest] = [slope(bottomMm, bottomMm + end), slope(topMm - end, topMm)];
  const at = (zMm: number): Place => {
    const held = Math.max(bottomMm + end / 2, Math.min(topMm - end / 2, zMm));
    const [x, y, z] = smooth(held);
    const direction = held === zMm ? slope(held - end / 3, held + end / 3) : held < zMm ? highest : lowest;
    return moved([x, y, z], [(zMm - z) / direction[2], direction]);
  };
  const direction = (zMm: number) => (zMm < bottomMm + end / 2 ? lowest : zMm > topMm - end / 2 ? highest : slope(zMm - end / 2, zMm + end / 2));
  // Asked for every point: from a table.
  const table = Array.from({ length: Math.ceil((topMm - bottomMm + 400) / 2) }, (_, index) => at(bottomMm - 200 + 2 * index));
  const awayMm = (x: number, y: number, z: number) => {
    const [cx, cy] = table[Math.max(0, Math.min(table.length - 1, Math.round((z - bottomMm + 200) / 2)))]!;
    return Math.hypot(x - cx, y - cy);
  };
  return { topMm, bottomMm, at, direction, awayMm };
}
