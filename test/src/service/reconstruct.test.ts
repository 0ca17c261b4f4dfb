/** Raw data of a scan that the service saved, reconstructed once more by a job of its queue. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import dcmjs from 'dcmjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { examSchema } from '../../../src/exams/index.js';
import { JobsBeside } from '../../../src/jobs/index.js';
import type { JobPerformer, JobQueue, JobRun, KeptJob } from '../../../src/jobs/index.js';
import { rawFolderIn, SessionKeeper } from '../../../src/keeping/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { defaultPolicy } from '../../../src/outbox/index.js';
import type { Sender } from '../../../src/outbox/index.js';
import { reconstructJob, startService } from '../../../src/service/index.js';
import type { ReconstructRequest, Service } from '../../../src/service/index.js';
import { openReconstruct } from '../../../src/service/reconstruct.js';
import { openSpool } from '../../../src/spool/index.js';
import { FakeReconstructions } from '../fakes.js';
import { spoolIn, temporaryFolder } from '../spool/data.js';
import { scan } from '../streams.js';
import { scanned, tinyExam } from './tinyExam.js';

interface Received {
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly pixels: string;
}

interface Site {
  readonly folder: string;
  /** Every transmission. */
  readonly received: Received[];
  readonly log: string[];
  /** A service, for as long as the work takes, with these jobs added before its start. */
  during<Result>(requests: readonly ReconstructRequest[], work: (service: Service) => Promise<Result>): Promise<Result>;
  /** After the service ended: the jobs that are still there. */
  jobs(): Promise<KeptJob[]>;
  exam(service: Service): Promise<ReturnType<typeof examSchema.parse>>;
}

function siteIn(folder: string): Site {
  const [received, log]: [Received[], string[]] = [[], []];
  const archive: Sender = {
    send: async (instances) => {
      const results = [];
      for (const instance of instances) {
        const file = Uint8Array.from(await instance.bytes());
        const { PixelData } = dcmjs.data.DicomMetaDictionary.naturalizeDataset(dcmjs.data.DicomMessage.readFile(file.buffer).dict) as { PixelData: [ArrayBuffer] };
        received.push({ sopInstanceUid: instance.sopInstanceUid, seriesInstanceUid: instance.seriesInstanceUid, pixels: Buffer.from(PixelData[0]).toString('base64') });
        results.push({ sopInstanceUid: instance.sopInstanceUid, outcome: 'stored' as const });
      }
      return results;
    },
  };
  const beside = async <Result>(work: (board: JobsBeside) => Promise<Result>): Promise<Result> => {
    const spool = await openSpool(folder, { owns: false });
    return work(new JobsBeside(spool.records)).finally(() => spool.close());
  };
  return {
    folder, received, log,
    async during(requests, work) {
      if (requests.length > 0) {
        await beside(async (board) => {
          for (const request of requests) await board.add(reconstructJob(request));
        });
      }
      const service = await startService(
        {
          host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1, saveRaw: rawFolderIn(folder),
          http: { host: '127.0.0.1', port: 0 }, data: { folder },
          delivery: { destinations: new Map([['archive', { sender: archive, parallel: 1 }]]), destinationsFor: () => ['archive'], policy: defaultPolicy },
        },
        createLog('info', { write: (line: string) => void log.push(line) }), new Metrics(),
      );
      return work(service).finally(() => service.close(0));
    },
    jobs: () => beside((board) => board.list()),
    async exam(service) {
      const at = `http://127.0.0.1:${service.httpAddress!.port}/api/exams`;
      const { exams } = (await (await fetch(at)).json()) as { exams: { id: string }[] };
      expect(exams).toHaveLength(1);
      return examSchema.parse(await (await fetch(`${at}/${exams[0]!.id}`)).json());
    },
  };
}

/** Until the archive has so many transmissions. */
async function arrived({ received }: Site, n: number): Promise<void> {
  for (const end = Date.now() + 30_000; received.length < n && Date.now() < end; ) await sleep(30);
  expect(received).toHaveLength(n);
}

describe('raw data that are kept', () => {
  let site: Site;
  let raw: string;
  let first: readonly Received[];

  beforeAll(async () => {
    site = siteIn(mkdtempSync(join(tmpdir(), 'conus-retro-')));
    const spec = await tinyExam();
    await site.during([], async (service) => {
      await scanned(spec, service.address.port, [spec.protocol.series[0]!.id]);
      await arrived(site, 2);
    });
    first = [...site.received];
    [raw] = readdirSync(rawFolderIn(site.folder)) as [string];
  }, 60_000);
  afterAll(() => rmSync(site.folder, { recursive: true, force: true }));

  it('make the same instances once more, as another attempt of the same series', async () => {
    const before = site.received.length;
    await site.during([{ raw }], async (service) => {
      await arrived(site, before + 2);
      let exam = await site.exam(service);
      for (; exam.series[0]!.nAttempts < 2; exam = await site.exam(service)) await sleep(30);
      expect(exam.series).toHaveLength(1);
      expect(exam.series[0]).toMatchObject({ nAttempts: 2 });
    });
    expect(site.received.slice(before).sort(byUid)).toEqual([...first].sort(byUid));
    expect(await site.jobs()).toEqual([]);
  });

  it('with other parameters make another series with other pixels, whose identifiers are its own', async () => {
    const before = site.received.length;
    await site.during([{ raw, parameters: { gibbsRemoval: true } }], () => arrived(site, before + 2));
    const made = site.received.slice(before);
    for (const instance of made) {
      expect(first.map(({ seriesInstanceUid }) => seriesInstanceUid)).not.toContain(instance.seriesInstanceUid);
      expect(first.map(({ sopInstanceUid }) => sopInstanceUid)).not.toContain(instance.sopInstanceUid);
      expect(first.map(({ pixels }) => pixels)).not.toContain(instance.pixels);
    }
  });

  it('that are not there, or that end in an error, are given up at once, with the reason', async () => {
    writeFileSync(join(rawFolderIn(site.folder), 'broken.mrd'), Buffer.alloc(100, 255));
    await site.during([{ raw: 'none.mrd' }, { raw: 'broken.mrd' }], async () => {
      const givenUp = () => site.log.filter((line) => line.includes('are not reconstructed')).length;
      for (const end = Date.now() + 30_000; givenUp() < 2 && Date.now() < end; ) await sleep(30);
    });
    const jobs = await site.jobs();
    expect(jobs.map(({ payload, state, attempts, lastError }) => [(payload as { raw: string }).raw, state, attempts, lastError?.code]).sort()).toEqual([
      ['broken.mrd', 'dead', 1, 'MRD_ERR_UNKNOWN_MESSAGE_ID'],
      ['none.mrd', 'dead', 1, 'RETRO_ERR_RAW'],
    ]);
  });
});

describe('a reconstruction once more', () => {
  const silent = createLog('silent', { write: () => undefined });
  const begun = async () => {
    const spool = await spoolIn(temporaryFolder());
    const keeper = new SessionKeeper({ spool, destinationsFor: () => ['pacs'], log: silent });
    let performer: JobPerformer | undefined;
    const queue = { perform: (_kind: string, given: JobPerformer) => (performer = given) } as unknown as JobQueue;
    openReconstruct({ queue, keeper, session: { reconstructions: new FakeReconstructions() }, observe: () => ({}), log: silent });
    mkdirSync(keeper.raw.folder);
    writeFileSync(join(keeper.raw.folder, 'a.mrd'), scan());
    const job = { ...reconstructJob({ raw: 'a.mrd' }), state: 'active', addedAt: 0, attempts: 0 } as const;
    return { spool, keeper, run: (signal: AbortSignal, progress: JobRun['progress']) => performer!({ job, signal, progress }) };
  };

  it('tells how far it is, and what came of it is to be delivered', async () => {
    const { spool, keeper, run } = await begun();
    const fractions: number[] = [];
    await run(new AbortController().signal, (fraction) => fractions.push(fraction));
    expect(fractions.at(-1)).toBe(1);
    expect(spool.outbox.list()).toHaveLength(1);
    expect(keeper.sessions()).toMatchObject([{ state: 'acknowledged' }]);
  });

  it('that is cancelled leaves nothing, and is not done', async () => {
    const { spool, keeper, run } = await begun();
    const cancelled = new AbortController();
    await expect(run(cancelled.signal, () => cancelled.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
    await spool.flushed();
    expect([spool.outbox.list(), keeper.sessions(), spool.room.state.usedBytes]).toEqual([[], [], 0]);
  });

  it('waits for raw data that another node has still to bring', async () => {
    const { keeper, run } = await begun();
    vi.spyOn(keeper.raw, 'borrow').mockResolvedValue('elsewhere');
    const outcome = await run(new AbortController().signal, () => undefined);
    expect(outcome?.againAt).toBeGreaterThan(Date.now());
    expect(keeper.sessions()).toEqual([]);
  });
});

it.each<[ReconstructRequest, string]>([
  [{ raw: '../spool.lmdb' }, 'RETRO_ERR_REQUEST'],
  [{ raw: '' }, 'RETRO_ERR_REQUEST'],
  [{ raw: 'a.mrd', parameters: { gibsRemoval: 'false' } }, 'CONUS_ERR_PARAMETER'],
  [{ raw: 'a.mrd', chain: 'none of ours' }, 'CONUS_ERR_UNKNOWN_CONFIG'],
])('a request for %j is refused when it is made', (request, code) => {
  expect(() => reconstructJob(request)).toThrow(expect.objectContaining({ code }) as Error);
});

it('the same request is the same job, another one another', () => {
  const id = (request: ReconstructRequest) => reconstructJob(request).id;
  expect(id({ raw: 'a.mrd', parameters: { denoise: '0', gibbsRemoval: 'true' } })).toBe(id({ raw: 'a.mrd', parameters: { gibbsRemoval: 'true', denoise: 0 } }));
  expect(new Set([id({ raw: 'a.mrd' }), id({ raw: 'b.mrd' }), id({ raw: 'a.mrd', parameters: { denoise: '0' } })]).size).toBe(3);
});

const byUid = (a: Received, b: Received) => (a.sopInstanceUid < b.sopInstanceUid ? -1 : 1);
