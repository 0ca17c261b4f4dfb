/** Images as an MRD stream, just as a client receives them: IMAGE messages, then CLOSE. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { encodeClose, encodeImage } from 'ismrmrd';
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage } from '../../recon/index.js';
import { SeriesBook } from './series.js';
import type { DeliverySettings, ImageOutput } from './types.js';

/** `-` is stdout. @throws the system's error where the file cannot be written */
export async function openMrdOutput(
  path: string,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
): Promise<ImageOutput> {
  const book = new SeriesBook(header, settings);
  const toStdout = path === '-';
  const stream: Writable = toStdout ? process.stdout : createWriteStream(path);
  if (!toStdout) await once(stream, 'open');

  return {
    async write(image: ReconImage): Promise<void> {
      await send(stream, encodeImage(book.message(image)));
    },
    async close() {
      await send(stream, encodeClose());
      if (!toStdout) {
        stream.end();
        await once(stream, 'close');
      }
      return { files: toStdout ? [] : [path], notices: [...book.notices] };
    },
  };
}

/** Resolves when the bytes are handed on, so that a slow reader slows the reconstruction down. */
function send(stream: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
