/** Images as an MRD stream in a file, just as a client receives them: IMAGE messages, then CLOSE. */
import { open } from 'node:fs/promises';
import { encodeClose, encodeImage } from 'ismrmrd';
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage } from '../../recon/index.js';
import { SeriesBook } from './series.js';
import type { DeliverySettings, ImageOutput } from './types.js';

/** @throws the system's error where the file cannot be written */
export async function openMrdOutput(
  path: string,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
): Promise<ImageOutput> {
  const book = new SeriesBook(header, settings);
  const file = await open(path, 'w');

  return {
    async write(image: ReconImage): Promise<void> {
      await file.appendFile(Buffer.concat(encodeImage(book.message(image))));
    },
    async close() {
      await file.appendFile(Buffer.concat(encodeClose()));
      await file.close();
      return { files: [path], notices: [...book.notices] };
    },
  };
}
