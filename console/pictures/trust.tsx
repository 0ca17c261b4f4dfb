/** How far a computed series is to be trusted: its light, the reasons in words, and maps over the image. */
import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { PictureEntry, SeriesView } from '../api/index.js';
import { Light, Panel } from '../parts/index.js';
import { colourBar, intervalWidth, mapOverlay } from './maps.js';
import { usePicture } from './store.js';
import type { PictureData } from './store.js';
import type { Overlay } from './viewport.js';

export type TrustMap = 'interval' | 'pairResidual';

const names: Readonly<Record<TrustMap, string>> = { interval: 'Width of the interval', pairResidual: 'Disagreement of the pair' };
const meanings: Readonly<Record<TrustMap, string>> = {
  interval: 'Nine of ten true values lie within it, in per cent of white: where it is wide, the acquired images cannot tell.',
  pairResidual: 'What speaks against the pair of acquired images, in standard deviations: where it is large, they do not fit together.',
};
const units: Readonly<Record<TrustMap, string>> = { interval: '% of white', pairResidual: 'std. dev.' };
/** As far as the colours go; from three standard deviations on something is wrong. */
const pairRange = { centre: 3, width: 6 } as const;

const shown = signal<TrustMap | undefined>(undefined);

/** Which maps there are of a series. */
export function trustMaps(list: readonly PictureEntry[]): TrustMap[] {
  const outputs = new Set(list.map(({ output }) => output));
  return [...(outputs.has('low') && outputs.has('high') ? ['interval' as const] : []), ...(outputs.has('pairResidual') ? ['pairResidual' as const] : [])];
}

export interface Trust {
  readonly overlays: readonly (Overlay | undefined)[];
  readonly map: TrustMap | undefined;
}

/** @param number of the image that is shown; undefined: nothing is laid over it */
export function useTrust(examId: string, { id: seriesId }: SeriesView, list: readonly PictureEntry[], number: number | undefined): Trust {
  const map = shown.value !== undefined && trustMaps(list).includes(shown.value) ? shown.value : undefined;
  const name = (output: string, isWanted: boolean) => (isWanted && number !== undefined ? { examId, seriesId, output, number } : undefined);
  const low = usePicture(name('low', map === 'interval')).picture;
  const high = usePicture(name('high', map === 'interval')).picture;
  const pair = usePicture(name('pairResidual', map === 'pairResidual')).picture;
  const overlays = useMemo(() => {
    const values: PictureData | undefined = map === 'interval' ? (low === undefined || high === undefined ? undefined : intervalWidth(low, high)) : pair;
    if (map === undefined || values === undefined) return [];
    const range = map === 'interval' ? values.window : pairRange;
    return [mapOverlay(values, range), colourBar('heat', () => range, units[map])];
  }, [map, low, high, pair]);
  return { overlays, map };
}

export function TrustPanel({ series, list, trust }: { series: SeriesView; list: readonly PictureEntry[]; trust: Trust }) {
  const maps = trustMaps(list);
  const light = series.outputs.find(({ kind }) => kind === 'image')?.light;
  const { reasons = [] } = series;
  return (
    <Panel title="How far to trust it" class="trust" tools={light === undefined ? undefined : <Light value={light} />}>
      {reasons.length === 0 ? <p class="quiet">Nothing speaks against it.</p> : <ul>{reasons.map(({ code, text }) => <li key={`${code} ${text}`}>{text} <code>{code}</code></li>)}</ul>}
      {maps.length === 0 ? (
        <p class="quiet">No maps of it are kept: the service makes them where its configuration names them (synthesis.maps).</p>
      ) : (
        <p class="choices" role="group" aria-label="Laid over the image">
          {maps.map((map) => (
            <button key={map} type="button" aria-pressed={trust.map === map} onClick={() => (shown.value = shown.value === map ? undefined : map)}>{names[map]}</button>
          ))}
          {trust.map !== undefined && <span class="quiet">{meanings[trust.map]}</span>}
        </p>
      )}
    </Panel>
  );
}
