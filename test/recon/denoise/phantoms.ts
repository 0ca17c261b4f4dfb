/** Images with a known truth and a noise that varies, and a denoiser that knows the truth nearly as well as a good one does. */
import { Random, rasterise, spinePhantom } from '../../../simulator/index.js';

export const rows = 160;
export const columns = 128;
const nPixels = rows * columns;

/** A simulated sagittal spine, its body about 1 bright, air about it. */
export const spine: Float32Array = rasterise(spinePhantom(), [columns, rows], [columns * 1.9, rows * 1.9], 2);

/** Noise as parallel imaging leaves it: 1 to `most`, more in the middle. */
export function gNoise(most: number, sigma = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: nPixels }, (_, p) => {
    const [y, x] = [Math.floor(p / columns) / rows - 0.5, (p % columns) / columns - 0.5];
    return sigma * (1 + (most - 1) * Math.exp(-8 * (x * x + y * y)));
  });
}

/** Complex and smooth in phase, `snr` times the noise at brightness 1: complex64 [rows, columns]. */
export function cleanImage(snr: number, magnitude: Float32Array = spine): Float32Array<ArrayBuffer> {
  const image = new Float32Array(2 * nPixels);
  for (let p = 0; p < nPixels; p++) {
    const [y, x] = [Math.floor(p / columns) / rows - 0.5, (p % columns) / columns - 0.5];
    const phase = 0.5 + 2 * x - 1.5 * y + 2 * x * y;
    image[2 * p] = snr * magnitude[p]! * Math.cos(phase);
    image[2 * p + 1] = snr * magnitude[p]! * Math.sin(phase);
  }
  return image;
}

export function withNoise(clean: Float32Array, noise: Float32Array, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from(clean, (value, i) => value + noise[i >> 1]! * random.normal());
}

export function magnitudes(image: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: image.length / 2 }, (_, p) => Math.hypot(image[2 * p]!, image[2 * p + 1]!));
}

/** Keeps the part of the noise that is smooth over 5 x 5 pixels, and a tenth of the rest where there is signal. */
export function goodDenoiser(clean: Float32Array, noisy: Float32Array, noise: Float32Array): Float32Array {
  const error = noisy.map((value, i) => value - clean[i]!);
  const out = clean.slice();
  for (let row = 2; row < rows - 2; row++) {
    for (let column = 2; column < columns - 2; column++) {
      const p = row * columns + column;
      const isSignal = Math.hypot(clean[2 * p]!, clean[2 * p + 1]!) > noise[p]!;
      for (let part = 0; part < 2; part++) {
        let mean = 0;
        for (let r = -2; r <= 2; r++) for (let c = -2; c <= 2; c++) mean += error[2 * (p + r * columns + c) + part]! / 25;
        out[2 * p + part] = out[2 * p + part]! + (isSignal ? mean + 0.1 * (error[2 * p + part]! - mean) : 0.3 * mean);
      }
    }
  }
  return out;
}

/** A disc of `radius` pixels, `size` high, along the phase of the image. */
export function withDisc(image: Float32Array, row: number, column: number, radius: number, size: number): Float32Array {
  const out = image.slice();
  const reach = Math.ceil(radius);
  for (let r = -reach; r <= reach; r++) {
    for (let c = -reach; c <= reach; c++) {
      if (r * r + c * c > radius * radius) continue;
      const p = (row + r) * columns + column + c;
      const magnitude = Math.hypot(image[2 * p]!, image[2 * p + 1]!) || 1;
      out[2 * p] = out[2 * p]! + (size * image[2 * p]!) / magnitude;
      out[2 * p + 1] = out[2 * p + 1]! + (size * image[2 * p + 1]!) / magnitude;
    }
  }
  return out;
}
