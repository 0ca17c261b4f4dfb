import { describe, expect, it } from 'vitest';
import { removeGibbsRinging } from '../../../recon/index.js';
import { apply, transformMatrix } from '../cartesian/gridScan.js';
import { openSession } from '../parallelImaging.js';

const n = 48;
const fine = 12 * n;

/** Pixel means of an object of sharp edges at [rows, columns], and its image by n x n samples of k-space. */
function edges(valueAt: (x: number, y: number) => number): { truth: Float32Array; image: Float32Array } {
  const object = new Float64Array(2 * fine * fine);
  const truth = new Float32Array(n * n);
  for (let r = 0; r < fine; r++) {
    for (let c = 0; c < fine; c++) {
      const value = valueAt((c + 0.5) / fine - 0.5, (r + 0.5) / fine - 0.5);
      object[2 * (r * fine + c)] = value;
      // Pixel j of n is centred on sample 12 j of the fine grid.
      const at = (Math.floor((r + 6) / 12) % n) * n + (Math.floor((c + 6) / 12) % n);
      truth[at] = truth[at]! + value / 144;
    }
  }
  const down = transformMatrix(n, fine);
  const kspace = apply(down, n, fine, apply(down, n, fine, object, fine, 1), 1, n);
  const up = transformMatrix(n, n);
  const image = apply(up, n, n, apply(up, n, n, kspace, n, 1, true), 1, n, true);
  return { truth, image: Float32Array.from(image, (value) => value / 12) };
}

function unrung(image: Float32Array): Float32Array {
  const kernels = openSession();
  const pointer = kernels.arena.allocate(4 * image.length);
  kernels.arena.f32(pointer, image.length).set(image);
  removeGibbsRinging(kernels, pointer, n, n);
  return kernels.arena.f32(pointer, image.length).slice();
}

/** Root mean square where the truth is flat: as the pixel's neighbours two away. */
function ringing(image: Float32Array, truth: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (let r = 3; r < n - 3; r++) {
    for (let c = 3; c < n - 3; c++) {
      const p = r * n + c;
      const isFlat = [-2, -1, 1, 2].every((d) => Math.abs(truth[p + d]! - truth[p]!) < 1e-6 && Math.abs(truth[p + d * n]! - truth[p]!) < 1e-6);
      if (!isFlat) continue;
      sum += (image[2 * p]! - truth[p]!) ** 2;
      count++;
    }
  }
  return Math.sqrt(sum / count);
}

describe('Gibbs ringing', () => {
  it.each([
    ['of a rectangle', (x: number, y: number) => (Math.abs(x) < 0.213 && Math.abs(y) < 0.171 ? 1 : 0)],
    ['of a disc', (x: number, y: number) => (Math.hypot(x - 0.03, y) < 0.27 ? 1 : 0)],
    ['of a rectangle on a ground', (x: number, y: number) => (Math.abs(x) < 0.213 && Math.abs(y) < 0.171 ? 1.5 : 1)],
  ])('%s goes by half or more', (_, valueAt) => {
    const { truth, image } = edges(valueAt);
    expect(ringing(unrung(image), truth)).toBeLessThan(0.5 * ringing(image, truth));
  });

  it('and nothing else: a smooth image stays as it is', () => {
    const image = new Float32Array(2 * n * n);
    for (let r = 0; r < n; r++) {
      for (let c = 0; c < n; c++) {
        const value = Math.exp(-((r - 22) ** 2 + (c - 25) ** 2) / 60);
        image[2 * (r * n + c)] = value * Math.cos(0.05 * c);
        image[2 * (r * n + c) + 1] = value * Math.sin(0.05 * c);
      }
    }
    const out = unrung(image);
    const error = Math.sqrt(image.reduce((sum, value, i) => sum + (value - out[i]!) ** 2, 0) / image.reduce((sum, value) => sum + value * value, 0));
    expect(error).toBeLessThan(0.03);
  });
});
