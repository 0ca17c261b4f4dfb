/** A series as a volume, along three planes at once (niivue, WebGL). It is a part of the page that is loaded when it is wanted. */
import { NVImage, Niivue, SLICE_TYPE } from '@niivue/niivue';
import { useEffect, useRef, useState } from 'preact/hooks';
import { getBytes, seriesPath } from '../api/index.js';
import type { ExamView, PictureEntry, SeriesView } from '../api/index.js';
import { outputName, Trouble } from '../parts/index.js';
import { mapOf } from './maps.js';
import { markOf, seriesName } from './naming.js';

interface VolumeProps {
  readonly exam: ExamView;
  readonly series: SeriesView;
  readonly output: string;
  readonly entries: readonly PictureEntry[];
}

const planes = [
  ['multi', 'All planes', SLICE_TYPE.MULTIPLANAR], ['sagittal', 'Sagittal', SLICE_TYPE.SAGITTAL], ['coronal', 'Coronal', SLICE_TYPE.CORONAL],
  ['axial', 'Axial', SLICE_TYPE.AXIAL], ['render', 'Rendered', SLICE_TYPE.RENDER],
] as const;

export function VolumeView({ exam, series, output, entries }: VolumeProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const viewer = useRef<Niivue | undefined>(undefined);
  const [plane, setPlane] = useState<(typeof planes)[number][0]>('multi');
  const [state, setState] = useState<'loading' | 'shown' | 'no WebGL'>('loading');
  const [error, setError] = useState<unknown>();
  const name = `${seriesName(series)}, ${outputName(output)}`;
  const nImages = entries.length;
  useEffect(() => {
    const abort = new AbortController();
    setState('loading');
    setError(undefined);
    const show = async () => {
      const path = `${seriesPath(exam.id, series.id)}/volume?output=${encodeURIComponent(output)}`;
      const { bytes } = await getBytes(path);
      const attached = await attachedTo(canvas.current!, viewer);
      if (abort.signal.aborted) return;
      if (attached === undefined) return setState('no WebGL');
      const image = await NVImage.loadFromFile({ file: new File([bytes], 'volume.nii.gz'), name: 'volume.nii.gz', colormap: mapOf(output) === undefined ? 'gray' : 'inferno', ...windowOf(entries) });
      if (abort.signal.aborted) return;
      for (const old of [...attached.volumes]) attached.removeVolume(old);
      attached.addVolume(image);
      setState('shown');
    };
    show().catch((cause: unknown) => abort.signal.aborted || setError(cause));
    return () => abort.abort();
  }, [exam.id, series.id, output, nImages]);
  // The graphics memory goes with the view.
  useEffect(() => () => viewer.current?.gl.getExtension('WEBGL_lose_context')?.loseContext(), []);
  const mark = markOf(series);
  return (
    <div class="volume">
      <div class="choices" role="group" aria-label="Planes">
        {planes.map(([one, text, type]) => (
          <button key={one} type="button" aria-pressed={plane === one} onClick={() => (setPlane(one), viewer.current?.setSliceType(type))}>{text}</button>
        ))}
        <span class="quiet" role="status">{state === 'loading' && error === undefined ? 'Loading the volume …' : ''}</span>
      </div>
      {error !== undefined && <Trouble error={error} />}
      {state === 'no WebGL' && <p class="trouble">This browser shows no volumes: it has no WebGL 2. The slices are there one by one.</p>}
      <div class="volume-frame">
        <canvas ref={canvas} tabIndex={0} role="img" aria-label={`${mark === undefined ? '' : `${mark}: `}${name}, ${nImages} slices as a volume. Click or drag: the place; wheel: slices; right drag: window.`} />
        <span class="volume-name">{name}</span>
        {mark !== undefined && <span class="volume-mark synthetic-mark">{mark}</span>}
      </div>
    </div>
  );
}

/** In the window of its pictures. */
function windowOf([entry]: readonly PictureEntry[]): { cal_min?: number; cal_max?: number } {
  if (entry === undefined) return {};
  const { centre, width } = entry.window;
  return { cal_min: centre - width / 2, cal_max: centre + width / 2 };
}

/** Undefined where the browser has no WebGL 2. */
async function attachedTo(canvas: HTMLCanvasElement, kept: { current: Niivue | undefined }): Promise<Niivue | undefined> {
  if (kept.current !== undefined) return kept.current;
  if (document.createElement('canvas').getContext('webgl2') === null) return undefined;
  const viewer = new Niivue({
    backColor: [0, 0, 0, 1], crosshairColor: [1, 0.7, 0.33, 0.8], crosshairWidth: 0.5, crosshairWidthUnit: 'mm', fontColor: [0.87, 0.9, 0.93, 1], show3Dcrosshair: true,
    isRadiologicalConvention: true, sagittalNoseLeft: true, isNearestInterpolation: false, dragAndDropEnabled: false, loadingText: '', logLevel: 'error',
  });
  await viewer.attachToCanvas(canvas, false);
  viewer.setSliceType(SLICE_TYPE.MULTIPLANAR);
  kept.current = viewer;
  return viewer;
}
