/** Images as an ISMRMRD HDF5 file: one group a series, `image_<series index>`, with the scan's header. */
import { createMrdFile, serializeHeader } from 'ismrmrd';
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage } from '../../recon/index.js';
import { SeriesBook } from './series.js';
import type { DeliverySettings, ImageOutput } from './types.js';

/** @throws MRD_ERR_HDF5_WRITE */
export async function openHdf5Output(
  path: string,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
): Promise<ImageOutput> {
  const book = new SeriesBook(header, settings);
  const file = await createMrdFile(path);
  if (header !== undefined) file.writeHeaderXml(serializeHeader(header));

  return {
    async write(image: ReconImage): Promise<void> {
      file.appendImage(book.message(image));
    },
    async close() {
      await file.close();
      return { files: [path], notices: [...book.notices] };
    },
  };
}
