/**
 * The levels of stacks: column, discs, vertebrae, names. Refuses what is no column of vertebrae.
 */
import { voxelSizeMm } from '../../imaging/index.js';
import { analysisError } from '../errors.js';
import { classIndex } from '../segment/index.js';
import type { Numbering } from '../types.js';
import { canalOf, type Canal } from './canal.js';
import type { Levels } from './codes.js';
import { columnOf } from './column.js';
import { discsOf } from './discs.js';
import { medianOf } from './fit.js';
import { namesOf } from './levels.js';
import type { Region, Stack } from './regions.js';
import { ribsOf } from './ribs.js';
import { vertebraeOf, type Body } from './vertebrae.js';

/** Of bodies, from vertebra plana's rims to a large man's L5. */
export const heightRangeMm = [8, 60] as const;

/** @throws CodedError ANALYSIS_ERR_NO_SPINE, ANALYSIS_ERR_IMPLAUSIBLE */
export function locate(stacks: readonly Stack[], isAxialAlone: boolean): { levels: Levels; numbering: Numbering } {
  const regions = stacks.flatMap((stack) => stack.regions);
  const of = (...structures: number[]) => regions.filter(({ structure, points }) => points.length > 0 && structures.includes(structure));
  const { vertebralBody, disc, sacrum, sac, cord } = classIndex;
  const column = columnOf(of(vertebralBody, disc));
  if (column === undefined) throw analysisError('ANALYSIS_ERR_NO_SPINE', 'next to no vertebral body or disc');
  const binMm = isAxialAlone ? 1 : Math.max(...stacks.map(({ labelled: { classes: { geometry } } }) => voxelSizeMm(geometry)[2]));
  const discs = discsOf(of(disc), of(vertebralBody), column, binMm);
  const canal = canalOf(regions, column);
  const found = discs.length === 0 ? undefined : vertebraeOf(discs, of(vertebralBody, sacrum), of(sac, cord).filter((region) => holdsMost(canal, region)), binMm);
  if (found === undefined) throw analysisError('ANALYSIS_ERR_NO_SPINE', `${discs.length} discs`);
  refuseImplausible(found.bodies, found.discs.filter(({ isMissing }) => isMissing).length);
  const { names, numbering } = namesOf(found, { ribs: ribsOf(found.bodies, stacks), conus: conusOf(found.bodies, canal, column.topMm) });
  const bodies = found.bodies.map((body, place) => ({ ...body, name: isAxialAlone && !found.hasSacrum ? '' : names[place]! }));
  const named = found.discs.map((one, place) => {
    const [upper, lower] = [bodies[place]!.name, bodies[place + 1]!.name];
    return { ...one, name: upper === '' || lower === '' ? '' : `${upper}-${lower}` };
  });
  return {
    levels: { bodies, discs: named, hasSacrum: found.hasSacrum, column, canal },
    numbering: isAxialAlone
      ? { certain: false, reasons: [found.hasSacrum ? 'axial slices alone, counted upwards from the sacrum' : 'axial slices alone, without the sacrum: levels have no names'] }
      : numbering,
  };
}

function holdsMost(canal: Canal, { points }: Region): boolean {
  let [n, held] = [0, 0];
  for (let at = 0; at < points.length; at += 30) {
    n++;
    if (canal.holds(points[at]!, points[at + 1]!, points[at + 2]!)) held++;
  }
  return held > n / 2;
}

/** Where the cord ends, in places of bodies, if it comes from above and ends within what is seen. */
function conusOf(bodies: readonly Body[], { cordMm }: Canal, topMm: number): number | undefined {
  if (cordMm === undefined || cordMm[1] < topMm - 40) return undefined;
  const heights = bodies.map(({ frame }) => frame.originMm[2]);
  const place = heights.findLastIndex((zMm) => zMm > cordMm[0]);
  if (place < 0 || place >= bodies.length - 2) return undefined;
  return place + (heights[place]! - cordMm[0]) / (heights[place]! - heights[place + 1]!);
}

function refuseImplausible(bodies: readonly Body[], nMissing: number): void {
  const heights = bodies.filter(({ isMissing }) => !isMissing).map(({ heightMm }) => heightMm);
  const median = medianOf(heights);
  const got = heights.length < 2 ? `${heights.length} bodies`
    : median < heightRangeMm[0] || median > heightRangeMm[1] ? `bodies that are ${median.toFixed(0)} mm high`
      : nMissing > bodies.length / 3 ? `${nMissing} of ${bodies.length - 1} discs not seen` : undefined;
  if (got !== undefined) throw analysisError('ANALYSIS_ERR_IMPLAUSIBLE', got);
}
