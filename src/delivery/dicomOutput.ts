/** Images as DICOM files, one each: IM-<series>-<instance>.dcm in a directory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage } from '../../recon/index.js';
import { DicomObjectMaker } from './dicomObjects.js';
import type { DicomObject } from './dicomObjects.js';
import type { Pseudonymiser } from './pseudonymise.js';
import type { DeliverySettings, ImageOutput } from './types.js';

export async function openDicomOutput(
  directory: string,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
  pseudonymiser?: Pseudonymiser,
): Promise<ImageOutput> {
  await mkdir(directory, { recursive: true });
  const maker = new DicomObjectMaker(header, settings, { pseudonymiser, enhanced: settings.enhancedDicom });
  const files: string[] = [];

  const writeObject = async ({ bytes, seriesIndex, objectIndex }: DicomObject) => {
    const path = join(directory, dicomFileName(seriesIndex, objectIndex));
    await writeFile(path, bytes);
    files.push(path);
  };
  return {
    async write(image: ReconImage): Promise<void> {
      const object = maker.make(image);
      if (object !== undefined) await writeObject(object);
    },

    async close() {
      for (const object of maker.end()) await writeObject(object);
      return { files, notices: [...maker.notices] };
    },
  };
}

export function dicomFileName(series: number, instance: number): string {
  const pad = (number: number) => String(number).padStart(4, '0');
  return `IM-${pad(series)}-${pad(instance)}.dcm`;
}
