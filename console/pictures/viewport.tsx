/**
 * A picture on a canvas: in its window, as large as fits, at its true aspect; window, zoom and place by pointer, wheel
 * and keys; and whatever is drawn over it, in pixels of the picture. Marks (SYNTHETIC, the patient's sides) are part of
 * what is drawn, so that no screenshot is without them.
 */
import { signal, useSignal, useSignalEffect } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { PixelWindow } from '../api/index.js';
import { edgeLetters, length } from './geometry.js';
import { drawn } from './latency.js';
import type { PictureData } from './store.js';
import { palettes, windowed, windowOfMiddle } from './window.js';
import type { PaletteName } from './window.js';

/** Zoom over what fits, and the picture's place as shares of its own size; may be shared by views that are linked. */
export interface ViewState {
  readonly zoom: number;
  readonly panX: number;
  readonly panY: number;
}

export const unmoved: ViewState = { zoom: 1, panX: 0, panY: 0 };
export const newView = (): Signal<ViewState> => signal(unmoved);

/** From pixels of the picture, [column, row] at their centres, to CSS pixels of the canvas. */
export interface Placing {
  readonly x: (column: number, row: number) => number;
  readonly y: (column: number, row: number) => number;
  /** CSS pixels a pixel of the picture, along its columns' direction. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}

export type Overlay = (context: CanvasRenderingContext2D, placing: Placing, picture: PictureData) => void;

export interface ViewportProps {
  readonly picture: PictureData | undefined;
  readonly view: Signal<ViewState>;
  /** Undefined: the picture's own. */
  readonly window: Signal<PixelWindow | undefined>;
  readonly palette?: PaletteName;
  /** What the picture is, for whoever does not see it, and in its corner. */
  readonly label: string;
  /** Shorter, in its corner. */
  readonly caption?: string | undefined;
  /** Written large over the picture, e.g. SYNTHETIC. */
  readonly mark?: string | undefined;
  /** Lines of the lower corner. */
  readonly notes?: readonly string[];
  readonly overlays?: readonly (Overlay | undefined)[];
  /** By how many slices to go on. */
  readonly onScroll?: (by: number) => void;
  /** To the first or the last slice. */
  readonly onEnd?: (which: 'first' | 'last') => void;
  /** Where the pointer is, in pixels of the picture; undefined where it left. */
  readonly onPoint?: (at: { readonly column: number; readonly row: number } | undefined) => void;
}

const longestZoom = 16;
const leastZoom = 0.5;

export function Viewport(props: ViewportProps) {
  const { picture, view, window, palette = 'grey', label, mark, notes, overlays, onScroll, onEnd, onPoint } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal<{ width: number; height: number }>({ width: 0, height: 0 });
  const source = useRef<HTMLCanvasElement | undefined>(undefined);
  const frame = useRef<number | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;

  const paint = () => {
    frame.current = undefined;
    const target = canvas.current;
    if (target === null || size.peek().width === 0) return;
    const now = latest.current;
    paintAll(target, size.peek(), now, (source.current ??= document.createElement('canvas')));
    drawn(now.picture?.at !== undefined && !seen.has(now.picture) ? now.picture.at : undefined);
    if (now.picture !== undefined) seen.add(now.picture);
  };
  const paintSoon = () => {
    frame.current ??= requestAnimationFrame(paint);
  };

  useEffect(() => {
    const target = canvas.current!;
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      size.value = { width: Math.round(width), height: Math.round(height) };
    });
    observer.observe(target);
    return () => {
      observer.disconnect();
      if (frame.current !== undefined) cancelAnimationFrame(frame.current);
    };
  }, []);
  useSignalEffect(() => {
    void [view.value, window.value, size.value];
    paintSoon();
  });
  useEffect(paintSoon, [picture, palette, label, mark, notes?.join('\n'), overlays]);

  const moveWindow = (centreBy: number, widthBy: number) => {
    const own = picture?.window;
    if (own === undefined) return;
    const { centre, width } = window.value ?? own;
    window.value = { centre: centre + centreBy * own.width, width: Math.max(own.width / 256, width + widthBy * own.width) };
  };
  const zoomBy = (factor: number) => {
    view.value = { ...view.value, zoom: Math.min(longestZoom, Math.max(leastZoom, view.value.zoom * factor)) };
  };
  const panBy = (x: number, y: number) => {
    view.value = { ...view.value, panX: view.value.panX + x, panY: view.value.panY + y };
  };

  const keyed = (event: KeyboardEvent) => {
    const step = 0.04;
    const moves: Readonly<Record<string, () => void>> = event.shiftKey && event.key.startsWith('Arrow')
      ? { ArrowUp: () => panBy(0, -step), ArrowDown: () => panBy(0, step), ArrowLeft: () => panBy(-step, 0), ArrowRight: () => panBy(step, 0) }
      : {
          ArrowUp: () => onScroll?.(-1), ArrowDown: () => onScroll?.(1), PageUp: () => onScroll?.(-5), PageDown: () => onScroll?.(5),
          Home: () => onEnd?.('first'), End: () => onEnd?.('last'),
          i: () => moveWindow(step, 0), k: () => moveWindow(-step, 0), l: () => moveWindow(0, 2 * step), j: () => moveWindow(0, -2 * step),
          '+': () => zoomBy(1.15), '=': () => zoomBy(1.15), '-': () => zoomBy(1 / 1.15),
          a: () => {
            if (picture !== undefined) window.value = windowOfMiddle(picture);
          },
          '0': () => {
            view.value = unmoved;
            window.value = undefined;
          },
        };
    const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : (moves[event.key] ?? moves[event.key.toLowerCase()]);
    if (move === undefined) return;
    move();
    event.preventDefault();
  };

  const drag = useRef<{ x: number; y: number; pans: boolean } | undefined>(undefined);
  const pressed = (event: PointerEvent) => {
    if (event.button > 1) return;
    drag.current = { x: event.clientX, y: event.clientY, pans: event.shiftKey || event.button === 1 };
    canvas.current!.setPointerCapture(event.pointerId);
    canvas.current!.focus();
  };
  const moved = (event: PointerEvent) => {
    const target = canvas.current!;
    if (picture !== undefined && onPoint !== undefined) {
      const box = target.getBoundingClientRect();
      onPoint(pixelAt(placingOf(picture, view.peek(), size.peek()), picture, event.clientX - box.left, event.clientY - box.top));
    }
    if (drag.current === undefined) return;
    const [byX, byY] = [event.clientX - drag.current.x, event.clientY - drag.current.y];
    drag.current = { ...drag.current, x: event.clientX, y: event.clientY };
    if (drag.current.pans && picture !== undefined) {
      const { scaleX, scaleY } = fitOf(picture, view.peek(), size.peek());
      panBy(byX / (scaleX * picture.columns), byY / (scaleY * picture.rows));
    } else {
      moveWindow(-byY / 400, byX / 250);
    }
  };
  // A wheel listener of Preact is passive and could not keep the page from scrolling.
  useEffect(() => {
    const target = canvas.current!;
    const turned = (event: WheelEvent) => {
      event.preventDefault();
      if (event.ctrlKey) zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      else latest.current.onScroll?.(Math.sign(event.deltaY));
    };
    target.addEventListener('wheel', turned, { passive: false });
    return () => target.removeEventListener('wheel', turned);
  }, []);

  return (
    <canvas
      ref={canvas}
      class="viewport"
      tabIndex={0}
      role="img"
      aria-label={mark === undefined ? label : `${mark}: ${label}`}
      onKeyDown={keyed}
      onPointerDown={pressed}
      onPointerMove={moved}
      onPointerUp={() => (drag.current = undefined)}
      onPointerLeave={() => onPoint?.(undefined)}
      onDblClick={() => {
        view.value = unmoved;
        window.value = undefined;
      }}
    />
  );
}

/** Pictures that were drawn once: only the first time tells how long it took. */
const seen = new WeakSet<PictureData>();

interface Fit {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly left: number;
  readonly top: number;
}

function fitOf(picture: Pick<PictureData, 'rows' | 'columns' | 'geometry'>, { zoom, panX, panY }: ViewState, { width, height }: { width: number; height: number }): Fit {
  const { rows, columns, geometry } = picture;
  // A pixel is as wide and as high as it is in the patient.
  const [wide, high] = geometry === undefined ? [1, 1] : [length(geometry.columnStepMm), length(geometry.rowStepMm)];
  const scale = zoom * Math.min(width / (columns * wide), height / (rows * high));
  const [scaleX, scaleY] = [scale * wide, scale * high];
  return { scaleX, scaleY, left: width / 2 + (panX - 0.5) * columns * scaleX, top: height / 2 + (panY - 0.5) * rows * scaleY };
}

export function placingOf(picture: Pick<PictureData, 'rows' | 'columns' | 'geometry'>, view: ViewState, size: { width: number; height: number }): Placing {
  const { scaleX, scaleY, left, top } = fitOf(picture, view, size);
  return { x: (column) => left + (column + 0.5) * scaleX, y: (_column, row) => top + (row + 0.5) * scaleY, scale: scaleX, ...size };
}

function pixelAt(placing: Placing, { rows, columns }: PictureData, x: number, y: number): { column: number; row: number } | undefined {
  const column = Math.round((x - placing.x(0, 0)) / (placing.x(1, 0) - placing.x(0, 0)));
  const row = Math.round((y - placing.y(0, 0)) / (placing.y(0, 1) - placing.y(0, 0)));
  return column >= 0 && row >= 0 && column < columns && row < rows ? { column, row } : undefined;
}

function paintAll(canvas: HTMLCanvasElement, size: { width: number; height: number }, props: ViewportProps, source: HTMLCanvasElement): void {
  const { picture, view, window, palette = 'grey', label, caption = label, mark, notes = [], overlays = [] } = props;
  const ratio = globalThis.devicePixelRatio || 1;
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d', { alpha: false })!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = '#000';
  context.fillRect(0, 0, size.width, size.height);
  if (picture === undefined) return;
  fill(source, picture, window.peek() ?? picture.window, palette);
  const { scaleX, scaleY, left, top } = fitOf(picture, view.peek(), size);
  context.imageSmoothingEnabled = scaleX < 4;
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, left, top, picture.columns * scaleX, picture.rows * scaleY);
  const placing = placingOf(picture, view.peek(), size);
  for (const overlay of overlays) {
    context.save();
    overlay?.(context, placing, picture);
    context.restore();
  }
  write(context, size, { caption, mark, notes, picture });
}

function fill(source: HTMLCanvasElement, { rows, columns, values }: PictureData, window: PixelWindow, palette: PaletteName): void {
  if (source.width !== columns || source.height !== rows) [source.width, source.height] = [columns, rows];
  const context = source.getContext('2d', { willReadFrequently: true })!;
  const image = context.createImageData(columns, rows);
  windowed(values, window, palettes[palette], image.data);
  context.putImageData(image, 0, 0);
}

function write(context: CanvasRenderingContext2D, { width, height }: { width: number; height: number }, { caption, mark, notes, picture }: { caption: string; mark: string | undefined; notes: readonly string[]; picture: PictureData }): void {
  const put = (text: string, x: number, y: number, align: CanvasTextAlign, colour = '#dfe7ee') => {
    context.textAlign = align;
    context.fillStyle = '#000a';
    context.fillText(text, x + 1, y + 1);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  };
  context.font = '13px system-ui, sans-serif';
  context.textBaseline = 'top';
  put(caption, 8, 8, 'left');
  notes.forEach((note, line) => put(note, 8, height - 8 - 17 * (notes.length - line), 'left'));
  if (picture.geometry !== undefined) {
    const { left, right, top, bottom } = edgeLetters(picture.geometry);
    context.textBaseline = 'middle';
    put(left, 8, height / 2, 'left', '#9fb2c3');
    put(right, width - 8, height / 2, 'right', '#9fb2c3');
    // Below caption and mark where those reach so far.
    const isCrowded = context.measureText(caption).width + 20 > width / 2 || (mark !== undefined && context.measureText(mark).width + 60 > width / 2);
    put(top, width / 2, isCrowded ? 32 : 14, 'center', '#9fb2c3');
    put(bottom, width / 2, height - 14, 'center', '#9fb2c3');
  }
  if (mark !== undefined) {
    context.textBaseline = 'top';
    context.font = '600 15px system-ui, sans-serif';
    put(mark, width - 10, 8, 'right', '#ffb454');
  }
}
