/**
 * Throughput of the stream parser: 16 channels x 640 samples a readout, in chunks of 64 KiB, into a
 * preallocated ring in shared memory. Beside it the limit: the same chunks copied into the same ring.
 */
import { pathToFileURL } from 'node:url';
import { type Acquisition, encodeAcquisition, MrdParser } from 'ismrmrd';

const nChannels = 16;
const nSamples = 640;
const nReadouts = 1600;
const chunkBytes = 64 * 1024;
const ringFloats = 64 * 2 * nChannels * nSamples;
const nRepeats = 21;

export interface ParserBench {
  readonly streamMegabytes: number;
  /** Median MB/s (10^6 bytes). */
  readonly parserMegabytesPerSecond: number;
  readonly parserUnsharedMegabytesPerSecond: number;
  readonly copyMegabytesPerSecond: number;
  readonly copyUnsharedMegabytesPerSecond: number;
}

/** Measures and prints a row for each figure. */
export async function benchParser(): Promise<ParserBench> {
  const chunks = chunksOf(stream());
  const streamMegabytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0) / 1e6;
  const shared = new Float32Array(new SharedArrayBuffer(4 * ringFloats));
  const unshared = new Float32Array(ringFloats);
  const rate = (run: () => void) => streamMegabytes / medianSeconds(run);
  const result: ParserBench = {
    streamMegabytes,
    parserMegabytesPerSecond: rate(() => parse(chunks, shared)),
    parserUnsharedMegabytesPerSecond: rate(() => parse(chunks, unshared)),
    copyMegabytesPerSecond: rate(() => copy(chunks, shared)),
    copyUnsharedMegabytesPerSecond: rate(() => copy(chunks, unshared)),
  };
  for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(36)} ${Math.round(value)}`);
  return result;
}

function stream(): Buffer {
  const data = new Float32Array(2 * nChannels * nSamples).map((_, i) => Math.sin(i));
  const pieces: Uint8Array[] = [];
  for (let line = 0; line < nReadouts; line++) pieces.push(...encodeAcquisition(readout(line, data)));
  return Buffer.concat(pieces);
}

function readout(line: number, data: Float32Array): Acquisition {
  const header = {
    version: 1,
    flags: 0n,
    measurementUid: 1,
    scanCounter: line,
    acquisitionTimeStamp: 4 * line,
    physiologyTimeStamp: [line, 0, 0],
    nSamples,
    availableChannels: nChannels,
    nChannels,
    channelMask: [(1n << BigInt(nChannels)) - 1n],
    discardPre: 0,
    discardPost: 0,
    centerSample: nSamples / 2,
    encodingSpaceRef: 0,
    trajectoryDimensions: 0,
    sampleTimeUs: 2.6,
    position: [1.5, -20, 3],
    readDir: [0, 0, 1],
    phaseDir: [0, 1, 0],
    sliceDir: [1, 0, 0],
    patientTablePosition: [0, 0, -1000],
    idx: {
      kspaceEncodeStep1: line % 320,
      kspaceEncodeStep2: 0,
      average: 0,
      slice: Math.floor(line / 320),
      contrast: 0,
      phase: 0,
      repetition: 0,
      set: 0,
      segment: 0,
      user: [],
    },
    userInt: [],
    userFloat: [],
  } as const;
  return { header, trajectory: new Float32Array(0), data };
}

function chunksOf(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return chunks;
}

function parse(chunks: readonly Buffer[], ring: Float32Array): void {
  let at = 0;
  let nRead = 0;
  const parser = new MrdParser({
    allocate(header) {
      const nFloats = 2 * header.nChannels * header.nSamples;
      if (at + nFloats > ring.length) at = 0;
      at += nFloats;
      return ring.subarray(at - nFloats, at);
    },
    acquisition() {
      nRead++;
    },
  });
  for (const chunk of chunks) parser.write(chunk);
  parser.end();
  if (nRead !== nReadouts) throw new Error(`${nRead} readouts of ${nReadouts}`);
}

function copy(chunks: readonly Buffer[], ring: Float32Array): void {
  const bytes = new Uint8Array(ring.buffer);
  let at = 0;
  for (const chunk of chunks) {
    if (at + chunk.length > bytes.length) at = 0;
    bytes.set(chunk, at);
    at += chunk.length;
  }
}

function medianSeconds(run: () => void): number {
  const seconds: number[] = [];
  for (let repeat = 0; repeat < nRepeats; repeat++) {
    const start = performance.now();
    run();
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds.sort((a, b) => a - b)[nRepeats >> 1]!;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchParser();
