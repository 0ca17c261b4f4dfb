/** When the lines and the images of a scan came, as a drawing: ms to pixels. */
import type { TimelineView } from '../api/index.js';

/** Of the time axis, ms. */
export type Span = readonly [from: number, to: number];

export function lastMoment({ scan, slices }: TimelineView): number {
  return slices.reduce((latest, { images }) => images.reduce((later, { atMs }) => Math.max(later, atMs), latest), scan[1]);
}

/** The whole scan, or what came after its last readout with as much before it. */
export function spanOf(timeline: TimelineView, part: 'whole' | 'end'): Span {
  const last = lastMoment(timeline);
  const [begin, end] = timeline.scan;
  if (part === 'whole') return [begin, Math.max(last, begin + 1)];
  const tail = Math.max(last - end, 20);
  return [Math.max(begin, end - 0.5 * tail), end + 1.1 * tail];
}

export type TimelineRow = Omit<TimelineView['slices'][number], 'slice'> & { readonly name: string };

/** A row a slice; the lines of a volume are those of all its slices, and have a row of their own. */
export function timelineRows({ slices }: TimelineView): TimelineRow[] {
  const measured = slices.filter(({ firstLineMs }) => firstLineMs !== undefined);
  const isVolume = slices.length > 1 && measured.length === 1;
  if (!isVolume) return slices.map(({ slice, ...row }) => ({ name: `slice ${slice}`, ...row }));
  return [{ name: 'volume', ...measured[0]!, images: [] }, ...slices.map(({ slice, images }) => ({ name: `slice ${slice}`, images }))];
}

/** Round steps of a time axis: 1, 2 or 5 times a power of ten, at most eight. */
export function timeTicks([from, to]: Span): number[] {
  const rough = (to - from) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

export function timeText(ms: number): string {
  if (Math.abs(ms) < 1000) return `${Math.round(ms)} ms`;
  return Math.abs(ms) < 120_000 ? `${Number((ms / 1000).toFixed(2))} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Stages by their work, the most first, with their share. */
export function stageShares({ stages }: TimelineView): { readonly stage: string; readonly ms: number; readonly share: number }[] {
  const total = Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return Object.entries(stages)
    .map(([stage, ms]) => ({ stage, ms, share: total > 0 ? ms / total : 0 }))
    .sort((a, b) => b.ms - a.ms || (a.stage < b.stage ? -1 : 1));
}
