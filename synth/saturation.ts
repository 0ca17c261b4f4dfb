/**
 * A saturation band in T1w and T2w, and what it leaves of the signal: spine examinations have one before the vertebrae, against
 * what moves there. It takes its share of every tissue, in both images and all slices alike, behind a straight edge:
 *
 *   gain(d) = 1 - e rise((d - c) / w),   rise: 0 to 1 about zero over the width 1, t^2 (3 - 2t)
 *
 * with d the distance along columns or rows, tilted by up to 20 degrees. The field of the coils varies slowly (shading.ts) and cannot
 * follow such an edge: what lies beside it came out far too bright, and T1w and T2w did not fit together there.
 *
 * 1. g = 1/2 ln T1w + 1/2 ln T2w, medians over short pieces of lines along the edge; in every other slice.
 * 2. Of each place and tilt: by how much g falls from 5 to 15 mm before to as far behind, piece by piece. An edge of anatomy is curved,
 *    and lies elsewhere in other slices: a band is where g falls by 1 at least in the median, and by more than half of that
 *    in most pieces.
 * 3. e: by how much the brightest tenth falls, fat, which is on both sides, from 5 to 12 mm and from 13 to 20 mm, and from there to no
 *    distance: the field of the coils changes with it.
 * 4. c and w from the median of all pieces' profiles across the edge, by least squares on a lattice.
 * 5. A band has two edges: the same again without the first one.
 */
import { medianOf, percentileAmong, ranked } from '../imaging/index.js';

/** Of the 90th percentile: what counts as signal. */
const signalPart = 0.02;
const nPieces = 12;
/** Every so many pixels along the edge, and across it, and slices. */
const stepAlong = 3;
const stepAcross = 2;
const stepSlices = 2;
const tiltsDeg = [-20, -16, -12, -8, -4, 0, 4, 8, 12, 16, 20];
/** Between these distances from the edge its two sides are compared. */
const sideMm = [5, 15] as const;
/** Of pieces, those that have signal on both sides, and those of which fall by more than half of the median. */
const leastSeen = 0.5;
const leastAlike = 0.7;
/** Of painted spines without a band nothing falls by more than 0.7. */
const leastFall = 1;
/** Where the fall of fat is asked, and the percentile of it. */
const fatMm = [[5, 12], [13, 20]] as const;
const fatPercent = 90;
const mostEfficiency = 0.95;
const profileMm = 20;
const widthsMm = [4, 6, 8, 10, 12, 15];
const mostEdges = 2;

/** Of a stack: what is left behind an edge. */
export interface SaturationEdge {
  /** The normal of the edge, from what has its signal to what has not: columns grow along u, rows along v. */
  readonly normal: readonly [u: number, v: number];
  /** (column - middle) u + (row - middle) v at the middle of the edge, mm. */
  readonly placeMm: number;
  readonly widthMm: number;
  /** What is taken, 0 to 1. */
  readonly efficiency: number;
}

/** Of slices with square pixels. */
export interface Stack {
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  readonly pixelMm: number;
}

/** @param t1w, t2w [slice, row, column], registered, not negative */
export function findSaturation(t1w: Float32Array, t2w: Float32Array, stack: Stack): SaturationEdge[] {
  const high = [highOf(t1w), highOf(t2w)] as const;
  const edges: SaturationEdge[] = [];
  const scans = ([0, 1] as const).map((axis) => linesAcross(t1w, t2w, high, stack, axis));
  while (edges.length < mostEdges) {
    const found = scans.map((scan) => sharpestEdge(scan)).filter((edge) => edge !== undefined).sort((a, b) => b.fall - a.fall)[0];
    if (found === undefined) break;
    const edge = fittedEdge(found);
    if (edge === undefined) break;
    edges.push(edge);
    for (const scan of scans) takeOff(edge, scan);
  }
  return edges;
}

/** The 90th percentile of what is above 0, of every 31st pixel; 1 where nothing is. */
function highOf(image: Float32Array): number {
  const some = image.filter((value, pixel) => pixel % 31 === 0 && value > 0);
  return some.length > 0 ? percentileAmong(some, 90) : 1;
}

/** What all of them leave of the signal, [row, column]. */
export function saturationGains(edges: readonly SaturationEdge[], { rows, columns, pixelMm }: Omit<Stack, 'slices'>): Float32Array<ArrayBuffer> {
  const gains = new Float32Array(rows * columns).fill(1);
  for (const edge of edges) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        gains[row * columns + column]! *= gainAt(edge, (column - (columns - 1) / 2) * pixelMm, (row - (rows - 1) / 2) * pixelMm);
      }
    }
  }
  return gains;
}

function gainAt({ normal, placeMm, widthMm, efficiency }: SaturationEdge, uMm: number, vMm: number): number {
  const t = Math.min(1, Math.max(0, (uMm * normal[0] + vMm * normal[1] - placeMm) / widthMm + 0.5));
  return 1 - efficiency * t * t * (3 - 2 * t);
}

/** Medians of g along an axis, of pieces of lines across it. */
interface Scan {
  /** 0: across columns, 1: across rows. */
  readonly axis: 0 | 1;
  /** [slice, piece, place]; NaN where there is too little signal. */
  readonly values: Float32Array;
  readonly nPlaces: number;
  /** From the middle of the image, mm. */
  readonly firstMm: number;
  readonly stepMm: number;
  /** Middle of each piece, from the middle of the image along the other axis, mm. */
  readonly pieceMm: readonly number[];
}

function linesAcross(t1w: Float32Array, t2w: Float32Array, high: readonly [number, number], { slices, rows, columns, pixelMm }: Stack, axis: 0 | 1): Scan {
  const [across, along] = axis === 0 ? [columns, rows] : [rows, columns];
  const [strideAcross, strideAlong] = axis === 0 ? [1, columns] : [columns, 1];
  const nPlaces = Math.ceil(across / stepAcross);
  const used = Array.from({ length: Math.ceil(slices / stepSlices) }, (_, k) => k * stepSlices);
  const ends = Array.from({ length: nPieces + 1 }, (_, piece) => Math.round((piece * along) / nPieces));
  const values = new Float32Array(used.length * nPieces * nPlaces).fill(NaN);
  const inPiece = new Float64Array(along);
  let at = 0;
  for (const slice of used) {
    for (let piece = 0; piece < nPieces; piece++) {
      for (let place = 0; place < nPlaces; place++, at++) {
        let [n, nAsked] = [0, 0];
        for (let line = ends[piece]!; line < ends[piece + 1]!; line += stepAlong) {
          const pixel = slice * rows * columns + line * strideAlong + place * stepAcross * strideAcross;
          nAsked++;
          const [first, second] = [t1w[pixel]! / high[0], t2w[pixel]! / high[1]];
          if (first > signalPart && second > signalPart) inPiece[n++] = Math.log(first * second) / 2;
        }
        if (n >= nAsked / 2) values[at] = ranked(inPiece.subarray(0, n), n >> 1);
      }
    }
  }
  return {
    axis, values, nPlaces, firstMm: -((across - 1) / 2) * pixelMm, stepMm: stepAcross * pixelMm,
    pieceMm: Array.from({ length: nPieces }, (_, piece) => ((ends[piece]! + ends[piece + 1]! - 1) / 2 - (along - 1) / 2) * pixelMm),
  };
}

interface FoundEdge {
  readonly scan: Scan;
  /** Where it crosses the middle of the image, and how that changes along it. */
  readonly middleMm: number;
  readonly slope: number;
  /** 1: signal falls with growing place; -1: it rises. */
  readonly sign: 1 | -1;
  readonly fall: number;
}

function sharpestEdge(scan: Scan): FoundEdge | undefined {
  const { values, nPlaces, stepMm, firstMm, pieceMm } = scan;
  const nLines = values.length / nPlaces;
  const [near, far] = sideMm.map((mm) => Math.max(1, Math.round(mm / stepMm))) as [number, number];
  // By how much each piece falls at each place.
  const falls = new Float32Array(values.length).fill(NaN);
  for (let line = 0; line < nLines; line++) {
    for (let place = far; place < nPlaces - far; place++) {
      let [before, behind] = [0, 0];
      for (let distance = near; distance <= far; distance++) {
        before += values[line * nPlaces + place - distance]!;
        behind += values[line * nPlaces + place + distance]!;
      }
      falls[line * nPlaces + place] = (before - behind) / (far - near + 1);
    }
  }
  let best: FoundEdge | undefined;
  const seen = new Float64Array(nLines);
  for (const tiltDeg of tiltsDeg) {
    const slope = Math.tan((tiltDeg * Math.PI) / 180);
    const offsets = pieceMm.map((mm) => Math.round((slope * mm) / stepMm));
    for (let place = far; place < nPlaces - far; place++) {
      let [n, sum] = [0, 0];
      for (let line = 0; line < nLines; line++) {
        const its = place + offsets[line % nPieces]!;
        const fall = its >= 0 && its < nPlaces ? falls[line * nPlaces + its]! : NaN;
        if (Number.isNaN(fall)) continue;
        seen[n++] = fall;
        sum += fall;
      }
      if (n < leastSeen * nLines || Math.abs(sum) < 0.8 * n * Math.max(leastFall, best?.fall ?? 0)) continue;
      const sign = sum > 0 ? 1 : -1;
      const fall = sign * ranked(seen.subarray(0, n), n >> 1);
      if (fall < Math.max(leastFall, best?.fall ?? 0)) continue;
      let nAlike = 0;
      for (let line = 0; line < n; line++) if (sign * seen[line]! > fall / 2) nAlike++;
      if (nAlike >= leastAlike * n) best = { scan, middleMm: firstMm + place * stepMm, slope, sign, fall };
    }
  }
  return best;
}

/** The profiles of all pieces, and what fits their median best. */
function fittedEdge({ scan, middleMm, slope, sign }: FoundEdge): SaturationEdge | undefined {
  const { axis, values, nPlaces, stepMm, firstMm, pieceMm } = scan;
  const reach = Math.ceil(profileMm / stepMm);
  const middle = Math.round((middleMm - firstMm) / stepMm);
  const nearReach = Math.round(fatMm[0][1] / stepMm);
  // Of each place about the edge what all pieces have, and the same over the mean of the piece.
  const profiles: number[][] = Array.from({ length: 2 * reach + 1 }, () => []);
  const centred: number[][] = Array.from({ length: 2 * nearReach + 1 }, () => []);
  for (let line = 0; line < values.length / nPlaces; line++) {
    const at = middle + Math.round((slope * pieceMm[line % nPieces]!) / stepMm);
    const valueAt = (step: number) => {
      const place = at + sign * step;
      return place < 0 || place >= nPlaces ? NaN : values[line * nPlaces + place]!;
    };
    let mean = 0;
    for (let step = -nearReach; step <= nearReach; step++) mean += valueAt(step) / centred.length;
    for (let step = -reach; step <= reach; step++) if (!Number.isNaN(valueAt(step))) profiles[step + reach]!.push(valueAt(step));
    if (!Number.isNaN(mean)) centred.forEach((all, index) => all.push(valueAt(index - nearReach) - mean));
  }
  const between = (fromMm: number, toMm: number) => profiles.slice(Math.round(fromMm / stepMm) + reach, Math.round(toMm / stepMm) + reach + 1).flat();
  const [near, far] = fatMm.map(([least, most]) => {
    const [before, behind] = [between(-most, -least), between(least, most)];
    return { apartMm: least + most, fall: percentileAmong(Float64Array.from(before), fatPercent) - percentileAmong(Float64Array.from(behind), fatPercent) };
  }) as [Fall, Fall];
  const fall = near.fall + ((near.fall - far.fall) * near.apartMm) / (far.apartMm - near.apartMm);
  // Also false where there is nothing on a side.
  if (!(fall > leastFall)) return undefined;
  const efficiency = Math.min(mostEfficiency, 1 - Math.exp(-fall));
  const profile = centred.map(medianOf);
  let best = { error: Infinity, placeMm: 0, widthMm: 0 };
  for (const widthMm of widthsMm) {
    for (let placeMm = -8; placeMm <= 8; placeMm += 0.25) {
      // Less its mean and its slope, which are of anatomy and of the coils.
      let [sum, moment, squares, places] = [0, 0, 0, 0];
      for (const [index, value] of profile.entries()) {
        const off = value - Math.log(gainAt({ normal: [1, 0], placeMm, widthMm, efficiency }, (index - nearReach) * stepMm, 0));
        sum += off;
        moment += off * (index - nearReach);
        squares += off * off;
        places += (index - nearReach) ** 2;
      }
      const error = squares - (sum * sum) / profile.length - (moment * moment) / places;
      if (error < best.error) best = { error, placeMm, widthMm };
    }
  }
  const cosine = 1 / Math.hypot(1, slope);
  const normal = (axis === 0 ? [sign * cosine, -sign * slope * cosine] : [-sign * slope * cosine, sign * cosine]) as [number, number];
  return { normal, placeMm: (sign * (firstMm + middle * stepMm) + best.placeMm) * cosine, widthMm: best.widthMm * cosine, efficiency };
}

interface Fall {
  readonly apartMm: number;
  readonly fall: number;
}

function takeOff(edge: SaturationEdge, { axis, values, nPlaces, firstMm, stepMm, pieceMm }: Scan): void {
  for (let at = 0; at < values.length; at++) {
    const [across, along] = [firstMm + (at % nPlaces) * stepMm, pieceMm[Math.floor(at / nPlaces) % nPieces]!];
    values[at]! -= Math.log(axis === 0 ? gainAt(edge, across, along) : gainAt(edge, along, across));
  }
}
