/**
 * Outlines of structures over pictures: rings in pixels of the slice that they were found in, drawn over any picture of the
 * same place, whatever its matrix.
 */
import { useEffect, useState } from 'preact/hooks';
import { examPath, getJson } from '../api/index.js';
import type { ExamView, SliceGeometry } from '../api/index.js';
import { areParallel, toMm, toPixel } from './geometry.js';
import type { PictureData } from './store.js';
import type { Overlay, Placing } from './viewport.js';

export interface Outline {
  readonly code: number;
  /** body, disc, sac, cord, arch, … */
  readonly kind: string;
  readonly level?: string | undefined;
  /** Closed; flat [column, row, …]. */
  readonly rings: readonly (readonly number[])[];
}

export interface SliceOutlines {
  readonly geometry: SliceGeometry;
  readonly outlines: readonly Outline[];
}

export interface Outlines {
  readonly version: 1;
  readonly series: readonly { readonly description: string; readonly contrast: string; readonly orientation: string; readonly synthetic: boolean; readonly slices: readonly SliceOutlines[] }[];
}

/** One colour a kind, as in the evidence pictures. */
export const outlineColours: Readonly<Record<string, string>> = {
  body: '#5aaaff', sacrum: '#5aaaff', arch: '#96beff', disc: '#ffa03c', sac: '#50dce6', cord: '#ffe650', epiduralFat: '#ffc88c',
  ligamentumFlavum: '#ff6e96', foramenLeft: '#5adc78', foramenRight: '#5adc78', facetLeft: '#dc78ff', facetRight: '#dc78ff',
};
const otherColour = '#c8c8c8';

export const outlineNames: Readonly<Record<string, string>> = {
  body: 'vertebral body', sacrum: 'sacrum', arch: 'arch', disc: 'disc', sac: 'dural sac', cord: 'cord', epiduralFat: 'epidural fat', root: 'nerve root',
  ligamentumFlavum: 'ligamentum flavum', foramenLeft: 'foramen', foramenRight: 'foramen', facetLeft: 'facet joint', facetRight: 'facet joint', otherBone: 'other bone',
};

/** Small, many, or of no use to a reader: drawn only where they are asked for. */
const leftOut: ReadonlySet<string> = new Set(['otherBone', 'root', 'other']);

const mostKept = 4;
const kept = new Map<string, Promise<Outlines>>();

/** @returns which analysis has outlines, the latest; undefined where none has */
const analysisOf = ({ analyses }: Pick<ExamView, 'analyses'>): string | undefined => analyses.findLast(({ results }) => results.includes('outlines'))?.offerId;

export const hasOutlines = (exam: Pick<ExamView, 'analyses'>): boolean => analysisOf(exam) !== undefined;

function outlinesOf(examId: string, offerId: string): Promise<Outlines> {
  const key = `${examId} ${offerId}`;
  const known = kept.get(key) ?? getJson<Outlines>(`${examPath(examId)}/analysis/outlines`);
  kept.delete(key);
  kept.set(key, known);
  known.catch(() => kept.delete(key));
  for (const oldest of kept.keys()) {
    if (kept.size <= mostKept) break;
    kept.delete(oldest);
  }
  return known;
}

/** Of the latest analysis of an exam, as soon as they are there. @param isWanted they are large: only then they are asked for */
export function useOutlines(exam: Pick<ExamView, 'id' | 'analyses'>, isWanted = true): Outlines | undefined {
  const [found, setFound] = useState<{ readonly of: string; readonly outlines: Outlines }>();
  const offerId = analysisOf(exam);
  const of = `${exam.id} ${offerId ?? ''}`;
  useEffect(() => {
    if (offerId === undefined || !isWanted) return undefined;
    let isCurrent = true;
    outlinesOf(exam.id, offerId).then((outlines) => isCurrent && setFound({ of, outlines }), () => undefined);
    return () => {
      isCurrent = false;
    };
  }, [of, isWanted]);
  return isWanted && found?.of === of ? found.outlines : undefined;
}

/** Of the place of a picture: those of the series of its contrast where there are any. */
export function outlinesAt({ series }: Outlines, geometry: SliceGeometry, contrast?: string): SliceOutlines | undefined {
  const candidates = series.flatMap((one) => one.slices.flatMap((slice) => (areSamePlane(slice.geometry, geometry) ? [{ slice, isOwn: one.contrast === contrast }] : [])));
  return (candidates.find(({ isOwn }) => isOwn) ?? candidates[0])?.slice;
}

function areSamePlane(a: SliceGeometry, b: SliceGeometry): boolean {
  return areParallel(a, b) && Math.abs(toPixel(b, a.originMm).distanceMm) < 0.25 * Math.max(0.5, Math.min(a.thicknessMm, b.thicknessMm));
}

export interface OutlineOptions {
  /** Of the picture's series, as the analysis names contrasts: t1w, stir. */
  readonly contrast?: string | undefined;
  /** Which of them; all but the smallest without it. */
  readonly shows?: ((outline: Outline) => boolean) | undefined;
  /** Level names in bodies and discs. */
  readonly isNamed?: boolean;
}

export function outlineOverlay(outlines: Outlines | undefined, { contrast, shows = ({ kind }) => !leftOut.has(kind), isNamed = true }: OutlineOptions = {}): Overlay | undefined {
  if (outlines === undefined) return undefined;
  return (context, placing, picture) => {
    const found = picture.geometry === undefined ? undefined : outlinesAt(outlines, picture.geometry, contrast);
    if (found === undefined) return;
    const place = placingFrom(found.geometry, picture, placing);
    const drawn = found.outlines.filter(shows);
    context.lineJoin = 'round';
    context.lineWidth = 1.4;
    for (const { kind, rings } of drawn) {
      context.strokeStyle = outlineColours[kind] ?? otherColour;
      context.beginPath();
      for (const ring of rings) trace(context, ring, place);
      context.stroke();
    }
    if (!isNamed) return;
    context.font = '600 11px system-ui, sans-serif';
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineWidth = 3;
    context.strokeStyle = '#000c';
    for (const { kind, level, rings } of drawn) {
      if (level === undefined || (kind !== 'body' && kind !== 'disc')) continue;
      const [x, y, width, height] = middleOf(rings, place);
      // A name that is larger than what it names would stand on its neighbours.
      if (height < 12 || 0.8 * width < context.measureText(level).width) continue;
      context.strokeText(level, x, y);
      context.fillStyle = kind === 'disc' ? '#ffd9ae' : '#fff';
      context.fillText(level, x, y);
    }
  };
}

type Place = (column: number, row: number) => readonly [x: number, y: number];

/** From pixels of another slice at the same place to the canvas. */
function placingFrom(from: SliceGeometry, { geometry }: PictureData, placing: Placing): Place {
  return (column, row) => {
    const at = toPixel(geometry!, toMm(from, column, row));
    return [placing.x(at.column, at.row), placing.y(at.column, at.row)];
  };
}

function trace(context: CanvasRenderingContext2D, ring: readonly number[], place: Place): void {
  for (let at = 0; at < ring.length; at += 2) {
    const [x, y] = place(ring[at]!, ring[at + 1]!);
    if (at === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.closePath();
}

/** Of the largest ring: its middle, and how wide and high it is on the canvas. */
function middleOf(rings: readonly (readonly number[])[], place: Place): [x: number, y: number, width: number, height: number] {
  const [largest] = [...rings].sort((a, b) => b.length - a.length);
  const points = Array.from({ length: largest!.length / 2 }, (_, point) => place(largest![2 * point]!, largest![2 * point + 1]!));
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top];
}
