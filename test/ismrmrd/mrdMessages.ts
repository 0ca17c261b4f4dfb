/** Messages for the stream tests: arbitrary ones of every kind, and how bytes become messages again. */
import fc from 'fast-check';
import { encodeMessage, flagsOf, messageSink, MrdParser, type MrdMessage, type MrdSink } from 'ismrmrd';
import { acquisitions, imageDataTypes, imagesOf, waveforms } from './mrdRecords.js';

/** Text that survives the wire: no NUL, and no byte order mark in front, which is no part of a text. */
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !/^\uFEFF|\0/.test(value));
const uint64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const compressed = flagsOf('compressionZfp', 'compressionNhlbi', 'compression3', 'compression4');

const images = fc
  .tuple(fc.constantFrom(...imageDataTypes), fc.tuple(size(), size(), size()), size())
  .chain(([dataType, matrixSize, nChannels]) => imagesOf(dataType, matrixSize, nChannels));

const plainAcquisitions = acquisitions
  .filter(({ header }) => header.nSamples > 0 && header.nChannels > 0)
  .map(({ header, ...rest }) => ({ header: { ...header, flags: header.flags & ~compressed }, ...rest }));

function size(): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max: 3 });
}

/** Every kind of message but CLOSE. */
export const openMessages: fc.Arbitrary<MrdMessage> = fc.oneof(
  text.map((name) => ({ kind: 'configFile' as const, name })),
  text.map((value) => ({ kind: 'configText' as const, text: value })),
  text.map((xml) => ({ kind: 'header' as const, xml })),
  text.filter((value) => value !== '').map((value) => ({ kind: 'text' as const, text: value })),
  fc.record({ kind: fc.constant('query' as const), correlationId: uint64, query: text }),
  fc.record({ kind: fc.constant('response' as const), correlationId: uint64, response: text }),
  plainAcquisitions.map((acquisition) => ({ kind: 'acquisition' as const, acquisition })),
  fc.record({
    kind: fc.constant('dicom' as const),
    file: fc.uint8Array({ maxLength: 40 }),
    name: text,
    attributes: text,
  }),
  text.map((attributes) => ({ kind: 'dependency' as const, attributes })),
  images.map((image) => ({ kind: 'image' as const, image })),
  waveforms.map((waveform) => ({ kind: 'waveform' as const, waveform })),
  images.map(({ header, data }) => ({
    kind: 'ndarray' as const,
    array: {
      version: header.version,
      dataType: header.dataType,
      dimensions: [header.nChannels, ...header.matrixSize],
      data,
    },
  })),
);

export const streams: fc.Arbitrary<MrdMessage[]> = fc
  .array(openMessages, { maxLength: 8 })
  .map((messages) => [...messages, { kind: 'close' as const }]);

export function bytesOfMessages(messages: readonly MrdMessage[]): Buffer {
  return Buffer.concat(messages.flatMap(encodeMessage));
}

/** What a parser makes of the chunks; `sink` is put over the one that collects. */
export function parseChunks(chunks: Iterable<Uint8Array>, sink: Pick<MrdSink, 'allocate'> = {}): MrdMessage[] {
  const messages: MrdMessage[] = [];
  const parser = new MrdParser({ ...messageSink((message) => void messages.push(message)), ...sink });
  for (const chunk of chunks) {
    let at = 0;
    do at += parser.write(chunk.subarray(at));
    while (at < chunk.length || parser.waiting);
  }
  parser.end();
  return messages;
}

/** The bytes cut at the given places. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b), bytes.length];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}
