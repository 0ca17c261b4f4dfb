/**
 * DICOM with others: dcmtk's programs and an Orthanc, on free ports of the loopback. What crosses is an oblique,
 * non-square, asymmetric volume that our delivery wrote.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { affineLps } from '../../imaging/index.js';
import type { ImageGeometry } from '../../imaging/index.js';
import { openOutput } from '../../src/delivery/index.js';
import {
  CommitmentReports, describeDicom, dicomFiles, DicomReceiver, instancesOfFiles, parseDicom, readVolume, stacksOf, StoreScu, StowSender,
} from '../../src/dicom/index.js';
import type { LoadedInstance, ReceivedObject, ReceiverOptions, SendResult, StoreScuOptions } from '../../src/dicom/index.js';
import { readFileMeta } from '../../src/dicom/part10.js';
import { createLog } from '../../src/log.js';
import { encapsulated, JPEG_2000 } from '../src/dicom/encapsulated.js';
import { header, image, obliqueGeometry, settings } from '../src/delivery/fixtures.js';

const [columns, rows, slices] = [40, 56, 6];
const never = new AbortController().signal;
let directory: string;
let seriesFolder: string;
let instances: LoadedInstance[];
let geometry: ImageGeometry;
const closers: (() => Promise<unknown>)[] = [];

const magnitudes = (slice: number) => Float32Array.from({ length: rows * columns }, (_, i) => ((i * 37 + slice * 101 + (i % columns) * 5) % 4000) / 10);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conus-dicom-net-'));
  seriesFolder = join(directory, 'series');
  const plane = obliqueGeometry(columns, rows);
  const centreOf = (slice: number) => plane.centreMm.map((centre, i) => centre + 4.5 * slice * plane.sliceDirection[i]!) as unknown as ImageGeometry['centreMm'];
  const outputs = [await openOutput(seriesFolder, header(), settings), await openOutput(at('enhanced'), header(), { ...settings, enhancedDicom: true })];
  for (let slice = 0; slice < slices; slice++) {
    const counters = { slice, contrast: 0, phase: 0, repetition: 0, set: 0, average: 0 };
    for (const output of outputs) await output.write(image({ rows, columns, counters, geometry: { ...plane, centreMm: centreOf(slice) } }, magnitudes(slice)));
  }
  for (const output of outputs) await output.close();
  const { series, refused } = await instancesOfFiles(await dicomFiles(seriesFolder));
  expect(refused).toEqual([]);
  instances = series[0]!;
  expect(instances).toHaveLength(slices);
  geometry = { ...plane, centreMm: centreOf(Math.floor(slices / 2)), fovMm: [260, 300, 4.5 * slices], matrixSize: [columns, rows, slices] };
  makeCertificates();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** @throws where it is not installed */
function tool(name: string, args: readonly string[], env: Record<string, string> = {}): { status: number | null; text: string } {
  const { error, status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 120_000 });
  if (error !== undefined) throw new Error(`${name} cannot be run; .ci/run installs what the interop suite needs`, { cause: error });
  return { status, text: stdout + stderr };
}

/** As `tool`, without holding up our own servers. */
async function toolBeside(name: string, args: readonly string[]): Promise<{ status: number | null; text: string }> {
  const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, text };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listens(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the peer ended with ${child.exitCode}`);
    const socket = connect({ host: '127.0.0.1', port });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await delay(100);
  }
}

async function peer(name: string, args: readonly string[], port: number, env: Record<string, string> = {}): Promise<void> {
  // Nobody reads what it says: a full pipe would stop it.
  const child = spawn(name, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  const started = once(child, 'spawn').catch((cause: unknown) => {
    throw new Error(`${name} cannot be run; .ci/run installs what the interop suite needs`, { cause });
  });
  await started;
  const ended = once(child, 'close');
  closers.push(async () => {
    child.kill();
    await ended;
  });
  await listens(port, child);
}

async function storescp(...options: string[]): Promise<{ port: number; received: () => Promise<Uint8Array[]> }> {
  const folder = await mkdtemp(join(directory, 'storescp-'));
  const port = await freePort();
  await peer('storescp', [...options, '--output-directory', folder, String(port)], port, { TCP_NODELAY: '1' });
  return { port, received: async () => Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name)))) };
}

const at = (name: string) => join(directory, name);

/** An authority, a server and a client that it signed, and a stranger. */
function makeCertificates(): void {
  const openssl = (...args: string[]) => {
    const { status, text } = tool('openssl', args);
    if (status !== 0) throw new Error(text);
  };
  const selfSigned = (name: string) => openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
  selfSigned('authority');
  selfSigned('stranger');
  for (const name of ['server', 'client']) {
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
    openssl('x509', '-req', '-in', at(`${name}.csr`), '-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy', '-out', at(`${name}.pem`));
  }
}

async function receiver(options: Partial<ReceiverOptions> = {}, reports = new CommitmentReports()) {
  const objects: ReceivedObject[] = [];
  const lines: string[] = [];
  const scp = new DicomReceiver(
    { host: '127.0.0.1', port: 0, aeTitles: ['CONUS'], maxAssociations: 4, maxObjectBytes: 2 ** 24, idleTimeoutMs: 60_000, ...options },
    {
      received: (object) => {
        objects.push(object);
        return Promise.resolve();
      },
      committed: (report) => reports.report(report),
    },
    createLog('trace', { write: (line: string) => void lines.push(line) }),
  );
  const { port } = await scp.listen();
  closers.push(() => scp.close(0));
  return { port, objects, lines };
}

const scu = (port: number, options: Partial<StoreScuOptions> = {}) =>
  new StoreScu({ host: '127.0.0.1', port, callingAe: 'CONUS', calledAe: 'ANY-SCP', timeoutMs: 60_000, maxAssociations: 2, ...options });
const codes = (results: readonly SendResult[]) => results.map((result) => (result.outcome === 'stored' ? 'stored' : result.code));
const allStored = () => instances.map(() => 'stored');

/** What was sent: the place to 1e-3 mm, the pixels exactly. */
async function expectTheVolume(files: readonly Uint8Array[]): Promise<void> {
  const [stack, ...others] = stacksOf(await Promise.all(files.map((file) => parseDicom(file))));
  expect(others).toEqual([]);
  const volume = readVolume(stack!);
  affineLps(volume.geometry).forEach((value, i) => expect(Math.abs(value - affineLps(geometry)[i]!)).toBeLessThan(1e-3));
  for (let slice = 0; slice < slices; slice++) {
    const values = volume.data.subarray(slice * rows * columns, (slice + 1) * rows * columns);
    // SNR units are stored in tenths: the mapping gives the values back.
    expect([...values].map((value) => Math.round(value * 10))).toEqual([...magnitudes(slice)].map((value) => Math.round(value * 10)));
  }
}

const storescuFiles = () => dicomFiles(seriesFolder);

describe('dcmtk to our receiver', () => {
  it('echoscu and storescu', async () => {
    const { port, objects, lines } = await receiver({ callingAeTitles: ['SCANNER'] });
    expect(await toolBeside('echoscu', ['-aet', 'SCANNER', '-aec', 'CONUS', '127.0.0.1', String(port)])).toMatchObject({ status: 0 });
    const sent = await toolBeside('storescu', ['-aet', 'SCANNER', '-aec', 'CONUS', '127.0.0.1', String(port), ...(await storescuFiles())]);
    expect(sent.text).toBe('');
    await expectTheVolume(objects.map(({ file }) => file));
    expect(lines.join('')).not.toMatch(/Müller|Änne|P-17|19610203/);
  });

  it('with titles that are not allowed is refused', async () => {
    const { port, objects } = await receiver({ callingAeTitles: ['SCANNER'] });
    for (const titles of [['-aet', 'OTHER', '-aec', 'CONUS'], ['-aet', 'SCANNER', '-aec', 'OTHER']]) {
      const { status, text } = await toolBeside('storescu', [...titles, '127.0.0.1', String(port), ...(await storescuFiles())]);
      expect(status).not.toBe(0);
      expect(text).toMatch(/AE Title Not Recognized/i);
    }
    expect(objects).toEqual([]);
  });

  it('over TLS, with a certificate of the authority only', async () => {
    const tls = { key: await readFile(at('server.key'), 'utf8'), certificate: await readFile(at('server.pem'), 'utf8'), clientAuthorities: await readFile(at('authority.pem'), 'utf8') };
    const { port, objects } = await receiver({ tls });
    const send = async (client: string) =>
      toolBeside('storescu', ['-aec', 'CONUS', '+tls', at(`${client}.key`), at(`${client}.pem`), '+cf', at('authority.pem'), '127.0.0.1', String(port), ...(await storescuFiles())]);
    expect((await send('stranger')).status).not.toBe(0);
    expect((await toolBeside('storescu', ['-aec', 'CONUS', '127.0.0.1', String(port), ...(await storescuFiles())])).status).not.toBe(0);
    expect(objects).toEqual([]);
    expect(await send('client')).toMatchObject({ status: 0 });
    await expectTheVolume(objects.map(({ file }) => file));
  });

  const compressors: Record<string, { command: string; options: string[]; propose: string; uid: string }> = {
    'RLE': { command: 'dcmcrle', options: [], propose: '-xr', uid: '1.2.840.10008.1.2.5' },
    'JPEG lossless, first-order': { command: 'dcmcjpeg', options: ['+e1'], propose: '-xs', uid: '1.2.840.10008.1.2.4.70' },
    'JPEG-LS': { command: 'dcmcjpls', options: [], propose: '-xt', uid: '1.2.840.10008.1.2.4.80' },
  };
  for (const [name, { command, options, propose, uid }] of Object.entries(compressors)) {
    it(`${name} as dcmtk compresses it`, async () => {
      const folder = await mkdtemp(join(directory, 'compressed-'));
      const files: string[] = [];
      for (const [i, path] of (await storescuFiles()).entries()) {
        files.push(join(folder, `${i}.dcm`));
        expect(tool(command, [...options, path, files.at(-1)!]).text).toBe('');
      }
      const { port, objects } = await receiver();
      const { status, text } = await toolBeside('storescu', ['-aec', 'CONUS', propose, '127.0.0.1', String(port), ...files]);
      expect([status, text]).toEqual([0, '']);
      expect(new Set(objects.map(({ identity }) => identity.transferSyntaxUid))).toEqual(new Set([uid]));
      await expectTheVolume(objects.map(({ file }) => file));
    });
  }

  it('lives on after broken files', async () => {
    const { port, objects } = await receiver();
    const whole = await readFile((await storescuFiles())[0]!);
    await writeFile(at('cut.dcm'), whole.subarray(0, whole.length - 500));
    await toolBeside('storescu', ['-aec', 'CONUS', '127.0.0.1', String(port), at('cut.dcm')]);
    expect(objects).toEqual([]);
    expect(await toolBeside('echoscu', ['-aec', 'CONUS', '127.0.0.1', String(port)])).toMatchObject({ status: 0 });
  });
});

describe('our sender to storescp', () => {
  it('sends the data sets as they are, and dciodvfy finds nothing', async () => {
    // +B: it writes what it got, bit for bit.
    const { port, received } = await storescp('+B');
    await scu(port).echo(never);
    expect(codes(await scu(port).send(instances, never))).toEqual(allStored());
    const files = await received();
    await expectTheVolume(files);
    const bytes = await instances[0]!.bytes();
    const same = files.find((file) => describeDicom(file).header.identity.sopInstanceUid === instances[0]!.sopInstanceUid)!;
    const datasetOf = (file: Uint8Array) => Buffer.from(file.subarray(readFileMeta(file).datasetOffset));
    expect(datasetOf(same)).toEqual(datasetOf(bytes));
    await writeFile(at('arrived.dcm'), same);
    expect(tool('dciodvfy', [at('arrived.dcm')]).text.split('\n').filter((line) => /^(Error|Abort)/.test(line))).toEqual([]);
  });

  it('sends JPEG-LS where it is taken, else the same pixels uncompressed', async () => {
    const folder = await mkdtemp(join(directory, 'jpegls-'));
    for (const [i, path] of (await storescuFiles()).entries()) tool('dcmcjpls', [path, join(folder, `${i}.dcm`)]);
    const compressed = (await instancesOfFiles(await dicomFiles(folder))).series[0]!;
    for (const [option, uid] of [['+xt', '1.2.840.10008.1.2.4.80'], ['+xe', '1.2.840.10008.1.2.1'], ['+xi', '1.2.840.10008.1.2']] as const) {
      const { port, received } = await storescp(option);
      expect(codes(await scu(port).send(compressed, never))).toEqual(allStored());
      const files = await received();
      expect(new Set(files.map((file) => describeDicom(file).header.identity.transferSyntaxUid))).toEqual(new Set([uid]));
      await expectTheVolume(files);
    }
  });

  it('sends one enhanced object, native and as JPEG-LS of dcmtk', async () => {
    const [path] = await dicomFiles(at('enhanced'));
    expect(tool('dcmcjpls', [path!, at('enhanced-jpegls.dcm')]).text).toBe('');
    const { port, received } = await storescp('+xt');
    for (const file of [path!, at('enhanced-jpegls.dcm')]) {
      const [enhanced] = (await instancesOfFiles([file])).series;
      expect(codes(await scu(port).send(enhanced!, never))).toEqual(['stored']);
      await expectTheVolume([await readFile(file)]);
      await expectTheVolume(await received());
    }
  });

  it('over TLS, and to no peer of another authority', async () => {
    const { port, received } = await storescp('+tls', at('server.key'), at('server.pem'), '+cf', at('authority.pem'));
    const tls = { key: await readFile(at('client.key'), 'utf8'), certificate: await readFile(at('client.pem'), 'utf8') };
    const authorities = await readFile(at('authority.pem'), 'utf8');
    const stranger = await readFile(at('stranger.pem'), 'utf8');
    expect(new Set(codes(await scu(port, { tls: { ...tls, authorities: stranger } }).send(instances, never)))).toEqual(new Set(['DICOM_ERR_CONNECTION']));
    expect(codes(await scu(port, { tls: { ...tls, authorities } }).send(instances, never))).toEqual(allStored());
    await expectTheVolume(await received());
  });
});

describe('JPEG 2000 as OpenJPEG compresses it', () => {
  it('is read exactly', async () => {
    const values = Uint16Array.from(magnitudes(2), (value) => Math.round(value * 10));
    const big = Buffer.alloc(2 * values.length);
    values.forEach((value, i) => big.writeUInt16BE(value, 2 * i));
    await writeFile(at('slice.pgm'), Buffer.concat([Buffer.from(`P5\n${columns} ${rows}\n65535\n`), big]));
    const { status, text } = tool('opj_compress', ['-i', at('slice.pgm'), '-o', at('slice.j2k')]);
    expect(status, text).toBe(0);
    const { header: source } = describeDicom(await instances[2]!.bytes());
    const frame = (await parseDicom(encapsulated(source, JPEG_2000, await readFile(at('slice.j2k'))))).frames[0]!;
    expect([...frame.values()].map((value) => Math.round(value * 10))).toEqual([...values]);
  });
});

describe('Orthanc', () => {
  async function orthanc(modalityPort = 104): Promise<{ dicomPort: number; url: string }> {
    const [dicomPort, httpPort] = [await freePort(), await freePort()];
    const folder = await mkdtemp(join(directory, 'orthanc-'));
    await mkdir(join(folder, 'db'));
    await writeFile(join(folder, 'orthanc.json'), JSON.stringify({
      Name: 'TEST', HttpPort: httpPort, DicomPort: dicomPort, DicomAet: 'ORTHANC', RemoteAccessAllowed: false, AuthenticationEnabled: false,
      StorageDirectory: join(folder, 'db'), IndexDirectory: join(folder, 'db'), DicomAlwaysAllowFind: true,
      Plugins: ['/usr/share/orthanc/plugins/libOrthancDicomWeb.so'], DicomWeb: { Enable: true },
      DicomModalities: { conus: ['CONUS', '127.0.0.1', modalityPort] },
    }));
    await peer('Orthanc', [join(folder, 'orthanc.json')], httpPort);
    return { dicomPort, url: `http://127.0.0.1:${httpPort}` };
  }
  const json = async (url: string): Promise<unknown> => (await fetch(url)).json();

  async function expectInOrthanc(url: string, dicomPort: number): Promise<void> {
    const ids = (await json(`${url}/instances`)) as string[];
    expect(ids).toHaveLength(slices);
    await expectTheVolume(await Promise.all(ids.map(async (id) => new Uint8Array(await (await fetch(`${url}/instances/${id}/file`)).arrayBuffer()))));
    const { studyInstanceUid, seriesInstanceUid } = instances[0]!;
    const metadata = (await json(`${url}/dicom-web/studies/${studyInstanceUid}/series/${seriesInstanceUid}/metadata`)) as Record<string, { Value: number[] }>[];
    const positions = metadata.map((item) => item['00200032']!.Value).sort((a, b) => a[2]! - b[2]!);
    const sent = await Promise.all(instances.map(async (instance) => describeDicom(await instance.bytes()).planes[0]!.firstMm));
    [...sent].sort((a, b) => a[2] - b[2]).forEach((position, i) => position.forEach((value, axis) => expect(Math.abs(value - positions[i]![axis]!)).toBeLessThan(1e-3)));
    const found = await toolBeside('findscu', [
      '-S', '-aec', 'ORTHANC', '-k', 'QueryRetrieveLevel=SERIES', '-k', `StudyInstanceUID=${studyInstanceUid}`, '-k', `SeriesInstanceUID=${seriesInstanceUid}`,
      '-k', 'NumberOfSeriesRelatedInstances', '127.0.0.1', String(dicomPort), '-v',
    ]);
    expect(found.text).toMatch(new RegExp(`\\(0020,1209\\) IS \\[${slices} *\\]`));
  }

  it('gets by C-STORE what was sent, and commits itself to it', async () => {
    const reports = new CommitmentReports();
    const { port } = await receiver({}, reports);
    const { dicomPort, url } = await orthanc(port);
    const sender = scu(dicomPort, { calledAe: 'ORTHANC', commitment: reports });
    await sender.echo(never);
    expect(codes(await sender.send(instances, never))).toEqual(allStored());
    await expectInOrthanc(url, dicomPort);
  });

  it('gets by STOW-RS what was sent', async () => {
    const { dicomPort, url } = await orthanc();
    const sender = new StowSender({ url: `${url}/dicom-web/studies`, timeoutMs: 60_000 });
    await sender.echo(never);
    expect(codes(await sender.send(instances, never))).toEqual(allStored());
    await expectInOrthanc(url, dicomPort);
    const broken = [{ ...instances[0]!, bytes: () => Promise.resolve(new Uint8Array(500)) }];
    expect(codes(await sender.send(broken, never))).not.toEqual(['stored']);
  });

  it('sends to our receiver', async () => {
    const { port, objects } = await receiver();
    const { dicomPort, url } = await orthanc(port);
    expect(codes(await scu(dicomPort, { calledAe: 'ORTHANC' }).send(instances, never))).toEqual(allStored());
    const ids = (await json(`${url}/instances`)) as string[];
    const response = await fetch(`${url}/modalities/conus/store`, { method: 'POST', body: JSON.stringify(ids) });
    expect(response.status).toBe(200);
    await expectTheVolume(objects.map(({ file }) => file));
  });
});
