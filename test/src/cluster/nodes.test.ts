import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClusterRecords, connectRedis, Nodes } from '../../../src/cluster/index.js';
import { createLog } from '../../../src/log.js';
import { hasRedis, startRedis } from './redisServer.js';
import type { RedisServer } from './redisServer.js';

const timesMs = { sign: 50, fades: 1000, look: 100 };

describe.skipIf(!hasRedis)('nodes', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  async function node(prefix: string, boot: string, settingsSha256 = 'same') {
    const folder = mkdtempSync(join(tmpdir(), 'conus-node-'));
    const [redis, reader] = [await connectRedis({ redisUrl: server.url }), await connectRedis({ redisUrl: server.url })];
    const lines: string[] = [];
    const log = createLog('debug', { write: (line: string) => void lines.push(line) });
    const records = await ClusterRecords.open({ redis, reader, prefix, boot, folder, patienceMs: 5000, log, onLost: () => undefined });
    const takenOver: string[] = [];
    const nodes = new Nodes({
      redis, prefix, records, log, timesMs,
      own: { boot, name: `node ${boot}`, version: '1', startedAt: Date.now() },
      takeOver: async (dead) => void takenOver.push(dead),
    });
    await nodes.start(settingsSha256);
    let isOver = false;
    const die = async () => {
      if (isOver) return;
      isOver = true;
      redis.disconnect();
      await records.close().catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    };
    const close = async () => {
      if (!isOver) await nodes.close();
      await die();
    };
    onTestFinished(close);
    return { nodes, takenOver, lines, die, close };
  }

  it('take over what one left that gives no sign of life any more, and nothing of one that lives or ended in order', async () => {
    const [a, b, c] = [await node('h1', 'a'), await node('h1', 'b'), await node('h1', 'c')];
    await c.close();
    // Everybody could have given a sign by then.
    await new Promise((resolve) => setTimeout(resolve, 2 * timesMs.fades + 300));
    expect([...a.takenOver, ...b.takenOver]).toEqual([]);
    expect(a.nodes.all.map(({ boot }) => boot)).toEqual(['a', 'b']);
    await b.die();
    await vi.waitFor(() => expect(a.takenOver).toEqual(['b']), 5000);
    await vi.waitFor(() => expect(a.nodes.all.map(({ boot }) => boot)).toEqual(['a']), 5000);
    await new Promise((resolve) => setTimeout(resolve, 3 * timesMs.look));
    expect(a.takenOver).toEqual(['b']);
  }, 20_000);

  it('judge nobody after the server was away, until all could give a sign again', async () => {
    const [a, b] = [await node('h2', 'a'), await node('h2', 'b')];
    await new Promise((resolve) => setTimeout(resolve, 2 * timesMs.fades + 200));
    await server.stop('SIGKILL');
    // Longer than signs last.
    await new Promise((resolve) => setTimeout(resolve, 2 * timesMs.fades));
    expect(a.nodes.trouble).toBeDefined();
    await server.start();
    await vi.waitFor(() => expect([a.nodes.trouble, b.nodes.trouble]).toEqual([undefined, undefined]), 5000);
    await new Promise((resolve) => setTimeout(resolve, 3 * timesMs.fades));
    expect([...a.takenOver, ...b.takenOver]).toEqual([]);
  }, 20_000);

  it('say that another one has other settings', async () => {
    const a = await node('h3', 'a');
    const b = await node('h3', 'b', 'others');
    expect(a.lines.join('')).not.toContain('CLUSTER_WARN_DIFFERENT');
    expect(b.lines.join('')).toContain('CLUSTER_WARN_DIFFERENT');
  });
});
