/**
 * What other clients send, byte for byte: the like of their recordings, made here, and the recordings
 * themselves where they lie beside the repository. Each gets its answer, one CLOSE and the end.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeAcquisition, encodeClose, encodeConfigFile, encodeConfigText, encodeImage, encodeMessage, encodeQuery, encodeText, encodeWaveform, flagsOf,
  MrdParser, parseMessages,
} from 'ismrmrd';
import type { Acquisition } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/demo/conus.js';
import { image, imageDataTypes } from '../ismrmrd/mrdRecords.js';
import { answerIn, codesIn, connected, exchange } from './client.js';
import { distance, magnitudes } from './images.js';
import { float32Of, runPython } from './peers.js';
import { startService } from './service.js';
import { recording, simulated, withConfig } from './streams.js';

let folder: string;
let service: RunningServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-captures-'));
  service = await startService();
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

/** A stream of raw data, and what it gets when it is sent as it is. */
interface Capture {
  readonly name: string;
  readonly bytes: () => Promise<Uint8Array>;
  readonly nImages: number;
  /** Of the remarks that are not said of every scan of these. */
  readonly codes: readonly string[];
  /** Whose calibration is interleaved over repetitions: lines that only calibrate are in no image. */
  readonly isInterleaved?: boolean;
}

const scan = simulated({
  matrix: [64, 64], nCoils: 4, noiseScanSamples: 0, readDirection: [0, 0, 0], phaseDirection: [0, 0, 0], sliceDirection: [0, 0, 0],
});
const scanMessages = parseMessages(scan);
const xml = scanMessages.flatMap((message) => (message.kind === 'header' ? [message.xml] : []))[0]!;
const readouts = scanMessages.flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : []));

/** Text with the NUL that C counts in. */
function terminated(id: number, text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(6);
  head.writeUInt16LE(id, 0);
  head.writeUInt32LE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

/** The samples as the Gadgetron client packs them at 16 bits, which are the bytes of an Int16Array. */
function compressed(readout: Acquisition): Buffer {
  const scale = 32_000 / readout.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const ints = Int16Array.from(readout.data, (value) => Math.round(value * scale));
  const blob = Buffer.alloc(4 + 13);
  blob.writeUInt32LE(13 + ints.byteLength, 0);
  blob.writeBigUInt64LE(BigInt(ints.length), 4);
  blob.writeFloatLE(scale, 12);
  blob.writeUInt8(16, 16);
  const plain = Buffer.concat(encodeAcquisition(readout));
  plain.writeBigUInt64LE(readout.header.flags | flagsOf('compressionNhlbi'), 4);
  return Buffer.concat([plain.subarray(0, 2 + 340), blob, new Uint8Array(ints.buffer)]);
}

function stream(...parts: readonly (Uint8Array | readonly Uint8Array[])[]): () => Promise<Uint8Array> {
  return () => Promise.resolve(Buffer.concat(parts.flatMap((part) => (part instanceof Uint8Array ? [part] : part))));
}

const data = readouts.flatMap(encodeAcquisition);
const ecg = encodeWaveform({
  header: { version: 1, flags: 0n, measurementUid: 1, scanCounter: 1, timeStamp: 1, nSamples: 20, nChannels: 5, sampleTimeUs: 2500, waveformId: 0 },
  data: new Uint32Array(100).fill(2048),
});
const fireParameters = JSON.stringify({
  version: '1.1.0',
  parameters: { config: 'invertcontrast', customconfig: '', options: 'complex', sendOriginal: 'False' },
});

const made: readonly Capture[] = [
  {
    name: 'like the Gadgetron client',
    bytes: stream(encodeConfigFile('invertcontrast'), terminated(3, xml), data, encodeClose()),
    nImages: 1,
    codes: ['CONUS_WARN_NOT_INVERTED'],
  },
  {
    name: 'like the Gadgetron client with compressed samples',
    bytes: stream(encodeConfigFile('null'), terminated(3, xml), readouts.map(compressed), encodeClose()),
    nImages: 0,
    codes: [],
  },
  {
    name: 'like the FIRE client',
    bytes: stream(encodeConfigFile('simplefft'), terminated(3, xml), data, encodeClose()),
    nImages: 1,
    codes: [],
  },
  {
    name: 'like the FIRE client with parameters',
    bytes: stream(encodeConfigFile('default'), terminated(3, xml), terminated(5, fireParameters), data, encodeClose()),
    nImages: 1,
    codes: ['CONUS_WARN_NOT_INVERTED', 'CONUS_WARN_NO_PROCESSED_SERIES', 'CONUS_WARN_UNKNOWN_PARAMETER'],
  },
  {
    name: 'like the ismrmrd package, with config text, parameters and waveforms',
    bytes: stream(
      encodeConfigText('<?xml version="1.0"?><config name="grappa"><property name="kernel" value="5x4"/></config>'),
      terminated(3, xml), encodeText('{"version":"1.1.0","parameters":{"config":"simplefft","options":""}}'), ecg, data, ecg, encodeClose(),
    ),
    nImages: 1,
    codes: [],
  },
];

function recorded(name: string, nImages: number, codes: readonly string[] = [], isInterleaved = false): Capture[] {
  const path = recording(`golden/${name}`);
  return path === undefined ? [] : [{ name: `recorded in ${name}`, bytes: () => readFile(path), nImages, codes, isInterleaved }];
}

const captures: readonly Capture[] = [
  ...made,
  ...recorded('gtclient_invertcontrast.c2s.bin', 1, ['CONUS_WARN_NOT_INVERTED']),
  ...recorded('gtclient_nhlbi16.c2s.bin', 0),
  ...recorded('pyclient_simplefft.c2s.bin', 1),
  ...recorded('pyclient_invertcontrast.c2s.bin', 1, ['CONUS_WARN_NOT_INVERTED', 'CONUS_WARN_NO_PROCESSED_SERIES']),
  ...recorded('raw_wave_text.bin', 1),
  ...recorded('sl64c4_full.bin', 1),
  ...recorded('sl64c4_traj.bin', 1),
  ...recorded('sl64c4_a2.bin', 2, [], true),
  ...recorded('sl64c4_a2_w16_C_r2.bin', 4, ['RECON_WARN_NOISE'], true),
  ...recorded('sl64c4_a4_w24.bin', 4, [], true),
  ...recorded('sl96c6_a3_w24_C.bin', 3, ['RECON_WARN_NOISE'], true),
];

const simpleFft = { combine: 'rss', unalias: 'none', prewhiten: false, pixelType: 'float32' };

describe('a stream', () => {
  for (const { name, bytes, nImages, codes, isInterleaved = false } of captures) {
    it(`${name} gets its answer`, async () => {
      const sent = await bytes();
      const answer = await exchange(service.port, sent);
      expect(answer.images.length).toBe(nImages);
      expect(codesIn(answer).sort()).toEqual([...codes].sort());

      // The package reads neither compressed samples nor a NUL behind the header.
      const path = join(folder, 'stream.mrd');
      await writeFile(path, Buffer.concat(parseMessages(sent).flatMap(encodeMessage)));
      // Parameters, because the stream's own may name another chain.
      const plain = await exchange(service.port, withConfig(sent, JSON.stringify({ parameters: simpleFft })));
      expect(plain.images.length).toBeGreaterThan(0);
      const reference = float32Of(await runPython('reference.py', path, isInterleaved ? 'imaging' : 'all'));
      expect(distance(magnitudes(plain.images.at(-1)!), reference)).toBeLessThan(1e-5);
    });
  }

  it('gets its image before CLOSE, which some clients send only then', async () => {
    const socket = await connected(service.port);
    const parser = new MrdParser({ image: () => void socket.end(Buffer.concat(encodeClose())) });
    socket.write(scan.subarray(0, -2));
    const parts: Buffer[] = [];
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      parser.write(chunk);
      parts.push(chunk);
    }
    expect(answerIn(Buffer.concat(parts)).images.length).toBe(1);
  });
});

describe('images of a client', () => {
  const madeHere = Buffer.concat([
    ...encodeConfigFile('default'), terminated(3, xml), ...imageDataTypes.flatMap((type) => encodeImage(image(type, [4, 3, 2]))), ...encodeClose(),
  ]);
  const path = recording('golden/image_types.bin');

  for (const [name, bytes] of [
    ['of every pixel type', () => Promise.resolve(madeHere)] as const,
    ...(path === undefined ? [] : [['recorded in image_types.bin', () => readFile(path)] as const]),
  ]) {
    it(`${name} come back as they are, int32 as float64`, async () => {
      const sent = await bytes();
      const { images } = await exchange(service.port, sent);
      const inputs = parseMessages(sent).flatMap((message) => (message.kind === 'image' ? [message.image] : []));
      expect(images.length).toBe(inputs.length);
      for (const [i, { header, attributes, data: pixels }] of inputs.entries()) {
        const dataType = header.dataType === 'int32' ? 'float64' : header.dataType;
        expect(images[i]!.header).toEqual({ ...header, dataType });
        expect(images[i]!.attributes).toBe(attributes);
        expect([...images[i]!.data]).toEqual([...pixels]);
      }
    });
  }
});

describe('a Gadgetron client that asks', () => {
  it('for a stored noise measurement gets the answer that there is none', async () => {
    const { messages } = await exchange(service.port, Buffer.concat([...encodeConfigFile('gtquery.xml'), ...encodeClose()]));
    expect(messages.map(({ kind }) => kind)).toEqual(['dependency']);
  });

  it('for the version gets it', async () => {
    const { messages } = await exchange(service.port, Buffer.concat([...encodeQuery(42n, 'gadgetron::version'), ...encodeClose()]));
    expect(messages).toEqual([{ kind: 'response', correlationId: 42n, response: expect.stringMatching(/^Conus \d/) as string }]);
  });
});

const references = ['golden/sl64c4_full.bin', 'golden/sl64c4_full.recon_mag.bin'].map(recording);
if (references.every((path) => path !== undefined)) {
  const [raw, reconstructed] = references as [string, string];
  describe('the recorded phantom', () => {
    it("is as ismrmrd_stream_recon_cartesian_2d's recorded image of it", async () => {
      const { images } = await exchange(service.port, withConfig(await readFile(raw), '{"parameters": {"combine": "rss"}}'));
      const reference = answerIn(await readFile(reconstructed)).images[0]!;
      expect(distance(magnitudes(images[0]!), magnitudes(reference))).toBeLessThan(1e-3);
    });
  });
}
