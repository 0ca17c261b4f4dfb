/** Images that came over the wire, into a file of the kind that its name asks for. */
import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { createMrdFile, parseMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { encodePng, greyPicture, percentileWindow } from '../../imaging/index.js';
import type { PixelWindow } from '../../imaging/index.js';
import { slicesOf } from './imageFiles.js';

/** `.mrd` is written by the receiver itself, byte for byte. */
export const receivedKinds = ['.mrd', '.h5', '.png'] as const;

/** @returns the files that were written. @throws the system's error, or CodedError MRD_ERR_HDF5_* */
export async function writeImages(path: string, images: readonly MrdImage[]): Promise<string[]> {
  if (extname(path).toLowerCase() === '.h5') {
    const file = await createMrdFile(path);
    for (const image of images) file.appendImage(image);
    await file.close();
    return [path];
  }
  return writePngs(path, images);
}

/** One slice becomes `name.png`; several become `name-000.png`, `name-001.png` and so on. */
async function writePngs(path: string, images: readonly MrdImage[]): Promise<string[]> {
  const pictures = images.flatMap((image) =>
    slicesOf(image).map(({ values, rows, columns }) =>
      encodePng(greyPicture(values, rows, columns, windowOf(image) ?? percentileWindow(values))),
    ),
  );
  const stem = path.slice(0, -'.png'.length);
  const paths = pictures.length === 1 ? [path] : pictures.map((_, i) => `${stem}-${String(i).padStart(3, '0')}.png`);
  for (const [i, picture] of pictures.entries()) await writeFile(paths[i]!, picture);
  return paths;
}

/** The window that the sender gives, in stored values. */
function windowOf({ attributes }: MrdImage): PixelWindow | undefined {
  if (attributes === '') return undefined;
  const meta = parseMeta(attributes);
  const centre = Number(meta.get('WindowCenter')?.[0]);
  const width = Number(meta.get('WindowWidth')?.[0]);
  return Number.isFinite(centre) && width > 0 ? { centre, width } : undefined;
}
