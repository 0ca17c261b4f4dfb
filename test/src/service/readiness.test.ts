import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeConfigFile, encodeClose, parseMessages } from 'ismrmrd';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/index.js';
import { Readiness } from '../../../src/service/index.js';

describe('the readiness of a node', () => {
  it('begins with its start, and ends and begins again as an operator wishes', () => {
    const readiness = new Readiness();
    expect(readiness.phase).toBe('starting');
    readiness.started();
    expect(readiness.phase).toBe('ready');
    readiness.drain();
    expect(readiness.phase).toBe('draining');
    readiness.resume();
    expect(readiness.phase).toBe('ready');
  });

  it('ends before it began where the process is stopped at its start', () => {
    const readiness = new Readiness();
    readiness.drain();
    readiness.started();
    expect(readiness.phase).toBe('draining');
  });

  it('waits for what is left of a drain that has begun', async () => {
    const readiness = new Readiness();
    readiness.drain();
    await sleep(60);
    const order: string[] = [];
    await Promise.all([
      readiness.drained(50).then(() => order.push('drained')),
      sleep(45).then(() => order.push('later')),
    ]);
    expect(order).toEqual(['drained', 'later']);
  });
});

describe('a service that is asked to stop', () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  /** `conus serve`, in this process. */
  async function serving(mrd: object) {
    const folder = await mkdtemp(join(tmpdir(), 'conus-drain-'));
    folders.push(folder);
    const config = join(folder, 'conus.json');
    await writeFile(config, JSON.stringify({ mrd: { port: 0, ...mrd }, http: { port: 0 } }));
    const stop = new AbortController();
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    stderr.resume();
    const listeners: (() => void)[] = [];
    const io = { stdin: Readable.from([]), stdout, stderr, showsProgress: false, stop: stop.signal, onDrainRequest: (listener: () => void) => void listeners.push(listener) };
    const exitCode = main(['serve', '--config', config, '--json', '--threads', '1', '--denoise', '0'], io);
    const [text] = (await once(stdout, 'data')) as [Buffer];
    const { port, http } = JSON.parse(text.toString()) as { port: number; http: { port: number } };
    const readiness = async () => {
      const answer = await fetch(`http://127.0.0.1:${http.port}/ready`);
      return [answer.status, ((await answer.json()) as { status: string }).status];
    };
    return { port, stop: () => stop.abort(), toggle: () => listeners.forEach((listener) => listener()), exitCode, readiness };
  }

  async function asked(port: number): Promise<string[]> {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.end(Buffer.concat([...encodeConfigFile('default'), ...encodeClose()]));
    const parts: Buffer[] = [];
    for await (const part of socket as AsyncIterable<Buffer>) parts.push(part);
    return parseMessages(Buffer.concat(parts)).map(({ kind }) => kind);
  }

  it('is not ready at once, serves who still comes while it drains, and then takes nobody', async () => {
    const service = await serving({ drainS: 1 });
    expect(await service.readiness()).toEqual([200, 'ready']);
    service.stop();
    expect(await service.readiness()).toEqual([503, 'draining']);
    expect(await asked(service.port)).toEqual(['close']);
    expect(await service.exitCode).toBe(0);
    await expect(asked(service.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('lets a session that is open end within its grace, while nobody new comes in', async () => {
    const service = await serving({ graceS: 30 });
    const socket = connect({ port: service.port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    socket.write(Buffer.concat(encodeConfigFile('default')));
    // Taken, not only connected.
    await sleep(100);
    service.stop();
    await sleep(100);
    await expect(asked(service.port)).rejects.toThrow('ECONNREFUSED');
    expect(await service.readiness()).toEqual([503, 'draining']);
    socket.end(Buffer.concat(encodeClose()));
    const parts: Buffer[] = [];
    for await (const part of socket as AsyncIterable<Buffer>) parts.push(part);
    expect(parseMessages(Buffer.concat(parts)).map(({ kind }) => kind)).toEqual(['close']);
    expect(await service.exitCode).toBe(0);
  });

  it('drains and comes back as an operator wishes, and goes on with what comes', async () => {
    const service = await serving({});
    service.toggle();
    expect(await service.readiness()).toEqual([503, 'draining']);
    expect(await asked(service.port)).toEqual(['close']);
    service.toggle();
    expect(await service.readiness()).toEqual([200, 'ready']);
    service.stop();
    service.toggle();
    expect(await service.exitCode).toBe(0);
  });
});
