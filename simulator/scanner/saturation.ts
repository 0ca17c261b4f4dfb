/**
 * Spatial saturation: bands in which magnetisation is turned over and spoiled before each excitation.
 *
 *   gain(r) = Π_bands 1 - efficiency · rise(d) · fall(d),    d = distance of r from the band's near edge
 *
 * with edges that rise over a centimetre, as selective pulses of a few milliseconds have them. What has
 * recovered until the excitation is in the efficiency. The bands stay in the scanner when the patient moves.
 */
import type { Vector3 } from '../../imaging/index.js';
import type { SaturationBand } from '../../protocols/index.js';

const efficiency = 0.8;
const edgeMm = 10;

/** The way from the stack to a band; LPS. */
const directions: Readonly<Record<SaturationBand['side'], Vector3>> = {
  anterior: [0, -1, 0],
  posterior: [0, 1, 0],
  left: [1, 0, 0],
  right: [-1, 0, 0],
  head: [0, 0, 1],
  feet: [0, 0, -1],
};

/** What is left of the signal at a point, 0 to 1. @param centreMm of the stack */
export function saturationGain(bands: readonly SaturationBand[], centreMm: Vector3, point: Vector3): number {
  let gain = 1;
  for (const { side, distanceMm, thicknessMm } of bands) {
    const direction = directions[side];
    const along = [0, 1, 2].reduce((sum, axis) => sum + (point[axis]! - centreMm[axis]!) * direction[axis]!, 0);
    const inside = along - distanceMm;
    gain *= 1 - efficiency * rise(inside / edgeMm) * rise((thicknessMm - inside) / edgeMm);
  }
  return gain;
}

/** From 0 to 1 about zero, over the width 1. */
function rise(x: number): number {
  const t = Math.min(1, Math.max(0, x + 0.5));
  return t * t * (3 - 2 * t);
}
