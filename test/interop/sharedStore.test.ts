/** Two nodes with a Redis server and a bucket: one takes a scan, the other delivers it, and reconstructs its raw data once more. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clusterSection } from '../../src/config/cluster.js';
import { jobsSection } from '../../src/config/jobs.js';
import { storageSection } from '../../src/config/storage.js';
import { examSchema } from '../../src/exams/index.js';
import { jobLimitsOf, openBullJobs } from '../../src/jobs/index.js';
import { rawFolderIn } from '../../src/keeping/index.js';
import { createLog } from '../../src/log.js';
import { Metrics } from '../../src/metrics.js';
import { defaultPolicy } from '../../src/outbox/index.js';
import { reconstructJob, startService } from '../../src/service/index.js';
import type { Service } from '../../src/service/index.js';
import { S3Store } from '../../src/storage/index.js';
import type { Blob } from '../../src/storage/index.js';
import { startRedis } from '../src/cluster/redisServer.js';
import type { RedisServer } from '../src/cluster/redisServer.js';
import { scanned, tinyExam } from '../src/service/tinyExam.js';
import { startS3Server } from './s3Server.js';
import type { S3Server } from './s3Server.js';

let folder: string;
let redis: RedisServer;
let s3: S3Server;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conus-shared-'));
  [redis, s3] = [await startRedis(), await startS3Server()];
}, 60_000);
afterAll(async () => {
  await s3.close();
  await redis.remove();
  rmSync(folder, { recursive: true, force: true });
});

const log = createLog('silent', { write: () => undefined });
/** Which node sent which instance. */
const received: { readonly by: string; readonly sopInstanceUid: string; readonly seriesInstanceUid: string }[] = [];

function storage() {
  const [accessKeyIdFile, secretAccessKeyFile] = [join(folder, 'id'), join(folder, 'secret')];
  writeFileSync(accessKeyIdFile, s3.credentials.AWS_ACCESS_KEY_ID);
  writeFileSync(secretAccessKeyFile, s3.credentials.AWS_SECRET_ACCESS_KEY);
  return storageSection.parse({ s3: { bucket: s3.bucket, endpoint: s3.endpoint, prefix: 'conus/', accessKeyIdFile, secretAccessKeyFile } });
}

function node(name: string, take: readonly string[]): Promise<Service> {
  const data = join(folder, name);
  return startService(
    {
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1, saveRaw: rawFolderIn(data), http: { host: '127.0.0.1', port: 0 },
      data: { folder: data, node: name, jobs: jobsSection.parse({ take }), cluster: { config: clusterSection.parse({ redisUrl: redis.url }), storage: storage(), alike: {} } },
      delivery: {
        destinations: new Map([['archive', {
          parallel: 1,
          sender: {
            send: (instances) => Promise.resolve(instances.map(({ sopInstanceUid, seriesInstanceUid }) => {
              received.push({ by: name, sopInstanceUid, seriesInstanceUid });
              return { sopInstanceUid, outcome: 'stored' as const };
            })),
          },
        }]]),
        destinationsFor: () => ['archive'], policy: defaultPolicy,
      },
    },
    log, new Metrics(),
  );
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await what()); ) {
    if (Date.now() > end) throw new Error('it did not come to pass within a minute');
    await sleep(50);
  }
}

it('share images and raw data by the bucket, and nothing of either stays where it came in', async () => {
  const [scanner, worker] = [await node('scanner', []), await node('worker', ['synthesise', 'analyse', 'deliver', 'reconstruct'])];
  const board = await openBullJobs({ redisUrl: redis.url, prefix: 'conus', node: 'test', limits: jobLimitsOf(jobsSection.parse({})), log });
  try {
    const spec = await tinyExam();
    await scanned(spec, scanner.address.port, [spec.protocol.series[0]!.id]);
    await until(() => received.length === 2);
    expect(received.map(({ by }) => by)).toEqual(['worker', 'worker']);
    const [first] = received;

    // The bucket has the raw data, and the node no longer.
    const store = await S3Store.open(storage().s3!);
    const raw: Blob[] = [];
    await until(async () => {
      for await (const blob of store.list('raw/')) raw.push(blob);
      return raw.length > 0;
    });
    await until(() => readdirSync(rawFolderIn(join(folder, 'scanner'))).length === 0);
    const name = raw[0]!.key.replace('raw/', '');
    expect(raw[0]!.nBytes).toBeGreaterThan(1000);

    await board.add(reconstructJob({ raw: name, parameters: { gibbsRemoval: true } }));
    await until(() => received.length === 4);
    expect(new Set(received.slice(2).map(({ by, seriesInstanceUid }) => `${by} ${String(seriesInstanceUid === first!.seriesInstanceUid)}`))).toEqual(new Set(['worker false']));

    // The node that took the scan shows one series of two attempts.
    const at = `http://127.0.0.1:${scanner.httpAddress!.port}/api/exams`;
    await until(async () => {
      const { exams } = (await (await fetch(at)).json()) as { exams: { id: string }[] };
      expect(exams).toHaveLength(1);
      const { series } = examSchema.parse(await (await fetch(`${at}/${exams[0]!.id}`)).json());
      return series.length === 1 && series[0]!.nAttempts === 2;
    });
    expect(await board.list({ kind: 'reconstruct' })).toEqual([]);
    expect(readdirSync(join(folder, 'worker', 'borrowed'))).toEqual([]);

    const objects: Blob[] = [];
    for await (const blob of store.list('objects/')) objects.push(blob);
    expect(objects).toHaveLength(4);
  } finally {
    await board.close();
    await scanner.close(0);
    await worker.close(0);
  }
});
