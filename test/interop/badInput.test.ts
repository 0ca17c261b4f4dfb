/** What no client should send: each is answered with TEXT that has the code, then CLOSE; all of it is saved; the next client is served. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeAcquisition, encodeClose, encodeConfigFile, encodeConfigText, encodeHeader, encodeMessage, MessageId, parseMessages,
} from 'ismrmrd';
import type { Acquisition, MrdMessage } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/demo/conus.js';
import { answerOn, codesIn, connected, exchange } from './client.js';
import type { Answer } from './client.js';
import { startService } from './service.js';
import { simulated } from './streams.js';

const good = simulated({ nCoils: 4, matrix: [64, 64], noiseScanSamples: 0 });
const messages = parseMessages(good);
const [config, header] = messages as [MrdMessage, MrdMessage];
const readouts = messages.flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : []));
const bytesOf = (...parts: readonly (MrdMessage | Uint8Array | readonly Uint8Array[])[]) =>
  Buffer.concat(parts.flatMap((part) => (part instanceof Uint8Array ? [part] : 'kind' in part ? encodeMessage(part) : part)));
const beginning = bytesOf(config, header);
const body = good.subarray(beginning.length);
const data = body.subarray(0, -2);
const close = bytesOf(encodeClose());

/** The scan with its 20th readout changed. */
function withReadout(change: (readout: Acquisition) => Acquisition): Buffer {
  return bytesOf(beginning, ...readouts.map((readout, i) => encodeAcquisition(i === 20 ? change(readout) : readout)), close);
}

function withSample(value: number): Buffer {
  return withReadout((readout) => ({ ...readout, data: readout.data.map((sample, i) => (i === 77 ? value : sample)) }));
}

/** The length that opens a header message: 4 GB, of which little follows. */
const fourGigabytes = Buffer.concat([Uint8Array.of(MessageId.header, 0, 255, 255, 255, 255), new Uint8Array(100)]);
/** An acquisition header of 65535 samples and channels. */
const hugeAcquisition = bytesOf(encodeAcquisition(readouts[0]!)).fill(255, 2 + 34, 2 + 40);
/** Deterministic, and no message. */
const garbage = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 2_654_435_761) >>> 13);

interface Case {
  readonly bytes: Uint8Array;
  readonly code: string;
  /** The client ends its side after the last byte. */
  readonly endsFirst?: boolean;
  /** Images that were complete before. */
  readonly nImages?: number;
}

const cases: Readonly<Record<string, Case>> = {
  'an unknown config': { bytes: bytesOf(encodeConfigFile('does_not_exist.xml'), header, body), code: 'CONUS_ERR_UNKNOWN_CONFIG' },
  'a path as config': { bytes: bytesOf(encodeConfigFile('../../etc/passwd'), header, body), code: 'CONUS_ERR_UNKNOWN_CONFIG' },
  'a config text that says nothing': { bytes: bytesOf(encodeConfigText('<x/>'), header, body), code: 'CONUS_ERR_CONFIG_TEXT' },
  'a parameter out of range': {
    bytes: bytesOf(encodeConfigText('{"parameters": {"kernelPhase": 400}}'), header, body),
    code: 'CONUS_ERR_PARAMETER',
  },
  'two configs': { bytes: bytesOf(config, beginning, body), code: 'CONUS_ERR_CONFIG_TWICE' },
  'two headers': { bytes: bytesOf(beginning, header, body), code: 'CONUS_ERR_HEADER_TWICE' },
  'a header before the config': { bytes: bytesOf(header, config, body), code: 'CONUS_ERR_NO_CONFIG' },
  'data without a header': { bytes: bytesOf(config, body), code: 'CONUS_ERR_NO_HEADER' },
  'a header that is not XML': { bytes: bytesOf(config, encodeHeader('Dummy XML header'), body), code: 'MRD_ERR_HEADER_NOT_XML' },
  'a header of something else': { bytes: bytesOf(config, encodeHeader('<html></html>'), body), code: 'MRD_ERR_HEADER_ROOT' },
  'a sample that is not a number': { bytes: withSample(NaN), code: 'RECON_ERR_NOT_FINITE' },
  'a sample that is infinite': { bytes: withSample(-Infinity), code: 'RECON_ERR_NOT_FINITE' },
  'another number of channels in mid-scan': {
    bytes: withReadout((readout) => {
      const nChannels = readout.header.nChannels - 1;
      return { ...readout, header: { ...readout.header, nChannels }, data: readout.data.subarray(0, 2 * nChannels * readout.header.nSamples) };
    }),
    code: 'RECON_ERR_COIL_COUNT',
  },
  'a line outside the matrix': {
    bytes: withReadout((readout) => ({
      ...readout, header: { ...readout.header, idx: { ...readout.header.idx, kspaceEncodeStep1: 1000 } },
    })),
    code: 'RECON_ERR_LINE',
  },
  'a truncated message': { bytes: good.subarray(0, -3000), code: 'MRD_ERR_TRUNCATED_MESSAGE', endsFirst: true },
  'a truncated message, held open': { bytes: good.subarray(0, -3000), code: 'CONUS_ERR_STALLED' },
  'no CLOSE': { bytes: bytesOf(beginning, data), code: 'CONUS_WARN_NO_CLOSE', endsFirst: true, nImages: 1 },
  'no CLOSE, held open': { bytes: bytesOf(beginning, data), code: 'CONUS_ERR_IDLE', nImages: 1 },
  'a length of 4 GB': { bytes: bytesOf(config, fourGigabytes), code: 'MRD_ERR_HEADER_TOO_LONG' },
  'a huge acquisition': { bytes: bytesOf(beginning, hugeAcquisition), code: 'MRD_ERR_TOO_MANY_CHANNELS' },
  'CLOSE first': { bytes: close, code: 'CONUS_ERR_CLOSE_FIRST' },
  'nothing at all': { bytes: new Uint8Array(0), code: 'CONUS_ERR_NO_CONFIG', endsFirst: true },
  'an unknown message': { bytes: bytesOf(beginning, Uint8Array.of(0xe7, 0x03), body), code: 'MRD_ERR_UNKNOWN_MESSAGE_ID' },
  'an HTTP request': { bytes: Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), code: 'MRD_ERR_UNKNOWN_MESSAGE_ID' },
  garbage: { bytes: garbage, code: 'MRD_ERR_UNKNOWN_MESSAGE_ID' },
  'garbage in mid-scan': {
    bytes: bytesOf(beginning, data.subarray(0, data.length / 2), garbage),
    code: 'MRD_ERR_UNKNOWN_MESSAGE_ID',
  },
};

let folder: string;
let service: RunningServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-bad-input-'));
  service = await startService('--save-raw', folder, '--stall-timeout', '1', '--idle-timeout', '3');
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

/** Every session of this file, as it was sent. */
const sent: Buffer[] = [];
function send(bytes: Uint8Array, endsFirst = false): Promise<Answer> {
  sent.push(Buffer.from(bytes));
  return exchange(service.port, bytes, { endsFirst });
}

async function expectServed(): Promise<void> {
  const answer = await send(good);
  expect([answer.images.length, codesIn(answer)]).toEqual([1, []]);
}

describe('is answered with its code and CLOSE, and hurts nobody else:', () => {
  for (const [name, { bytes, code, endsFirst, nImages = 0 }] of Object.entries(cases)) {
    it(name, async () => {
      const answer = await send(bytes, endsFirst);
      expect(codesIn(answer).at(-1)).toBe(code);
      expect(answer.texts.at(-1)).toMatch(code.includes('_WARN_') ? /^WRN / : /^ERR .*: got .*; expected .*; /);
      if (nImages === 1) expect(answer.images.map(({ header }) => header.matrixSize)).toEqual([[64, 64, 1]]);
      await expectServed();
    });
  }

  it('an unknown config, which is told the known ones', async () => {
    const { texts } = await send(cases['an unknown config']!.bytes);
    expect(texts[0]).toMatch(/"does_not_exist\.xml" \(known: default, .*Generic_Cartesian_Grappa\.xml.*simplefft/);
  });

  it('data after CLOSE, which change nothing', async () => {
    const answer = await send(bytesOf(good, garbage));
    expect([answer.images.length, codesIn(answer)]).toEqual([1, []]);
    await expectServed();
  });
});

// Last: it ends the service, as files are whole only then.
describe('of everything that was sent', () => {
  it('each byte is saved', async () => {
    const halfDone = await connected(service.port);
    const answering = answerOn(halfDone);
    const cut = Buffer.from(good.subarray(0, -5000));
    sent.push(cut);
    for (let at = 0; at < cut.length; at += 777) halfDone.write(cut.subarray(at, at + 777));
    halfDone.end();
    await answering;
    await service.stop();
    const names = (await readdir(folder)).sort();
    expect(names.filter((name) => !name.endsWith('.mrd'))).toEqual([]);
    const saved = await Promise.all(names.map((name) => readFile(join(folder, name))));
    const inOrder = (contents: readonly Buffer[]) => [...contents].sort(Buffer.compare);
    expect(saved).toHaveLength(sent.length);
    const [expected, found] = [inOrder(sent), inOrder(saved)];
    expect(expected.filter((bytes, i) => !bytes.equals(found[i]!)).map((bytes) => bytes.length)).toEqual([]);
  });
});
