/** Where images go, by the name of the output. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { MrdHeader } from 'ismrmrd';
import { openDicomOutput } from './dicomOutput.js';
import { deliveryError } from './errors.js';
import { openHdf5Output } from './hdf5Output.js';
import { openMrdOutput } from './mrdOutput.js';
import { openNiftiOutput } from './niftiOutput.js';
import { openPngOutput } from './pngOutput.js';
import type { Pseudonymiser } from './pseudonymise.js';
import type { DeliverySettings, ImageOutput } from './types.js';

/**
 * Opens `path` for writing, replacing a file of that name: `.mrd` an MRD stream, `.h5` an ISMRMRD
 * file, `.png` pictures, `.nii` and `.nii.gz` NIfTI volumes; an existing directory, and a name that ends in a slash or has no extension,
 * DICOM files.
 * @param pseudonymiser of an output that names nobody
 * @throws CONUS_ERR_OUTPUT_KIND, or the system's error where the path cannot be written
 */
export async function openOutput(
  path: string,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
  pseudonymiser?: Pseudonymiser,
): Promise<ImageOutput> {
  if (path.endsWith('/') || extname(path) === '' || (await isDirectory(path))) return openDicomOutput(path, header, settings, pseudonymiser);
  if (pseudonymiser !== undefined) return openFile(path, header && pseudonymiser.header(header), pseudonymiser.settings(settings));
  return openFile(path, header, settings);
}

async function openFile(path: string, header: MrdHeader | undefined, settings: DeliverySettings): Promise<ImageOutput> {
  if (/\.nii(\.gz)?$/i.test(path)) return openNiftiOutput(path, header, settings);
  switch (extname(path).toLowerCase()) {
    case '.mrd':
      return openMrdOutput(path, header, settings);
    case '.h5':
      return openHdf5Output(path, header, settings);
    case '.png':
      return openPngOutput(path, header, settings);
    default:
      throw deliveryError('CONUS_ERR_OUTPUT_KIND', path);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then((entry) => entry.isDirectory(), () => false);
}
