import { spawnSync } from 'node:child_process';
import type * as Crypto from 'node:crypto';
import { timingSafeEqual } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { CodedError } from 'ismrmrd';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Doors, loadTls, makeToken, RateLimiter, readTokens, TokenSet, tokenOf } from '../../../src/doors/index.js';

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof Crypto>();
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) };
});
const compared = vi.mocked(timingSafeEqual);
beforeEach(() => {
  compared.mockClear();
});

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-doors-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function errorOf(action: Promise<unknown>): Promise<CodedError> {
  const error: unknown = await action.then(() => undefined, (cause: unknown) => cause);
  if (error instanceof CodedError) return error;
  throw new Error('no coded error', { cause: error });
}

const token = 'a'.repeat(40);
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const ask = (doors: Doors, headers: Record<string, string> = {}, remoteAddress = '10.0.0.1') => doors.authorise({ headers: { host: 'conus.example:8080', ...headers }, remoteAddress, door: 'live' });
const statusOf = (admission: ReturnType<typeof ask>) => (admission.isAdmitted ? 200 : admission.status);

async function guarded(options: Parameters<typeof Doors.open>[0] = {}): Promise<Doors> {
  await writeFile(at('tokens'), `# the console\n${token}\n\n  ${'b'.repeat(40)}  \n`);
  return Doors.open({ tokenFile: at('tokens'), hostNames: ['conus.example'], ...options });
}

describe('tokens', () => {
  it('are compared in constant time: every known one, by digests of one length', () => {
    const tokens = new TokenSet([token, 'b'.repeat(40), 'c'.repeat(99)]);
    for (const given of [token, 'b'.repeat(40), '', 'x', `${token} `, 'd'.repeat(10_000)]) {
      compared.mockClear();
      expect(tokens.has(given)).toBe([token, 'b'.repeat(40)].includes(given));
      expect(compared).toHaveBeenCalledTimes(3);
      for (const [known, other] of compared.mock.calls) expect([known.byteLength, other.byteLength]).toEqual([32, 32]);
    }
  });

  it('that are made are new, long and fit a header', () => {
    const made = new Set(Array.from({ length: 50 }, makeToken));
    expect(made.size).toBe(50);
    for (const one of made) expect(one).toMatch(/^[\w-]{43}$/);
  });

  it('are read from a file, one a line', async () => {
    await writeFile(at('two'), `# comment\n${token}\r\n\n${'b'.repeat(32)}\n`);
    expect(await readTokens(at('two'))).toEqual([token, 'b'.repeat(32)]);
  });

  it.each([
    ['nothing', ''],
    ['comments', '# nothing\n'],
    ['short ones', `${token}\nsecret\n`],
    ['spaces', `${'a'.repeat(20)} ${'b'.repeat(20)}`],
  ])('are refused where the file holds %s, and never quoted', async (_, content) => {
    await writeFile(at('bad'), content);
    const error = await errorOf(readTokens(at('bad')));
    expect(error.code).toBe('CONUS_ERR_DOOR_TOKEN_FILE');
    expect(error.message).not.toMatch(/secret|aaaa/);
    expect((await errorOf(readTokens(at('missing')))).code).toBe('CONUS_ERR_DOOR_TOKEN_FILE');
  });

  it('come in the Authorization header, or in a subprotocol of a WebSocket', () => {
    expect(tokenOf(bearer(token))).toBe(token);
    expect(tokenOf({ authorization: `bearer  ${token} ` })).toBe(token);
    expect(tokenOf({ 'sec-websocket-protocol': `conus.v1, bearer.${token}` })).toBe(token);
    for (const headers of [{}, { authorization: `Basic ${token}` }, { authorization: 'Bearer' }, { authorization: `Bearer ${token} more` }, { 'sec-websocket-protocol': 'conus.v1' }]) {
      expect(tokenOf(headers)).toBeUndefined();
    }
  });
});

describe('doors with tokens', () => {
  it('open for each of them and for nothing else', async () => {
    const doors = await guarded();
    expect(doors.areGuarded).toBe(true);
    expect(statusOf(ask(doors, bearer(token)))).toBe(200);
    expect(statusOf(ask(doors, bearer('b'.repeat(40))))).toBe(200);
    for (const headers of [{}, bearer('c'.repeat(40)), bearer(token.slice(1)), bearer(`${token}a`), { authorization: `Basic ${token}` }]) {
      const refused = ask(doors, headers);
      expect(refused).toMatchObject({ isAdmitted: false, status: 401, error: { code: 'CONUS_ERR_DOOR_DENIED' } });
      expect(JSON.stringify(refused)).not.toContain('cccc');
    }
  });

  it('open for a token that was made, which is told once and nowhere else', async () => {
    const doors = await guarded({ makeToken: true });
    expect(statusOf(ask(doors, bearer(doors.madeToken!)))).toBe(200);
    expect(statusOf(ask(doors, bearer(token)))).toBe(200);
    expect((await guarded()).madeToken).toBeUndefined();
  });

  it('may be opened outside of loopback; doors without may not', async () => {
    const [withTokens, without] = [await guarded(), await Doors.open()];
    for (const door of ['http', 'live'] as const) {
      expect(() => withTokens.check(door, '0.0.0.0')).not.toThrow();
      expect(() => without.check(door, '127.0.0.1')).not.toThrow();
      expect(() => without.check(door, '0.0.0.0')).toThrow(/CONUS_ERR_DOOR_UNGUARDED/);
    }
    for (const doors of [withTokens, without]) {
      expect(() => doors.check('mrd', '0.0.0.0')).toThrow(/CONUS_ERR_DOOR_UNGUARDED/);
      expect(() => doors.check('dicom', '0.0.0.0', { knownAeTitles: true })).toThrow(/CONUS_ERR_DOOR_UNGUARDED/);
      expect(() => doors.check('dicom', '0.0.0.0', { knownAeTitles: true, tls: true })).not.toThrow();
    }
    expect(without.areGuarded).toBe(false);
  });

  it('let wrong tokens be tried a few times only, and whoever waits again', async () => {
    const doors = await guarded({ requestsPerSecond: 1, burst: 50 });
    const tries = Array.from({ length: 10 }, () => statusOf(ask(doors, bearer('wrong'.repeat(9)))));
    expect(tries).toEqual([401, 401, 401, 429, 429, 429, 429, 429, 429, 429]);
    expect(statusOf(ask(doors, bearer(token)))).toBe(429);
    expect(statusOf(ask(doors, bearer(token), '10.0.0.2'))).toBe(200);
  });
});

describe('the Origin', () => {
  const origins: [string, string | undefined, string, number][] = [
    ['of no browser', undefined, 'conus.example:8080', 200],
    ['of our own page', 'http://conus.example:8080', 'conus.example:8080', 200],
    ['of our own page on loopback', 'http://127.0.0.1:9003', '127.0.0.1:9003', 200],
    ['of our own page on IPv6 loopback', 'http://[::1]:9003', '[::1]:9003', 200],
    ['that was allowed', 'https://console.example', 'conus.example:8080', 200],
    ['of elsewhere', 'http://evil.example', 'conus.example:8080', 403],
    ['of elsewhere, whose name leads here', 'http://evil.example:8080', 'evil.example:8080', 403],
    ['of another port', 'http://127.0.0.1:3000', '127.0.0.1:9003', 403],
    ['of another scheme', 'https://conus.example:8080', 'conus.example:8080', 403],
    ['of a file', 'null', 'conus.example:8080', 403],
    ['that is nothing', '', '', 403],
  ];
  it.each(origins)('%s', async (_, origin, host, status) => {
    for (const doors of [await guarded({ origins: ['https://console.example'] }), await Doors.open({ hostNames: ['conus.example'], origins: ['https://console.example'] })]) {
      const headers = { ...bearer(token), host, ...(origin === undefined ? {} : { origin }) };
      expect(statusOf(ask(doors, headers))).toBe(status);
    }
  });
});

describe('the rate of a client', () => {
  it('is a burst at once and perSecond in the long run', () => {
    let nowMs = 0;
    const limiter = new RateLimiter({ perSecond: 2, burst: 3 }, () => nowMs);
    const tries = (n: number, client = 'a') => Array.from({ length: n }, () => limiter.take(client)).filter(Boolean).length;
    expect(tries(10)).toBe(3);
    expect(tries(10, 'b')).toBe(3);
    nowMs = 1000;
    expect(tries(10)).toBe(2);
    nowMs = 60_000;
    expect(tries(10)).toBe(3);
  });

  it('never lets more through than burst + perSecond * time, whenever the requests come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (waits, perSecond, burst) => {
        let nowMs = 0;
        const limiter = new RateLimiter({ perSecond, burst }, () => nowMs);
        let nThrough = 0;
        for (const wait of waits) {
          nowMs += wait;
          if (limiter.take('a')) nThrough++;
          expect(nThrough).toBeLessThanOrEqual(burst + (perSecond * nowMs) / 1000 + 1e-6);
        }
      }),
    );
  });

  it('is kept for the last ten thousand clients', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, () => 0);
    limiter.take('first');
    for (let i = 0; i < 20_000; i++) limiter.take(`client ${i}`);
    expect(limiter.nClients).toBe(10_000);
    expect(limiter.take('client 19999')).toBe(false);
    expect(limiter.take('first')).toBe(true);
  });
});

describe('MRD sessions', () => {
  it('may come from loopback, and from listed addresses', async () => {
    const doors = await Doors.open({ mrdAllow: ['10.9.0.0/16'] });
    expect(['127.0.0.1', '10.9.1.1', '::ffff:10.9.1.1', '10.8.1.1'].map((address) => doors.admitsMrd(address))).toEqual([true, true, true, false]);
    expect(() => doors.check('mrd', '0.0.0.0')).not.toThrow();
    expect((await errorOf(Doors.open({ mrdAllow: ['10.9'] }))).code).toBe('CONUS_ERR_DOOR_ADDRESS');
  });
});

const openssl = (...parameters: string[]) => spawnSync('openssl', parameters, { cwd: folder, encoding: 'utf8' });

describe.skipIf(spawnSync('openssl', ['version']).error !== undefined)('TLS', () => {
  beforeAll(() => {
    for (const name of ['one', 'two']) {
      const made = openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '2', '-subj', '/CN=localhost');
      if (made.status !== 0) throw new Error(made.stderr);
    }
  });
  const files = (key: string, certificate: string) => ({ keyFile: at(key), certificateFile: at(certificate) });

  it('is loaded where key and certificate are one pair', async () => {
    expect(await loadTls(files('one.key', 'one.crt'))).toMatchObject({ minVersion: 'TLSv1.2', requestCert: false });
    const both = await loadTls({ ...files('one.key', 'one.crt'), authorityFile: at('two.crt'), clientCertificates: 'required' });
    expect(both).toMatchObject({ requestCert: true, rejectUnauthorized: true });
  });

  it('is refused where they are not, or are no PEM, or are not there; what is in them is not quoted', async () => {
    await writeFile(at('text.key'), 'secret of the hospital');
    for (const wrong of [files('one.key', 'two.crt'), files('text.key', 'one.crt'), files('one.key', 'text.key'), files('none.key', 'one.crt')]) {
      const error = await errorOf(loadTls(wrong));
      expect(error.code).toBe('CONUS_ERR_DOOR_TLS');
      expect(error.message).not.toContain('secret');
    }
    expect((await errorOf(loadTls({ ...files('one.key', 'one.crt'), clientCertificates: 'required' }))).code).toBe('CONUS_ERR_DOOR_TLS');
  });

  it('guards a door where client certificates are required, and not by itself', async () => {
    const required = await Doors.open({ tls: { ...files('one.key', 'one.crt'), authorityFile: at('two.crt'), clientCertificates: 'required' } });
    expect(required.areGuarded).toBe(true);
    expect(() => required.check('http', '0.0.0.0')).not.toThrow();
    const plain = await Doors.open({ tls: files('one.key', 'one.crt') });
    expect(() => plain.check('http', '0.0.0.0')).toThrow(/CONUS_ERR_DOOR_UNGUARDED/);
    expect(statusOf(ask(plain, { origin: 'https://127.0.0.1:1', host: '127.0.0.1:1' }))).toBe(200);
    expect(statusOf(ask(plain, { origin: 'http://127.0.0.1:1', host: '127.0.0.1:1' }))).toBe(403);
  });
});
