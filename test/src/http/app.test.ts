import { CodedError } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { httpApp } from '../../../src/http/index.js';
import type { HttpAppOptions } from '../../../src/http/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';

function app(options: Partial<HttpAppOptions> = {}) {
  return httpApp({
    doors: { hostNames: [], tls: undefined, authorise: () => ({ isAdmitted: true }) },
    metrics: new Metrics(),
    log: createLog('silent', { write: () => undefined }),
    health: () => [{ part: 'reconstruction' }],
    ...options,
  });
}

const refused = new CodedError('DOOR_ERR_TOKEN', 'no token', { expected: 'a token', action: 'send one' });

describe('the HTTP application', () => {
  it('answers health, readiness and metrics', async () => {
    const server = app();
    expect((await server.inject('/health')).json()).toMatchObject({ status: 'ok' });
    expect((await server.inject('/ready')).json()).toEqual({ status: 'ready', parts: [{ part: 'reconstruction' }] });
    expect((await server.inject('/metrics')).payload).toContain('conus_sessions_open 0');
  });

  it('is not ready while a part is in trouble, and says which', async () => {
    const answer = await app({ health: () => [{ part: 'spool', trouble: 'disk full' }, { part: 'http' }] }).inject('/ready');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ parts: [{ part: 'spool', trouble: 'disk full' }, { part: 'http' }] });
  });

  it.each(['starting', 'draining'] as const)('lives and wants no work while it is %s', async (phase) => {
    const server = app({ phase: () => phase });
    const answer = await server.inject('/ready');
    expect([answer.statusCode, (answer.json() as { status: string }).status]).toEqual([503, phase]);
    expect((await server.inject('/health')).statusCode).toBe(200);
  });

  it('answers probes that call it by an address, and nothing else so', async () => {
    for (const host of ['10.1.2.3:8080', '[fd00::1]:8080']) {
      for (const url of ['/health', '/ready', '/metrics']) expect((await app().inject({ url, headers: { host } })).statusCode).toBe(200);
      expect((await app().inject({ url: '/other', headers: { host } })).statusCode).toBe(403);
    }
  });

  it.each([
    ['a path that is none', { url: '/other' }, 404, 'CONUS_ERR_HTTP_NOT_FOUND'],
    ['what would change something', { url: '/metrics', method: 'POST' }, 405, 'CONUS_ERR_HTTP_METHOD'],
    ['a name that only leads here', { url: '/health', headers: { host: 'evil.example:80' } }, 403, 'CONUS_ERR_HTTP_HOST'],
    ['a broken path', { url: '/%' }, 400, 'CONUS_ERR_HTTP_REQUEST'],
  ] as const)('refuses %s with a code', async (_what, request, status, code) => {
    const answer = await app().inject(request);
    expect(answer.statusCode).toBe(status);
    expect((answer.json() as { error: { code: string } }).error).toMatchObject({ code, message: expect.any(String) as string });
  });

  it('lets nobody in whom the doors refuse, except to health and readiness', async () => {
    const server = app({ doors: { hostNames: [], tls: undefined, authorise: () => ({ isAdmitted: false, status: 401, error: refused }) } });
    const answer = await server.inject('/metrics');
    expect([answer.statusCode, (answer.json() as { error: { code: string } }).error.code]).toEqual([401, 'DOOR_ERR_TOKEN']);
    for (const path of ['/health', '/ready']) expect((await server.inject(path)).statusCode).toBe(200);
    expect((await server.inject('/other')).statusCode).toBe(401);
  });

  it('tells browsers to do nothing with its answers, errors among them', async () => {
    for (const url of ['/health', '/other']) {
      const { headers } = await app().inject(url);
      expect(headers).toMatchObject({ 'content-security-policy': expect.stringContaining("default-src 'none'") as string, 'x-content-type-options': 'nosniff' });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});
