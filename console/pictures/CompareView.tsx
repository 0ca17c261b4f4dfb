/** Conventional and denoised in one view, with a divider between them; beside it what the denoiser took out. */
import { useSignal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { ExamView, PictureEntry, PixelWindow, SeriesView } from '../api/index.js';
import { Light } from '../parts/index.js';
import { colourBar, difference } from './maps.js';
import { markOf, seriesName } from './naming.js';
import { usePicture } from './store.js';
import type { PictureData } from './store.js';
import { Viewport } from './viewport.js';
import type { Overlay, ViewState } from './viewport.js';
import { palettes, windowed } from './window.js';

interface CompareProps {
  readonly exam: ExamView;
  readonly series: SeriesView;
  readonly list: readonly PictureEntry[];
  readonly at: number;
  readonly go: (to: number) => void;
  readonly view: Signal<ViewState>;
  readonly window: Signal<PixelWindow | undefined>;
  readonly overlays: readonly (Overlay | undefined)[];
}

/** Half of the thumb of the divider's slider: the line stands where the thumb does. */
const thumbPixels = 8;

export function CompareView({ exam, series, list, at, go, view, window, overlays }: CompareProps) {
  const divider = useSignal(0.5);
  const residualWindow = useSignal<PixelWindow | undefined>(undefined);
  const entries = list.filter(({ output }) => output === 'image');
  const entry = entries[at];
  const name = (output: string) => (entry === undefined ? undefined : { examId: exam.id, seriesId: series.id, output, number: entry.number });
  const conventional = usePicture(name('image')).picture;
  const denoised = usePicture(list.some((one) => one.output === 'denoised' && one.number === entry?.number) ? name('denoised') : undefined).picture;
  const removed = useMemo(() => (conventional === undefined || denoised === undefined ? undefined : difference(conventional, denoised, 'removed')), [conventional, denoised]);
  const half = useMemo(() => (denoised === undefined ? undefined : rightHalf(denoised, window)), [denoised]);
  const light = series.outputs.find(({ kind }) => kind === 'denoised')?.light;
  const scroll = { onScroll: (by: number) => go(at + by), onEnd: (which: 'first' | 'last') => go(which === 'first' ? 0 : entries.length - 1) };
  const slice = `slice ${at + 1} of ${entries.length}`;
  return (
    <div class="compare">
      <div class="compare-halves">
        <Viewport
          picture={conventional} view={view} window={window} mark={markOf(series)} overlays={[half?.(divider.value), ...overlays]} {...scroll}
          label={`${seriesName(series)}, conventional on the left, denoised on the right, ${slice}`} caption={`${seriesName(series)}, ${slice}`}
        />
        <input
          type="range" class="divider" min={0} max={1} step={0.01} value={divider.value} aria-label="Divider between conventional and denoised"
          aria-valuetext={`${Math.round(100 * divider.value)} % conventional`} onInput={(event) => (divider.value = Number(event.currentTarget.value))}
        />
      </div>
      <div class="compare-residual">
        <Viewport
          picture={removed} view={view} window={residualWindow} palette="signed" mark={markOf(series)} {...scroll}
          overlays={[colourBar('signed', () => residualWindow.peek(), 'taken out'), ...overlays]}
          label={`${seriesName(series)}, what denoising took out (conventional less denoised), ${slice}`} caption="Taken out by denoising"
        />
        <p class="quiet">Should look like noise: anatomy in it was taken from the image. Where there is no signal it is above 0, as magnitudes of noise are. {light !== undefined && <Light value={light} />}</p>
      </div>
    </div>
  );
}

/** The denoised image right of the divider, in the window of the conventional one. */
function rightHalf(denoised: PictureData, window: Signal<PixelWindow | undefined>): (divider: number) => Overlay {
  const canvas = document.createElement('canvas');
  let painted: PixelWindow | undefined;
  return (divider) => (context, placing, picture) => {
    const now = window.peek() ?? picture.window;
    if (painted?.centre !== now.centre || painted.width !== now.width) paint(canvas, denoised, now);
    painted = now;
    const x = thumbPixels + divider * (placing.width - 2 * thumbPixels);
    const [left, top] = [placing.x(-0.5, 0), placing.y(0, -0.5)];
    context.save();
    context.beginPath();
    context.rect(x, 0, placing.width - x, placing.height);
    context.clip();
    context.imageSmoothingEnabled = placing.scale < 4;
    context.imageSmoothingQuality = 'high';
    context.drawImage(canvas, left, top, placing.x(denoised.columns - 0.5, 0) - left, placing.y(0, denoised.rows - 0.5) - top);
    context.restore();
    context.fillStyle = '#ffb454';
    context.fillRect(x - 0.75, 0, 1.5, placing.height);
    context.font = '600 13px system-ui, sans-serif';
    context.textBaseline = 'bottom';
    label(context, 'Conventional', x - 8, placing.height - 28, 'right');
    label(context, 'Denoised', x + 8, placing.height - 28, 'left');
  };
}

function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, align: CanvasTextAlign): void {
  context.textAlign = align;
  context.lineWidth = 3;
  context.strokeStyle = '#000c';
  context.strokeText(text, x, y);
  context.fillStyle = '#ffd9a0';
  context.fillText(text, x, y);
}

function paint(canvas: HTMLCanvasElement, { rows, columns, values }: PictureData, window: PixelWindow): void {
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(columns, rows);
  windowed(values, window, palettes.grey, image.data);
  context.putImageData(image, 0, 0);
}
