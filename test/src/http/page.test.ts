/** The files of the console over HTTP: open, unchangeable, and nothing beside them. */
import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { Doors } from '../../../src/doors/index.js';
import { httpApp, readPage } from '../../../src/http/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';

const host = { host: '127.0.0.1:8042' };
let folder: string;
let app: FastifyInstance;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-page-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Conus</title>');
  await writeFile(join(folder, 'assets', 'index-abc.js'), 'console.info(1)'.repeat(99));
  await writeFile(join(folder, 'notes.txt'), 'nothing for a browser');
  const doors = await Doors.open({ makeToken: true });
  app = httpApp({ doors, metrics: new Metrics(), log: createLog('silent', process.stderr), health: () => [], page: readPage(folder) });
});
afterEach(() => app.close());

describe('the page', () => {
  it('is there without a token, under a policy that lets nothing of elsewhere in', async () => {
    const answer = await app.inject({ url: '/', headers: host });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.body).toContain('Conus');
  });

  it('comes compressed to whoever takes that, with the same content', async () => {
    const plain = await app.inject({ url: '/assets/index-abc.js', headers: host });
    const packed = await app.inject({ url: '/assets/index-abc.js', headers: { ...host, 'accept-encoding': 'gzip, br' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.rawPayload).toString()).toBe(plain.body);
    expect(packed.rawPayload.length).toBeLessThan(plain.rawPayload.length);
    expect(packed.headers['cache-control']).toContain('immutable');
  });

  it('is not sent again to whoever has it', async () => {
    const first = await app.inject({ url: '/', headers: host });
    const again = await app.inject({ url: '/', headers: { ...host, 'if-none-match': String(first.headers.etag) } });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
  });

  it.each(['/../package.json', '/assets/../../package.json', '/assets/%2e%2e/%2e%2e/package.json', '/notes.txt', '/assets/', '/index.html'])('has no other file: %s', async (url) => {
    const answer = await app.inject({ url, headers: host });
    expect([401, 404]).toContain(answer.statusCode);
    expect(answer.body).not.toContain('nothing for a browser');
  });

  it('is refused to a name that leads here from elsewhere', async () => {
    expect((await app.inject({ url: '/', headers: { host: 'evil.example' } })).statusCode).toBe(403);
  });

  it('leaves everything else behind the token', async () => {
    app.get('/api/exams', async () => ({ exams: [] }));
    expect((await app.inject({ url: '/api/exams', headers: host })).statusCode).toBe(401);
  });

  it('is not there where it was not built', () => {
    expect(readPage(join(folder, 'nowhere'))).toEqual([]);
  });
});
