import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareProtocols, examTimingOf } from '../../../protocols/index.js';
import { checkProtocolFile, fatNull, loadProtocol, protocolNames, protocolsPage } from '../../../src/protocols/index.js';
import { protocolSource, stirSource, tseSource } from '../../protocols/examples.js';

const named = { ...tseSource, recognise: { namePatterns: ['*t2w*'] } };

describe('the protocols of the program', () => {
  it.each(protocolNames())('%s is valid without a word of warning, and takes minutes', async (name) => {
    const file = new URL(`../../../protocols/exams/${name}.json`, import.meta.url);
    expect(await checkProtocolFile(fileURLToPath(file))).toMatchObject({ errors: [], warnings: [], protocol: { name } });
    const protocol = await loadProtocol(name);
    const isFast = name.endsWith('-fast');
    const minutes = examTimingOf(protocol).totalMs / 60_000;
    expect(minutes).toBeGreaterThan(isFast ? 3 : 12);
    expect(minutes).toBeLessThan(isFast ? 8 : 18);
    expect(protocol.synthesise.map(({ contrast }) => contrast).includes('stir')).toBe(isFast);
  });

  it('come in pairs: fast ones keep half of the SNR, and what they do not scan they synthesise', async () => {
    const fast = await Promise.all(protocolNames().filter((name) => name.endsWith('-fast')).map(loadProtocol));
    expect(fast.length).toBeGreaterThan(2);
    for (const protocol of fast) {
      const { series, total, bothScanned } = compareProtocols(protocol, await loadProtocol(protocol.basedOn!));
      expect(series.every(({ fate }) => fate === 'scanned' || fate === 'synthesised')).toBe(true);
      for (const { snrRatio } of series) if (snrRatio !== undefined) expect(snrRatio).toBeGreaterThan(0.5);
      // Published fast protocols save 40 to 54 % on the series that they keep; leaving out STIR saves more.
      expect(1 - bothScanned.ms / bothScanned.againstMs).toBeGreaterThan(0.4);
      expect(total.ms / total.againstMs).toBeLessThan(bothScanned.ms / bothScanned.againstMs);
    }
  });
});

describe('protocol files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conus-protocols-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function file(content: unknown, name = 'example.json'): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }
  const check = async (content: unknown, name?: string) => {
    const { errors, warnings } = await checkProtocolFile(await file(content, name));
    return [...errors, ...warnings].map(({ code, path }) => `${code} ${path}`);
  };

  it('resolve inversion times to the null of fat', async () => {
    const stir = { ...stirSource, recognise: { namePatterns: ['stir*'] }, sequence: { ...stirSource.sequence, tiMs: 'auto' as const } };
    const protocol = await loadProtocol(await file(protocolSource(stir)));
    const { sequence } = protocol.series[0]!;
    expect('tiMs' in sequence && sequence.tiMs).toBe(Math.round(fatNull(stir.sequence as Parameters<typeof fatNull>[0], 1.5)));
    expect(await check(protocolSource({ ...stir, sequence: { ...stir.sequence, tiMs: 120 } }))).toEqual(['PROTOCOL_WARN_FAT_NULL series.0.sequence.tiMs']);
  });

  it('whose train leaves no room for the inversion are refused', async () => {
    const stir = { ...stirSource, sequence: { ...stirSource.sequence, tiMs: 'auto' as const, trMs: 170 } };
    expect(await check(protocolSource(stir))).toEqual(['PROTOCOL_ERR_TIMING series.0.sequence.trMs']);
  });

  it.each<[string, object, string[], string?]>([
    ['another name', {}, ['PROTOCOL_ERR_NAME name'], 'other.json'],
    ['a base that is none', { basedOn: 'nonesuch' }, ['PROTOCOL_ERR_NAME basedOn']],
    ['a base of the program', { basedOn: 'lumbar-standard' }, []],
    ['a chain that is none', { chain: { chain: 'nonesuch' } }, ['PROTOCOL_ERR_CHAIN chain.chain']],
    ['a chain that reconstructs nothing', { chain: { chain: 'null' } }, ['PROTOCOL_ERR_CHAIN chain.chain']],
    ['limits of the operator the wrong way round', { operator: { denoisePercent: { least: 60, most: 40 } } }, ['PROTOCOL_ERR_VALUE operator.denoisePercent']],
    ['a parameter that is none', { chain: { parameters: { colour: 'red' } } }, ['PROTOCOL_ERR_CHAIN chain.parameters.colour']],
    ['a parameter out of range', { chain: { chain: 'grappa', parameters: { kernelReadout: 4 } } }, ['PROTOCOL_ERR_CHAIN chain.parameters.kernelReadout']],
    ['a chain of one series', { series: [{ ...named, chain: { chain: 'grappa', parameters: { gFactorMap: true } } }] }, []],
  ])('with %s', async (_what, changes, expected, name) => {
    expect(await check({ ...protocolSource(named), ...changes }, name)).toEqual(expected);
  });

  it('that cannot be read are refused with a code', async () => {
    await expect(checkProtocolFile(join(folder, 'nothing.json'))).rejects.toThrow('PROTOCOL_ERR_FILE');
    await expect(loadProtocol(await file('{ "name": '))).rejects.toThrow('PROTOCOL_ERR_FILE');
    await expect(loadProtocol('nonesuch')).rejects.toThrow(/PROTOCOL_ERR_UNKNOWN.*lumbar-standard/);
    await expect(loadProtocol(await file({ ...protocolSource(), colour: 'red', shape: 'round' }))).rejects.toThrow(/PROTOCOL_ERR_KEY.*1 more/);
  });
});

it('docs/protocols.md is what the schema says', async () => {
  expect(await readFile(new URL('../../../docs/protocols.md', import.meta.url), 'utf8')).toBe(protocolsPage());
});
