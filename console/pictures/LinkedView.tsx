/**
 * Series side by side at one place of the patient: who scrolls one scrolls all, by the planes of their slices and not by
 * their numbers. Slices of another orientation go by themselves, and are told where the others cut them.
 */
import { signal, useSignal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { ExamView, PixelWindow, SeriesView, SliceGeometry } from '../api/index.js';
import { outputName } from '../parts/index.js';
import { crossAt, cutOf } from './cuts.js';
import type { Place } from './cuts.js';
import { areParallel, nearestSlice, toMm } from './geometry.js';
import { outlineOverlay } from './outlines.js';
import type { Outlines } from './outlines.js';
import { useLinkedView } from './linkedViews.js';
import type { SharedView } from './linkedViews.js';
import { markOf, seriesName } from './naming.js';
import { useSpineWindow } from './spineWindow.js';
import { usePicture, usePictureList } from './store.js';
import { newView, Viewport } from './viewport.js';
import type { Overlay } from './viewport.js';

const mostColumns = 4;
/** Roles from left to right. */
const order = ['t1w', 't2w', 'stir', 't2fs', 't1fs', 'pdw', 'pdfs', 'ct'];
const placeOf = ({ role = '' }: SeriesView) => (order.indexOf(role) + order.length + 1) % (order.length + 1);

/** Series that have pictures, in the order in which they are shown. */
export const linkable = ({ series }: ExamView): SeriesView[] =>
  series.filter(({ outputs }) => outputs.some(({ kind, nImages }) => kind === 'image' && nImages > 0)).sort((a, b) => placeOf(a) - placeOf(b));

/** Which series were put away, by exam. */
const hidden = signal<ReadonlySet<string>>(new Set());

/** To begin with: those of the orientation that most have, with what was computed from them, and the one that one came from. */
function firstColumns(exam: ExamView, series: SeriesView): SeriesView[] {
  const all = linkable(exam);
  const count = (one: SeriesView) => all.filter(({ facts }) => facts.orientation === one.facts.orientation).length;
  const [usual] = all.filter(({ source }) => source !== 'synthesis').sort((a, b) => count(b) - count(a));
  const alike = all.filter(({ facts, source }) => facts.orientation === usual?.facts.orientation || source === 'synthesis').slice(0, mostColumns);
  const own = all.find(({ id }) => id === series.id);
  return own === undefined || alike.includes(own) ? alike : [...alike.slice(0, mostColumns - 1), own];
}

interface LinkedProps {
  readonly exam: ExamView;
  /** That was looked at before. */
  readonly series: SeriesView;
  readonly outlines: Outlines | undefined;
  /** Where one was. */
  readonly start: SliceGeometry | undefined;
}

export function LinkedView({ exam, series, outlines, start }: LinkedProps) {
  const reference = useSignal<SliceGeometry | undefined>(start);
  const pointer = useSignal<Place | undefined>(undefined);
  const shared = useSignal<SharedView | undefined>(undefined);
  const first = useMemo(() => new Set(firstColumns(exam, series).map(({ id }) => id)), [exam.id]);
  const all = linkable(exam);
  const key = (one: SeriesView) => `${exam.id} ${one.id}`;
  // What was not among the first is put away until it is asked for.
  const isShown = (one: SeriesView) => hidden.value.has(key(one)) !== first.has(one.id);
  const toggle = (one: SeriesView) => {
    const next = new Set(hidden.value);
    if (!next.delete(key(one))) next.add(key(one));
    hidden.value = next;
  };
  const columns = all.filter(isShown).slice(0, mostColumns);
  return (
    <>
      <div class="choices" role="group" aria-label="Series side by side">
        {all.map((one) => (
          <button key={one.id} type="button" aria-pressed={isShown(one)} disabled={!isShown(one) && columns.length >= mostColumns} onClick={() => toggle(one)}>
            {seriesName(one)}{markOf(one) !== undefined && <span class="synthetic-mark">{markOf(one)}</span>}
          </button>
        ))}
      </div>
      <div class="linked">
        {columns.map((one) => <Column key={one.id} exam={exam} series={one} reference={reference} pointer={pointer} shared={shared} outlines={outlines} />)}
      </div>
    </>
  );
}

interface ColumnProps {
  readonly exam: ExamView;
  readonly series: SeriesView;
  /** Of the slice that was chosen last. */
  readonly reference: Signal<SliceGeometry | undefined>;
  /** Where somebody points, LPS, mm. */
  readonly pointer: Signal<Place | undefined>;
  readonly shared: Signal<SharedView | undefined>;
  readonly outlines: Outlines | undefined;
}

function Column({ exam, series, reference, pointer, shared, outlines }: ColumnProps) {
  const list = usePictureList(exam.id, series);
  const window = useSignal<PixelWindow | undefined>(undefined);
  const own = useSignal<number | undefined>(undefined);
  const output = list.some((one) => one.output === 'denoised') ? 'denoised' : 'image';
  const entries = list.filter((one) => one.output === output);
  const at = reference.value;
  const linked = at === undefined ? undefined : nearestSlice(at, entries.map(({ geometry }) => geometry));
  const index = Math.max(0, Math.min(entries.length - 1, linked ?? own.value ?? Math.floor(entries.length / 2)));
  const entry = entries[index];
  const { picture } = usePicture(entry === undefined ? undefined : { examId: exam.id, seriesId: series.id, output, number: entry.number });
  useSpineWindow(window, exam.id, series, picture, list);
  const frame = useRef<HTMLDivElement>(null);
  const linkedView = useLinkedView(shared, picture, () => (frame.current === null || frame.current.clientWidth === 0 ? undefined : frame.current.clientHeight / frame.current.clientWidth));
  const ownView = useMemo(newView, []);
  const isParallel = at === undefined || entry?.geometry === undefined || areParallel(at, entry.geometry);
  const isElsewhere = at !== undefined && linked === undefined && isParallel && entries.length > 0;
  const go = (to: number) => {
    const next = entries[Math.max(0, Math.min(entries.length - 1, to))];
    if (next === undefined) return;
    own.value = entries.indexOf(next);
    if (next.geometry !== undefined && isParallel) reference.value = next.geometry;
  };
  const overlays: (Overlay | undefined)[] = [
    outlineOverlay(outlines, { contrast: series.role }),
    at === undefined || isParallel ? undefined : cutOf(at),
    crossAt(pointer.value),
  ];
  return (
    <div class="linked-column" ref={frame}>
      <Viewport
        picture={picture}
        // What shows the same part of the patient is zoomed and moved together.
        view={isParallel ? linkedView : ownView}
        window={window}
        label={`${seriesName(series)}, ${outputName(output)}, slice ${index + 1} of ${entries.length}`}
        caption={`${seriesName(series)}${output === 'denoised' ? ', denoised' : ''}`}
        mark={markOf(series)}
        notes={[...(isElsewhere ? ['no slice at this place'] : []), `slice ${index + 1} of ${entries.length}`]}
        overlays={overlays}
        onScroll={(by) => go(index + by)}
        onEnd={(which) => go(which === 'first' ? 0 : entries.length - 1)}
        onPoint={(pixel) => (pointer.value = pixel === undefined || entry?.geometry === undefined ? undefined : toMm(entry.geometry, pixel.column, pixel.row))}
      />
    </div>
  );
}
