/** What the colours of a picture mean: from the lower to the upper end of its window. */
import type { PixelWindow } from '../api/index.js';
import { number } from '../parts/index.js';
import { palettes } from './window.js';
import type { PaletteName } from './window.js';

const stops = 16;

export function ColourBar({ palette, window, unit = '' }: { palette: PaletteName; window: PixelWindow; unit?: string }) {
  const colours = palettes[palette];
  const at = (part: number) => 3 * Math.round(255 * part);
  const parts = Array.from({ length: stops + 1 }, (_, i) => i / stops);
  const gradient = parts.map((part) => `rgb(${colours[at(part)]!} ${colours[at(part) + 1]!} ${colours[at(part) + 2]!})`).join(', ');
  const labels = [0, 0.25, 0.5, 0.75, 1].map((part) => `${number(window.centre + (part - 0.5) * window.width)}${unit}`);
  return (
    <div class="colour-bar" role="img" aria-label={`colours from ${labels[0]!} to ${labels[4]!}`}>
      <div class="ramp" style={{ backgroundImage: `linear-gradient(to right, ${gradient})` }} />
      <div class="ticks" aria-hidden="true">{labels.map((label, i) => <span key={i}>{label}</span>)}</div>
    </div>
  );
}
