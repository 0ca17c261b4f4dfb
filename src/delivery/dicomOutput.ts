/** Images as DICOM files, one each: IM-<series>-<instance>.dcm in a directory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import dcmjs from 'dcmjs';
import type { DicomElements } from 'dcmjs';
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage } from '../../recon/index.js';
import { dicomDataset } from './dicomDataset.js';
import type { DicomDataset } from './dicomModules.js';
import { newUid, text, validUid } from './dicomValues.js';
import { warning } from './errors.js';
import { SeriesBook } from './series.js';
import type { DeliverySettings, ImageOutput } from './types.js';

const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
/** Conus as the writer of a file; a constant of this program. */
const IMPLEMENTATION_CLASS_UID = '2.25.97421640804420168949208320908120350967';

/** The file of a data set: preamble, meta information, Explicit VR Little Endian. */
export function encodeDicom(dataset: DicomDataset, softwareVersion: string): Uint8Array {
  const meta: DicomElements = {
    '00020001': { vr: 'OB', Value: [new Uint8Array([0, 1]).buffer] },
    '00020002': { vr: 'UI', Value: [dataset['SOPClassUID']] },
    '00020003': { vr: 'UI', Value: [dataset['SOPInstanceUID']] },
    '00020010': { vr: 'UI', Value: [EXPLICIT_VR_LITTLE_ENDIAN] },
    '00020012': { vr: 'UI', Value: [IMPLEMENTATION_CLASS_UID] },
    '00020013': { vr: 'SH', Value: [text(`CONUS_${softwareVersion}`, 16)] },
  };
  const file = new dcmjs.data.DicomDict(meta);
  file.dict = dcmjs.data.DicomMetaDictionary.denaturalizeDataset(dataset);
  return new Uint8Array(file.write());
}

export async function openDicomOutput(
  directory: string,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
): Promise<ImageOutput> {
  await mkdir(directory, { recursive: true });
  const isInteger = settings.pixelType === 'uint16' || settings.pixelType === 'int16';
  const book = new SeriesBook(header, isInteger ? settings : { ...settings, pixelType: 'uint16' });
  const studyInstanceUid = validUid(header?.studyInformation?.studyInstanceUID);
  const frameOfReferenceUid = validUid(header?.measurementInformation?.frameOfReferenceUID);
  const seriesUids = new Map<string, string>();
  const files: string[] = [];
  let nUnplaced = 0;

  return {
    async write(image: ReconImage): Promise<void> {
      const delivered = book.place(image);
      const { index } = delivered.series;
      if (image.geometry === undefined) nUnplaced++;
      // A DICOM series holds one kind of object; Secondary Capture gets its own.
      const seriesKey = `${index} ${image.geometry === undefined}`;
      const seriesInstanceUid = seriesUids.get(seriesKey) ?? newUid();
      seriesUids.set(seriesKey, seriesInstanceUid);
      const identity = { studyInstanceUid, seriesInstanceUid, frameOfReferenceUid };
      const dataset = dicomDataset(delivered, header, settings, identity, new Date());
      const path = join(directory, dicomFileName(index, delivered.imageIndex));
      await writeFile(path, encodeDicom(dataset, settings.softwareVersion));
      files.push(path);
    },

    close() {
      const notices = [...book.notices];
      if (!isInteger) notices.push(warning('DICOM_WARN_MAGNITUDE_ONLY', `${settings.pixelType} was asked for`));
      if (nUnplaced > 0) {
        notices.push(warning('DICOM_WARN_NO_GEOMETRY', `${nUnplaced} images without geometry were written as Secondary Capture`));
      }
      return Promise.resolve({ files, notices });
    },
  };
}

export function dicomFileName(series: number, instance: number): string {
  const pad = (number: number) => String(number).padStart(4, '0');
  return `IM-${pad(series)}-${pad(instance)}.dcm`;
}
