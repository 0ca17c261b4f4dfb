import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import type { CodedError } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { PduGuard } from '../../../src/dicom/pduGuard.js';

const limits = { maxPduBytes: 1000, maxObjectBytes: 500 };

/** A guard on a socket that is not there: what came through, what went back, what it was refused for. */
function guarded(role: 'acceptor' | 'requestor' = 'acceptor') {
  const written: Buffer[] = [];
  const socket = Object.assign(new EventEmitter(), {
    writable: true,
    setNoDelay: () => undefined,
    destroy: () => undefined,
    end(bytes?: Buffer) {
      if (bytes !== undefined) written.push(bytes);
      socket.writable = false;
    },
  });
  const guard = new PduGuard(socket as unknown as Socket, role, limits);
  const units: Buffer[] = [];
  const refusals: string[] = [];
  guard.on('data', (unit: Buffer) => units.push(unit));
  guard.on('violation', ({ code }: CodedError) => refusals.push(code));
  return { guard, units, refusals, written, receive: (bytes: Uint8Array) => socket.emit('data', Buffer.from(bytes)) };
}

function unit(type: number, body: Uint8Array): Buffer {
  const head = Buffer.from([type, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}

function value(context: number, control: number, bytes: Uint8Array): Buffer {
  const head = Buffer.from([0, 0, 0, 0, context, control]);
  head.writeUInt32BE(bytes.length + 2);
  return Buffer.concat([head, bytes]);
}

const [data, lastData, lastCommand] = [0, 2, 3];
const request = unit(1, Buffer.alloc(68));
const release = unit(5, Buffer.alloc(4));
const message = (...parts: Buffer[]) => unit(4, Buffer.concat(parts));

describe('a guard', () => {
  it('gives the same whole units however the stream is cut', () => {
    const stream = [request, message(value(1, lastCommand, Buffer.alloc(20, 1))), message(value(1, data, Buffer.alloc(100, 2)), value(1, lastData, Buffer.alloc(3, 3))), release];
    const bytes = Buffer.concat(stream);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }), (cuts) => {
        const { units, refusals, receive } = guarded();
        const ends = [...cuts.sort((a, b) => a - b), bytes.length];
        ends.forEach((end, i) => receive(bytes.subarray(ends[i - 1] ?? 0, end)));
        expect(refusals).toEqual([]);
        expect(units).toEqual(stream);
      }),
    );
  });

  it('drops what a message has beyond its limit, keeps its end, and says so until the next one', () => {
    const { guard, units, receive } = guarded();
    receive(request);
    receive(message(value(1, lastCommand, Buffer.alloc(20))));
    for (let i = 0; i < 8; i++) receive(message(value(1, data, Buffer.alloc(100, i))));
    receive(message(value(1, lastData, Buffer.alloc(100))));
    expect(guard.oversized).toBe(true);
    const kept = units.slice(2);
    expect(kept.slice(0, 5).every((one, i) => one.equals(message(value(1, data, Buffer.alloc(100, i)))))).toBe(true);
    expect(kept.slice(5)).toEqual([message(value(1, lastData, Buffer.alloc(0)))]);
    receive(message(value(1, lastCommand, Buffer.alloc(20))));
    expect(guard.oversized).toBe(false);
  });

  it('does not collect a command without end', () => {
    const { guard, units, receive } = guarded();
    receive(request);
    for (let i = 0; i < 200; i++) receive(message(value(1, 1, Buffer.alloc(900))));
    expect(guard.oversized).toBe(true);
    expect(units.length).toBeLessThan(80);
  });

  const violations: Record<string, Buffer[]> = {
    'a first byte that is no type': [Buffer.from('GET /')],
    'type 0': [Buffer.alloc(1)],
    'data before an association': [message(value(1, lastData, Buffer.alloc(4)))],
    'the answer to a request that nobody made': [unit(2, Buffer.alloc(68))],
    'a second request': [request, request],
    'a unit beyond the agreed length': [request, unit(4, Buffer.alloc(1001)).subarray(0, 6)],
    'a request of four gigabytes': [Buffer.from([1, 0, 0xff, 0xff, 0xff, 0xff])],
    'a release with a body': [request, unit(5, Buffer.alloc(5))],
    'a value longer than its unit': [request, unit(4, Buffer.from([0, 0, 0, 99, 1, 3]))],
    'a value of nothing': [request, unit(4, Buffer.from([0, 0, 0, 0, 1, 3]))],
    'half a value': [request, unit(4, Buffer.from([0, 0, 0]))],
  };
  for (const [name, stream] of Object.entries(violations)) {
    it(`aborts at ${name}, and hears nothing after`, () => {
      const { units, refusals, written, receive } = guarded();
      for (const bytes of stream) receive(bytes);
      expect(refusals).toEqual(['DICOM_ERR_PDU']);
      expect([...written[0]!.subarray(0, 9)]).toEqual([7, 0, 0, 0, 0, 4, 0, 0, 2]);
      const before = units.length;
      receive(Buffer.concat([request, release]));
      expect(units).toHaveLength(before);
    });
  }

  it('of the requestor waits for an answer', () => {
    const rejected = guarded('requestor');
    rejected.receive(unit(3, Buffer.alloc(4)));
    expect(rejected.units).toHaveLength(1);
    const asked = guarded('requestor');
    asked.receive(request);
    expect(asked.refusals).toEqual(['DICOM_ERR_PDU']);
  });

  it('lets an abort through at any time', () => {
    const { units, refusals, receive } = guarded();
    receive(unit(7, Buffer.alloc(4)));
    expect([units.length, refusals.length]).toEqual([1, 0]);
  });
});
