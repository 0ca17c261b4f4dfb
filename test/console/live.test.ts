/** The page's side of the live channel: places without gaps, connections that break, exams as the changes leave them. */
import { Packr } from 'msgpackr';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveClient } from '../../console/api/live.js';
import type { ConnectionState, Socket } from '../../console/api/live.js';
import type { ExamChange, ExamView, PictureMessage, ServerMessage } from '../../console/api/types.js';

const packr = new Packr({ moreTypes: true, useRecords: false, variableMapSize: true });

class FakeSocket {
  readonly sent: Record<string, unknown>[] = [];
  readonly protocols: string[];
  readyState = 1;
  binaryType: BinaryType = 'blob';
  onopen = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;

  constructor(protocols: string[]) {
    this.protocols = protocols;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(packr.unpack(bytes) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.({} as CloseEvent);
  }

  say(message: ServerMessage): void {
    const bytes = packr.pack(message);
    this.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) } as MessageEvent);
  }
}

const change = (sequence: number): ExamChange => ({ kind: 'notify', sequence, at: 0, examId: 'e', message: `m${sequence}` });
const exam = (id: string) => ({ id, series: [], promises: [], actions: [] }) as unknown as ExamView;

let sockets: FakeSocket[];
let states: ConnectionState[];
let resets: (readonly ExamView[])[];
let changes: ExamChange[];
let pictures: PictureMessage[];
let client: LiveClient;
let token: string | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  [sockets, states, resets, changes, pictures, token] = [[], [], [], [], [], undefined];
  client = new LiveClient(
    {
      url: 'ws://here/api/live', token: () => token,
      open: (_url, protocols) => {
        const socket = new FakeSocket(protocols);
        sockets.push(socket);
        return socket as unknown as Socket;
      },
    },
    { state: (state) => states.push(state), reset: (all) => resets.push(all), change: (one) => changes.push(one), picture: (one) => pictures.push(one) },
  );
});
afterEach(() => {
  client.close();
  vi.useRealTimers();
});

const welcome = (epoch: string, sequence: number): ServerMessage => ({ kind: 'welcome', epoch, sequence, heartbeatMs: 15_000 });

describe('the live client', () => {
  it('shows its token as a subprotocol, never in the address', () => {
    token = 'secret-token';
    client.connect();
    expect(sockets[0]!.protocols).toEqual(['conus.live.v1', 'bearer.secret-token']);
  });

  it('takes a reset and the changes after it', () => {
    client.connect();
    const [socket] = sockets;
    socket!.say(welcome('a', 7));
    expect(socket!.sent).toEqual([{ kind: 'subscribe', pictures: 'none' }]);
    socket!.say({ kind: 'reset', sequence: 7, exams: [exam('e')] });
    socket!.say({ kind: 'change', change: change(8) });
    socket!.say({ kind: 'change', change: change(9) });
    expect(resets).toHaveLength(1);
    expect(changes.map(({ sequence }) => sequence)).toEqual([8, 9]);
    expect(client.counts).toMatchObject({ nGaps: 0, sequence: 9, nChanges: 2 });
  });

  it('goes on at its place after a break, and passes over what it has', () => {
    client.connect();
    sockets[0]!.say(welcome('a', 7));
    sockets[0]!.say({ kind: 'reset', sequence: 7, exams: [] });
    sockets[0]!.say({ kind: 'change', change: change(8) });
    sockets[0]!.close();
    expect(states.at(-1)).toBe('lost');
    vi.advanceTimersByTime(300);
    sockets[1]!.say(welcome('a', 9));
    expect(sockets[1]!.sent).toEqual([{ kind: 'subscribe', epoch: 'a', since: 8, pictures: 'none' }]);
    sockets[1]!.say({ kind: 'change', change: change(8) });
    sockets[1]!.say({ kind: 'change', change: change(9) });
    expect(changes.map(({ sequence }) => sequence)).toEqual([8, 9]);
    expect(states.at(-1)).toBe('live');
  });

  it('asks for everything anew of another run of the service', () => {
    client.connect();
    sockets[0]!.say(welcome('a', 7));
    sockets[0]!.say({ kind: 'reset', sequence: 7, exams: [] });
    sockets[0]!.close();
    vi.advanceTimersByTime(300);
    sockets[1]!.say(welcome('b', 2));
    expect(sockets[1]!.sent).toEqual([{ kind: 'subscribe', pictures: 'none' }]);
  });

  it('never goes on over a gap', () => {
    client.connect();
    const [socket] = sockets;
    socket!.say(welcome('a', 7));
    socket!.say({ kind: 'reset', sequence: 7, exams: [] });
    socket!.say({ kind: 'change', change: change(9) });
    expect(changes).toEqual([]);
    expect(client.counts.nGaps).toBe(1);
    expect(socket!.sent.at(-1)).toEqual({ kind: 'subscribe', pictures: 'none' });
    socket!.say({ kind: 'reset', sequence: 9, exams: [] });
    socket!.say({ kind: 'change', change: change(10) });
    expect(changes.map(({ sequence }) => sequence)).toEqual([10]);
  });

  it('waits longer from one try to the next, and not for ever', () => {
    client.connect();
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      sockets.at(-1)!.close();
      const n = sockets.length;
      let waited = 0;
      while (sockets.length === n) {
        vi.advanceTimersByTime(50);
        waited += 50;
      }
      pauses.push(waited);
    }
    expect(pauses[0]).toBe(250);
    expect(pauses.at(-1)).toBe(8000);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  });

  it('knocks no more at a door that is shut to its token, until there is another one', async () => {
    let isOpen = false;
    const guarded = new LiveClient(
      {
        url: 'ws://here/api/live', token: () => token, isAdmitted: () => Promise.resolve(isOpen),
        open: (_url, protocols) => {
          const socket = new FakeSocket(protocols);
          sockets.push(socket);
          return socket as unknown as Socket;
        },
      },
      { state: () => undefined, reset: () => undefined, change: () => undefined, picture: () => undefined },
    );
    guarded.connect();
    sockets[0]!.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(1);
    isOpen = true;
    guarded.reconnect();
    expect(sockets).toHaveLength(2);
    sockets[1]!.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(sockets).toHaveLength(3);
    guarded.close();
  });

  it('gives up a connection on which nothing is heard', () => {
    client.connect();
    sockets[0]!.say(welcome('a', 0));
    vi.advanceTimersByTime(16_500);
    expect(sockets[0]!.sent.at(-1)).toEqual({ kind: 'ping', id: 0 });
    vi.advanceTimersByTime(20_000);
    expect(states).toContain('lost');
    expect(sockets.length).toBeGreaterThan(1);
  });

  it('asks for pictures of the exams that are looked at, without losing its place', () => {
    client.connect();
    const [socket] = sockets;
    socket!.say(welcome('a', 7));
    socket!.say({ kind: 'reset', sequence: 7, exams: [] });
    client.watchPictures(['e']);
    expect(socket!.sent.at(-1)).toEqual({ kind: 'subscribe', epoch: 'a', since: 7, pictures: 'slices', pixels: 'float32', examIds: ['e'] });
    client.watchPictures(['e']);
    expect(socket!.sent).toHaveLength(2);
    const pixels = Float32Array.of(0.5, 1e-9, -3);
    socket!.say({ kind: 'picture', after: 7, examId: 'e', seriesId: 's', output: 'image', number: 1, slice: 0, rows: 1, columns: 3, window: { centre: 1, width: 2 }, pixels });
    expect(pictures[0]!.pixels).toEqual(pixels);
  });
});
