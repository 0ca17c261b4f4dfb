import { request } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMessages } from 'ismrmrd';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { startService } from '../../../src/service/index.js';
import type { Service, ServiceOptions } from '../../../src/service/index.js';

const token = 'a'.repeat(40);
let folder: string;
let tokenFile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-service-'));
  tokenFile = join(folder, 'token');
  await writeFile(tokenFile, `${token}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

const running: Service[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.close(0);
});

const basics = { overrides: {}, implied: [], threads: 1, host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60 } as const;

async function start(options: Partial<ServiceOptions>, log: string[] = []): Promise<Service> {
  const service = await startService({ ...basics, ...options }, createLog('trace', { write: (line: string) => void log.push(line) }), new Metrics());
  running.push(service);
  return service;
}

function get(port: number, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/metrics', headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text)).on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    }).on('error', reject).end();
  });
}

/** What an MRD client that sends nothing is told. */
async function answerOf(port: number): Promise<string[]> {
  const socket = connect({ port, host: '127.0.0.1' });
  const parts: Buffer[] = [];
  socket.end();
  for await (const part of socket) parts.push(part as Buffer);
  return parseMessages(Buffer.concat(parts)).flatMap((message) => (message.kind === 'text' ? [message.text] : []));
}

describe('the service', () => {
  it.each<[string, Partial<ServiceOptions>]>([
    ['MRD', { host: '0.0.0.0' }],
    ['MRD, whatever tokens there are', { host: '0.0.0.0', doors: { makeToken: true } }],
    ['HTTP', { http: { host: '0.0.0.0', port: 0 } }],
    ['HTTP on all addresses of both families', { http: { host: '::', port: 0 } }],
  ])('does not start outside of loopback without a guard: %s', async (_, options) => {
    await expect(start(options)).rejects.toMatchObject({ code: 'CONUS_ERR_DOOR_UNGUARDED' });
  });

  it('starts there with one, and asks for it', async () => {
    const service = await start({ host: '0.0.0.0', http: { host: '0.0.0.0', port: 0 }, doors: { tokenFile, mrdAllow: ['10.0.0.0/8'] } });
    const { port } = service.httpAddress!;
    expect((await get(port)).status).toBe(401);
    expect((await get(port, { authorization: `Bearer ${'b'.repeat(40)}` })).status).toBe(401);
    expect((await get(port, { authorization: `Bearer ${token}`, origin: 'http://evil.example' })).status).toBe(403);
    expect((await get(port, { authorization: `Bearer ${token}`, host: 'evil.example' })).status).toBe(403);
    expect((await get(port, { authorization: `Bearer ${token}` })).status).toBe(200);
    // From this machine a session may come in any case.
    expect((await answerOf(service.address.port)).join()).toContain('CONUS_ERR_NO_CONFIG');
  });

  it('keeps its tokens out of its log, and asks for them on loopback, too', async () => {
    const log: string[] = [];
    const service = await start({ http: { host: '127.0.0.1', port: 0 }, doors: { tokenFile, makeToken: true } }, log);
    const { port } = service.httpAddress!;
    expect((await get(port)).status).toBe(401);
    for (const known of [token, service.madeToken!]) {
      expect((await get(port, { authorization: `Bearer ${known}` })).status).toBe(200);
      expect(log.join('')).not.toContain(known);
    }
    expect(log.length).toBeGreaterThan(0);
  });

  it('answers anybody on loopback where nothing is configured', async () => {
    const service = await start({ http: { host: '127.0.0.1', port: 0 } });
    expect((await get(service.httpAddress!.port)).status).toBe(200);
    expect([service.address.host, service.httpAddress!.host]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(service.madeToken).toBeUndefined();
  });
});
