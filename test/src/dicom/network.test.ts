/** Our sender and our receiver over loopback sockets, and what is no DICOM at all. */
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { DicomReceiver, FolderSender, StoreScu, StowSender } from '../../../src/dicom/index.js';
import type { ReceivedObject, ReceiverListener, ReceiverOptions, SendResult, StoreScuOptions } from '../../../src/dicom/index.js';
import { readFileMeta } from '../../../src/dicom/part10.js';
import { createLog } from '../../../src/log.js';
import { classicSeries, classicSlice, encode, IMPLICIT, loaded, MR, obliqueVolume, PATIENT_ID, SERIES } from './fixtures.js';

const files = classicSeries();
const never = new AbortController().signal;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function receiver(options: Partial<ReceiverOptions> = {}, listener: Partial<ReceiverListener> = {}) {
  const objects: ReceivedObject[] = [];
  const lines: string[] = [];
  const log = createLog('trace', { write: (line: string) => void lines.push(line) });
  const closed: number[] = [];
  const scp = new DicomReceiver(
    { host: '127.0.0.1', port: 0, aeTitles: ['CONUS'], maxAssociations: 4, maxObjectBytes: 2 ** 20, idleTimeoutMs: 20_000, ...options },
    {
      received: (object) => {
        objects.push(object);
        return Promise.resolve();
      },
      associationClosed: ({ nStored }) => void closed.push(nStored),
      ...listener,
    },
    log,
  );
  const { port } = await scp.listen();
  closers.push(() => scp.close(0));
  return { port, objects, lines, closed };
}

const datasetOf = (file: Uint8Array) => Buffer.from(file.subarray(readFileMeta(file).datasetOffset));

const scu = (port: number, options: Partial<StoreScuOptions> = {}) =>
  new StoreScu({ host: '127.0.0.1', port, callingAe: 'SCANNER', calledAe: 'CONUS', timeoutMs: 15_000, maxAssociations: 2, ...options });

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const codes = (results: readonly SendResult[]) => results.map((result) => (result.outcome === 'stored' ? 'stored' : result.code));

describe('a series', () => {
  it('arrives as it was sent, and nothing of the patient is logged', async () => {
    const { port, objects, lines, closed } = await receiver();
    expect(codes(await scu(port).send(loaded(files), never))).toEqual(files.map(() => 'stored'));
    expect(objects.map(({ identity }) => identity.sopInstanceUid)).toEqual(loaded(files).map(({ sopInstanceUid }) => sopInstanceUid));
    objects.forEach(({ file }, i) => expect(datasetOf(file)).toEqual(datasetOf(files[i]!)));
    expect(objects[0]).toMatchObject({ callingAe: 'SCANNER', calledAe: 'CONUS', facts: { modality: 'MR', echoTimeMs: 82.1 } });
    await expect.poll(() => closed).toEqual([files.length]);
    expect(lines.join('')).not.toMatch(/Geheim|Gerda|SECRET|19610203/);
  });

  it('is acknowledged only when whoever keeps it says so', async () => {
    let isDurable = false;
    const { port } = await receiver({}, {
      received: async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        isDurable = true;
      },
    });
    const [result] = await scu(port).send(loaded(files.slice(0, 1)), never);
    expect([result!.outcome, isDurable]).toEqual(['stored', true]);
  });

  it('fails, to be sent again, where it cannot be kept', async () => {
    const { port } = await receiver({}, { received: () => Promise.reject(new Error(`no room for ${PATIENT_ID}`)) });
    const results = await scu(port).send(loaded(files.slice(0, 2)), never);
    expect(results).toEqual([1, 2].map((i) => ({ sopInstanceUid: `2.25.3003${i}`, outcome: 'failed', code: 'DICOM_ERR_REFUSED', detail: 'status A700', retryable: true })));
  });

  it('goes on after an object that is refused', async () => {
    const { port, objects, lines } = await receiver();
    const mixed = [files[0]!, encode(classicSlice(obliqueVolume(), 1, { ImagePositionPatient: undefined })), files[2]!];
    const results = await scu(port).send(loaded(mixed), never);
    expect(codes(results)).toEqual(['stored', 'DICOM_ERR_REFUSED', 'stored']);
    expect(results[1]).toMatchObject({ retryable: false, detail: 'status C000' });
    expect(objects).toHaveLength(2);
    expect(lines.join('')).toContain('DICOM_ERR_GEOMETRY');
  });

  it('of two patients is refused', async () => {
    const { port, lines } = await receiver();
    const mixed = [files[0]!, encode(classicSlice(obliqueVolume(), 1, { PatientID: 'somebody else' })), encode(classicSlice(obliqueVolume(), 2, { StudyInstanceUID: '2.25.77' }))];
    expect(codes(await scu(port).send(loaded(mixed), never))).toEqual(['stored', 'DICOM_ERR_REFUSED', 'DICOM_ERR_REFUSED']);
    expect(lines.filter((line) => line.includes('DICOM_ERR_MIXED_SERIES'))).toHaveLength(2);
  });

  it('in many associations at once is one series still', async () => {
    const { port, objects } = await receiver();
    const sender = scu(port);
    await Promise.all(loaded(files).map((instance) => sender.send([instance], never)));
    expect(objects).toHaveLength(files.length);
  });

  it('is refused object by object where each is beyond the limit, and memory is not', async () => {
    const { port, objects, lines } = await receiver({ maxObjectBytes: 100_000 });
    const big = encode(classicSlice(obliqueVolume(512, 512, 5), 0));
    expect(codes(await scu(port).send(loaded([big, files[1]!]), never))).toEqual(['DICOM_ERR_REFUSED', 'stored']);
    expect(objects).toHaveLength(1);
    expect(lines.join('')).toContain('DICOM_ERR_TOO_LARGE');
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const { port } = await receiver({}, { received: () => new Promise((resolve) => setTimeout(resolve, 2000).unref()) });
    setTimeout(() => controller.abort(), 100);
    const results = await scu(port).send(loaded(files), controller.signal);
    expect(new Set(codes(results))).toEqual(new Set(['DICOM_ERR_CANCELLED']));
  });
});

describe('an association', () => {
  it('answers C-ECHO', async () => {
    const { port } = await receiver();
    await scu(port).echo(never);
  });

  it('is refused to titles that are not allowed', async () => {
    const { port, lines } = await receiver({ callingAeTitles: ['MRI1'] });
    expect(codes(await scu(port).send(loaded(files.slice(0, 1)), never))).toEqual(['DICOM_ERR_REJECTED']);
    expect(codes(await scu(port, { callingAe: 'MRI1', calledAe: 'WRONG' }).send(loaded(files.slice(0, 1)), never))).toEqual(['DICOM_ERR_REJECTED']);
    await scu(port, { callingAe: 'MRI1' }).echo(never);
    expect(lines.filter((line) => line.includes('DICOM_ERR_AE_TITLE'))).toHaveLength(2);
  });

  it('beyond the limit is refused for now', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { port, lines } = await receiver({ maxAssociations: 1 }, { received: () => held });
    const first = scu(port).send(loaded(files.slice(0, 1)), never);
    await expect.poll(() => lines.join('')).toContain('association accepted');
    const [second] = await scu(port).send(loaded(files.slice(1, 2), [1]), never);
    expect(second).toMatchObject({ code: 'DICOM_ERR_REJECTED', retryable: true });
    release();
    expect(codes(await first)).toEqual(['stored']);
  });

  it('with nobody there fails with a code', async () => {
    const results = await scu(await closedPort(), { timeoutMs: 2000 }).send(loaded(files.slice(0, 1)), never);
    expect(results[0]).toMatchObject({ code: 'DICOM_ERR_CONNECTION', detail: 'ECONNREFUSED', retryable: true });
  });
});

describe('a peer that', () => {
  async function peer(behave: (socket: Socket) => void): Promise<number> {
    const server = createTcpServer((socket) => behave(socket.on('error', () => undefined).resume())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    return (server.address() as AddressInfo).port;
  }
  const sendTo = async (port: number) => (await scu(port, { timeoutMs: 500 }).send(loaded(files.slice(0, 2)), never)).map((result) => (result.outcome === 'failed' ? [result.code, result.retryable] : []));

  it('says nothing is waited for so long', async () => {
    const port = await peer(() => undefined);
    expect(await sendTo(port)).toEqual(Array(2).fill(['DICOM_ERR_TIMEOUT', true]));
  });

  it('hangs up is told of', async () => {
    const port = await peer((socket) => socket.destroy());
    expect(await sendTo(port)).toEqual(Array(2).fill(['DICOM_ERR_CONNECTION', true]));
  });

  it('speaks something else is not listened to', async () => {
    const port = await peer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await sendTo(port)).toEqual(Array(2).fill(['DICOM_ERR_PDU', true]));
  });
});

describe('the receiver lives on after', () => {
  async function raw(port: number, send: (socket: Socket) => void | Promise<void>): Promise<Buffer> {
    const socket = connect({ host: '127.0.0.1', port });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await once(socket, 'connect');
    await send(socket);
    await closed;
    return Buffer.concat(chunks);
  }

  const cases: Record<string, (socket: Socket) => void | Promise<void>> = {
    'a gigabyte of zeros': async (socket) => {
      const block = Buffer.alloc(2 ** 20);
      for (let i = 0; i < 1024 && socket.writable; i++) {
        if (!socket.write(block)) await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', resolve));
      }
    },
    'a web browser': (socket) => void socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    'a unit of four gigabytes': (socket) => void socket.write(Buffer.from([1, 0, 0xff, 0xff, 0xff, 0xff])),
    'data before an association': (socket) => void socket.write(Buffer.from([4, 0, 0, 0, 0, 8, 0, 0, 0, 4, 1, 3, 0, 0])),
    'an association request of nonsense': (socket) => void socket.write(Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 80]), Buffer.alloc(80, 0x41)])),
    'a connection that ends inside a unit': (socket) => void socket.end(Buffer.from([1, 0, 0, 0, 1, 0, 0, 1])),
  };
  for (const [name, send] of Object.entries(cases)) {
    it(name, async () => {
      const { port } = await receiver();
      await raw(port, send);
      await scu(port).echo(never);
    });
  }
});

describe('a folder', () => {
  it('has whole files under their identifiers, and never writes over another object', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'conus-folder-'));
    closers.push(() => rm(folder, { recursive: true }));
    const sender = new FolderSender(folder);
    await sender.echo();
    const instances = loaded(files);
    expect(codes(await sender.send(instances, never))).toEqual(files.map(() => 'stored'));
    const names = await readdir(join(folder, SERIES));
    expect(names.sort()).toEqual(instances.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`).sort());
    expect(codes(await sender.send(instances, never))).toEqual(files.map(() => 'stored'));
    const path = join(folder, SERIES, `${instances[0]!.sopInstanceUid}.dcm`);
    await writeFile(path, 'something else');
    expect(codes(await sender.send(instances, never))).toEqual(['DICOM_ERR_COLLISION', ...files.slice(1).map(() => 'stored')]);
    expect(await readFile(path, 'utf8')).toBe('something else');
    expect(codes(await sender.send(loaded(files.slice(0, 1), [0], { sopInstanceUid: '../../x' }), never))).toEqual(['DICOM_ERR_IDENTITY']);
  });
});

describe('STOW-RS', () => {
  async function service(status: number, answer: (body: Buffer) => unknown) {
    const requests: { headers: Record<string, unknown>; body: Buffer }[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        requests.push({ headers: request.headers, body });
        response.writeHead(status, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(answer(body)));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/studies`, requests };
  }
  const item = (uid: string, reason?: number) => ({ '00081155': { vr: 'UI', Value: [uid] }, ...(reason !== undefined && { '00081197': { vr: 'US', Value: [reason] } }) });

  it('reads what became of each instance', async () => {
    const { url, requests } = await service(202, () => ({
      '00081198': { vr: 'SQ', Value: [item('2.25.30032', 0xa700), item('2.25.30033', 0xc000)] },
      '00081199': { vr: 'SQ', Value: [item('2.25.30031')] },
    }));
    const results = await new StowSender({ url, credentials: { bearer: 'T' }, timeoutMs: 10_000 }).send(loaded(files.slice(0, 4)), never);
    expect(results.map((result) => (result.outcome === 'stored' ? 'stored' : [result.code, result.retryable]))).toEqual([
      'stored', ['DICOM_ERR_REFUSED', true], ['DICOM_ERR_REFUSED', false], ['DICOM_ERR_REFUSED', true],
    ]);
    expect(requests[0]!.headers['authorization']).toBe('Bearer T');
    expect(requests[0]!.headers['content-type']).toMatch(/^multipart\/related; type="application\/dicom"; boundary=/);
    for (const file of files.slice(0, 4)) expect(requests[0]!.body.includes(Buffer.from(file))).toBe(true);
  });

  it('tells what can be tried again', async () => {
    const retryables = await Promise.all([503, 401, 400].map(async (status) => {
      const { url } = await service(status, () => ({}));
      const [result] = await new StowSender({ url, timeoutMs: 10_000 }).send(loaded(files.slice(0, 1)), never);
      return result!.outcome === 'failed' && result!.code === 'DICOM_ERR_HTTP' && result!.retryable;
    }));
    expect(retryables).toEqual([true, true, false]);
    const [result] = await new StowSender({ url: `http://127.0.0.1:${await closedPort()}/studies`, timeoutMs: 2000 }).send(loaded(files.slice(0, 1)), never);
    expect(result).toMatchObject({ code: 'DICOM_ERR_HTTP', detail: 'ECONNREFUSED', retryable: true });
  });
});

describe('transfer syntaxes', () => {
  it('stored as implicit goes out as implicit', async () => {
    const { port, objects } = await receiver();
    const implicit = encode(classicSlice(obliqueVolume(), 0), IMPLICIT);
    expect(codes(await scu(port).send(loaded([implicit], [0], { transferSyntaxUid: IMPLICIT }), never))).toEqual(['stored']);
    expect(objects[0]!.identity).toMatchObject({ transferSyntaxUid: IMPLICIT, sopClassUid: MR });
  });
});
