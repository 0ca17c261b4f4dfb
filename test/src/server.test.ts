import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeClose, encodeConfigFile, encodeHeader, encodeImage, parseMessages } from 'ismrmrd';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../../src/log.js';
import { Metrics } from '../../src/metrics.js';
import { defaultConnectionOptions, MrdServer } from '../../src/server/index.js';
import type { ServerOptions } from '../../src/server/index.js';
import { FakeReconstructions } from './fakes.js';
import type { FakeBehaviour } from './fakes.js';
import { acquisition, concat, headerXml, lines, scan } from './streams.js';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Running {
  readonly port: number;
  readonly server: MrdServer;
  readonly metrics: Metrics;
  readonly log: string[];
  readonly reconstructions: FakeReconstructions;
}

async function start(options: Partial<ServerOptions> = {}, behaviour: FakeBehaviour = {}): Promise<Running> {
  const log: string[] = [];
  const metrics = new Metrics();
  const reconstructions = new FakeReconstructions(behaviour);
  const server = new MrdServer({
    ...defaultConnectionOptions,
    maxSessions: 32,
    reconstructions,
    log: createLog('debug', { write: (line: string) => void log.push(line) }),
    metrics,
    ...options,
  });
  const { port } = await server.listen(0, '127.0.0.1');
  cleanUps.push(() => server.close(0));
  return { port, server, metrics, log, reconstructions };
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  cleanUps.push(() => Promise.resolve(socket.destroy()));
  return socket;
}

/** Everything up to the end of the other side. */
async function readAll(socket: Socket): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) parts.push(chunk);
  return concat(parts);
}

async function answerTo(port: number, ...chunks: Uint8Array[]): Promise<ReturnType<typeof parseMessages>> {
  const socket = await connected(port);
  const answer = readAll(socket);
  for (const chunk of chunks) socket.write(chunk);
  const messages = parseMessages(await answer);
  socket.end();
  return messages;
}

const kindsOf = (messages: readonly { kind: string }[]) => messages.map(({ kind }) => kind);
const textsOf = (messages: ReturnType<typeof parseMessages>) =>
  messages.flatMap((message) => (message.kind === 'text' ? [message.text] : []));
const beginning = concat([...encodeConfigFile('default'), ...encodeHeader(headerXml())]);

describe('sessions over TCP', () => {
  it('get their images and CLOSE, many at once, whatever the neighbours do', async () => {
    const { port } = await start({}, { room: 4 });
    const idle = await connected(port);
    idle.write(beginning);
    const garbage = answerTo(port, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    const answers = await Promise.all(Array.from({ length: 6 }, () => answerTo(port, scan())));
    for (const messages of answers) expect(kindsOf(messages)).toEqual(['image', 'close']);
    expect(textsOf(await garbage)).toEqual([expect.stringMatching(/^ERR MRD_ERR_UNKNOWN_MESSAGE_ID/)]);
    idle.write(concat([...lines(), ...encodeClose()]));
    expect(kindsOf(parseMessages(await readAll(idle)))).toEqual(['image', 'close']);
  });

  it('get their images after they ended their side', async () => {
    const { port } = await start();
    const socket = await connected(port);
    socket.end(concat([beginning, ...lines()]));
    expect(kindsOf(parseMessages(await readAll(socket)))).toEqual(['image', 'text', 'close']);
  });

  it('that end in mid-message get what was complete, the code and CLOSE', async () => {
    const { port } = await start();
    const socket = await connected(port);
    socket.end(concat([beginning, ...lines(), acquisition(0)]).subarray(0, -10));
    const messages = parseMessages(await readAll(socket));
    expect(kindsOf(messages)).toEqual(['image', 'text', 'close']);
    expect(textsOf(messages)[0]).toMatch(/^ERR MRD_ERR_TRUNCATED_MESSAGE/);
  });

  it('that break leave the server alive and their reconstruction freed', async () => {
    const { port, reconstructions, metrics } = await start();
    const socket = await connected(port);
    socket.write(concat([beginning, ...lines().slice(0, 5)]));
    while (reconstructions.opened.length === 0) await sleep(5);
    socket.resetAndDestroy();
    while (reconstructions.opened[0]?.isAborted !== true) await sleep(5);
    expect(kindsOf(await answerTo(port, scan()))).toEqual(['image', 'close']);
    expect(await metrics.registry.metrics()).toContain('conus_errors_total{code="CONUS_ERR_CONNECTION_LOST"} 1');
  });

  it('that are refused early can send the rest and still read why', async () => {
    const { port } = await start();
    const socket = await connected(port);
    socket.write(concat(encodeConfigFile('nonesuch')));
    const rest = new Uint8Array(1 << 20);
    // More than the buffers of both systems hold: unread input would reset the connection.
    for (let i = 0; i < 24; i++) {
      if (!socket.write(rest)) await once(socket, 'drain');
    }
    const messages = parseMessages(await readAll(socket));
    expect(kindsOf(messages)).toEqual(['text', 'close']);
  });

  it('that declare 4 GB are not waited for', async () => {
    const { port } = await start();
    const messages = await answerTo(port, concat([...encodeConfigFile('default'), Uint8Array.of(3, 0, 255, 255, 255, 255)]));
    expect(textsOf(messages)[0]).toMatch(/^ERR MRD_ERR_HEADER_TOO_LONG/);
  });

  it('of an address that may not connect are told so', async () => {
    const asked: string[] = [];
    const { port, reconstructions } = await start({ admits: (address) => asked.push(address) > 1 });
    expect(textsOf(await answerTo(port, scan()))).toEqual([expect.stringMatching(/^ERR CONUS_ERR_DOOR_MRD/)]);
    expect(kindsOf(await answerTo(port, scan()))).toEqual(['image', 'close']);
    expect(asked).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(reconstructions.opened).toHaveLength(1);
  });

  it('beyond the limit are told so', async () => {
    const { port } = await start({ maxSessions: 1 });
    const first = await connected(port);
    first.write(beginning);
    expect(textsOf(await answerTo(port))).toEqual([expect.stringMatching(/^ERR CONUS_ERR_BUSY/)]);
    first.end(concat([...lines(), ...encodeClose()]));
    expect(kindsOf(parseMessages(await readAll(first)))).toEqual(['image', 'close']);
    await sleep(20);
    expect(kindsOf(await answerTo(port, scan()))).toEqual(['image', 'close']);
  });

  it('end with an error when the server stops', async () => {
    const { port, server } = await start();
    const socket = await connected(port);
    socket.write(beginning);
    await sleep(20);
    const stopped = server.close(10);
    expect(textsOf(parseMessages(await readAll(socket)))[0]).toMatch(/^ERR CONUS_ERR_SHUTDOWN/);
    socket.end();
    await stopped;
  });
});

describe('time-outs', () => {
  it('within a message', async () => {
    const { port } = await start({ stallTimeoutMs: 50 });
    const messages = await answerTo(port, concat([beginning, ...lines(), acquisition(0).subarray(0, 100)]));
    expect(kindsOf(messages)).toEqual(['image', 'text', 'close']);
    expect(textsOf(messages)[0]).toMatch(/^ERR CONUS_ERR_STALLED/);
  });

  it('between messages, longer', async () => {
    const { port } = await start({ stallTimeoutMs: 30, idleTimeoutMs: 200 });
    const socket = await connected(port);
    socket.write(beginning);
    await sleep(100);
    socket.write(concat(lines()));
    const messages = parseMessages(await readAll(socket));
    expect(kindsOf(messages)).toEqual(['image', 'text', 'close']);
    expect(textsOf(messages)[0]).toMatch(/^ERR CONUS_ERR_IDLE/);
    socket.end();
  });

  it('of a client that does not read', async () => {
    const { port, metrics } = await start({ stallTimeoutMs: 100, answerQueueBytes: 1000 });
    const socket = await connected(port);
    socket.pause();
    // Each is returned, so that the answer outgrows every buffer on its way.
    const big = bigImage();
    socket.write(beginning);
    for (let i = 0; i < 64 && !socket.destroyed; i++) {
      if (!socket.write(big)) await Promise.race([once(socket, 'drain').catch(() => undefined), sleep(300)]);
    }
    const seen = async () => (await metrics.registry.metrics()).includes('conus_errors_total{code="CONUS_ERR_SLOW_READER"} 1');
    while (!(await seen())) await sleep(20);
    expect(kindsOf(await answerTo(port, scan()))).toEqual(['image', 'close']);
  });
});

function bigImage(): Uint8Array {
  return concat(
    encodeImage({
      header: {
        version: 1, dataType: 'uint16', flags: 0n, measurementUid: 1, matrixSize: [1024, 1024, 1], fovMm: [2, 2, 1], nChannels: 1,
        position: [0, 0, 0], readDir: [1, 0, 0], phaseDir: [0, 1, 0], sliceDir: [0, 0, 1], patientTablePosition: [0, 0, 0],
        average: 0, slice: 0, contrast: 0, phase: 0, repetition: 0, set: 0, acquisitionTimeStamp: 0, physiologyTimeStamp: [0, 0, 0],
        imageType: 1, imageIndex: 1, imageSeriesIndex: 1, userInt: [0, 0, 0, 0, 0, 0, 0, 0], userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
      },
      attributes: '',
      data: new Uint16Array(1 << 20),
    }),
  );
}

describe('raw data', () => {
  const folderOf = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'conus-serve-'));
    cleanUps.push(() => rm(folder, { recursive: true }));
    return folder;
  };
  const saved = async (folder: string, server: MrdServer) => {
    await server.close(1000);
    return Promise.all((await readdir(folder)).map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
  };

  it('are saved as they came, of good sessions and of bad ones', async () => {
    const saveRaw = await folderOf();
    const { port, server } = await start({ saveRaw });
    const bad = concat([beginning, ...lines(), Uint8Array.of(0xe7, 3), acquisition(1), ...encodeClose()]);
    await answerTo(port, scan('savedataonly'));
    const socket = await connected(port);
    socket.end(bad);
    await readAll(socket);
    const files = await saved(saveRaw, server);
    expect(files.map(({ name }) => name)).toEqual([expect.stringMatching(/\.mrd$/), expect.stringMatching(/\.mrd$/)]);
    const contents = files.map(({ bytes }) => bytes.toString('latin1'));
    expect(new Set(contents)).toEqual(new Set([scan('savedataonly'), bad].map((bytes) => Buffer.from(bytes).toString('latin1'))));
  });

  it('that cannot be saved do not end the session', async () => {
    const { port } = await start({ saveRaw: '/dev/null/raw' });
    const messages = await answerTo(port, scan());
    expect(kindsOf(messages)).toEqual(['text', 'image', 'close']);
    expect(textsOf(messages)[0]).toMatch(/^WRN CONUS_WARN_RAW_NOT_SAVED/);
  });
});

describe('log and metrics', () => {
  it('count sessions, and name no patient', async () => {
    const { port, log, metrics, server } = await start();
    const secret = 'Jane^Doe';
    const xml = headerXml().replace('<acquisitionSystemInformation>', `<subjectInformation><patientName>${secret}</patientName></subjectInformation><acquisitionSystemInformation>`);
    const broken = xml.replace('<x>32</x>', `<x>${secret}</x>`);
    for (const header of [xml, broken, secret]) {
      await answerTo(port, concat([...encodeConfigFile('default'), ...encodeHeader(header), ...lines(), ...encodeClose()]));
    }
    await answerTo(port, concat(encodeConfigFile(secret)));
    await server.close(1000);
    const page = await metrics.registry.metrics();
    expect(page).toContain('conus_sessions_open 0');
    expect(page).toContain('conus_sessions_total{chain="default",outcome="completed"} 1');
    expect(page).toContain('conus_images_total{direction="out"} 1');
    expect(page).toContain('conus_errors_total{code="CONUS_ERR_UNKNOWN_CONFIG"} 1');
    expect(page).toContain('conus_stage_seconds_count{stage="fake"} 1');
    expect(log.filter((line) => line.includes('session closed'))).toHaveLength(4);
    expect(log.join('')).not.toContain('Doe');
  });
});
