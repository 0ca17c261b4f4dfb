import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig, configJsonSchema, configPage, loadConfig } from '../../../src/config/index.js';
import type { JsonSchema } from '../../../src/schemaTables.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(settings: unknown): Promise<string> {
  const path = join(folder, 'conus.json');
  await writeFile(path, typeof settings === 'string' ? settings : JSON.stringify(settings));
  return path;
}

describe('the configuration', () => {
  it('has a default for everything: nothing, and an empty file, are loopback without guards', async () => {
    const standard = await loadConfig(undefined, {});
    expect(standard).toEqual(await loadConfig(await file({}), {}));
    expect(standard.mrd).toMatchObject({ host: '127.0.0.1', port: 9002, maxSessions: 16 });
    expect(standard.http).toEqual({ host: '127.0.0.1' });
    expect(standard.doors).toMatchObject({ makeToken: false, origins: [], mrdAllow: [] });
  });

  it('is what the file says', async () => {
    const doors = { tokenFile: '/run/secrets/token', tls: { keyFile: 'k', certificateFile: 'c' } };
    const config = await loadConfig(await file({ mrd: { port: 1 }, doors }), {});
    expect(config.mrd).toMatchObject({ port: 1, host: '127.0.0.1' });
    expect(config.doors).toMatchObject({ ...doors, tls: { clientCertificates: 'none' } });
  });

  it.each<[unknown, string, string]>([
    [{ door: {} }, 'CONUS_ERR_CONFIG_KEY', 'door'],
    [{ doors: { tls: { keyFile: 'k', certificateFile: 'c', password: 'secret' } } }, 'CONUS_ERR_CONFIG_KEY', 'doors.tls.password'],
    [{ mrd: { port: 'secret' } }, 'CONUS_ERR_CONFIG_VALUE', 'mrd.port'],
    [{ mrd: { port: 70000 } }, 'CONUS_ERR_CONFIG_VALUE', 'mrd.port'],
    [{ doors: { tls: { keyFile: 'k' } } }, 'CONUS_ERR_CONFIG_VALUE', 'doors.tls.certificateFile'],
    [[], 'CONUS_ERR_CONFIG_VALUE', ''],
    ['{', 'CONUS_ERR_CONFIG_FILE', 'no JSON'],
  ])('%j is refused with %s', async (settings, code, where) => {
    const error: Error = await loadConfig(await file(settings), {}).then(() => new Error('none'), (cause: Error) => cause);
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(where);
    expect(error.message).not.toContain('secret\'');
    expect(error.message).not.toContain('"secret');
  });

  it('names everything that is wrong at once', () => {
    const { config, findings } = checkConfig({ mrd: { port: -1, ports: 2 }, doors: { burst: 0 } });
    expect(config).toBeUndefined();
    expect(findings.map(({ path }) => path).sort()).toEqual(['doors.burst', 'mrd.port', 'mrd.ports']);
  });

  it('that is not there is said to be so', async () => {
    await expect(loadConfig(join(folder, 'none.json'), {})).rejects.toMatchObject({ code: 'CONUS_ERR_CONFIG_FILE' });
  });

  it('takes each key from the environment, over the file', async () => {
    const config = await loadConfig(await file({ mrd: { port: 1, maxSessions: 3 } }), {
      PATH: '/bin',
      CONUS_PYTHON: 'python3',
      CONUS_MRD_PORT: '4711',
      CONUS_DOORS_MAKE_TOKEN: 'true',
      CONUS_DOORS_ORIGINS: 'https://a.example, https://b.example',
      CONUS_DOORS_TLS_KEY_FILE: 'k',
      CONUS_DOORS_TLS_CERTIFICATE_FILE: 'c',
    });
    expect(config.mrd).toMatchObject({ port: 4711, maxSessions: 3 });
    expect(config.doors).toMatchObject({ makeToken: true, origins: ['https://a.example', 'https://b.example'], tls: { keyFile: 'k', certificateFile: 'c' } });
  });

  it.each([
    [{ CONUS_MRD_PROT: '1' }, 'CONUS_ERR_CONFIG_KEY'],
    [{ CONUS_MRD_PORT: 'many' }, 'CONUS_ERR_CONFIG_VALUE'],
    [{ CONUS_MRD_PORT: '' }, 'CONUS_ERR_CONFIG_VALUE'],
    [{ CONUS_DOORS_MAKE_TOKEN: 'yes' }, 'CONUS_ERR_CONFIG_VALUE'],
  ])('%j in the environment is refused', async (environment, code) => {
    await expect(loadConfig(undefined, environment)).rejects.toMatchObject({ code });
  });

  it('keeps secrets in files: no key holds one itself, and every key is described', () => {
    const keys: string[] = [];
    const walk = (schema: JsonSchema, path: string) => {
      for (const [key, inner] of Object.entries(schema.properties ?? {})) {
        keys.push(key);
        expect(inner.description, `${path}.${key}`).toBeTruthy();
        walk(inner, `${path}.${key}`);
        if (inner.items !== undefined) walk(inner.items, `${path}.${key}[]`);
      }
    };
    walk(configJsonSchema() as JsonSchema, '');
    expect(keys.filter((key) => /token|password|secret|key$/i.test(key) && !/File$|^make/.test(key))).toEqual([]);
  });

  it('has its page', async () => {
    expect(await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')).toBe(configPage());
  });
});
