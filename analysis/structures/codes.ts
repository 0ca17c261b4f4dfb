/**
 * Codes of anatomy.ts on a stack, run by run: class and place tell the code.
 *
 *   body       the vertebra below as many discs as have the point under them
 *   disc       the nearest disc along its axis
 *   arch       grown from the pedicles through the bone of the arches (arches.ts)
 *   foramen    the segment whose foramen, over the disc's plane, is nearest; side by x
 *   facet      the nearest disc; side by x
 *   sacrum     S1 within its body, else sacrum; above S1's endplate, vertebra
 *
 * What fits nowhere is background with no confidence: sac off the tube, islands of bone and disc off the column.
 */
import { volumeOf } from '../../imaging/index.js';
import { bodyCode, discCode, facetCode, foramenCode, structureCodes } from '../anatomy.js';
import { latticeOf } from '../geometry.js';
import { classIndex } from '../segment/index.js';
import type { Frame, LabelledStack } from '../types.js';
import type { Canal } from './canal.js';
import type { Column } from './column.js';
import type { Disc } from './discs.js';
import type { Stack } from './regions.js';
import { nDiscsAbove, type Body } from './vertebrae.js';

export interface Levels {
  /** From head to foot; a name of '' is not told. */
  readonly bodies: readonly (Body & { readonly name: string })[];
  /** One fewer than bodies. */
  readonly discs: readonly (Disc & { readonly name: string })[];
  readonly hasSacrum: boolean;
  readonly column: Column;
  readonly canal: Canal;
}

/** Middle of the foramen over the plane of the disc. */
const foramenOverDiscMm = 4;
/** From the column's middle: farther bone and disc is none. */
const farMm = 34;
const smallMm3 = 150;
/** S1's body is narrower at its lower end by this share. */
const taper = 0.33;

export function codesOf({ labelled, runs, regions }: Stack, levels: Levels, arches: (point: number) => number): Pick<LabelledStack, 'codes' | 'confidence'> {
  const { classes: { geometry, data } } = labelled;
  const [columns, rows] = geometry.matrixSize;
  const codes = new Uint16Array(data.length);
  const confidence = labelled.confidence.slice();
  const codeAt = coder(levels);
  const isOff = regions.map((region) => isIsland(region, levels));
  const { origin, across, down, on } = latticeOf(geometry);
  for (let run = 0; run < runs.n; run++) {
    const line = runs.line[run]!;
    const row = line % rows;
    const slice = (line - row) / rows;
    const structure = runs.structure[run]!;
    const [x0, y0, z0] = [0, 1, 2].map((axis) => origin[axis]! + row * down[axis]! + slice * on[axis]!) as [number, number, number];
    for (let column = runs.first[run]!, at = line * columns + column; column < runs.end[run]!; column++, at++) {
      const code = isOff[runs.region[run]!] === true ? 0
        : structure === classIndex.posteriorElements ? arches(at)
          : codeAt(structure, x0 + column * across[0], y0 + column * across[1], z0 + column * across[2]);
      codes[at] = code;
      if (code === 0) confidence[at] = 0;
    }
  }
  return { codes: volumeOf(geometry, codes), confidence };
}

/** Small regions of bodies and discs whose middle is far from the column. */
function isIsland({ structure, points, volumeMm3 }: Stack['regions'][number], { column }: Levels): boolean {
  if (structure !== classIndex.vertebralBody && structure !== classIndex.disc) return false;
  if (points.length === 0) return volumeMm3 < smallMm3;
  const n = points.length / 3;
  let sum = 0;
  for (let at = 0; at < points.length; at += 3) sum += column.awayMm(points[at]!, points[at + 1]!, points[at + 2]!);
  return sum / n > farMm;
}

type CodeAt = (structure: number, x: number, y: number, z: number) => number;

function coder({ bodies, discs, hasSacrum, canal }: Levels): CodeAt {
  const ofBodies = bodies.map(({ name }) => (name === '' ? 0 : bodyCode(name)));
  const along = (frame: Frame, axis: 'x' | 'y' | 'z', x: number, y: number, z: number) => {
    const direction = frame[axis];
    return (x - frame.originMm[0]) * direction[0] + (y - frame.originMm[1]) * direction[1] + (z - frame.originMm[2]) * direction[2];
  };
  const nearestDisc = (x: number, y: number, z: number, over: number) => {
    let best = -1;
    let least = Infinity;
    for (let place = 0; place < discs.length; place++) {
      const away = Math.abs(along(discs[place]!.frame, 'z', x, y, z) - over);
      if (away < least) {
        best = place;
        least = away;
      }
    }
    return { place: best, away: least };
  };
  /** Half of the distance to the next vertebra: what is farther from every disc is beyond the first or last one. */
  const reach = discs.map((_, place) => (bodies[place]!.heightMm + bodies[place + 1]!.heightMm) / 2);
  const last = bodies[bodies.length - 1]!;
  const isInS1 = (x: number, y: number, z: number) => {
    const w = along(last.frame, 'z', x, y, z) + last.heightMm / 2;
    const narrower = 1 - taper * Math.max(0, 1 - w / last.heightMm);
    return w >= -1 && Math.abs(along(last.frame, 'x', x, y, z)) <= narrower * last.halfWidthMm + 1 && Math.abs(along(last.frame, 'y', x, y, z)) <= last.halfDepthMm + 5;
  };
  const bone = (x: number, y: number, z: number, isSacrum: boolean) => {
    const place = nDiscsAbove(discs, x, y, z);
    if (hasSacrum && place === bodies.length - 1) return isInS1(x, y, z) ? ofBodies[place]! : structureCodes.sacrum;
    const { frame, halfWidthMm, halfDepthMm } = bodies[place]!;
    const isOnBody = Math.abs(along(frame, 'x', x, y, z)) <= 1.15 * halfWidthMm + 2 && Math.abs(along(frame, 'y', x, y, z)) <= 1.2 * halfDepthMm + 3;
    if (isSacrum && !isOnBody) return structureCodes.sacrum;
    return ofBodies[place]!;
  };
  const sided = (x: number, y: number, z: number, over: number, code: typeof facetCode) => {
    const { place, away } = nearestDisc(x, y, z, over);
    if (place < 0 || away > reach[place]! || discs[place]!.name === '') return 0;
    return code(discs[place]!.name, along(discs[place]!.frame, 'x', x, y, z) > 0 ? 'left' : 'right');
  };
  return (structure, x, y, z) => {
    switch (structure) {
      case classIndex.vertebralBody: return bone(x, y, z, false);
      case classIndex.sacrum: return bone(x, y, z, true);
      case classIndex.disc: {
        const { place, away } = nearestDisc(x, y, z, 0);
        if (place < 0 || away > reach[place]! * 0.75) return hasSacrum && along(last.frame, 'z', x, y, z) < 0 ? structureCodes.sacrum : 0;
        return discs[place]!.name === '' ? 0 : discCode(discs[place]!.name);
      }
      case classIndex.foramen: return sided(x, y, z, foramenOverDiscMm, foramenCode);
      case classIndex.facetJoint: return sided(x, y, z, 0, facetCode);
      case classIndex.sac: return canal.holds(x, y, z) ? structureCodes.sac : 0;
      case classIndex.cord: return canal.holds(x, y, z) ? structureCodes.cord : 0;
      case classIndex.epiduralFat: return structureCodes.epiduralFat;
      case classIndex.ligamentumFlavum: return structureCodes.ligamentumFlavum;
      case classIndex.otherBone: return structureCodes.otherBone;
      default: return 0;
    }
  };
}

/** How far bone of an arch is from where that of this body would be: it hangs below the body's middle, the lower the farther behind; heights of the body. */
export function archAway({ frame, heightMm, halfDepthMm }: Body, x: number, y: number, z: number): number {
  const u = x - frame.originMm[0];
  const v = y - frame.originMm[1];
  const w = z - frame.originMm[2];
  const behind = u * frame.y[0] + v * frame.y[1] + w * frame.y[2] - halfDepthMm;
  const over = u * frame.z[0] + v * frame.z[1] + w * frame.z[2];
  return Math.abs(over / heightMm + Math.min(0.6, 0.012 * Math.max(0, behind)));
}
