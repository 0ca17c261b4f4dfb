import { describe, expect, it } from 'vitest';
import {
  CodedError,
  encodeAcquisition,
  encodeImage,
  encodeNdArray,
  encodeWaveform,
  flagsOf,
  MRD_ERRORS,
  MrdParser,
  type AcquisitionHeader,
  type MrdErrorCode,
  type ParserLimits,
} from 'ismrmrd';
import { acquisition, image } from './mrdRecords.js';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

function joined(...pieces: readonly (Uint8Array | readonly Uint8Array[])[]): Buffer {
  return Buffer.concat(pieces.flat() as Uint8Array[]);
}

/** An acquisition's message with bytes of its header overwritten: offsets are those of the header. */
function acquisitionWith(write: (header: Buffer) => void): Buffer {
  const bytes = joined(encodeAcquisition(acquisition(4, 2)));
  write(bytes.subarray(2));
  return bytes;
}

function imageWith(write: (header: Buffer) => void): Buffer {
  const bytes = joined(encodeImage({ ...image('int16', [4, 4, 1]), attributes: '<ismrmrdMeta/>' }));
  write(bytes.subarray(2));
  return bytes;
}

/** A compressed acquisition of 8 complex samples up to its 13 bytes of NHLBI header. */
function nhlbi(blobBytes: number, elements: number, scale: number, bits: number): Buffer {
  const header = acquisitionWith((bytes) => {
    bytes.writeBigUInt64LE(flagsOf('compressionNhlbi'), 2);
  }).subarray(0, 342);
  const head = Buffer.alloc(17);
  head.writeUInt32LE(blobBytes, 0);
  head.writeBigUInt64LE(BigInt(elements), 4);
  head.writeFloatLE(scale, 12);
  head.writeUInt8(bits, 16);
  return Buffer.concat([header, head]);
}

const waveform = {
  header: {
    version: 1,
    flags: 0n,
    measurementUid: 1,
    scanCounter: 1,
    timeStamp: 0,
    nSamples: 20,
    nChannels: 5,
    sampleTimeUs: 2500,
    waveformId: 0,
  },
  data: new Uint32Array(100),
};
const array = encodeNdArray({ version: 1, dataType: 'int16', dimensions: [2, 3], data: new Int16Array(6) });
const close = hex('0400');

interface Violation {
  readonly code: MrdErrorCode;
  readonly bytes: Uint8Array;
  readonly what: string;
  readonly limits?: Partial<ParserLimits>;
  readonly allocate?: (header: AcquisitionHeader) => Float32Array;
}

const violations: readonly Violation[] = [
  { what: 'an unknown id', code: 'MRD_ERR_UNKNOWN_MESSAGE_ID', bytes: hex('e703') },
  { what: 'id 0', code: 'MRD_ERR_UNKNOWN_MESSAGE_ID', bytes: hex('0000') },
  { what: 'a big-endian id', code: 'MRD_ERR_UNKNOWN_MESSAGE_ID', bytes: hex('0001') },
  { what: 'the end inside an id', code: 'MRD_ERR_TRUNCATED_ID', bytes: hex('f0') },
  { what: 'the end inside a second id', code: 'MRD_ERR_TRUNCATED_ID', bytes: hex('0500 01000000 41 04') },
  { what: 'the end after an id', code: 'MRD_ERR_TRUNCATED_MESSAGE', bytes: hex('f003') },
  { what: 'the end inside a length', code: 'MRD_ERR_TRUNCATED_MESSAGE', bytes: hex('0300 0400') },
  { what: 'the end inside a text', code: 'MRD_ERR_TRUNCATED_MESSAGE', bytes: hex('0500 02000000 41') },
  { what: 'the end inside a name', code: 'MRD_ERR_TRUNCATED_MESSAGE', bytes: hex('0100 67726170706100') },
  { what: 'the end inside samples', code: 'MRD_ERR_TRUNCATED_MESSAGE', bytes: acquisitionWith(() => undefined).subarray(0, -1) },
  { what: 'the end inside pixels', code: 'MRD_ERR_TRUNCATED_MESSAGE', bytes: imageWith(() => undefined).subarray(0, -1) },
  { what: 'a byte after CLOSE', code: 'MRD_ERR_DATA_AFTER_CLOSE', bytes: hex('0400 00') },
  { what: 'CLOSE after CLOSE', code: 'MRD_ERR_DATA_AFTER_CLOSE', bytes: joined(close, close) },
  { what: 'a fourth message where three may come', code: 'MRD_ERR_TOO_MANY_MESSAGES', bytes: hex('0500 00000000 0500 00000000 0500 00000000 0400'), limits: { maxMessages: 3 } },
  { what: 'a message over its limit in all', code: 'MRD_ERR_MESSAGE_TOO_LARGE', bytes: imageWith(() => undefined), limits: { maxMessageBytes: 45 } },
  { what: 'samples over the limit of a message', code: 'MRD_ERR_MESSAGE_TOO_LARGE', bytes: acquisitionWith(() => undefined), limits: { maxMessageBytes: 63 } },
  { what: 'a configuration text of 4 GB', code: 'MRD_ERR_CONFIG_TEXT_TOO_LONG', bytes: hex('0200 ffffffff') },
  { what: 'a header of 4 GB', code: 'MRD_ERR_HEADER_TOO_LONG', bytes: hex('0300 ffffffff') },
  { what: 'a header of one byte too many', code: 'MRD_ERR_HEADER_TOO_LONG', bytes: hex('0300 03000000 3c2f3e'), limits: { maxHeaderXmlBytes: 2 } },
  { what: 'a text of 4 GB', code: 'MRD_ERR_TEXT_TOO_LONG', bytes: hex('0500 ffffffff') },
  { what: 'a query of 4 GB', code: 'MRD_ERR_QUERY_TOO_LONG', bytes: hex('0600 0000000000000000 0100000000000000 ffffffff00000000') },
  { what: 'a response of 2^64 bytes', code: 'MRD_ERR_RESPONSE_TOO_LONG', bytes: hex('0700 0100000000000000 ffffffffffffffff') },
  { what: 'a dependency of 2^63 bytes', code: 'MRD_ERR_DEPENDENCY_TOO_LONG', bytes: hex('fb03 0000000000000080') },
  { what: 'a DICOM file of 4 GB', code: 'MRD_ERR_DICOM_TOO_LARGE', bytes: hex('fa03 ffffffff') },
  { what: 'a DICOM name of 4 GB', code: 'MRD_ERR_DICOM_NAME_TOO_LONG', bytes: hex('fa03 01000000 44 ffffffff00000000') },
  { what: 'DICOM attributes of 4 GB', code: 'MRD_ERR_DICOM_ATTRIBUTES_TOO_LONG', bytes: hex('fa03 01000000 44 010000000000000061 ffffffff00000000') },
  { what: 'an acquisition without channels', code: 'MRD_ERR_NO_CHANNELS', bytes: acquisitionWith((header) => header.writeUInt16LE(0, 38)) },
  { what: 'an acquisition without samples', code: 'MRD_ERR_NO_SAMPLES', bytes: acquisitionWith((header) => header.writeUInt16LE(0, 34)) },
  { what: 'more channels than a mask can name', code: 'MRD_ERR_TOO_MANY_CHANNELS', bytes: acquisitionWith((header) => header.writeUInt16LE(1025, 38)) },
  { what: 'too many samples', code: 'MRD_ERR_TOO_MANY_SAMPLES', bytes: acquisitionWith((header) => header.writeUInt16LE(4097, 34)), limits: { maxSamples: 4096 } },
  { what: 'too many samples over all channels', code: 'MRD_ERR_ACQUISITION_TOO_LARGE', bytes: acquisitionWith((header) => { header.writeUInt16LE(65_535, 34); header.writeUInt16LE(1000, 38); }) },
  { what: 'a trajectory of 17 dimensions', code: 'MRD_ERR_TRAJECTORY_DIMENSIONS', bytes: acquisitionWith((header) => header.writeUInt16LE(17, 176)) },
  { what: 'a destination of another size', code: 'MRD_ERR_SAMPLE_DESTINATION', bytes: acquisitionWith(() => undefined), allocate: () => new Float32Array(8) },
  { what: 'ZFP compression', code: 'MRD_ERR_COMPRESSION_ZFP', bytes: acquisitionWith((header) => header.writeBigUInt64LE(1n << 52n, 2)) },
  { what: 'compression flag 55', code: 'MRD_ERR_COMPRESSION_UNKNOWN', bytes: acquisitionWith((header) => header.writeBigUInt64LE(1n << 54n, 2)) },
  { what: 'compression flags 54 and 56', code: 'MRD_ERR_COMPRESSION_UNKNOWN', bytes: acquisitionWith((header) => header.writeBigUInt64LE((1n << 53n) | (1n << 55n), 2)) },
  { what: 'a compressed block without room for its head', code: 'MRD_ERR_NHLBI_LENGTH', bytes: nhlbi(12, 16, 1, 16).subarray(0, 346) },
  { what: 'a compressed block of 4 GB', code: 'MRD_ERR_NHLBI_LENGTH', bytes: nhlbi(0xffff_ffff, 16, 1, 16).subarray(0, 346) },
  { what: 'a compressed block one byte too long', code: 'MRD_ERR_NHLBI_LENGTH', bytes: nhlbi(13 + 33, 16, 1, 16) },
  { what: 'too few compressed elements', code: 'MRD_ERR_NHLBI_ELEMENTS', bytes: nhlbi(13 + 32, 15, 1, 16) },
  { what: 'compressed elements of 0 bits', code: 'MRD_ERR_NHLBI_BITS', bytes: nhlbi(13, 16, 1, 0) },
  { what: 'compressed elements of 33 bits', code: 'MRD_ERR_NHLBI_BITS', bytes: nhlbi(13 + 64, 16, 1, 33) },
  { what: 'a compression scale of 0', code: 'MRD_ERR_NHLBI_SCALE', bytes: nhlbi(13 + 32, 16, 0, 16) },
  { what: 'a compression scale that is not a number', code: 'MRD_ERR_NHLBI_SCALE', bytes: nhlbi(13 + 32, 16, NaN, 16) },
  { what: 'an image of type 0', code: 'MRD_ERR_IMAGE_DATA_TYPE', bytes: imageWith((header) => header.writeUInt16LE(0, 2)) },
  { what: 'an image of type 9', code: 'MRD_ERR_IMAGE_DATA_TYPE', bytes: imageWith((header) => header.writeUInt16LE(9, 2)) },
  { what: 'an image without rows', code: 'MRD_ERR_IMAGE_EMPTY', bytes: imageWith((header) => header.writeUInt16LE(0, 18)) },
  { what: 'an image without channels', code: 'MRD_ERR_IMAGE_EMPTY', bytes: imageWith((header) => header.writeUInt16LE(0, 34)) },
  { what: 'an image of 2^64 pixels', code: 'MRD_ERR_IMAGE_TOO_LARGE', bytes: imageWith((header) => { header.fill(0xff, 16, 22); header.fill(0xff, 34, 36); }) },
  { what: 'image attributes of 4 GB', code: 'MRD_ERR_IMAGE_ATTRIBUTES_TOO_LONG', bytes: imageWith((header) => header.writeBigUInt64LE(0xffff_ffffn, 198)) },
  { what: 'a waveform of 2^32 samples', code: 'MRD_ERR_WAVEFORM_TOO_LARGE', bytes: joined(encodeWaveform(waveform)).fill(0xff, 2 + 28, 2 + 32) },
  { what: 'an array of type 10', code: 'MRD_ERR_NDARRAY_DATA_TYPE', bytes: hex('0604 0a00 0100 0100') },
  { what: 'an array without dimensions', code: 'MRD_ERR_NDARRAY_RANK', bytes: hex('0604 0500 0100 0000') },
  { what: 'an array of 8 dimensions', code: 'MRD_ERR_NDARRAY_RANK', bytes: hex('0604 0500 0100 0800') },
  { what: 'an array with an empty dimension', code: 'MRD_ERR_NDARRAY_EMPTY', bytes: hex('0604 0500 0100 0200 ffffffffffffffff 0000000000000000') },
  { what: 'an array whose size wraps around 2^64', code: 'MRD_ERR_NDARRAY_TOO_LARGE', bytes: hex('0604 0500 0100 0200 0000000001000000 0000000001000000') },
  { what: 'the end inside an array', code: 'MRD_ERR_TRUNCATED_MESSAGE', bytes: joined(array).subarray(0, -1) },
];

/** The whole stream given at once or byte by byte; the error, which each later call must repeat. */
function errorOf({ bytes, limits, allocate }: Violation, byteByByte: boolean): unknown {
  const parser = new MrdParser(allocate === undefined ? {} : { allocate }, limits);
  const fails = (call: () => void): unknown => {
    try {
      call();
    } catch (error) {
      return error;
    }
    return undefined;
  };
  const error = fails(() => {
    if (byteByByte) for (const byte of bytes) parser.write(Uint8Array.of(byte));
    else parser.write(bytes);
    parser.end();
  });
  expect(fails(() => parser.write(close))).toBe(error);
  expect(fails(() => parser.end())).toBe(error);
  return error;
}

describe('a violation of the stream', () => {
  it.each(violations)('has its code: $what -> $code', (violation) => {
    for (const byteByByte of [false, true]) {
      const error = errorOf(violation, byteByByte);
      expect(error).toBeInstanceOf(CodedError);
      expect(error).toMatchObject({ code: violation.code, action: MRD_ERRORS[violation.code].action });
    }
  });

  it('has one of at least 25 codes', () => {
    expect(new Set(violations.map(({ code }) => code)).size).toBeGreaterThanOrEqual(25);
  });

  it('is also a message in more pieces than may be', () => {
    const parser = new MrdParser({}, { maxChunksPerMessage: 3 });
    for (const bytes of ['0500', '04000000', '41']) expect(parser.write(hex(bytes))).toBeGreaterThan(0);
    expect(() => parser.write(hex('41'))).toThrow(expect.objectContaining({ code: 'MRD_ERR_TOO_MANY_CHUNKS' }));
  });

  it('is no message whose pieces are as many as may be, nor are empty chunks', () => {
    const parser = new MrdParser({}, { maxChunksPerMessage: 3 });
    for (let message = 0; message < 3; message++) {
      for (const bytes of ['0500', '02000000', '', '', '41', '41']) parser.write(hex(bytes));
    }
    parser.end();
    expect(parser.nMessages).toBe(3);
  });

  it('is a chunk after the end', () => {
    const parser = new MrdParser({});
    parser.end();
    expect(() => parser.write(close)).toThrow(expect.objectContaining({ code: 'MRD_ERR_WRITE_AFTER_END' }));
  });

  it.each([NaN, -1])('of the constructor is a limit of %s', (maxSamples) => {
    expect(() => new MrdParser({}, { maxSamples })).toThrow(expect.objectContaining({ code: 'MRD_ERR_LIMIT' }));
  });

  it('is not an end between messages, without CLOSE or after it', () => {
    for (const bytes of [hex(''), hex('0500 01000000 41'), close]) {
      const parser = new MrdParser({});
      parser.write(bytes);
      expect(() => parser.end()).not.toThrow();
    }
  });

  it('of the sink itself is thrown on, and kept', () => {
    const refusal = new Error('no');
    const parser = new MrdParser({
      text() {
        throw refusal;
      },
    });
    expect(() => parser.write(hex('0500 01000000 41 0400'))).toThrow(refusal);
    expect(() => parser.write(close)).toThrow(refusal);
    expect(parser.position).toBe(7);
  });

  it('costs no memory for what is declared and does not come', () => {
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 100 }, () => new MrdParser({}));
    const declared = imageWith((header) => {
      header.writeUInt16LE(8192, 16);
      header.writeUInt16LE(8192, 18);
    });
    for (const parser of parsers) parser.write(declared);
    // 100 images of 128 MiB each were declared; less than 200 KiB apiece is held.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 200 * 1024);
    expect(parsers).toHaveLength(100);
  });
});
