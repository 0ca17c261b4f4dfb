/** Images as pictures: through the window of their series, maps in colours so that nobody takes one for an image. */
import { rename, writeFile } from 'node:fs/promises';
import type { MrdHeader } from 'ismrmrd';
import { encodePng, greyPicture, heatPicture } from '../../imaging/index.js';
import type { ReconImage } from '../../recon/index.js';
import { SeriesBook } from './series.js';
import type { DeliverySettings, ImageOutput } from './types.js';

/** One image becomes `name.png`; several become `name-000.png`, `name-001.png` and so on. */
export function openPngOutput(path: string, header: MrdHeader | undefined, settings: DeliverySettings): ImageOutput {
  const book = new SeriesBook(header, { ...settings, pixelType: 'float32' });
  const stem = path.slice(0, -'.png'.length);
  const files: string[] = [];

  return {
    async write(image: ReconImage): Promise<void> {
      const { pixels, series } = book.place(image);
      const paint = image.kind === 'image' ? greyPicture : heatPicture;
      const picture = encodePng(paint(pixels, image.rows, image.columns, series.window));
      if (files.length === 1) {
        const numbered = numberedPath(stem, 0);
        await rename(path, numbered);
        files[0] = numbered;
      }
      const file = files.length === 0 ? path : numberedPath(stem, files.length);
      await writeFile(file, picture);
      files.push(file);
    },
    close: () => Promise.resolve({ files, notices: [...book.notices] }),
  };
}

function numberedPath(stem: string, number: number): string {
  return `${stem}-${String(number).padStart(3, '0')}.png`;
}
