/** Images as DICOM files, one each: IM-<series>-<instance>.dcm in a directory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage } from '../../recon/index.js';
import { DicomObjectMaker } from './dicomObjects.js';
import type { DeliverySettings, ImageOutput } from './types.js';

export async function openDicomOutput(
  directory: string,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
): Promise<ImageOutput> {
  await mkdir(directory, { recursive: true });
  const maker = new DicomObjectMaker(header, settings);
  const files: string[] = [];

  return {
    async write(image: ReconImage): Promise<void> {
      const { bytes, seriesIndex, objectIndex } = maker.make(image);
      const path = join(directory, dicomFileName(seriesIndex, objectIndex));
      await writeFile(path, bytes);
      files.push(path);
    },

    close() {
      return Promise.resolve({ files, notices: [...maker.notices] });
    },
  };
}

export function dicomFileName(series: number, instance: number): string {
  const pad = (number: number) => String(number).padStart(4, '0');
  return `IM-${pad(series)}-${pad(instance)}.dcm`;
}
