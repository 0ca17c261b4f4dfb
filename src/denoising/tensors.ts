/** Images as networks take them, [n, channels, rows, columns], and back: real and imaginary parts are channels. */
import type { Tensor, Tensors } from '../../models/index.js';
import type { NoisyImage } from '../../recon/index.js';

/** @param images of one size; `data` interleaved [rows, columns, components] */
export function tensorsOf(images: readonly NoisyImage[], components: 1 | 2, imageName: string, noiseName: string): Tensors {
  const { rows, columns } = images[0]!;
  const nPixels = rows * columns;
  const image = new Float32Array(images.length * components * nPixels);
  const noise = new Float32Array(images.length * nPixels);
  images.forEach((one, n) => {
    noise.set(one.noise, n * nPixels);
    for (let channel = 0; channel < components; channel++) {
      const plane = image.subarray((n * components + channel) * nPixels, (n * components + channel + 1) * nPixels);
      for (let pixel = 0; pixel < nPixels; pixel++) plane[pixel] = one.data[components * pixel + channel]!;
    }
  });
  return {
    [imageName]: { dims: [images.length, components, rows, columns], data: image },
    [noiseName]: { dims: [images.length, 1, rows, columns], data: noise },
  };
}

/** @returns interleaved [rows, columns, components], one array an image */
export function imagesOf({ dims, data }: Tensor, components: 1 | 2): Float32Array[] {
  const [n, , rows, columns] = dims as [number, number, number, number];
  const nPixels = rows * columns;
  return Array.from({ length: n }, (_, at) => {
    const image = new Float32Array(components * nPixels);
    for (let channel = 0; channel < components; channel++) {
      const plane = data.subarray((at * components + channel) * nPixels);
      for (let pixel = 0; pixel < nPixels; pixel++) image[components * pixel + channel] = plane[pixel]!;
    }
    return image;
  });
}
