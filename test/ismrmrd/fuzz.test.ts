import { describe, expect, it } from 'vitest';
import { CodedError, encodeMessage, flagsOf, messageSink, MRD_ERRORS, MrdParser, type MrdMessage } from 'ismrmrd';
import { acquisition, image } from './mrdRecords.js';

const nRounds = 1_000_000;

/** Xorshift (Marsaglia 2003): the same mutations in every run. */
let state = 0x9e37_79b9;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const plain = acquisition(3, 2, { trajectoryDimensions: 1 });
const messages: readonly MrdMessage[] = [
  { kind: 'configFile', name: 'default' },
  { kind: 'configText', text: '{"version":"1.1.0"}' },
  { kind: 'header', xml: '<ismrmrdHeader/>' },
  { kind: 'text', text: 'DBG text' },
  { kind: 'query', correlationId: 7n, query: 'ismrmrd::version' },
  { kind: 'response', correlationId: 7n, response: '1.15.0' },
  { kind: 'acquisition', acquisition: plain },
  { kind: 'dicom', file: Uint8Array.of(1, 2, 3), name: 'a.dcm', attributes: '<ismrmrdMeta/>' },
  { kind: 'dependency', attributes: '<ismrmrdMeta/>' },
  { kind: 'image', image: image('complex64', [3, 2, 1]) },
  {
    kind: 'waveform',
    waveform: {
      header: { version: 1, flags: 0n, measurementUid: 1, scanCounter: 1, timeStamp: 2, nSamples: 2, nChannels: 2, sampleTimeUs: 5, waveformId: 0 },
      data: Uint32Array.of(1, 2, 3, 4),
    },
  },
  { kind: 'ndarray', array: { version: 1, dataType: 'float32', dimensions: [2, 3], data: new Float32Array(6) } },
  { kind: 'close' },
];

/** 12 floats of 5 bits, NHLBI-compressed, without a trajectory. */
function compressed(): Buffer {
  const [header] = encodeMessage({ kind: 'acquisition', acquisition: acquisition(3, 2) });
  const bytes = Buffer.concat([header!, Buffer.alloc(4 + 13), Buffer.from([1, 2, 3, 4, 5, 6, 7, 8])]);
  bytes.writeBigUInt64LE(flagsOf('compressionNhlbi'), 2 + 2);
  bytes.writeUInt32LE(13 + 8, 342);
  bytes.writeUInt32LE(12, 346);
  bytes.writeFloatLE(2, 354);
  bytes.writeUInt8(5, 358);
  return bytes;
}

const seeds = [...messages.map((message) => Buffer.concat(encodeMessage(message))), compressed()];
const extremes = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
/** Mutants are made here; the longest of them fits. */
const workspace = Buffer.alloc(8192);

/** Copies a few messages into the workspace, mutates them and returns the mutant. */
function mutant(): Buffer {
  let length = 0;
  for (let n = random(3); n >= 0; n--) length += seeds[random(seeds.length)]!.copy(workspace, length);
  for (let n = random(4); n >= 0; n--) length = mutate(length);
  return workspace.subarray(0, length);
}

/** One mutation of the first `length` bytes; returns the new length. */
function mutate(length: number): number {
  if (length === 0) return 0;
  const at = random(length);
  switch (random(8)) {
    case 0: // a bit flips
      workspace[at]! ^= 1 << random(8);
      return length;
    case 1: // a byte is another
      workspace[at] = random(256);
      return length;
    case 2: // bytes come in between
    {
      const n = 1 + random(16);
      workspace.copyWithin(at + n, at, length);
      for (let i = 0; i < n; i++) workspace[at + i] = random(256);
      return length + n;
    }
    case 3: // bytes are missing
    {
      const n = Math.min(1 + random(16), length - at);
      workspace.copyWithin(at, at + n, length);
      return length - n;
    }
    case 4: // the end is missing
      return at;
    case 5: // another message goes on in the middle of this one
    {
      const seed = seeds[random(seeds.length)]!;
      return Math.min(at + seed.copy(workspace, at, random(seed.length)), 4096);
    }
    case 6: // a field is extreme
      workspace.writeUInt16LE(extremes[random(extremes.length)]! & 0xffff, at);
      return length;
    default: // a length is extreme; it may reach over the end
      workspace.writeUInt32LE(extremes[random(extremes.length)]!, at);
      return length;
  }
}

describe('a million mutated messages', () => {
  it('parse or give a coded error, in fixed memory', { timeout: 600_000 }, () => {
    const place = new Float32Array(2 * 4096);
    let nMessages = 0;
    const receiver = messageSink(() => {
      nMessages++;
    });
    const sink = {
      ...receiver,
      allocate: ({ nChannels, nSamples }: { nChannels: number; nSamples: number }) => place.subarray(0, 2 * nChannels * nSamples),
    };
    const limits = { maxAcquisitionSamples: 4096 };
    const nOfCode = new Map<string, number>();
    const stackTraceLimit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    const rssBefore = process.memoryUsage().rss;
    let rssPeak = 0;
    try {
      for (let round = 0; round < nRounds; round++) {
        const bytes = mutant();
        const cut = random(bytes.length + 1);
        try {
          const parser = new MrdParser(sink, limits);
          const consumed = parser.write(bytes.subarray(0, cut)) + parser.write(bytes.subarray(cut));
          if (consumed !== bytes.length) throw new Error(`${consumed} bytes consumed`);
          parser.end();
        } catch (error) {
          if (!(error instanceof CodedError) || !(error.code in MRD_ERRORS)) {
            throw new Error(`round ${round}: ${bytes.toString('hex')}`, { cause: error });
          }
          nOfCode.set(error.code, (nOfCode.get(error.code) ?? 0) + 1);
        }
        if (round % 10_000 === 0) rssPeak = Math.max(rssPeak, process.memoryUsage().rss);
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    // Were a declared length believed once, a single message could take a gigabyte.
    expect(rssPeak - rssBefore).toBeLessThan(400 * 2 ** 20);
    // The mutants reach deep: plenty of messages parse, and nearly every violation occurs.
    expect(nMessages).toBeGreaterThan(nRounds / 10);
    expect(nOfCode.size).toBeGreaterThan(25);
  });
});
