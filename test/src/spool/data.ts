/** Data directories, instances and machines that fail, for the tests of the spool. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { diskFiles, openSpool } from '../../../src/spool/index.js';
import type { Files, Spool, SpoolOptions, StoredInstance } from '../../../src/spool/index.js';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'conus-spool-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A disk with room, whatever the machine of the test has. */
export const roomyFiles: Files = { ...diskFiles, freeBytes: () => Promise.resolve(2 ** 40) };

/** Closed when the test ends, where it was not before. */
export async function spoolIn(folder: string, options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = await openSpool(folder, { files: roomyFiles, ...options });
  let closing: Promise<void> | undefined;
  const closed: Spool = { ...spool, close: () => (closing ??= spool.close()) };
  onTestFinished(() => closed.close());
  return closed;
}

export const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Instances of one series whose bytes are in the object store. */
export async function storedSeries(spool: Spool, series: string, nInstances: number, nBytes = 100): Promise<StoredInstance[]> {
  return Promise.all(
    Array.from({ length: nInstances }, async (_, index) => {
      const sopInstanceUid = `${series}.${index + 1}`;
      const bytes = new Uint8Array(nBytes);
      bytes.set(bytesOf(sopInstanceUid));
      return {
        sopInstanceUid,
        sopClassUid: '1.2.840.10008.5.1.4.1.1.4',
        seriesInstanceUid: series,
        studyInstanceUid: '2.25.1',
        transferSyntaxUid: '1.2.840.10008.1.2.1',
        ref: await spool.objects.put(bytes),
        nBytes,
      };
    }),
  );
}
