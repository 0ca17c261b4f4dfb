/** The network that is shipped, on a simulated T2w: which levels it names, and where nothing is named. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clinicalPair, simulatedPair } from '../../../bench/simulatedPair.js';
import { ModelHost, readModels } from '../../../models/index.js';
import { modelError } from '../../../models/errors.js';
import { levelsOf } from '../../../src/synthesis/levels.js';
import type { Regions } from '../../../synth/index.js';

let host: ModelHost;
let regions: Regions | undefined;
const { t2w: { volume } } = simulatedPair({ ...clinicalPair, slices: 3, pathology: '' });

beforeAll(async () => {
  host = new ModelHost((await readModels()).filter(({ id }) => id === 'spine-structures'), { threads: 1 });
  regions = await levelsOf(volume, (inputs) => host.run('spine-structures', inputs, { timeoutMs: 120_000 }));
}, 300_000);
afterAll(() => host.close());

describe('the levels of a T2w', () => {
  it('are names of bodies, discs and what has no level, one a code', () => {
    const names = [...regions!.names.values()];
    expect(new Set(names).size).toBe(names.length);
    for (const level of ['L2', 'L3', 'L4', 'disc L3-L4']) expect(names.some((name) => name === level || name === `${level} (numbering uncertain)`)).toBe(true);
    expect(names).toContain('dural sac');
  });

  it('are none where the network is gone, of coronal slices, and of what is no spine', async () => {
    const run = (inputs: Parameters<Parameters<typeof levelsOf>[1]>[0]) => host.run('spine-structures', inputs, { timeoutMs: 120_000 });
    expect(await levelsOf(volume, () => Promise.reject(modelError('MODEL_ERR_CRASHED', 'a process that was gone already')))).toBeUndefined();
    const { geometry } = volume;
    expect(await levelsOf({ ...volume, geometry: { ...geometry, rowDirection: [1, 0, 0], sliceDirection: [0, 1, 0] } }, run)).toBeUndefined();
    expect(await levelsOf({ geometry, data: volume.data.map((_, voxel) => 100 + (voxel % 7)) }, run)).toBeUndefined();
  }, 300_000);
});
