import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawRecorder } from '../../src/raw/index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-raw-'));
});
afterEach(() => rm(folder, { recursive: true }));

const unexpected = (error: Error) => {
  throw error;
};

describe('raw data', () => {
  it('are written byte for byte, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 }), async (chunks) => {
        const recorder = await RawRecorder.open(folder, Math.random().toString(36).slice(2), unexpected);
        for (const chunk of chunks) await recorder.write(chunk);
        const path = await recorder.close();
        expect(await readFile(path!)).toEqual(Buffer.concat(chunks));
      }),
      { numRuns: 30 },
    );
  });

  it('are partial until they are complete, and for their owner only', async () => {
    const recorder = await RawRecorder.open(folder, 'abc', unexpected);
    void recorder.write(Buffer.from('raw'));
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^\d{8}T\d{6}\.\d{3}Z-abc\.mrd\.partial$/)]);
    const path = await recorder.close();
    expect(await readdir(folder)).toEqual([expect.stringMatching(/-abc\.mrd$/)]);
    expect((await stat(path!)).mode & 0o777).toBe(0o600);
  });

  it('make the sender wait when the disk is behind', async () => {
    const recorder = await RawRecorder.open(folder, 'abc', unexpected);
    const chunk = new Uint8Array(1 << 20).fill(7);
    let wait: Promise<void> | undefined;
    let nWritten = 0;
    while (wait === undefined) {
      wait = recorder.write(chunk);
      nWritten++;
      expect(nWritten).toBeLessThan(1000);
    }
    await wait;
    expect(recorder.write(chunk)).toBeUndefined();
    const path = await recorder.close();
    expect((await stat(path!)).size).toBe((nWritten + 1) * chunk.length);
  });

  it('that can no longer be written are reported once, and the sender goes on', async () => {
    const path = join(folder, 'abc.mrd');
    await writeFile(`${path}.partial`, 'before');
    const failures: Error[] = [];
    // A file that is open for reading only refuses bytes, as a full disk does.
    const recorder = new RawRecorder(await open(`${path}.partial`, 'r'), path, (error) => failures.push(error));
    void recorder.write(Buffer.from('one'));
    await recorder.close();
    expect(failures).toHaveLength(1);
    expect(recorder.write(Buffer.from('two'))).toBeUndefined();
    expect(await readdir(folder)).toEqual(['abc.mrd.partial']);
  });

  it('need a folder', async () => {
    const notAFolder = join(folder, 'file');
    await writeFile(notAFolder, '');
    await expect(RawRecorder.open(notAFolder, 'abc', unexpected)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
