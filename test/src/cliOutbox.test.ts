import { Writable, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ExitCode, main } from '../../src/cli/index.js';
import type { SessionRecord } from '../../src/keeping/index.js';
import { spoolIn, storedSeries, temporaryFolder } from './spool/data.js';

async function conus(...parameters: readonly string[]): Promise<{ code: ExitCode; out: string; err: string }> {
  const said = { out: '', err: '' };
  const into = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[name] += chunk.toString();
        done();
      },
    });
  const code = await main(parameters, { stdin: Readable.from([]), stdout: into('out'), stderr: into('err'), showsProgress: false, stop: new AbortController().signal });
  return { code, ...said };
}

/** A data folder with one job that waits and one that was given up. */
async function folderWithJobs(): Promise<{ folder: string; waiting: string; dead: string }> {
  const folder = temporaryFolder();
  const spool = await spoolIn(folder);
  const add = async (series: string) => {
    const instances = await storedSeries(spool, series, 2);
    return spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
  };
  const [waiting, dead] = [await add('2.25.1'), await add('2.25.2')];
  await spool.outbox.begin(dead);
  const refused = { '2.25.2.2': { code: 'DICOM_ERR_REFUSED', message: 'status A900' } };
  await spool.outbox.settle(dead, { acknowledged: ['2.25.2.1'], refused, uncertain: [] }, { maxAttempts: 9, maxAgeMs: 1e9 }, 0);
  spool.table<SessionRecord>('sessions').put('abc', { id: 'abc', openedAt: 0, state: 'cut' });
  await spool.close();
  return { folder, waiting, dead };
}

describe('conus outbox', () => {
  it('lists what is not delivered, with reasons, and sessions that were cut', async () => {
    const { folder, waiting, dead } = await folderWithJobs();
    const listed = await conus('outbox', 'list', '--data', folder);
    expect(listed.code).toBe(ExitCode.ok);
    expect(listed.out).toMatch(new RegExp(`${waiting} +pacs +waiting +0/2 +0 `));
    expect(listed.out).toMatch(new RegExp(`${dead} +pacs +dead +1/2 +1 .*DICOM_ERR_REFUSED: status A900`));
    expect(listed.out).toContain('session abc of 1970-01-01T00:00:00.000Z was cut');
    const { out } = await conus('outbox', 'list', '--data', folder, '--json');
    expect(JSON.parse(out)).toMatchObject({
      jobs: [{ id: waiting, nInstances: 2, nAcknowledged: 0 }, { id: dead, state: 'dead', nAcknowledged: 1 }],
      destinations: [{ destination: 'pacs', waiting: 1, dead: 1, tally: { instancesDelivered: 1 } }],
      cutSessions: [{ id: 'abc' }],
    });
  });

  it('retries and drops by the first characters of ids, beside the service that owns the folder', async () => {
    const { folder, waiting, dead } = await folderWithJobs();
    expect(await conus('outbox', 'retry', dead.slice(0, 6), '--data', folder)).toMatchObject({ code: ExitCode.ok, out: '1 jobs are tried again\n' });
    expect(await conus('outbox', 'drop', '--all', '--data', folder)).toMatchObject({ out: '0 jobs are dropped\n' });
    expect(await conus('outbox', 'drop', waiting, '--data', folder)).toMatchObject({ out: '1 jobs are dropped\n' });
    const spool = await spoolIn(folder);
    expect(spool.outbox.list()).toMatchObject([{ id: dead, state: 'waiting', attempts: 0 }]);
  });

  it('says what is wrong with ids and folders', async () => {
    const { folder } = await folderWithJobs();
    for (const parameters of [['retry', 'xyz'], ['drop']]) {
      const answer = await conus('outbox', ...parameters, '--data', folder);
      expect(answer.code).toBe(ExitCode.usage);
      expect(answer.err).toContain('OUTBOX_ERR_UNKNOWN_JOB');
    }
    const nowhere = await conus('outbox', 'list', '--data', temporaryFolder());
    expect(nowhere).toMatchObject({ code: ExitCode.usage });
    expect(nowhere.err).toContain('OUTBOX_ERR_NO_DATA');
  });
});
