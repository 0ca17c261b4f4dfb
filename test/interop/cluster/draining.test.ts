/** A node that is asked to stop while it scans, behind the balancer: the scan ends as it would, and the next one is another node's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { answerOn, connected, exchange } from '../client.js';
import { simulated } from '../streams.js';
import { endAll } from './daemon.js';
import { Haproxy } from './haproxy.js';
import { Node } from './nodes.js';
import { writeSite } from './site.js';

const folder = mkdtempSync(join(tmpdir(), 'conus-draining-'));
afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
});

it('a node that stops ends the scan that it has, and gets no other', async () => {
  const site = await writeSite(folder);
  // Nothing is delivered before the node that scans has ended: nobody need be there.
  const nodes = await Promise.all(['node1', 'node2'].map((name) => Node.start({ name, folder, site, destination: 'dicom://NOBODY@127.0.0.1:9', sections: { mrd: { drainS: 2, graceS: 60 } } })));
  const haproxy = await Haproxy.start(join(folder, 'haproxy'), nodes);
  const port = haproxy.portOf('mrd');
  const seen = async ({ name }: Node) => (await haproxy.seen())[name]!;
  const stream = simulated({ nSlices: 2 });

  const socket = await connected(port);
  const answering = answerOn(socket);
  socket.write(stream.subarray(0, stream.length / 2));
  await expect.poll(async () => Promise.all(nodes.map(async (node) => (await seen(node)).nNow))).toContain(1);
  const [busy, idle] = (await seen(nodes[0]!)).nNow === 1 ? [nodes[0]!, nodes[1]!] : [nodes[1]!, nodes[0]!];

  const stopped = busy.stop();
  await expect.poll(async () => (await seen(busy)).status, { interval: 50 }).toContain('NOLB');
  const before = (await seen(idle)).nTotal;
  for (let i = 0; i < 3; i++) expect((await exchange(port, stream)).images.length).toBeGreaterThan(0);
  expect((await seen(idle)).nTotal - before).toBe(3);
  // It listens no more, and waits for its scan.
  await sleep(2000);
  expect((await exchange(port, stream)).images.length).toBeGreaterThan(0);
  socket.write(stream.subarray(stream.length / 2));
  expect((await answering).texts.filter((text) => text.startsWith('ERR'))).toEqual([]);
  expect((await answering).images.map(({ header }) => header.slice).sort()).toEqual(expect.arrayContaining([0, 1]));
  socket.end();
  await stopped;
  await idle.stop();
  await haproxy.stop();
}, 180_000);
