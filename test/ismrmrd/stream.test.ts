import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CodedError,
  encodeAcquisition,
  encodeImage,
  encodeMessage,
  encodeText,
  MrdParser,
  parseMessages,
  readMessages,
  type AcquisitionHeader,
  type MrdMessage,
} from 'ismrmrd';
import { bytesOfMessages, cutAt, parseChunks, streams } from './mrdMessages.js';
import { acquisition, image } from './mrdRecords.js';

const places = fc.array(fc.nat(6000), { maxLength: 12 });

describe('the stream', () => {
  it('brings back what was written, every kind of message in any order', () => {
    fc.assert(
      fc.property(streams, (messages) => {
        expect(parseMessages(bytesOfMessages(messages))).toEqual(messages);
      }),
    );
  });

  it('parses alike however it is cut', () => {
    fc.assert(
      fc.property(streams, places, (messages, cuts) => {
        expect(parseChunks(cutAt(bytesOfMessages(messages), cuts))).toEqual(messages);
      }),
    );
  });

  it('parses alike byte by byte', () => {
    fc.assert(
      fc.property(streams, (messages) => {
        const bytes = bytesOfMessages(messages);
        expect(parseChunks(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toEqual(messages);
      }),
      { numRuns: 30 },
    );
  });

  it('parses alike when the sink has no room for a while, at any acquisition', () => {
    const refusals = fc.infiniteStream(fc.nat(2));
    fc.assert(
      fc.property(streams, places, refusals, (messages, cuts, stream) => {
        let refuse = stream.next().value as number;
        const allocate = (header: AcquisitionHeader) => {
          if (refuse-- > 0) return undefined;
          refuse = stream.next().value as number;
          return new Float32Array(2 * header.nChannels * header.nSamples);
        };
        expect(parseChunks(cutAt(bytesOfMessages(messages), cuts), { allocate })).toEqual(messages);
      }),
    );
  });

  it('does not keep the chunk: its memory may be used again', () => {
    fc.assert(
      fc.property(streams, places, (messages, cuts) => {
        const chunk = new Uint8Array(100_000);
        const reused = function* () {
          for (const piece of cutAt(bytesOfMessages(messages), cuts)) {
            chunk.set(piece);
            yield chunk.subarray(0, piece.length);
            chunk.fill(0xaa);
          }
        };
        expect(parseChunks(reused())).toEqual(messages);
      }),
    );
  });
});

describe('the samples of an acquisition', () => {
  const written = acquisition(5, 3, { trajectoryDimensions: 2 });
  const bytes = Buffer.concat(encodeAcquisition(written));

  it('go where the sink wants them, in shared memory too, however both sides are aligned', () => {
    const large = acquisition(3000, 4, { trajectoryDimensions: 1 });
    const stream = Buffer.concat(encodeAcquisition(large));
    const nFloats = large.data.length;
    for (let offset = 0; offset < 8; offset++) {
      for (const start of [16, 17]) {
        const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
        const place = new Float32Array(memory.buffer, 4 * start, nFloats);
        const chunk = new Uint8Array(stream.length + 8).subarray(offset, offset + stream.length);
        chunk.set(stream);
        const [message] = parseChunks(cutAt(chunk, [5, 50_001, 50_002, 90_000]), { allocate: () => place });
        expect(message?.kind === 'acquisition' && message.acquisition.data).toBe(place);
        expect(place.every((value, i) => value === large.data[i])).toBe(true);
        const around = new Float32Array(memory.buffer);
        expect([around[start - 1], around[start + nFloats]]).toEqual([0, 0]);
      }
    }
  });

  it('are not read while the sink has no room', () => {
    let room = false;
    let nAsked = 0;
    const parser = new MrdParser({
      allocate: (header) => {
        nAsked++;
        return room ? new Float32Array(2 * header.nChannels * header.nSamples) : undefined;
      },
    });
    const nBefore = bytes.length - written.data.byteLength;
    expect(parser.write(bytes)).toBe(nBefore);
    expect(parser.waiting).toBe(true);
    expect(parser.write(bytes.subarray(nBefore))).toBe(0);
    expect(nAsked).toBe(2);
    room = true;
    expect(parser.write(bytes.subarray(nBefore))).toBe(written.data.byteLength);
    expect(parser.waiting).toBe(false);
    expect(parser.position).toBe(bytes.length);
    expect(nAsked).toBe(3);
  });
});

describe('strings', () => {
  it('end at the first NUL', () => {
    const garbage = Buffer.alloc(1026, 'x');
    garbage.set([1, 0]);
    garbage.write('grappa.xml\0', 2);
    const terminated = Buffer.from([3, 0, 4, 0, 0, 0, ...Buffer.from('<a>\0')]);
    expect(parseMessages(Buffer.concat([garbage, terminated]))).toEqual([
      { kind: 'configFile', name: 'grappa.xml' },
      { kind: 'header', xml: '<a>' },
    ]);
  });

  it('of a text are never written with length 0, which crashes the C++ tools', () => {
    expect(Buffer.concat(encodeText(''))).toEqual(Buffer.from([5, 0, 1, 0, 0, 0, 0x20]));
  });

  it('that are bytes and not UTF-8 become text all the same', () => {
    expect(parseMessages(Buffer.from([5, 0, 2, 0, 0, 0, 0xff, 0x41]))).toEqual([{ kind: 'text', text: '\uFFFDA' }]);
  });
});

describe('an image', () => {
  it('says the length of its attributes twice, in bytes', () => {
    const bytes = Buffer.concat(encodeImage({ ...image('int16', [2, 1, 1]), attributes: 'Wirbelsäule' }));
    expect(bytes.readUInt32LE(2 + 194)).toBe(12);
    expect(bytes.readBigUInt64LE(2 + 198)).toBe(12n);
  });

  it('is read by the second length where the first is not set', () => {
    const written = { ...image('int16', [2, 1, 1]), attributes: '<ismrmrdMeta/>' };
    const bytes = Buffer.concat(encodeImage(written));
    bytes.writeUInt32LE(0, 2 + 194);
    expect(parseMessages(bytes)).toEqual([{ kind: 'image', image: written }]);
  });
});

describe('the writer', () => {
  it('does not copy samples, pixels and files', () => {
    const written = acquisition(4, 2);
    const file = new Uint8Array(8);
    expect(encodeAcquisition(written)[1]!.buffer).toBe(written.data.buffer);
    expect(encodeMessage({ kind: 'dicom', file, name: 'a', attributes: '' })[1]).toBe(file);
  });

  const written = acquisition(4, 2);
  const picture = image('uint16', [2, 2, 1]);
  const array = { version: 1, dataType: 'int16', dimensions: [2, 3], data: new Int16Array(6) } as const;
  const refused: [string, string, MrdMessage][] = [
    ['a name too long for its field', 'MRD_ERR_WRITE_CONFIG_NAME', { kind: 'configFile', name: 'ä'.repeat(512) }],
    ['too few samples', 'MRD_ERR_WRITE_SHAPE', { kind: 'acquisition', acquisition: { ...written, data: new Float32Array(15) } }],
    ['a trajectory that the header does not have', 'MRD_ERR_WRITE_SHAPE', { kind: 'acquisition', acquisition: { ...written, trajectory: new Float32Array(4) } }],
    ['sizes that would wrap', 'MRD_ERR_WRITE_SHAPE', { kind: 'acquisition', acquisition: acquisition(65_536, 1) }],
    ['a compression flag over plain samples', 'MRD_ERR_WRITE_COMPRESSED', { kind: 'acquisition', acquisition: acquisition(4, 2, { flags: 1n << 53n }) }],
    ['pixels of another type', 'MRD_ERR_WRITE_SHAPE', { kind: 'image', image: { ...picture, data: new Int16Array(4) } }],
    ['too few pixels', 'MRD_ERR_WRITE_SHAPE', { kind: 'image', image: { ...picture, data: new Uint16Array(3) } }],
    ['a waveform of another size', 'MRD_ERR_WRITE_SHAPE', { kind: 'waveform', waveform: { header: { version: 1, flags: 0n, measurementUid: 0, scanCounter: 0, timeStamp: 0, nSamples: 4, nChannels: 2, sampleTimeUs: 5, waveformId: 0 }, data: new Uint32Array(7) } }],
    ['an array of another size', 'MRD_ERR_WRITE_SHAPE', { kind: 'ndarray', array: { ...array, dimensions: [7] } }],
    ['an array without dimensions', 'MRD_ERR_WRITE_SHAPE', { kind: 'ndarray', array: { ...array, dimensions: [] } }],
  ];
  it.each(refused)('refuses %s', (_, code, message) => {
    expect(() => encodeMessage(message)).toThrow(expect.objectContaining({ code }));
  });
});

describe('readMessages', () => {
  const messages: MrdMessage[] = [{ kind: 'text', text: 'DBG one' }, { kind: 'close' }];

  async function collect(chunks: Iterable<Uint8Array>): Promise<{ read: MrdMessage[]; error: unknown }> {
    const read: MrdMessage[] = [];
    async function* source() {
      yield* chunks;
    }
    try {
      for await (const message of readMessages(source())) read.push(message);
    } catch (error) {
      return { read, error };
    }
    return { read, error: undefined };
  }

  it('yields what the chunks hold', async () => {
    const bytes = bytesOfMessages(messages);
    expect(await collect(cutAt(bytes, [1, 5, 8]))).toEqual({ read: messages, error: undefined });
  });

  it('yields what came before an error, then throws it', async () => {
    const { read, error } = await collect([bytesOfMessages(messages), Buffer.from([1])]);
    expect(read).toEqual(messages);
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ code: 'MRD_ERR_DATA_AFTER_CLOSE' });
  });

  it('throws when the source ends inside a message', async () => {
    const { read, error } = await collect([bytesOfMessages(messages).subarray(0, 7)]);
    expect(read).toEqual([]);
    expect(error).toMatchObject({ code: 'MRD_ERR_TRUNCATED_MESSAGE' });
  });
});
