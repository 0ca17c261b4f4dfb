/**
 * Sac and cord form one tube behind the column. What the network takes for sac elsewhere (vessels, cysts, another canal beside
 * the midline) does not continue it.
 *
 * The tube's middle is the smooth curve (column.ts) through the regions of sac and cord that lie behind the column; a region
 * belongs to it where its points do, and of a region that belongs only the points near the curve do.
 */
import { classIndex } from '../segment/index.js';
import { columnOf, type Column } from './column.js';
import type { Region } from './regions.js';

/** Behind the middle of the bodies, and beside it. */
const behindMm = [6, 50] as const;
const besideMm = 20;
/** From the tube's middle: the widest sac with its root sleeves has half as much. */
const mostAwayMm = 17;

export interface Canal {
  /** Whether a place labelled sac or cord is of it. */
  readonly holds: (x: number, y: number, z: number) => boolean;
  /** Lowest and highest z of the cord, undefined where there is none. */
  readonly cordMm: readonly [number, number] | undefined;
}

export function canalOf(regions: readonly Region[], column: Column): Canal {
  const isBehind = ({ points }: Region) => {
    let [n, beside, behind] = [0, 0, 0];
    for (let at = 0; at < points.length; at += 3) {
      const [cx, cy] = column.at(points[at + 2]!);
      n++;
      beside += points[at]! - cx;
      behind += points[at + 1]! - cy;
    }
    return n > 0 && Math.abs(beside / n) < besideMm && behind / n > behindMm[0] && behind / n < behindMm[1];
  };
  const own = regions.filter(({ structure, volumeMm3 }) => (structure === classIndex.sac || structure === classIndex.cord) && volumeMm3 > 30);
  const behind = own.filter(({ points, volumeMm3, ...rest }) => isBehind({ points: points.length > 3000 ? thinned(points) : points, volumeMm3, ...rest }));
  const tube = columnOf(behind);
  const cord = behind.filter(({ structure }) => structure === classIndex.cord);
  const heights = cord.filter(({ volumeMm3 }) => volumeMm3 > 0.1 * Math.max(...cord.map((one) => one.volumeMm3))).flatMap(({ points }) => [...points].filter((_, at) => at % 3 === 2));
  return {
    holds: (x, y, z) => tube === undefined || tube.awayMm(x, y, z) < mostAwayMm,
    cordMm: heights.length === 0 ? undefined : [heights.reduce((a, b) => Math.min(a, b)), heights.reduce((a, b) => Math.max(a, b))],
  };
}

/** Every tenth point. */
function thinned(points: Float32Array): Float32Array {
  return points.filter((_, at) => Math.floor(at / 3) % 10 === 0);
}
