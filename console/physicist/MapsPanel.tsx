/** The image beside its maps: linked in slice, zoom and place, each on its own scale with its colour bar. */
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useMemo, useState } from 'preact/hooks';
import type { ExamView, PictureEntry, PixelWindow, RecordView, SeriesView } from '../api/index.js';
import { number, outputName, Panel } from '../parts/index.js';
import { ColourBar } from '../pictures/ColourBar.js';
import { usePicture, usePictureList } from '../pictures/store.js';
import type { PictureName } from '../pictures/store.js';
import { newView, Viewport } from '../pictures/viewport.js';
import type { ViewState } from '../pictures/viewport.js';
import { figuresWithin, mapKinds, objectMask, paletteOf, scaleOf } from './maps.js';

type Point = { readonly column: number; readonly row: number } | undefined;

export function MapsPanel({ exam, series, record, attempt }: { exam: ExamView; series: SeriesView; record: RecordView | undefined; attempt: number | undefined }) {
  const snrUnits = record?.result?.snrUnits;
  const wereMade = record?.timeline.slices.some(({ images }) => images.some(({ kind }) => paletteOf(kind) === 'heat')) === true;
  const list = usePictureList(exam.id, series, attempt);
  const nameOf = (one: PictureEntry): PictureName => ({ examId: exam.id, seriesId: series.id, output: one.output, number: one.number, attempt });
  const [place, setPlace] = useState<number>();
  const [point, setPoint] = useState<Point>();
  const view = useMemo(newView, [series.id]);
  const scales = useMemo(() => new Map<string, Signal<PixelWindow | undefined>>(), [series.id]);
  const images = list.filter(({ output }) => output === 'image');
  const at = Math.max(0, Math.min(place ?? Math.floor(images.length / 2), images.length - 1));
  const entry = images[at];
  const kinds = ['image', ...mapKinds.filter((kind) => list.some(({ output }) => output === kind))];
  const beside = (kind: string) => list.find((other) => entry !== undefined && other.output === kind && other.slice === entry.slice && other.contrast === entry.contrast && other.repetition === entry.repetition);
  const namedBeside = (kind: string) => {
    const found = beside(kind);
    return found && nameOf(found);
  };
  const { picture: image } = usePicture(entry && nameOf(entry));
  const mask = useMemo(() => (image === undefined ? undefined : objectMask(image.values)), [image]);
  const go = (to: number) => setPlace(Math.max(0, Math.min(images.length - 1, to)));
  if (entry === undefined) return <Panel title="Images and maps"><p class="quiet">No pictures of this series are there.</p></Panel>;
  return (
    <Panel title="Images and maps" tools={<span class="quiet">slice {at + 1} of {images.length}{point === undefined ? '' : `; column ${point.column}, row ${point.row}`}</span>}>
      {kinds.length === 1 && wereMade && <p class="quiet">The maps of this series were made and are not in memory any more.</p>}
      {kinds.length === 1 && !wereMade && (
        <p class="quiet">
          There are no maps of this series. The key <code>exams.maps</code> of the configuration, as <code>["gFactor", "snr", "noise"]</code>, has them made of every scan for whoever
          looks here, and sends them neither to the scanner nor to archives; the parameters <code>gFactorMap</code>, <code>snrMap</code> and <code>noiseMap</code> ask for them scan by scan.
        </p>
      )}
      <div class="maps">
        {kinds.map((kind) => (
          <MapView
            key={kind} kind={kind} name={namedBeside(kind)} mask={mask} view={view} snrUnits={snrUnits} point={point}
            window={signalOf(scales, kind)} onPoint={setPoint} onScroll={(by) => go(at + by)} onEnd={(which) => go(which === 'first' ? 0 : images.length - 1)}
            label={`${outputName(kind)} ${at + 1}/${images.length}`}
          />
        ))}
      </div>
    </Panel>
  );
}

interface MapViewProps {
  readonly kind: string;
  readonly name: PictureName | undefined;
  readonly mask: Uint8Array | undefined;
  readonly view: Signal<ViewState>;
  readonly window: Signal<PixelWindow | undefined>;
  readonly snrUnits: boolean | undefined;
  readonly point: Point;
  readonly label: string;
  readonly onPoint: (at: Point) => void;
  readonly onScroll: (by: number) => void;
  readonly onEnd: (which: 'first' | 'last') => void;
}

function MapView({ kind, name, mask, view, window, snrUnits, point, label, onPoint, onScroll, onEnd }: MapViewProps) {
  const { picture } = usePicture(name);
  const palette = paletteOf(kind);
  const figures = useMemo(() => (picture === undefined ? undefined : figuresWithin(picture.values, mask)), [picture, mask]);
  // One scale a series: that of the slice that was looked at first.
  const scale = useMemo(() => (picture === undefined ? undefined : scaleOf(kind, figures, picture.window)), [kind, name?.seriesId, name?.attempt, picture === undefined, mask === undefined]);
  const shown = useMemo(() => (picture === undefined ? undefined : { ...picture, window: scale ?? picture.window }), [picture, scale]);
  const title = kind === 'snr' && snrUnits === false ? 'Image over noise, arbitrary units' : outputName(kind);
  const value = point === undefined || picture === undefined || point.column >= picture.columns || point.row >= picture.rows ? undefined : picture.values[point.row * picture.columns + point.column];
  return (
    <figure class="map">
      <figcaption>
        <strong>{title}</strong>
        <span class="quiet">{value === undefined ? wordsOf(kind, figures) : `here ${number(value)}`}</span>
      </figcaption>
      <Viewport picture={shown} view={view} window={window} palette={palette} label={label} onScroll={onScroll} onEnd={onEnd} onPoint={onPoint} />
      {shown !== undefined && <ColourBar palette={palette} window={window.value ?? shown.window} />}
    </figure>
  );
}

function wordsOf(kind: string, figures: ReturnType<typeof figuresWithin>): string {
  if (figures === undefined || paletteOf(kind) !== 'heat') return '';
  return kind === 'gFactor' ? `mean ${figures.mean.toFixed(2)}, 99th percentile ${figures.p99.toFixed(2)}` : `median ${number(figures.median)} in the object`;
}

function signalOf(signals: Map<string, Signal<PixelWindow | undefined>>, kind: string): Signal<PixelWindow | undefined> {
  const known = signals.get(kind) ?? signal<PixelWindow | undefined>(undefined);
  signals.set(kind, known);
  return known;
}
