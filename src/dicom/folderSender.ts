/**
 * A folder as a destination: SERIES/INSTANCE.dcm, by their identifiers. A file is there whole or not at all: it is
 * written under another name, brought to the disk, and then linked to its own, which fails where that is taken. The
 * same bytes there already are as good as stored; other bytes are never overwritten.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { dicomError } from './errors.js';
import { isUid } from './header.js';
import { failed, stored } from './sender.js';
import type { LoadedInstance, Sender, SendResult } from './sender.js';

export class FolderSender implements Sender {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async send(instances: readonly LoadedInstance[], signal: AbortSignal): Promise<readonly SendResult[]> {
    const results: SendResult[] = [];
    for (const instance of instances) {
      results.push(signal.aborted ? failed(instance.sopInstanceUid, 'DICOM_ERR_CANCELLED', 'a request to stop', true) : await this.#write(instance));
    }
    return results;
  }

  async echo(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
      // Permissions alone do not tell: the disk may be full, or mounted read-only.
      const path = join(this.#folder, `.${randomBytes(8).toString('hex')}.part`);
      await writeDurably(path, new Uint8Array(1)).finally(() => unlink(path).catch(() => undefined));
    } catch (error) {
      throw dicomError('DICOM_ERR_CONNECTION', `a folder that cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  async #write(instance: LoadedInstance): Promise<SendResult> {
    const { sopInstanceUid, seriesInstanceUid } = instance;
    // Identifiers become names of files: nothing else may.
    if (!isUid(sopInstanceUid) || !isUid(seriesInstanceUid)) return failed(sopInstanceUid, 'DICOM_ERR_IDENTITY', 'no valid identifier', false);
    const folder = join(this.#folder, seriesInstanceUid);
    const path = join(folder, `${sopInstanceUid}.dcm`);
    const temporary = join(folder, `.${randomBytes(8).toString('hex')}.part`);
    try {
      const bytes = await instance.bytes();
      await mkdir(folder, { recursive: true });
      try {
        await writeDurably(temporary, bytes);
        await link(temporary, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const isSame = Buffer.compare(await readFile(path), bytes) === 0;
        if (!isSame) return failed(sopInstanceUid, 'DICOM_ERR_COLLISION', 'other bytes under the same identifier', false);
      } finally {
        await unlink(temporary).catch(() => undefined);
      }
      await syncFolder(folder);
      return stored(sopInstanceUid);
    } catch (error) {
      return failed(sopInstanceUid, 'DICOM_ERR_CONNECTION', `a folder that cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, true);
    }
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
