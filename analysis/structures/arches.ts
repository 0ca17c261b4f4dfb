/**
 * Which vertebra the bone of an arch belongs to.
 *
 * Dijkstra's distance through posterior elements, from the pedicles (bone behind the upper half of a body) on: joints are closed
 * to it, so that articular processes that lie against each other belong to their own vertebrae. In the plane a step costs its
 * length, from slice to slice the slices' distance. Where no pedicle reaches, or one that is too far to be believed (arches run
together where joints are not seen), the place alone tells.
 */
import { voxelSizeMm } from '../../imaging/index.js';
import { archCode, structureCodes } from '../anatomy.js';
import { intoFrame, latticeOf, moved, type Place } from '../geometry.js';
import { classIndex } from '../segment/index.js';
import { archAway, type Levels } from './codes.js';
import type { Stack } from './regions.js';

/** Cells of 4 x 4 fine pixels: the processes are wider. */
const cell = 4;
const costUnitMm = 0.4;
/** Farther from its pedicle no bone of a vertebra is. */
const mostMm = 75;
/** What a pedicle's reach counts against the place, heights of a body. */
const trust = 0.4;

/** @returns the code of a pixel of posterior elements by its index in the stack */
export function archesOf({ labelled: { classes: { geometry, data } } }: Stack, levels: Levels): (pixel: number) => number {
  const [columns, rows, slices] = geometry.matrixSize;
  const [columnMm, , sliceMm] = voxelSizeMm(geometry);
  const [cellColumns, cellRows] = [Math.ceil(columns / cell), Math.ceil(rows / cell)];
  const plane = cellColumns * cellRows;
  const isBone = new Uint8Array(plane * slices);
  for (let slice = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0, at = (slice * rows + row) * columns; column < columns; column++, at++) {
        if (data[at] === classIndex.posteriorElements) isBone[slice * plane + Math.floor(row / cell) * cellColumns + Math.floor(column / cell)]!++;
      }
    }
  }
  const { origin, across, down, on } = latticeOf(geometry);
  const placeOf = (column: number, row: number, slice: number): Place => moved(origin, [column, across], [row, down], [slice, on]);
  const owner = new Uint16Array(plane * slices);
  const costs = new Uint16Array(plane * slices).fill(0xffff);
  const buckets: number[][] = [[]];
  const middle = (cell - 1) / 2;
  const codes = levels.bodies.map(({ name }) => (name === '' ? 0 : name === 'S1' ? structureCodes.sacrum : archCode(name)));
  for (let at = 0; at < isBone.length; at++) {
    if (isBone[at]! < cell) continue;
    const slice = Math.floor(at / plane);
    const point = placeOf((at % cellColumns) * cell + middle, Math.floor((at % plane) / cellColumns) * cell + middle, slice);
    for (const [place, { name, frame, heightMm, halfWidthMm, halfDepthMm }] of levels.bodies.entries()) {
      if (name === '' || name === 'S1') continue;
      const [u, v, w] = intoFrame(frame, point);
      if (w < -0.12 * heightMm || w > 0.45 * heightMm || v < halfDepthMm - 6 || v > halfDepthMm + 6 || Math.abs(u) > halfWidthMm + 4) continue;
      owner[at] = 1 + place;
      costs[at] = 0;
      buckets[0]!.push(at);
    }
  }
  const side = Math.round((cell * columnMm) / costUnitMm);
  const steps = [[1, side], [-1, side], [cellColumns, side], [-cellColumns, side], [plane, Math.round(sliceMm / costUnitMm)], [-plane, Math.round(sliceMm / costUnitMm)]] as const;
  const most = Math.round(mostMm / costUnitMm);
  for (let cost = 0; cost < buckets.length; cost++) {
    for (const at of buckets[cost] ?? []) {
      if (costs[at] !== cost) continue;
      for (const [by, more] of steps) {
        const next = at + by;
        const onward = cost + more;
        if (next < 0 || next >= isBone.length || isBone[next]! < cell || costs[next]! <= onward || onward > most) continue;
        costs[next] = onward;
        owner[next] = owner[at]!;
        (buckets[onward] ??= []).push(next);
      }
    }
  }
  return (pixel) => {
    const column = pixel % columns;
    const line = Math.floor(pixel / columns);
    const row = line % rows;
    const slice = Math.floor(line / rows);
    const own = owner[slice * plane + Math.floor(row / cell) * cellColumns + Math.floor(column / cell)]! - 1;
    const [x, y, z] = placeOf(column, row, slice);
    let best = -1;
    let least = Infinity;
    for (let place = 0; place < levels.bodies.length; place++) {
      const away = archAway(levels.bodies[place]!, x, y, z) - (place === own ? trust : 0);
      if (away < least) {
        best = place;
        least = away;
      }
    }
    return codes[best]!;
  };
}
