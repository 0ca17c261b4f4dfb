/** The pictures of a series, as they come, in the layout that one likes: alone, compared, beside other series, or as a volume. */
import { signal, useSignal } from '@preact/signals';
import { lazy, Suspense } from 'preact/compat';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ExamView, PixelWindow, SeriesView } from '../api/index.js';
import { outputName } from '../parts/index.js';
import { CompareView } from './CompareView.js';
import { LinkedView, linkable } from './LinkedView.js';
import { colourBar, mapOf } from './maps.js';
import { markOf, seriesName } from './naming.js';
import { OutlineLegend } from './OutlineLegend.js';
import { hasOutlines, outlineOverlay, useOutlines } from './outlines.js';
import { useSpineWindow } from './spineWindow.js';
import { usePicture, usePictureList } from './store.js';
import type { PictureData } from './store.js';
import { TrustPanel, trustMaps, useTrust } from './trust.js';
import { newView, Viewport } from './viewport.js';

const VolumeView = lazy(() => import('./VolumeView.js').then(({ VolumeView }) => VolumeView));

export type Layout = 'single' | 'compare' | 'linked' | 'volume';

/** One's choices go along from series to series. */
const layoutWanted = signal<Layout>('single');
const outlinesWanted = signal(false);

export function SeriesViewer({ exam, series }: { exam: ExamView; series: SeriesView }) {
  const list = usePictureList(exam.id, series);
  const [wanted, setWanted] = useState<string>();
  const [place, setPlace] = useState<number>();
  const view = useMemo(newView, [series.id]);
  const window = useSignal<PixelWindow | undefined>(undefined);
  const outputs = [...new Set(list.map(({ output }) => output))];
  const output = wanted !== undefined && outputs.includes(wanted) ? wanted : (outputs.find((one) => one === 'denoised') ?? (outputs.includes('image') ? 'image' : outputs[0]));
  const entries = list.filter((entry) => entry.output === output);
  useEffect(() => setPlace(undefined), [series.id]);
  // Until somebody scrolls, the slice that came last is shown.
  const latest = entries.reduce((best, entry, index) => (entry.number > (entries[best]?.number ?? 0) ? index : best), 0);
  const at = Math.min(place ?? (series.state === 'scanning' || series.state === 'reconstructing' ? latest : Math.floor(entries.length / 2)), entries.length - 1);
  const entry = entries[at];
  const { picture } = usePicture(entry === undefined ? undefined : { examId: exam.id, seriesId: series.id, output: entry.output, number: entry.number });
  useSpineWindow(window, exam.id, series, picture, list);
  const go = (to: number) => setPlace(Math.max(0, Math.min(entries.length - 1, to)));

  const layouts: readonly (readonly [layout: Layout, name: string, isPossible: boolean])[] = [
    ['single', 'One picture', true],
    ['compare', 'Compare', outputs.includes('image') && outputs.includes('denoised')],
    ['linked', 'Side by side', linkable(exam).length > 1],
    ['volume', 'Volume', entries.length > 2],
  ];
  const layout = layouts.some(([one, , isPossible]) => isPossible && one === layoutWanted.value) ? layoutWanted.value : 'single';
  const outlines = useOutlines(exam, outlinesWanted.value);
  const outlined = outlineOverlay(outlines, { contrast: series.role });
  const keyed = (event: KeyboardEvent) => {
    if (event.key.toLowerCase() === 'o' && !event.ctrlKey && !event.metaKey && !event.altKey && hasOutlines(exam)) outlinesWanted.value = !outlinesWanted.value;
  };
  return (
    <div class="viewer" onKeyDown={keyed}>
      <div class="viewer-tools" role="toolbar" aria-label="Pictures">
        <span class="choices" role="group" aria-label="Layout">
          {layouts.filter(([, , isPossible]) => isPossible).map(([one, name]) => (
            <button key={one} type="button" aria-pressed={one === layout} onClick={() => (layoutWanted.value = one)}>{name}</button>
          ))}
        </span>
        {layout !== 'compare' && layout !== 'linked' && (
          <span class="choices" role="group" aria-label="Shown">
            {outputs.map((one) => (
              <button key={one} type="button" aria-pressed={one === output} onClick={() => setWanted(one)}>{outputName(one)}</button>
            ))}
          </span>
        )}
        {hasOutlines(exam) && layout !== 'volume' && (
          <button type="button" aria-pressed={outlinesWanted.value} onClick={() => (outlinesWanted.value = !outlinesWanted.value)}>Outlines</button>
        )}
        {entries.length > 0 && (layout === 'single' || layout === 'compare') && <span class="quiet">slice {at + 1} of {entries.length}</span>}
      </div>
      {outlines !== undefined && layout !== 'volume' && <OutlineLegend outlines={outlines} geometry={entry?.geometry} />}
      {layout === 'single' && (
        <SingleView exam={exam} series={series} list={list} picture={picture} output={output} at={at} nSlices={entries.length} go={go} view={view} window={window} outlined={outlined} />
      )}
      {layout === 'compare' && <CompareView exam={exam} series={series} list={list} at={at} go={go} view={view} window={window} overlays={[outlined]} />}
      {layout === 'linked' && <LinkedView key={exam.id} exam={exam} series={series} outlines={outlines} start={entry?.geometry} />}
      {layout === 'volume' && output !== undefined && (
        <Suspense fallback={<p class="quiet" role="status">Loading the volume viewer …</p>}>
          <VolumeView exam={exam} series={series} output={output} entries={entries} />
        </Suspense>
      )}
    </div>
  );
}

interface SingleProps {
  readonly exam: ExamView;
  readonly series: SeriesView;
  readonly list: ReturnType<typeof usePictureList>;
  readonly picture: PictureData | undefined;
  readonly output: string | undefined;
  readonly at: number;
  readonly nSlices: number;
  readonly go: (to: number) => void;
  readonly view: ReturnType<typeof newView>;
  readonly window: ReturnType<typeof useSignal<PixelWindow | undefined>>;
  readonly outlined: ReturnType<typeof outlineOverlay>;
}

function SingleView({ exam, series, list, picture, output, at, nSlices, go, view, window, outlined }: SingleProps) {
  const trust = useTrust(exam.id, series, list, output === 'image' ? list.filter((one) => one.output === output)[at]?.number : undefined);
  const map = mapOf(output);
  const bar = map === undefined ? undefined : colourBar(map.palette, () => window.peek(), map.unit);
  return (
    <>
      <Viewport
        picture={picture}
        view={view}
        window={window}
        {...(map !== undefined && { palette: map.palette })}
        label={`${seriesName(series)}, ${outputName(output ?? 'image')}, slice ${at + 1} of ${nSlices}`}
        mark={markOf(series)}
        overlays={[...(map === undefined ? trust.overlays : [bar]), outlined]}
        onScroll={(by) => go(at + by)}
        onEnd={(which) => go(which === 'first' ? 0 : nSlices - 1)}
      />
      {(series.source === 'synthesis' || trustMaps(list).length > 0) && <TrustPanel series={series} list={list} trust={trust} />}
    </>
  );
}
