/** DICOM files of a folder, and its folders: as instances to be sent, and as series to be looked at. */
import { createHash } from 'node:crypto';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from 'ismrmrd';
import { readIdentity } from './header.js';
import { parseDicom } from './image.js';
import type { DicomImage } from './image.js';
import type { LoadedInstance } from './sender.js';
import { stacksOf } from './stacks.js';
import type { Stack } from './stacks.js';

/** A file that is no DICOM object that Conus knows, and why. */
export interface RefusedFile {
  readonly path: string;
  readonly code: string;
  readonly got: string;
}

export interface SeriesOfFiles {
  readonly images: readonly DicomImage[];
  readonly stacks: readonly Stack[];
}

/** Files with DICM where DICOM files have it, below a folder or the file itself; in the order of their names. */
export async function dicomFiles(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return (await isDicomFile(path)) ? [path] : [];
  const entries = await readdir(path, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) found.push(...(await dicomFiles(inner)));
    else if (entry.isFile() && (await isDicomFile(inner))) found.push(inner);
  }
  return found;
}

export async function isDicomFile(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const magic = Buffer.alloc(4);
    const { bytesRead } = await file.read(magic, 0, 4, 128);
    return bytesRead === 4 && magic.toString('latin1') === 'DICM';
  } finally {
    await file.close();
  }
}

/** Series by their identifiers. */
export async function readSeriesFiles(paths: readonly string[]): Promise<{ series: SeriesOfFiles[]; refused: RefusedFile[] }> {
  const images = new Map<string, DicomImage[]>();
  const refused: RefusedFile[] = [];
  for (const path of paths) {
    try {
      const image = await parseDicom(await readFile(path));
      const uid = image.identity.seriesInstanceUid;
      images.set(uid, [...(images.get(uid) ?? []), image]);
    } catch (error) {
      refused.push(refusalOf(path, error));
    }
  }
  return { series: [...images.values()].map((group) => ({ images: group, stacks: stacksOf(group) })), refused };
}

/** What can be sent, a series at a time; bytes are read when they are wanted. */
export async function instancesOfFiles(paths: readonly string[]): Promise<{ series: LoadedInstance[][]; refused: RefusedFile[] }> {
  const series = new Map<string, LoadedInstance[]>();
  const refused: RefusedFile[] = [];
  for (const path of paths) {
    try {
      const file = await readFile(path);
      const identity = readIdentity(file);
      const ref = createHash('sha256').update(file).digest('hex');
      const instances = series.get(identity.seriesInstanceUid) ?? [];
      series.set(identity.seriesInstanceUid, [...instances, { ...identity, ref, nBytes: file.length, bytes: () => readFile(path) }]);
    } catch (error) {
      refused.push(refusalOf(path, error));
    }
  }
  return { series: [...series.values()], refused };
}

function refusalOf(path: string, error: unknown): RefusedFile {
  if (!(error instanceof CodedError)) throw error;
  return { path, code: error.code, got: error.got };
}
