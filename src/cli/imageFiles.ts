/** Images of a file as plain numbers, for comparisons and masks. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { decode } from 'fast-png';
import { MrdParser } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { cliError } from './errors.js';
import type { CliIo } from './io.js';
import { openSource } from './source.js';

/** One slice. */
export interface RealImage {
  readonly rows: number;
  readonly columns: number;
  /** Magnitudes where the pixels are complex, [rows, columns]. */
  readonly values: Float64Array;
}

/**
 * @param series image series index; the lowest one of the file unless given
 * @throws CodedError CONUS_ERR_INPUT, CONUS_ERR_IMAGE_FILE, MRD_ERR_*
 */
export async function readImages(path: string, series: number | undefined, io: CliIo): Promise<RealImage[]> {
  if (extname(path).toLowerCase() === '.png') return [await readPng(path)];
  const images: MrdImage[] = [];
  const parser = new MrdParser({ image: (image) => images.push(image) });
  const { bytes } = await openSource(path, io);
  for await (const chunk of bytes) parser.write(chunk);
  const wanted = series ?? Math.min(...images.map(({ header }) => header.imageSeriesIndex));
  const chosen = images.filter(({ header }) => header.imageSeriesIndex === wanted);
  if (chosen.length === 0) {
    throw cliError('CONUS_ERR_IMAGE_FILE', `${path} with no image${series === undefined ? '' : ` of series ${series}`}`);
  }
  return chosen.flatMap(slicesOf);
}

async function readPng(path: string): Promise<RealImage> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw cliError('CONUS_ERR_INPUT', `${path} (${(cause as Error).message})`, { cause });
  }
  try {
    const { width, height, channels, data } = decode(bytes);
    if (channels === 1) return { rows: height, columns: width, values: Float64Array.from(data) };
  } catch (cause) {
    throw cliError('CONUS_ERR_IMAGE_FILE', `${path}, which is no PNG`, { cause });
  }
  throw cliError('CONUS_ERR_IMAGE_FILE', `${path} in colours`);
}

/** [channels, z, y, x] as slices; channels one after the other. */
export function slicesOf({ header, data }: MrdImage): RealImage[] {
  const [columns, rows] = header.matrixSize;
  const nPixels = rows * columns;
  const isComplex = header.dataType === 'complex64' || header.dataType === 'complex128';
  const nSlices = data.length / (isComplex ? 2 * nPixels : nPixels);
  return Array.from({ length: nSlices }, (_, slice) => ({
    rows,
    columns,
    values: Float64Array.from({ length: nPixels }, (_unused, pixel) => {
      const at = slice * nPixels + pixel;
      return isComplex ? Math.hypot(data[2 * at]!, data[2 * at + 1]!) : data[at]!;
    }),
  }));
}
