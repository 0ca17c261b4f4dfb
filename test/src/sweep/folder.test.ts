import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SweepFolder, sweepFileSchema } from '../../../src/sweep/index.js';
import type { SweepFile } from '../../../src/sweep/index.js';

const scale = { low: 0, high: 1, ramp: 'data:image/png;base64,AAAA' };
const sweep: SweepFile = {
  version: 1, softwareVersion: '0', scan: { acceleration: 1, matrix: [2, 2], nSlices: 1 }, snrUnits: true, limits: {},
  pictures: { slice: 0, rows: 2, columns: 2, scales: { image: scale, error: scale, gFactor: scale } },
  rows: [{ nLines: 2, figures: { nRmse: 0, ssim: 1 }, violations: [], remarks: [], pictures: { image: 'data:image/png;base64,AAAA' } }],
};

let outside: string;
let folder: string;
beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'conus-sweeps-'));
  folder = join(outside, 'sweeps');
  await mkdir(folder);
  await writeFile(join(outside, 'secret.json'), JSON.stringify(sweep));
  await writeFile(join(folder, 'a.json'), JSON.stringify(sweep));
  await writeFile(join(folder, 'b.2.json'), JSON.stringify(sweep));
  await utimes(join(folder, 'a.json'), 10, 10);
  await writeFile(join(folder, '.hidden.json'), JSON.stringify(sweep));
  await writeFile(join(folder, 'notes.txt'), 'no sweep');
  await mkdir(join(folder, 'folder.json'));
  await symlink(join(outside, 'secret.json'), join(folder, 'link.json'));
});
afterAll(() => rm(outside, { recursive: true }));

describe('a folder of sweeps', () => {
  it('lists the files in it, the latest first, without pictures', async () => {
    const entries = await new SweepFolder(folder).entries();
    expect(entries.map(({ name }) => name)).toEqual(['b.2', 'a']);
    expect(entries[1]).toMatchObject({ modifiedAt: 10_000, sweep: { rows: [{ nLines: 2 }] } });
    expect(entries[1]!.sweep!.rows[0]).not.toHaveProperty('pictures.image');
  });

  it('reads one whole, by its name', async () => {
    expect(await new SweepFolder(folder).read('b.2')).toEqual(sweep);
  });

  it.each(['../secret', '..', '', 'link', 'folder', '.hidden', 'x'.repeat(200), 'a\0', 'none'])('has no %j', async (name) => {
    await expect(new SweepFolder(folder).read(name)).rejects.toThrow('CONUS_ERR_SWEEP_UNKNOWN');
  });

  it('tells what is no sweep, and reads nothing that is too large', async () => {
    const small = new SweepFolder(folder, { mostBytes: 10 });
    expect((await small.entries()).map(({ reason }) => reason?.code)).toEqual(['CONUS_ERR_SWEEP_FILE', 'CONUS_ERR_SWEEP_FILE']);
    const markup = { ...sweep, rows: [{ ...sweep.rows[0], pictures: { image: 'javascript:alert(1)' } }] };
    expect(sweepFileSchema.safeParse(markup).success).toBe(false);
  });

  it('sees what changed, and forgets nothing else', async () => {
    const sweeps = new SweepFolder(folder);
    const before = await sweeps.entries();
    await writeFile(join(folder, 'b.2.json'), '{}');
    const after = await sweeps.entries();
    expect(after[0]!.reason?.code).toBe('CONUS_ERR_SWEEP_FILE');
    expect(after[1]).toBe(before[1]);
  });

  it('has none where there is no folder', async () => {
    for (const where of [undefined, join(outside, 'nowhere')]) expect(await new SweepFolder(where).entries()).toEqual([]);
  });
});
