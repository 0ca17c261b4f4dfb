import { once } from 'node:events';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { ImageGeometry } from '../../../imaging/index.js';
import { applyChange } from '../../../src/exams/index.js';
import type { ExamsById } from '../../../src/exams/index.js';
import { ChangeRing, decodeServerMessage, encodeMessage, Subscriber } from '../../../src/live/index.js';
import type { ServerMessage } from '../../../src/live/index.js';
import { kept, reconImage } from '../exams/kept.js';
import { begin, facts, minute, scan } from '../exams/scenes.js';
import { cleanUp, Client, serving, stateOf } from './clients.js';

afterEach(cleanUp);

const day = (index: number) => scan(`s${index}`, facts('T1w', { studyInstanceUid: `1.${index}`, patient: { id: `P${index}` } }), begin + index * minute);

describe('messages', () => {
  const picture = (pixels: Uint8Array | Float32Array): ServerMessage => ({
    kind: 'picture', after: 1, examId: 'e', seriesId: 's', output: 'image', at: 1.5, number: 1, slice: 0, rows: 1, columns: Math.max(1, pixels.length), window: { centre: 1, width: 2 }, pixels,
  });

  it('carry floating-point pixels bit by bit', () => {
    fc.assert(
      fc.property(fc.float32Array(), (values) => {
        const back = decodeServerMessage(encodeMessage(picture(values)));
        expect(back.kind === 'picture' && back.pixels).toEqual(values);
      }),
    );
    const bytes = Uint8Array.from([0, 127, 255]);
    const back = decodeServerMessage(encodeMessage(picture(bytes)));
    expect(back.kind === 'picture' && Uint8Array.from(back.pixels)).toEqual(bytes);
  });

  it('are plain MessagePack maps', () => {
    // fixmap of 2: "kind" "pong", "id" 1
    expect(Buffer.from(encodeMessage({ kind: 'pong', id: 1 })).toString('hex')).toBe('82a46b696e64a4706f6e67a2696401');
  });
});

describe('a client', () => {
  it('has what the service has, from the beginning and in between', async () => {
    const { keeper, port } = await serving();
    day(0).forEach((event) => keeper.apply(event));
    const client = await new Client(port).saying({ kind: 'subscribe' });
    await client.upTo(keeper.book.sequence);
    day(1).forEach((event) => keeper.apply(event));
    await client.upTo(keeper.book.sequence);
    expect(client.exams).toEqual(stateOf(keeper));
    expect(client.kinds().slice(0, 3)).toEqual(['welcome', 'reset', 'change']);
    expect(client.kinds()).not.toContain('picture');
  });

  it('that comes back at any point goes on there, and has the same in the end', async () => {
    const { keeper, port, live } = await serving();
    const events = Array.from({ length: 6 }, (_, index) => day(index)).flat();
    let client = await new Client(port).saying({ kind: 'subscribe' });
    await client.hearing('reset');
    for (const [index, event] of events.entries()) {
      keeper.apply(event);
      if (index % 5 !== 3) continue;
      // Anywhere within what it was just sent.
      await client.upTo(Math.max(1, keeper.book.sequence - (index % 4)));
      client.socket.terminate();
      const { exams, sequence } = client;
      client = new Client(port);
      Object.assign(client, { exams, sequence });
      await client.saying({ kind: 'subscribe', epoch: live.epoch, since: sequence });
    }
    await client.upTo(keeper.book.sequence);
    expect(client.kinds()).not.toContain('reset');
    expect(client.nGaps).toBe(0);
    expect(client.exams).toEqual(stateOf(keeper));
  });

  it.each([
    ['of another run of the service', (epoch: string) => ({ epoch: `not ${epoch}`, since: 3 })],
    ['that missed more than is kept', (epoch: string) => ({ epoch, since: 1 })],
    ['that knows the future', (epoch: string) => ({ epoch, since: 1_000_000 })],
  ])('%s starts anew', async (_what, place) => {
    const { keeper, port, live } = await serving({ ringCapacity: 8 });
    Array.from({ length: 5 }, (_, index) => day(index)).flat().forEach((event) => keeper.apply(event));
    const client = await new Client(port).saying({ kind: 'subscribe', ...place(live.epoch) });
    await client.upTo(keeper.book.sequence);
    expect(client.kinds().slice(0, 2)).toEqual(['welcome', 'reset']);
    expect(client.exams).toEqual(stateOf(keeper));
  });

  it('gets pictures after the change that tells of them, as small as it likes', async () => {
    const { keeper, port } = await serving();
    keeper.apply(day(0)[0]!);
    const whole = await new Client(port).saying({ kind: 'subscribe', pictures: 'slices', pixels: 'float32' });
    const small = await new Client(port).saying({ kind: 'subscribe', pictures: 'thumbnails' });
    await Promise.all([whole.hearing('reset'), small.hearing('reset')]);
    const geometry: ImageGeometry = { centreMm: [1, 2, 3], rowDirection: [1, 0, 0], columnDirection: [0, 1, 0], sliceDirection: [0, 0, 1], fovMm: [300, 400, 4], matrixSize: [300, 200, 1] };
    keeper.observe('s0').imageMade?.(reconImage(3, 2, 200, 300, { geometry }));
    await Promise.all([whole.hearing('picture'), small.hearing('picture')]);
    const pictureOf = (client: Client) => client.messages.flatMap((message) => (message.kind === 'picture' ? [message] : []))[0]!;
    const [exam] = keeper.book.exams;
    expect(pictureOf(whole)).toMatchObject({
      examId: exam!.id, seriesId: exam!.series[0]!.id, number: 4, slice: 3, rows: 200, columns: 300, after: keeper.book.sequence,
    });
    expect(Math.abs(pictureOf(whole).at - Date.now())).toBeLessThan(60_000);
    expect(pictureOf(whole).pixels[1]).toBe(1);
    expect(whole.kinds().slice(-2)).toEqual(['change', 'picture']);
    expect(pictureOf(small)).toMatchObject({ rows: 50, columns: 75 });
    // Both cover the same part of the patient.
    const [fine, coarse] = [whole, small].map((client) => pictureOf(client).geometry!);
    expect(fine).toEqual({ originMm: [-149, -198, 3], rowStepMm: [0, 2, 0], columnStepMm: [1, 0, 0], thicknessMm: 4 });
    expect(coarse).toEqual({ originMm: [-147.5, -195, 3], rowStepMm: [0, 8, 0], columnStepMm: [4, 0, 0], thicknessMm: 4 });
    expect([pictureOf(small).pixels instanceof Uint8Array, pictureOf(small).pixels.length]).toEqual([true, 50 * 75]);
  });

  it('gets pictures of the exams that it names, and changes of all', async () => {
    const { keeper, port } = await serving();
    keeper.apply(day(0)[0]!);
    keeper.apply(day(1)[0]!);
    const idOf = (patient: string) => keeper.book.exams.find((exam) => exam.patient.id === patient)!.id;
    const client = await new Client(port).saying({ kind: 'subscribe', pictures: 'slices', examIds: [idOf('P1')] });
    await client.hearing('reset');
    for (const session of ['s0', 's1']) keeper.observe(session).imageMade?.(reconImage(0));
    await client.upTo(keeper.book.sequence);
    await client.hearing('picture');
    expect(client.messages.flatMap((message) => (message.kind === 'picture' ? [message.examId] : []))).toEqual([idOf('P1')]);
    expect(client.exams).toEqual(stateOf(keeper));
    expect(client.kinds()).not.toContain('lost');
  });

  it('is answered a ping', async () => {
    const { port } = await serving();
    const client = await new Client(port).saying({ kind: 'ping', id: 7 });
    await client.hearing('pong');
    expect(client.messages.at(-1)).toEqual({ kind: 'pong', id: 7 });
  });

  it.each<[string, string | Uint8Array]>([
    ['text', 'hello'],
    ['no MessagePack', Uint8Array.from([0xc1])],
    ['a message of the server', encodeMessage({ kind: 'pong', id: 1 })],
    ['an unknown field', Buffer.from('82a46b696e64a9737562736372696265a178a179', 'hex')],
  ])('that says %s is closed with a code', async (_what, data) => {
    const { port } = await serving();
    const client = new Client(port);
    await once(client.socket, 'open');
    client.socket.send(data);
    const [code, reason] = (await once(client.socket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4400, 'CONUS_ERR_LIVE_MESSAGE']);
  });

  it('that sends too much is closed', async () => {
    const { port } = await serving();
    const client = new Client(port);
    await once(client.socket, 'open');
    client.socket.send(new Uint8Array(5000));
    expect(((await once(client.socket, 'close')) as [number])[0]).toBe(1009);
  });

  it('that does not answer is closed with a code', async () => {
    const { port, live } = await serving({ heartbeatMs: 50 });
    const client = new Client(port);
    // No pong goes out any more.
    client.socket.pong = () => undefined;
    const [code] = (await once(client.socket, 'close')) as [number];
    expect(code).toBe(4408);
    while (live.nClients > 0) await sleep(5);
  });
});

describe('the door of the channel', () => {
  const statusOf = async (port: number, headers: Record<string, string>, path?: string) => {
    const { socket } = new Client(port, headers, path);
    return Promise.race([
      once(socket, 'open').then(() => 101),
      once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
    ]);
  };

  it('lets in pages of its own and programs, nobody else', async () => {
    const { port } = await serving({ maxClients: 2 });
    expect(await statusOf(port, { origin: 'https://evil.example' })).toBe(403);
    expect(await statusOf(port, { origin: 'null' })).toBe(403);
    expect(await statusOf(port, { host: 'evil.example' })).toBe(403);
    expect(await statusOf(port, {}, '/api/other')).toBe(404);
    expect(await statusOf(port, {})).toBe(101);
    expect(await statusOf(port, { origin: `http://127.0.0.1:${port}` })).toBe(101);
    expect(await statusOf(port, {})).toBe(503);
  });
});

describe('a slow client', () => {
  /** A socket that takes bytes when it is told to. */
  class Stuck {
    bufferedAmount = 0;
    readonly received: ServerMessage[] = [];
    readonly #waiting: [bytes: Uint8Array, taken: () => void][] = [];

    send(bytes: Uint8Array, taken: () => void): void {
      this.bufferedAmount += bytes.length;
      this.#waiting.push([bytes.slice(), taken]);
    }

    take(count = Infinity): void {
      for (let nTaken = 0; nTaken < count && this.#waiting.length > 0; nTaken++) {
        const [bytes, taken] = this.#waiting.shift()!;
        this.bufferedAmount -= bytes.length;
        this.received.push(decodeServerMessage(bytes));
        taken();
      }
    }
  }

  it('costs a bounded queue, loses pictures and is told so, and has every state in the end', () => {
    let nLostEver = 0;
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 }), (takes) => {
        const { keeper } = kept();
        const ring = new ChangeRing(32);
        const stuck = new Stuck();
        const limits = { pictureQueueBytes: 2000, changeQueueBytes: 4000 };
        const subscriber = new Subscriber(stuck, ring, () => keeper.book.exams, { kind: 'subscribe', pictures: 'slices', pixels: 'float32' }, true, limits);
        keeper.listen({
          changes: (changes) => {
            changes.forEach((change) => ring.add(change));
            subscriber.pump();
          },
          picture: (picture, place) => subscriber.picture(picture, place),
        });
        let largest = 0;
        takes.forEach((take, index) => {
          day(index % 10).forEach((event) => keeper.apply(event));
          keeper.observe(`s${index % 10}`).imageMade?.(reconImage(0, 2, 8, 8));
          largest = Math.max(largest, stuck.bufferedAmount);
          stuck.take(take);
        });
        stuck.take();
        keeper.observe('s0').imageMade?.(reconImage(1, 2, 8, 8));
        stuck.take();
        // One message may go beyond the limit, and one may say everything.
        const snapshot = encodeMessage({ kind: 'reset', sequence: 1, exams: keeper.book.exams }).length;
        expect(largest).toBeLessThan(limits.changeQueueBytes + snapshot + 2000);
        let exams: ExamsById = new Map();
        for (const message of stuck.received) {
          if (message.kind === 'reset') exams = new Map(message.exams.map((exam) => [exam.id, exam]));
          if (message.kind === 'change') exams = applyChange(exams, message.change);
        }
        expect(exams).toEqual(stateOf(keeper));
        const nPictures = stuck.received.filter(({ kind }) => kind === 'picture').length;
        const nLost = stuck.received.reduce((sum, message) => sum + (message.kind === 'lost' ? message.nPictures : 0), 0);
        expect(nPictures + nLost).toBe(takes.length + 1);
        nLostEver += nLost;
      }),
      { numRuns: 20 },
    );
    expect(nLostEver).toBeGreaterThan(0);
  });

  it('has the same as everybody after 500 exams went past', async () => {
    const { keeper, port, live } = await serving({ ringCapacity: 256 });
    const quick = await new Client(port).saying({ kind: 'subscribe' });
    const late = await new Client(port).saying({ kind: 'subscribe' });
    await Promise.all([quick.hearing('reset'), late.hearing('reset')]);
    late.socket.pause();
    for (let index = 0; index < 500; index++) {
      for (const event of day(index).filter(({ kind }) => kind === 'sessionOpened' || kind === 'seriesEnded')) keeper.apply(event);
      if (index % 50 === 0) await setImmediate();
    }
    late.socket.resume();
    await Promise.all([quick.upTo(keeper.book.sequence), late.upTo(keeper.book.sequence)]);
    expect(live.latestSequence).toBe(keeper.book.sequence);
    for (const client of [quick, late]) {
      expect(client.exams.size).toBe(500);
      expect(client.exams).toEqual(stateOf(keeper));
    }
  });
});

describe('the ring', () => {
  it('keeps the latest changes and says how far it reaches', () => {
    const ring = new ChangeRing(4, 10);
    const change = (sequence: number) => ({ kind: 'notify' as const, sequence, at: 0, examId: 'e', message: '' });
    expect([ring.reaches(9), ring.reaches(10), ring.reaches(11), ring.at(11)]).toEqual([false, true, false, undefined]);
    for (let sequence = 11; sequence <= 17; sequence++) ring.add(change(sequence));
    expect([12, 13, 14, 17, 18].map((sequence) => ring.reaches(sequence))).toEqual([false, true, true, true, false]);
    expect([13, 14, 17, 18].map((sequence) => ring.at(sequence)?.sequence)).toEqual([undefined, 14, 17, undefined]);
  });
});
