/** Two nodes in one process, on Debian's redis-server: exams that are on both, and a server that goes away. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { clusterSection } from '../../../src/config/cluster.js';
import { storageSection } from '../../../src/config/storage.js';
import { examSchema } from '../../../src/exams/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { startService } from '../../../src/service/index.js';
import { hasRedis, startRedis } from '../cluster/redisServer.js';
import type { RedisServer } from '../cluster/redisServer.js';
import { played, scanned, tinyExam } from './tinyExam.js';
import { scan } from '../streams.js';

describe.skipIf(!hasRedis)('nodes of one house', () => {
  let server: RedisServer;
  const house = mkdtempSync(join(tmpdir(), 'conus-house-'));
  beforeAll(async () => {
    server = await startRedis();
    mkdirSync(join(house, 'store'));
  });
  afterAll(async () => {
    await server.remove();
    rmSync(house, { recursive: true, force: true });
  });

  async function node(name: string, patienceS = 20) {
    const config = clusterSection.parse({ redisUrl: server.url, node: name, patienceS });
    const log = createLog('silent', { write: () => undefined });
    const service = await startService({
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 30, stallTimeoutS: 30, http: { host: '127.0.0.1', port: 0 }, models: false,
      exams: { protocol: 'lumbar-standard' },
      data: { folder: join(house, name), quota: { reserveBytes: 0 }, node: name, cluster: { config, storage: storageSection.parse({ directory: join(house, 'store') }), alike: {} } },
    } as Parameters<typeof startService>[0], log, new Metrics(name));
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= service.close(0));
    onTestFinished(close);
    const get = (path: string) => fetch(`http://127.0.0.1:${service.httpAddress!.port}${path}`);
    const exams = async () => ((await (await get('/api/exams')).json()) as { exams: { id: string; nComplete: number }[] }).exams;
    const exam = async (id: string) => examSchema.parse(await (await get(`/api/exams/${id}`)).json());
    return { port: service.address.port, get, exams, exam, close };
  }

  it('show one exam, whose series came to both, with the pictures of either', async () => {
    const [a, b] = [await node('a'), await node('b')];
    const spec = await tinyExam();
    const [first, second] = spec.protocol.series.map(({ id }) => id);
    await scanned(spec, a.port, [first!]);
    await scanned(spec, b.port, [second!]);
    await vi.waitFor(async () => expect([await a.exams(), await b.exams()].map((all) => all.map(({ nComplete }) => nComplete))).toEqual([[2], [2]]), 10_000);
    const [[ofA], [ofB]] = [await a.exams(), await b.exams()];
    expect(ofA!.id).toBe(ofB!.id);
    const { series } = await b.exam(ofB!.id);
    const { images } = (await (await b.get(`/api/exams/${ofB!.id}/series/${series[0]!.id}/images`)).json()) as { images: unknown[] };
    expect(images.length).toBeGreaterThan(0);
  }, 60_000);

  it('end in order also where Redis went first', async () => {
    const a = await node('d', 1);
    await server.stop('SIGKILL');
    await a.close();
    await server.start();
  }, 30_000);

  it('go on taking scans while Redis is away, say that they are not kept, and keep them again when it is back', async () => {
    const a = await node('c', 0.5);
    await server.stop();
    await vi.waitFor(async () => expect(JSON.stringify(await (await a.get('/ready')).json())).toContain('away'), 5000);
    expect((await a.get('/ready')).status).toBe(200);
    const away = await played(a.port, [scan()]);
    expect(away.images).toHaveLength(1);
    expect(away.texts.join()).toContain('CONUS_WARN_NOT_KEPT');
    await server.start();
    await vi.waitFor(async () => expect(JSON.stringify(await (await a.get('/ready')).json())).not.toContain('away'), 5000);
    const back = await played(a.port, [scan()]);
    expect(back.images).toHaveLength(1);
    expect(back.texts.join()).not.toContain('CONUS_WARN_NOT_KEPT');
  }, 60_000);
});
