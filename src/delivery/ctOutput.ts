/** Simulated CT slices as DICOM files, one each: IM-<series>-<instance>.dcm in a directory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CtOptions, CtSlice } from '../../simulator/index.js';
import { ctDataset, seriesNumber, type SimulatedSubject } from './ctDataset.js';
import { encodeDicom } from './dicomObjects.js';
import { dicomFileName } from './dicomOutput.js';

export type { SimulatedSubject } from './ctDataset.js';

export interface CtOutput {
  /** Writes a slice; its path. */
  write(slice: CtSlice): Promise<string>;
}

/**
 * @param options those of the scan
 * @throws the system's error where the directory cannot be written
 */
export async function openCtOutput(
  directory: string,
  options: CtOptions,
  subject: SimulatedSubject,
  softwareVersion: string,
): Promise<CtOutput> {
  await mkdir(directory, { recursive: true });
  return {
    async write(slice) {
      const path = join(directory, dicomFileName(seriesNumber(slice, options), slice.sliceIndex + 1));
      await writeFile(path, encodeDicom(ctDataset(slice, options, subject, softwareVersion), softwareVersion));
      return path;
    },
  };
}
