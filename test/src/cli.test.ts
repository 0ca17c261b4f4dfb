import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { createMrdFile, encodeClose, encodeConfigFile, encodeText, parseMessages } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parameterFacts } from '../../src/chain/index.js';
import { ExitCode, main } from '../../src/cli/index.js';
import { errorsPage } from '../../src/errors.js';
import { acquisition, concat, headerXml, scan } from './streams.js';

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-cli-'));
  await writeFile(at('scan.mrd'), scan());
  await writeFile(at('simple.mrd'), scan('simplefft'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Ran {
  readonly code: ExitCode;
  readonly out: Buffer;
  readonly err: string;
}

function collector(): { stream: Writable; bytes: () => Buffer } {
  const parts: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(parts) };
}

async function conus(argv: readonly string[], stdin: Uint8Array = new Uint8Array(0)): Promise<Ran> {
  const out = collector();
  const err = collector();
  // One thread is as good as many here, and sooner there.
  const threads = argv[0] === 'recon' || (argv[0] === 'sweep' && argv[1] !== '--help') ? ['--threads', '1'] : [];
  const code = await main([...argv, ...threads], {
    stdin: Readable.from([stdin]),
    stdout: out.stream,
    stderr: err.stream,
    showsProgress: false,
    stop: new AbortController().signal,
  });
  return { code, out: out.bytes(), err: err.bytes().toString() };
}

const jsonOf = ({ out }: Ran) => JSON.parse(out.toString()) as Record<string, unknown>;

describe('conus recon', () => {
  it('writes the same answer to a file and to stdout', async () => {
    const toFile = await conus(['recon', at('scan.mrd'), '-o', at('out.mrd')]);
    const toStdout = await conus(['recon', '-', '-o', '-'], scan());
    expect(toFile.code).toBe(ExitCode.ok);
    expect(toStdout.code).toBe(ExitCode.ok);
    expect(toStdout.out).toEqual(await readFile(at('out.mrd')));
    expect(parseMessages(toStdout.out).map(({ kind }) => kind).filter((kind) => kind !== 'text')).toEqual(['image', 'close']);
    expect(toFile.err).toContain('RECON_WARN_NO_NOISE_SCAN');
  });

  it('reads .h5, and writes .h5, pictures and DICOM', async () => {
    const file = await createMrdFile(at('scan.h5'));
    file.writeHeaderXml(headerXml());
    for (const message of parseMessages(scan())) {
      if (message.kind === 'acquisition') file.appendAcquisition(message.acquisition);
    }
    await file.close();
    for (const [name, kind] of [['a.h5', 'a.h5'], ['a.png', 'a.png'], ['dicom/', 'IM-0001-0001.dcm']] as const) {
      const ran = await conus(['recon', at('scan.h5'), '-o', at(name), '--json']);
      expect(ran.code).toBe(ExitCode.ok);
      expect(jsonOf(ran)).toMatchObject({ outcome: 'completed', nReadouts: 16, nImagesOut: 1, files: [expect.stringContaining(kind)] });
    }
    const same = await conus(['compare', at('a.h5'), at('out.mrd'), '--json']);
    expect(jsonOf(same)).toMatchObject({ images: [{ scale: 1, nRmse: 0, ssim: 1 }] });
  });

  it('takes parameters and the chain from the command line first', async () => {
    const ran = await conus(['recon', at('scan.mrd'), '-o', at('c.mrd'), '--chain', 'null', '--json']);
    expect(jsonOf(ran)).toMatchObject({ chain: 'null', nImagesOut: 0 });
    await conus(['recon', at('scan.mrd'), '-o', at('f.mrd'), '--set', 'pixelType=float32', '--set', 'combine=rss']);
    const inspected = await conus(['inspect', at('f.mrd'), '--json']);
    expect(Object.keys(jsonOf(inspected)['imageSeries'] as object)).toEqual(['series 1: float32 16 x 16 x 1, 1 channel']);
  });

  it('gives the maps that are asked for as further series', async () => {
    const ran = await conus(['recon', at('scan.mrd'), '-o', at('maps.mrd'), '--maps', 'snr,PSF,coilmaps', '--json']);
    expect(jsonOf(ran)).toMatchObject({ outcome: 'completed', nImagesOut: 1 + 1 + 4 + 1 });
    const series = Object.keys(jsonOf(await conus(['inspect', at('maps.mrd'), '--json']))['imageSeries'] as object);
    expect(series.map((name) => name.split(':')[0])).toEqual(['series 1', 'series 4', 'series 5', 'series 6']);
    const overruled = await conus(['recon', at('scan.mrd'), '-o', at('maps.mrd'), '--maps', 'snr', '--set', 'snrMap=false', '--json']);
    expect(jsonOf(overruled)).toMatchObject({ nImagesOut: 1 });
  });

  it('writes a page a series beside the output', async () => {
    const ran = await conus(['recon', at('scan.mrd'), '-o', at('r.mrd'), '--report', at('report'), '--maps', 'coilmaps', '--json']);
    expect(jsonOf(ran)).toMatchObject({ outcome: 'completed', nImagesOut: 1 + 1 + 1 + 4 + 1, pages: [at('report/series-0001.html')] });
    const page = await readFile(at('report/series-0001.html'), 'utf8');
    for (const text of ['g-factor', 'Point spread', 'Coil maps', '--report', 'RECON_WARN_NO_NOISE_SCAN']) expect(page).toContain(text);
    await writeFile(at('refused.mrd'), Buffer.from(Buffer.from(scan()).toString('latin1').replace('<trajectory>cartesian<', '<trajectory>spiral   <'), 'latin1'));
    const refused = await conus(['recon', at('refused.mrd'), '-o', at('r.mrd'), '--report', at('none'), '--json']);
    expect(jsonOf(refused)).toMatchObject({ outcome: 'failed', pages: [] });
    const impossible = await conus(['recon', at('scan.mrd'), '-o', at('r.mrd'), '--report', '/dev/null/report']);
    expect(impossible).toMatchObject({ code: ExitCode.output, err: expect.stringContaining('CONUS_ERR_OUTPUT') as string });
  });

  it('replays a partial raw file', async () => {
    await writeFile(at('raw.mrd.partial'), scan().subarray(0, -1000));
    const ran = await conus(['recon', at('raw.mrd.partial'), '-o', at('p.mrd'), '--json']);
    expect(ran.code).toBe(ExitCode.partial);
    expect(jsonOf(ran)).toMatchObject({ errorCode: 'MRD_ERR_TRUNCATED_MESSAGE', nImagesOut: 1 });
  });

  it.each<[string, () => string[], ExitCode, string]>([
    ['an input that is not there', () => [at('nothing.mrd'), '-o', at('x.mrd')], ExitCode.input, 'CONUS_ERR_INPUT'],
    ['an output that cannot be written', () => [at('scan.mrd'), '-o', '/dev/null/x.mrd'], ExitCode.output, 'CONUS_ERR_OUTPUT'],
    ['pictures that cannot be written', () => [at('scan.mrd'), '-o', '/dev/null/x.png'], ExitCode.output, 'CONUS_ERR_OUTPUT'],
    ['an output of no known kind', () => [at('scan.mrd'), '-o', at('x.jpg')], ExitCode.usage, 'CONUS_ERR_OUTPUT_KIND'],
    ['a parameter that is none', () => [at('scan.mrd'), '-o', at('x.mrd'), '--set', 'colour=red'], ExitCode.usage, 'CONUS_ERR_PARAMETER'],
    ['a chain that is none', () => [at('scan.mrd'), '-o', at('x.mrd'), '--chain', 'nonesuch'], ExitCode.usage, 'CONUS_ERR_UNKNOWN_CONFIG'],
    ['no output', () => [at('scan.mrd')], ExitCode.usage, '--output'],
    ['a map that is none', () => [at('scan.mrd'), '-o', at('x.mrd'), '--maps', 'snr,colour'], ExitCode.usage, 'gfactor,noise,snr,coilmaps,psf'],
    ['a setting without a value', () => [at('scan.mrd'), '-o', at('x.mrd'), '--set', 'combine'], ExitCode.usage, 'key=value'],
  ])('%s', async (_name, argv, code, message) => {
    const ran = await conus(['recon', ...argv()]);
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(message);
  });

  it('an input that is refused', async () => {
    expect((await conus(['recon', '-', '-o', at('x.mrd')], concat(encodeConfigFile('nonesuch')))).code).toBe(ExitCode.input);
    expect((await conus(['recon', '-', '-o', at('x.mrd')], scan('default', { nLines: 16 }).subarray(0, 5000))).code).toBe(ExitCode.partial);
  });
});

describe('conus inspect', () => {
  it('tells what a stream holds', async () => {
    const stream = concat([scan().subarray(0, -2), acquisition(0, {}, 'noiseMeasurement'), ...encodeText('hello'), ...encodeClose()]);
    const ran = await conus(['inspect', '-', '--json'], stream);
    expect(ran.code).toBe(ExitCode.ok);
    expect(jsonOf(ran)).toMatchObject({
      bytes: stream.length,
      config: 'default',
      messages: { CONFIG_FILE: 1, HEADER: 1, ACQUISITION: 17, TEXT: 1, CLOSE: 1 },
      header: { receiverChannels: 4, encodings: [{ encodedMatrix: [32, 16, 1], reconMatrix: [16, 16, 1], acceleration: [1, 1] }] },
      counters: { kspaceEncodeStep1: [0, 15] },
      flags: { lastInSlice: 1, noiseMeasurement: 1 },
      nNoiseSamples: 32,
      hasGeometry: true,
      hasTimeStamps: true,
      nNotFinite: 0,
    });
  });

  it('tells how far a broken one is good', async () => {
    const ran = await conus(['inspect', '-'], scan().subarray(0, -10));
    expect(ran.code).toBe(ExitCode.input);
    expect(ran.out.toString()).toMatch(/error: MRD_ERR_TRUNCATED_MESSAGE[\s\S]*ACQUISITION: 15/);
  });

  it('names no patient', async () => {
    const xml = headerXml().replace('<acquisitionSystemInformation>', '<subjectInformation><patientName>Jane^Doe</patientName></subjectInformation><acquisitionSystemInformation>');
    const stream = Buffer.from(scan()).toString('latin1').replace(headerXml(), xml);
    // The header's length changes with its text.
    const bytes = Buffer.from(stream, 'latin1');
    bytes.writeUInt32LE(xml.length, 1028);
    const ran = await conus(['inspect', '-'], bytes);
    expect(ran.code).toBe(ExitCode.ok);
    expect(ran.out.toString()).not.toContain('Doe');
  });
});

describe('conus explain', () => {
  it('tells what decided the chain and each parameter', async () => {
    const ran = await conus(['explain', at('simple.mrd'), '--set', 'noiseMap=true', '--json']);
    expect(ran.code).toBe(ExitCode.ok);
    const { chain, decisions } = jsonOf(ran) as { chain: string; decisions: { what: string; value: string; source: string }[] };
    expect(chain).toBe('simplefft');
    expect(decisions).toContainEqual({ what: 'chain', value: 'simplefft', because: 'the client asks for "simplefft"', source: 'CONFIG_FILE message', origin: 'client' });
    expect(decisions).toContainEqual(expect.objectContaining({ what: 'noiseMap', value: 'true', source: '--set noiseMap' }));
    expect(decisions).toContainEqual(expect.objectContaining({ what: 'acceleration', source: expect.stringContaining('encoding[0].parallelImaging') as string }));
    expect((await conus(['explain', at('simple.mrd')])).out.toString()).toMatch(/chain +simplefft +the client asks/);
  });

  it('tells why an input would be refused', async () => {
    const ran = await conus(['explain', '-'], concat(encodeConfigFile('nonesuch')));
    expect(ran.code).toBe(ExitCode.input);
    expect(ran.out.toString()).toContain('refused: CONUS_ERR_UNKNOWN_CONFIG');
  });
});

describe('conus compare', () => {
  it('measures after a scale fit, inside a mask', async () => {
    await conus(['recon', at('simple.mrd'), '-o', at('s16.mrd')]);
    await conus(['recon', at('simple.mrd'), '-o', at('s32.mrd'), '--set', 'pixelType=float32']);
    const ran = await conus(['compare', at('s16.mrd'), at('s32.mrd'), '--threshold', '0.05', '--json']);
    expect(ran.code).toBe(ExitCode.ok);
    const { images } = jsonOf(ran) as { images: { nRmse: number; ssim: number }[] };
    expect(images).toHaveLength(1);
    expect(images[0]!.nRmse).toBeGreaterThan(0);
    expect(images[0]!.nRmse).toBeLessThan(1e-3);
    expect(images[0]!.ssim).toBeGreaterThan(0.999);
    expect((await conus(['compare', at('s16.mrd'), at('s32.mrd'), '--mask', at('s16.mrd')])).out.toString()).toMatch(/nRMSE/);
  });

  it.each<[string, () => string[], ExitCode, string]>([
    ['raw data', () => [at('scan.mrd'), at('scan.mrd')], ExitCode.input, 'CONUS_ERR_IMAGE_FILE'],
    ['a series that is not there', () => [at('s16.mrd'), at('s32.mrd'), '--series', '9'], ExitCode.input, 'CONUS_ERR_IMAGE_FILE'],
    ['other sizes', () => [at('s16.mrd'), at('big.mrd')], ExitCode.usage, 'CONUS_ERR_NOT_COMPARABLE'],
    ['two masks', () => [at('s16.mrd'), at('s32.mrd'), '--mask', 'a.png', '--threshold', '1'], ExitCode.usage, 'cannot be used with'],
  ])('refuses %s', async (_name, argv, code, message) => {
    await writeFile(at('big-scan.mrd'), scan('simplefft', { nSamples: 64 }));
    await conus(['recon', at('big-scan.mrd'), '-o', at('big.mrd')]);
    const ran = await conus(['compare', ...argv()]);
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(message);
  });
});

describe('conus sweep', () => {
  it('prints every setting and writes the page', async () => {
    await writeFile(at('sweep.mrd'), scan('default', { nLines: 32 }));
    const ran = await conus(['sweep', at('sweep.mrd'), '--R', '1,2', '--acs', '12', '--etl', '4', '--tr-ms', '600', '--max-nrmse', '0.5', '-o', at('page/sweep.html')]);
    expect(ran.code).toBe(ExitCode.ok);
    const lines = ran.out.toString().split('\n');
    expect(lines[0]).toMatch(/^R +ACS +method +lines +min +nRMSE/);
    expect(lines[1]).toMatch(/^1 +- +as acquired +32 +0.08 +0.0000 +1.0000/);
    expect(lines[2]).toMatch(/^2 +12 +grappa +22 +0.06/);
    expect(ran.out.toString()).toMatch(/Fastest that passes: R = 2/);
    expect(await readFile(at('page/sweep.html'), 'utf8')).toContain('Acceleration sweep');
    const json = await conus(['sweep', at('sweep.mrd'), '--R', '2', '--acs', '12', '--json']);
    expect(jsonOf(json)).toMatchObject({ acceleration: 1, snrUnits: false, results: [{ setting: { acceleration: 2, calibrationLines: 12, method: 'grappa' }, nLines: 22 }] });
  });

  it.each<[string, () => string[], ExitCode, string]>([
    ['stdin', () => ['-'], ExitCode.input, 'CONUS_ERR_INPUT'],
    ['a factor that is none', () => [at('scan.mrd'), '--R', '2,x'], ExitCode.usage, '1 to 8'],
    ['a method that is none', () => [at('scan.mrd'), '--method', 'magic'], ExitCode.usage, 'grappa'],
    ['more calibration lines than there are', () => [at('scan.mrd'), '--R', '2', '--acs', '17'], ExitCode.usage, 'CONUS_ERR_SWEEP_CALIBRATION'],
    ['a page that cannot be written', () => [at('scan.mrd'), '--R', '2', '--acs', '12', '-o', '/dev/null/x.html'], ExitCode.output, 'CONUS_ERR_OUTPUT'],
  ])('refuses %s', async (_name, argv, code, message) => {
    const ran = await conus(['sweep', ...argv()]);
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(message);
  });
});

describe('conus serve and conus send', () => {
  it('talk to each other, and serve stops when it is asked to', async () => {
    const stop = new AbortController();
    const stdout = new PassThrough();
    const err = collector();
    const saveRaw = at('raw');
    const serving = main(['serve', '--port', '0', '--http', '0', '--json', '--threads', '1', '--save-raw', saveRaw], {
      stdin: Readable.from([]), stdout, stderr: err.stream, showsProgress: false, stop: stop.signal,
    });
    const [facts] = (await once(stdout, 'data')) as [Buffer];
    const { port, http } = JSON.parse(facts.toString()) as { port: number; http: { port: number } };
    const to = ['--port', String(port)];

    const fast = await conus(['send', at('scan.mrd'), '-o', at('sent.mrd'), '--json', ...to]);
    expect(jsonOf(fast)).toMatchObject({ nImages: 1, files: [at('sent.mrd')], lastReadoutToLastImageMs: expect.any(Number) as number });
    expect(await readFile(at('sent.mrd'))).toEqual(await readFile(at('out.mrd')));
    const paced = await conus(['send', at('scan.mrd'), '-o', at('paced.h5'), '--pace-us', '500', ...to]);
    expect(paced).toMatchObject({ code: ExitCode.ok, err: expect.stringContaining('1 images') as string });
    expect((await conus(['compare', at('paced.h5'), at('sent.mrd'), '--json'])).out.toString()).toContain('"nRmse": 0');
    expect((await conus(['send', at('scan.mrd'), '-o', at('sent.png'), ...to])).code).toBe(ExitCode.ok);
    const asked = await conus(['send', at('scan.mrd'), '-o', at('asked.mrd'), '--set', 'pixelType=float32', '--set', 'seriesDescription=again', '--json', ...to]);
    expect(asked.code).toBe(ExitCode.ok);
    const [image] = parseMessages(await readFile(at('asked.mrd'))).flatMap((message) => (message.kind === 'image' ? [message.image] : []));
    expect([image!.header.dataType, image!.attributes]).toEqual(['float32', expect.stringContaining('again')]);
    const headless = await conus(['send', '-', '-o', at('headless.mrd'), '--set', 'denoise=0', ...to], concat([...encodeConfigFile('default'), acquisition(0)]));
    expect([headless.code, headless.err]).toEqual([ExitCode.input, expect.stringContaining('CONUS_ERR_INPUT')]);
    const refused = await conus(['send', '-', '-o', at('refused.mrd'), ...to], concat(encodeConfigFile('nonesuch')));
    expect(refused.code).toBe(ExitCode.input);
    expect(refused.err).toContain('CONUS_ERR_UNKNOWN_CONFIG');

    const metrics = await (await fetch(`http://127.0.0.1:${http.port}/metrics`)).text();
    expect(metrics).toMatch(/conus_sessions_total\{chain="default",outcome="completed",node="[^"]+"\} 4/);
    stop.abort();
    expect(await serving).toBe(ExitCode.ok);
    const raw = (await readdir(saveRaw)).sort();
    expect(raw).toHaveLength(6);
    expect(await readFile(join(saveRaw, raw[0]!))).toEqual(Buffer.from(scan()));
    expect((await conus(['send', at('scan.mrd'), '-o', at('x.mrd'), ...to])).code).toBe(ExitCode.output);
  });

  it.each([
    ['serve', '--port', '70000'],
    ['serve', '--port', ''],
    ['serve', '--log-level', 'loud'],
    ['serve', '--idle-timeout', '0'],
    ['serve', '--set', 'colour=red'],
    ['send', 'x.mrd', '-o', 'dicom/'],
    ['send', 'x.mrd', '-o', 'x.mrd', '--pace-us', '-1'],
    ['nonesuch'],
  ])('%s %s %s is bad usage', async (...argv) => {
    expect((await conus(argv)).code).toBe(ExitCode.usage);
  });
});

describe('the documentation', () => {
  const doc = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

  it('of error codes is what the tables say', async () => {
    expect(await doc('errors.md')).toBe(errorsPage());
    expect((await conus(['errors', '--markdown'])).out.toString()).toBe(errorsPage());
  });

  it('lists every parameter, option and exit code', async () => {
    const page = await doc('cli.md');
    for (const { name, values, default: standard, description } of parameterFacts()) {
      expect(page).toContain(`| \`${name}\` | ${values} | ${standard} | ${description} |`);
    }
    const protocols = ['list', 'show', 'check', 'schema'].map((name) => ['protocols', name]);
    const commands = [['serve'], ['recon'], ['send'], ['inspect'], ['explain'], ['compare'], ['sweep'], ['simulate'], ...protocols, ['dicom', 'echo'], ['dicom', 'send'], ['config', 'check'], ['config', 'schema'], ['parameters'], ['errors']];
    for (const command of commands) {
      const help = (await conus([...command, '--help'])).out.toString();
      const section = page.split(`## conus ${command[0]}\n`)[1]?.split('\n## ')[0] ?? '';
      if (command.length > 1) expect(section).toContain(`conus ${command.join(' ')}`);
      for (const [option] of help.matchAll(/--(?!help)[a-z][a-z-]+/g)) expect(section).toContain(`\`${option}`);
    }
    for (const code of Object.values(ExitCode)) expect(page).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });

  it('--help and --version succeed', async () => {
    expect((await conus(['--help'])).code).toBe(ExitCode.ok);
    expect((await conus(['--version'])).out.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
