import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSpoolBeside } from '../../../src/cli/spoolBeside.js';
import { startData } from '../../../src/service/data.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { loadConfig } from '../../../src/config/index.js';
import { storedSeries } from '../spool/data.js';
import { hasRedis, startRedis } from './redisServer.js';
import type { RedisServer } from './redisServer.js';

const log = createLog('silent', { write: () => undefined });

describe.skipIf(!hasRedis)('a command beside nodes', () => {
  let server: RedisServer;
  const folder = mkdtempSync(join(tmpdir(), 'conus-beside-'));
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('sees and changes what they share, and leaves nothing of its own', async () => {
    mkdirSync(join(folder, 'store'));
    const path = join(folder, 'conus.json');
    writeFileSync(path, JSON.stringify({ cluster: { redisUrl: server.url }, storage: { directory: join(folder, 'store') }, spool: { data: join(folder, 'node'), reserveMebibytes: 0 } }));
    const config = await loadConfig(path, {});
    const data = await startData({ folder: join(folder, 'node'), node: 'a', quota: { reserveBytes: 0 }, cluster: { config: config.cluster, storage: config.storage, alike: {} } }, log, new Metrics('a'));
    await data.cluster!.start([]);
    const instances = await storedSeries(data.spool, '2.25.7', 2);
    const id = await data.spool.transaction(() => data.spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    await withSpoolBeside({ config: path }, async ({ outbox, objects }) => {
      expect(outbox.list().map((job) => job.id)).toEqual([id]);
      expect(objects.has(instances[0]!.ref)).toBe(true);
      await outbox.drop([id]);
    });
    await data.caughtUp();
    expect(data.spool.outbox.list()).toEqual([]);
    expect(data.cluster!.nodes.map(({ name }) => name)).toEqual(['a']);
    await data.queue.close();
    await data.part.close();
    await expect(startData({ folder: join(folder, 'b'), node: 'b', cluster: { config: config.cluster, storage: {}, alike: {} } }, log, new Metrics('a'))).rejects.toMatchObject({ code: 'CLUSTER_ERR_INCOMPLETE' });
  }, 20_000);
});
