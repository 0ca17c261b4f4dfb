/** The whole service: a real socket, real worker threads, and the streams of other programs where they are there. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { encodeClose, encodeConfigFile, encodeHeader, encodeText, parseMessages } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitScale, nRmse, scaled } from '../../imaging/index.js';
import { createLog } from '../../src/log.js';
import { Metrics } from '../../src/metrics.js';
import { ReconstructionPool } from '../../src/reconstruction/index.js';
import { defaultConnectionOptions, MrdServer } from '../../src/server/index.js';
import { acquisition, concat, headerXml, lines, sampleOf, scan } from './streams.js';

const golden = new URL('../../../shared/data/golden/', import.meta.url);
const goldenFile = (name: string) => readFileSync(new URL(name, golden));
const hasGolden = existsSync(golden);

let pool: ReconstructionPool;
let server: MrdServer;
let port: number;

beforeAll(async () => {
  pool = new ReconstructionPool({ threads: 2 });
  const log = createLog('silent', { write: () => undefined });
  server = new MrdServer({ ...defaultConnectionOptions, maxSessions: 16, reconstructions: pool, log, metrics: new Metrics() });
  ({ port } = await server.listen(0, '127.0.0.1'));
});
afterAll(async () => {
  await server.close(0);
  await pool.close();
});

type Messages = ReturnType<typeof parseMessages>;

async function answerTo(stream: Uint8Array): Promise<Messages> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.write(stream);
  const parts: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) parts.push(chunk);
  return parseMessages(concat(parts));
}

const imagesOf = (messages: Messages): MrdImage[] => messages.flatMap((message) => (message.kind === 'image' ? [message.image] : []));
const textsOf = (messages: Messages) => messages.flatMap((message) => (message.kind === 'text' ? [message.text] : []));
const beginning = concat([...encodeConfigFile('default'), ...encodeHeader(headerXml())]);
const close = concat(encodeClose());

/** Root-sum-of-squares of the centred orthonormal Fourier transform of the stream's k-space, oversampling removed. */
function expectedMagnitudes(): Float64Array {
  const [nLines, nSamples, nColumns] = [16, 32, 16];
  const values = new Float64Array(nLines * nColumns);
  for (let row = 0; row < nLines; row++) {
    for (let column = 0; column < nColumns; column++) {
      const x = column - nColumns / 2;
      const y = row - nLines / 2;
      let [re, im] = [0, 0];
      for (let line = 0; line < nLines; line++) {
        for (let sample = 0; sample < nSamples; sample++) {
          const phase = 2 * Math.PI * ((x * (sample - nSamples / 2)) / nSamples + (y * (line - nLines / 2)) / nLines);
          const value = sampleOf(0, line, sample);
          re += value * Math.cos(phase);
          im += value * Math.sin(phase);
        }
      }
      // Coil c weighs c + 1: the root of 1 + 4 + 9 + 16.
      values[row * nColumns + column] = (Math.hypot(re, im) * Math.sqrt(30)) / Math.sqrt(nLines * nSamples);
    }
  }
  return values;
}

describe('the image', () => {
  it('of the chain simplefft is the root-sum-of-squares of the Fourier transform, at its scale', async () => {
    const parameters = concat(encodeText('{"parameters":{"pixelType":"float32"}}'));
    const stream = concat([...encodeConfigFile('simplefft'), ...encodeHeader(headerXml()), parameters, ...lines(), close]);
    const [image] = imagesOf(await answerTo(stream));
    expect(image?.header).toMatchObject({ dataType: 'float32', matrixSize: [16, 16, 1], position: [1, 2, 3], readDir: [1, 0, 0] });
    expect(nRmse(image!.data, expectedMagnitudes())).toBeLessThan(1e-6);
  });

  it('is the same at every address: six sessions at once beside an idle one and garbage', async () => {
    const idle = connect({ port, host: '127.0.0.1' });
    idle.write(beginning);
    const garbage = answerTo(Buffer.from('\x16\x03\x01 not MRD at all'));
    const reference = expectedMagnitudes();
    const answers = await Promise.all(Array.from({ length: 6 }, () => answerTo(scan('simplefft'))));
    for (const messages of answers) {
      const [image] = imagesOf(messages);
      expect(nRmse(scaled(image!.data, fitScale(image!.data, reference)), reference)).toBeLessThan(1e-3);
      expect(messages.at(-1)).toEqual({ kind: 'close' });
    }
    expect(textsOf(await garbage).at(-1)).toMatch(/^ERR MRD_ERR_/);
    idle.destroy();
  });
});

describe('bad input is answered with its code, then CLOSE, and the server lives on', () => {
  const notFinite = (value: number) => {
    const bad = acquisition(3);
    new DataView(bad.buffer, bad.byteOffset).setFloat32(bad.length - 8, value, true);
    return concat([beginning, ...lines().slice(0, 3), bad, ...lines().slice(4), close]);
  };
  it.each<[string, Uint8Array, RegExp, number[]]>([
    ['a sample that is not a number', notFinite(NaN), /^ERR RECON_ERR_/, [0]],
    ['an infinite sample', notFinite(Infinity), /^ERR RECON_ERR_/, [0]],
    ['another channel count mid-scan', concat([beginning, ...lines(), acquisition(0, { nCoils: 3 }), close]), /^ERR RECON_ERR_/, [0, 1]],
    ['a message cut short', concat([beginning, ...lines()]).subarray(0, -100), /^ERR MRD_ERR_TRUNCATED_MESSAGE/, [1]],
    ['an unknown trajectory', concat([...encodeConfigFile('default'), ...encodeHeader(headerXml().replace('cartesian', 'radial')), ...lines(), close]), /^ERR RECON_ERR_TRAJECTORY/, [0]],
    ['no encoding', concat([...encodeConfigFile('default'), ...encodeHeader(headerXml().replace(/<encoding>.*<\/encoding>/, '')), ...lines(), close]), /^ERR (RECON|MRD)_ERR_/, [0]],
  ])('%s', async (_name, stream, code, nImages) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(stream);
    const parts: Buffer[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) parts.push(chunk);
    const messages = parseMessages(concat(parts));
    expect(messages.at(-1)).toEqual({ kind: 'close' });
    expect(textsOf(messages).at(-1)).toMatch(code);
    // Where an image may be ready before the worker meets the error, both are right.
    expect(nImages).toContain(imagesOf(messages).length);
    expect(imagesOf(await answerTo(scan()))).toHaveLength(1);
  });
});

describe('streams of other programs', () => {
  /** Name, stream, how many images come back. */
  const replays: [string, Uint8Array, number][] = hasGolden
    ? (
          [
            ['gtclient_invertcontrast.c2s.bin', 1], ['pyclient_invertcontrast.c2s.bin', 1], ['pyclient_simplefft.c2s.bin', 1],
            ['gtclient_nhlbi16.c2s.bin', 0], ['raw_wave_text.bin', 1], ['image_types.bin', 12], ['sl64c4_full.bin', 1], ['sl64c4_traj.bin', 1],
            ['sl64c4_a2.bin', 2], ['sl64c4_a2_w16_C_r2.bin', 4], ['sl64c4_a4_w24.bin', 4], ['sl96c6_a3_w24_C.bin', 3],
          ] as const
        ).map(([name, nImages]) => [name, goldenFile(name), nImages])
    : [['a scan made here', scan('grappa.xml'), 1]];

  it.each(replays)('%s', async (_name, stream, nImages) => {
    const messages = await answerTo(stream);
    expect(imagesOf(messages)).toHaveLength(nImages);
    expect(messages.at(-1)).toEqual({ kind: 'close' });
    expect(textsOf(messages).filter((text) => text.startsWith('ERR '))).toEqual([]);
    // One series is one type and one size, and int32 is never sent.
    const kinds = new Map<number, string>();
    for (const { header } of imagesOf(messages)) {
      const kind = [header.dataType, header.nChannels, ...header.matrixSize].join(' ');
      expect(kinds.get(header.imageSeriesIndex) ?? kind).toBe(kind);
      expect(header.dataType).not.toBe('int32');
      kinds.set(header.imageSeriesIndex, kind);
    }
  });

  it('agree with the reference reconstruction of their library', async () => {
    // Theirs asks for another chain: the config stands first and has a fixed length.
    const rest = hasGolden ? goldenFile('sl64c4_full.bin').subarray(1026) : scan().subarray(1026);
    const ours = imagesOf(await answerTo(concat([...encodeConfigFile('simplefft'), rest])))[0]!;
    const theirs = hasGolden ? imagesOf(parseMessages(goldenFile('sl64c4_full.recon_mag.bin')))[0]!.data : expectedMagnitudes();
    expect(nRmse(scaled(ours.data, fitScale(ours.data, theirs)), theirs)).toBeLessThan(1e-3);
  });

  it('are all replayed', () => {
    const streams = hasGolden ? readdirSync(golden).filter((name) => name.endsWith('.bin') && !/recon|s2c/.test(name)) : ['a scan made here'];
    expect(streams.sort()).toEqual(replays.map(([name]) => name).sort());
  });
});
