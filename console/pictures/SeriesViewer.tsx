/** The pictures of one series, as they come. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ExamView, PixelWindow, SeriesView } from '../api/index.js';
import { outputName, roleName } from '../parts/index.js';
import { usePicture, usePictureList } from './store.js';
import { newView, Viewport } from './viewport.js';

export function SeriesViewer({ exam, series }: { exam: ExamView; series: SeriesView }) {
  const list = usePictureList(exam.id, series);
  const [wanted, setWanted] = useState<string>();
  const [place, setPlace] = useState<number>();
  const view = useMemo(newView, [series.id]);
  const window = useSignal<PixelWindow | undefined>(undefined);
  const outputs = [...new Set(list.map(({ output }) => output))];
  const output = wanted !== undefined && outputs.includes(wanted) ? wanted : (outputs.find((one) => one === 'denoised') ?? outputs[0]);
  const entries = list.filter((entry) => entry.output === output);
  useEffect(() => {
    setPlace(undefined);
    window.value = undefined;
  }, [series.id, output]);
  // Until somebody scrolls, the slice that came last is shown.
  const latest = entries.reduce((best, entry, index) => (entry.number > (entries[best]?.number ?? 0) ? index : best), 0);
  const at = Math.min(place ?? (series.state === 'scanning' || series.state === 'reconstructing' ? latest : Math.floor(entries.length / 2)), entries.length - 1);
  const entry = entries[at];
  const { picture } = usePicture(entry === undefined ? undefined : { examId: exam.id, seriesId: series.id, output: entry.output, number: entry.number });
  const go = (to: number) => setPlace(Math.max(0, Math.min(entries.length - 1, to)));
  const name = series.description ?? (series.role === undefined ? 'Series' : roleName(series.role));
  return (
    <div class="viewer">
      <div class="viewer-tools" role="toolbar" aria-label="Pictures">
        {outputs.map((one) => (
          <button key={one} type="button" aria-pressed={one === output} onClick={() => setWanted(one)}>{outputName(one)}</button>
        ))}
        {entries.length > 0 && <span class="quiet">slice {at + 1} of {entries.length}</span>}
      </div>
      <Viewport
        picture={picture}
        view={view}
        window={window}
        label={`${name}, ${outputName(output ?? 'image')}, slice ${at + 1} of ${entries.length}`}
        mark={series.source === 'synthesis' ? 'SYNTHETIC' : undefined}
        onScroll={(by) => go(at + by)}
        onEnd={(which) => go(which === 'first' ? 0 : entries.length - 1)}
      />
    </div>
  );
}
