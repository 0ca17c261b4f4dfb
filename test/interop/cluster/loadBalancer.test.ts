/** The load balancer as deploy/haproxy.cfg sets it up, before nodes that do as they are told. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { Server as HttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connected } from '../client.js';
import { Haproxy } from './haproxy.js';

/** Answers whatever a connection says with its name, and its health checks with a status. */
class ObedientNode {
  readonly name: string;
  readonly #http: HttpServer;
  readonly #mrd: Server;
  readonly #sockets = new Set<Socket>();
  status = 200;

  constructor(name: string) {
    this.name = name;
    this.#http = createHttpServer((_request, response) => response.writeHead(this.status).end());
    this.#mrd = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('data', () => socket.write(name)).on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
  }

  /** On the ports that it had. */
  async comes(ports = { mrd: 0, http: 0 }): Promise<void> {
    await Promise.all([once(this.#mrd.listen(ports.mrd, '127.0.0.1'), 'listening'), once(this.#http.listen(ports.http, '127.0.0.1'), 'listening')]);
  }

  get ports(): { mrd: number; http: number } {
    return { mrd: (this.#mrd.address() as AddressInfo).port, http: (this.#http.address() as AddressInfo).port };
  }

  /** Nothing listens any more; connections stay as they are, as they do where a machine has lost its power. */
  async vanishes(): Promise<void> {
    const closed = once(this.#http, 'close');
    this.#mrd.close();
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  async ends(): Promise<void> {
    if (this.#http.listening) await this.vanishes();
    for (const socket of this.#sockets) socket.destroy();
  }
}

let folder: string;
let nodes: readonly [ObedientNode, ObedientNode];
let haproxy: Haproxy;
const scanners: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conus-haproxy-'));
  nodes = [new ObedientNode('node1'), new ObedientNode('node2')];
  for (const node of nodes) await node.comes();
  haproxy = await Haproxy.start(folder, nodes.map(({ name, ports }) => ({ name, ...ports })));
});
afterEach(async () => {
  for (const scanner of scanners.splice(0)) scanner.destroy();
  await haproxy.stop();
  for (const node of nodes) await node.ends();
  rmSync(folder, { recursive: true, force: true });
});

const scanner = async () => {
  const socket = await connected(haproxy.portOf('mrd'));
  scanners.push(socket);
  return socket;
};
/** The node that answers a connection. */
async function nodeOf(socket: Socket): Promise<string> {
  socket.write('a readout');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}
const isSeen = (name: string, status: string) => expect.poll(async () => (await haproxy.seen())[name]?.status, { timeout: 20_000, interval: 50 }).toBe(status);

it('gives a scan to the node with the fewest, where it stays', async () => {
  const sockets = [await scanner(), await scanner(), await scanner(), await scanner()];
  const first: string[] = [];
  for (const socket of sockets) first.push(await nodeOf(socket));
  expect([...first].sort()).toEqual(['node1', 'node1', 'node2', 'node2']);
  for (let round = 0; round < 3; round++) for (const [i, socket] of sockets.entries()) expect(await nodeOf(socket)).toBe(first[i]);
});

it.each<[string, string, () => unknown, () => unknown]>([
  ['is drained by hand', 'DRAIN', () => haproxy.command('set server mrd/node1 state drain'), () => haproxy.command('set server mrd/node1 state ready')],
  ['is not ready', 'NOLB', () => (nodes[0].status = 503), () => (nodes[0].status = 200)],
])('lets the scans of a node end that %s, and gives it no other', async (_what, status, goes, comes) => {
  const sockets = [await scanner(), await scanner()];
  const first: string[] = [];
  for (const socket of sockets) first.push(await nodeOf(socket));
  await goes();
  await expect.poll(async () => (await haproxy.seen())['node1']?.status, { timeout: 20_000, interval: 50 }).toContain(status);
  const others = [await scanner(), await scanner(), await scanner()];
  for (const other of others) expect(await nodeOf(other)).toBe('node2');
  for (const [i, socket] of sockets.entries()) expect(await nodeOf(socket)).toBe(first[i]);
  await comes();
  await isSeen('node1', 'UP');
  expect(await nodeOf(await scanner())).toBe('node1');
});

it('cuts the connections of a node that is gone, so that its scans are sent again, elsewhere', async () => {
  const sockets = [await scanner(), await scanner()];
  const names = [await nodeOf(sockets[0]!), await nodeOf(sockets[1]!)];
  const lost = sockets[names.indexOf('node1')]!;
  const cut = once(lost, 'end');
  lost.resume();
  const ports = nodes[0].ports;
  await nodes[0].vanishes();
  // Before anybody has seen it: what does not connect is given to another.
  expect(await nodeOf(await scanner())).toBe('node2');
  await isSeen('node1', 'DOWN');
  await cut;
  expect(await nodeOf(sockets[names.indexOf('node2')]!)).toBe('node2');
  await nodes[0].comes(ports);
  await isSeen('node1', 'UP');
  expect(await nodeOf(await scanner())).toBe('node1');
});

it('lets scans wait that no node has room for', async () => {
  const nRoom = 2 * 12;
  const sockets: Socket[] = [];
  for (let i = 0; i < nRoom; i++) sockets.push(await scanner());
  for (const socket of sockets) await nodeOf(socket);
  const waiting = await scanner();
  const answered = nodeOf(waiting);
  expect(Object.values(await haproxy.seen()).map(({ nNow }) => nNow)).toEqual([12, 12]);
  sockets[0]!.destroy();
  expect(await answered).toMatch(/node[12]/);
});
