/**
 * Streams that other programs wrote: the C++ stream tools, the Python library and server, the
 * Gadgetron client. They lie beside the repository where they are at all; a stream of our own with
 * the same peculiarities is read in any case.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  encodeAcquisition,
  encodeClose,
  flagNames,
  hasFlag,
  parseHeader,
  parseMessages,
  parseMeta,
  type Acquisition,
  type ImageDataTypeName,
  type MrdMessage,
} from 'ismrmrd';
import { bytesOfMessages, cutAt, parseChunks } from './mrdMessages.js';
import { acquisition } from './mrdRecords.js';

const folder = new URL('../../../shared/data/golden/', import.meta.url);
const present = existsSync(folder);

function golden(name: string): Buffer {
  return readFileSync(new URL(name, folder));
}

type Kinds = Partial<Record<MrdMessage['kind'], number>>;

/** What each file holds, and how the strings that open it keep it from being written back as it was. */
interface Capture {
  readonly name: string;
  readonly bytes: () => Buffer;
  readonly kinds: Kinds;
  readonly peculiarity?: 'garbage behind the name' | 'counted NUL' | 'compressed';
}

const raw = (n: number): Kinds => ({ configFile: 1, header: 1, acquisition: n, close: 1 });

const ours: Capture[] = [
  {
    name: 'a stream of ours with garbage behind the name',
    bytes: () => Buffer.concat([configWithGarbage(), ...encodeAcquisition(acquisition(8, 2)), ...encodeClose()]),
    kinds: { configFile: 1, acquisition: 1, close: 1 },
    peculiarity: 'garbage behind the name',
  },
  {
    name: 'a stream of ours with a counted NUL',
    bytes: () => Buffer.from('030004000000' + '3c612f00' + '050002000000' + '4100' + '0400', 'hex'),
    kinds: { header: 1, text: 1, close: 1 },
    peculiarity: 'counted NUL',
  },
];

const captures: Capture[] = (
  [
    ['sl64c4_full.bin', raw(64), 'garbage behind the name'],
    ['sl64c4_a2.bin', raw(64), 'garbage behind the name'],
    ['sl64c4_a2_w16_C_r2.bin', raw(161), 'garbage behind the name'],
    ['sl64c4_a4_w24.bin', raw(136), 'garbage behind the name'],
    ['sl64c4_traj.bin', raw(64), 'garbage behind the name'],
    ['sl96c6_a3_w24_C.bin', raw(145), 'garbage behind the name'],
    ['sl64c4_full.recon_cplx.bin', { image: 1, close: 1 }],
    ['sl64c4_full.recon_mag.bin', { image: 1, close: 1 }],
    ['image_types.bin', { configFile: 1, header: 1, image: 12, close: 1 }],
    ['raw_wave_text.bin', { configText: 1, header: 1, text: 1, acquisition: 64, waveform: 4, close: 1 }],
    ['pyclient_simplefft.c2s.bin', raw(64), 'counted NUL'],
    ['pyclient_simplefft.s2c.bin', { image: 1, close: 1 }],
    ['pyclient_invertcontrast.c2s.bin', { ...raw(64), text: 1 }, 'counted NUL'],
    ['pyclient_invertcontrast.s2c.bin', { text: 1, image: 1, close: 1 }, 'counted NUL'],
    ['gtclient_invertcontrast.c2s.bin', raw(64)],
    ['gtclient_invertcontrast.s2c.bin', { text: 1, image: 1, close: 1 }, 'counted NUL'],
    ['gtclient_nhlbi16.c2s.bin', raw(64), 'compressed'],
    ['gtclient_nhlbi16.s2c.bin', { close: 1 }],
  ] as [string, Kinds, Capture['peculiarity']?][]
).map(([name, kinds, peculiarity]) => ({
  name,
  bytes: () => golden(name),
  kinds,
  ...(peculiarity === undefined ? {} : { peculiarity }),
}));

function configWithGarbage(): Buffer {
  const message = Buffer.alloc(1026, 0xee);
  message.writeUInt16LE(1, 0);
  message.write('grappa.xml\0', 2);
  return message;
}

function kindsOf(messages: readonly MrdMessage[]): Kinds {
  const kinds: Kinds = {};
  for (const { kind } of messages) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return kinds;
}

/** The stream without what its opening strings hold and the format does not keep. */
function withoutPeculiarity(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const id = bytes.readUInt16LE(at);
    if (id === 1) {
      const name = Buffer.from(bytes.subarray(at, at + 1026));
      pieces.push(name.fill(0, name.indexOf(0, 2)));
      at += 1026;
    } else if (id === 3 || id === 5) {
      const length = bytes.readUInt32LE(at + 2);
      const text = bytes.subarray(at + 6, at + 6 + length);
      const kept = text.includes(0) ? text.subarray(0, text.indexOf(0)) : text;
      const head = Buffer.from(bytes.subarray(at, at + 6));
      head.writeUInt32LE(kept.length, 2);
      pieces.push(head, kept);
      at += 6 + length;
    } else {
      return Buffer.concat([...pieces, bytes.subarray(at)]);
    }
  }
}

describe.each(present ? [...ours, ...captures] : ours)('$name', ({ bytes, kinds, peculiarity }) => {
  it('holds what it should', () => {
    expect(kindsOf(parseMessages(bytes()))).toEqual(kinds);
  });

  it(`is written back ${peculiarity === undefined ? 'byte for byte' : `but for what it is peculiar for: ${peculiarity}`}`, () => {
    const original = bytes();
    const messages = parseMessages(original);
    const written = bytesOfMessages(messages);
    expect(written.equals(original)).toBe(peculiarity === undefined);
    const plain = peculiarity === 'compressed' ? bytesOfMessages(parseMessages(written)) : withoutPeculiarity(original);
    expect(written.equals(plain)).toBe(true);
  });
});

if (present) {
  describe('the captures', () => {
    const acquisitionsOf = (name: string): Acquisition[] =>
      parseMessages(golden(name)).flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : []));

    it('parse alike however they are cut', () => {
      const bytes = golden('raw_wave_text.bin');
      for (const step of [1, 7, 340, 1024, 65_536]) {
        const cuts = Array.from({ length: Math.floor(bytes.length / step) }, (_, i) => (i + 1) * step);
        expect(bytesOfMessages(parseChunks(cutAt(bytes, cuts))).equals(bytes)).toBe(true);
      }
    });

    it('have the sizes, counters and flags that the generator gave them', () => {
      const full = acquisitionsOf('sl64c4_full.bin');
      expect(full.every(({ header }) => header.nSamples === 128 && header.nChannels === 4)).toBe(true);
      expect(full.map(({ header }) => header.idx.kspaceEncodeStep1)).toEqual(full.map((_, line) => line));
      expect(acquisitionsOf('sl64c4_a2.bin').every(({ header: { idx } }) => idx.kspaceEncodeStep1 % 2 === idx.repetition)).toBe(true);
      const calibrated = acquisitionsOf('sl64c4_a2_w16_C_r2.bin');
      expect(calibrated.filter(({ header }) => hasFlag(header.flags, 'noiseMeasurement'))).toEqual([calibrated[0]]);
      const calibration = calibrated.filter(({ header }) =>
        flagNames(header.flags).some((name) => name.startsWith('parallelCalibration')),
      );
      const centre = Array.from({ length: 16 }, (_, i) => 24 + i);
      const fourTimes = [centre, centre, centre, centre].flat();
      expect(calibration.map(({ header }) => header.idx.kspaceEncodeStep1)).toEqual(fourTimes);
      const [first] = acquisitionsOf('sl64c4_traj.bin');
      expect(first!.header.trajectoryDimensions).toBe(2);
      expect(first!.trajectory).toHaveLength(2 * 128);
      expect(first!.trajectory.every((value) => Math.abs(value) <= 0.5)).toBe(true);
    });

    it('have headers and attributes that can be read', () => {
      for (const { name } of captures) {
        for (const message of parseMessages(golden(name))) {
          if (message.kind === 'header') expect(parseHeader(message.xml).encoding).toHaveLength(1);
          if (message.kind === 'image') expect(() => parseMeta(message.image.attributes)).not.toThrow();
        }
      }
    });

    it('hold images of all types, as the Python library wrote them', () => {
      interface Expected {
        data_type: number;
        matrix: number[];
        channels: number;
        sum_re: number;
        sum_im: number;
        first: [number, number];
        attr_len: number;
      }
      const expected = JSON.parse(golden('image_types.expected.json').toString()) as Expected[];
      const types: ImageDataTypeName[] = ['uint16', 'int16', 'uint32', 'int32', 'float32', 'float64', 'complex64', 'complex128'];
      const images = parseMessages(golden('image_types.bin')).flatMap((message) => (message.kind === 'image' ? [message.image] : []));
      expect(images).toHaveLength(expected.length);
      images.forEach(({ header, data, attributes }, i) => {
        const wanted = expected[i]!;
        expect(header.dataType).toBe(types[wanted.data_type - 1]);
        expect(header.matrixSize).toEqual(wanted.matrix);
        expect(header.nChannels).toBe(wanted.channels);
        expect([...attributes]).toHaveLength(wanted.attr_len);
        const nEntries = header.dataType.startsWith('complex') ? 2 : 1;
        const sum = (part: number) => Array.from(data).reduce((total, value, at) => (at % nEntries === part ? total + value : total), 0);
        expect(sum(0)).toBeCloseTo(wanted.sum_re, 3);
        if (nEntries === 2) expect(sum(1)).toBeCloseTo(wanted.sum_im, 3);
        expect([data[0], data[nEntries]]).toEqual(wanted.first);
      });
    });

    it('hold compressed samples that are within half a step of the plain ones', () => {
      const compressed = acquisitionsOf('gtclient_nhlbi16.c2s.bin');
      const plain = acquisitionsOf('gtclient_invertcontrast.c2s.bin');
      compressed.forEach(({ data, header }, line) => {
        const wanted = plain[line]!;
        expect(header).toEqual(wanted.header);
        const largest = wanted.data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        const step = largest / (2 ** 15 - 1);
        data.forEach((value, i) => {
          if (Math.abs(value - wanted.data[i]!) > 0.51 * step) throw new Error(`line ${line}, float ${i}: ${value}`);
        });
      });
    });

    it('hold waveforms of 5 channels x 20 samples', () => {
      const waveforms = parseMessages(golden('raw_wave_text.bin')).filter((message) => message.kind === 'waveform');
      for (const { waveform } of waveforms) {
        expect([waveform.header.nChannels, waveform.header.nSamples, waveform.data.length]).toEqual([5, 20, 100]);
      }
    });
  });
}
