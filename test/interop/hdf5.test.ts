/** Our headers and HDF5 files before Debian's C++ tools and the ismrmrd package for Python, and theirs before us. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createMrdFile, openMrdFile, parseHeader, parseMeta, serializeHeader, serializeMeta } from 'ismrmrd';
import type { Acquisition, MrdHeader, MrdImage, Waveform } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headers, smallHeader } from '../ismrmrd/mrdHeaders.js';
import { acquisition, acquisitions, imageDataTypes, imagesOf, waveforms } from '../ismrmrd/mrdRecords.js';
import { python, run } from './peers.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-hdf5-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Content {
  readonly xml: string;
  readonly raw: readonly Acquisition[];
  readonly waves: readonly Waveform[];
  readonly images: readonly MrdImage[];
}

async function write(path: string, { xml, raw, waves, images }: Content): Promise<void> {
  const file = await createMrdFile(path);
  file.writeHeaderXml(xml);
  for (const item of raw) file.appendAcquisition(item);
  for (const item of waves) file.appendWaveform(item);
  for (const item of images) file.appendImage(item);
  await file.close();
}

async function read(path: string): Promise<Content> {
  const file = await openMrdFile(path);
  try {
    return {
      xml: file.headerXml()!,
      raw: [...file.acquisitions()],
      waves: [...file.waveforms()],
      images: file.imageGroups.flatMap(({ name }) => [...file.images(name)]),
    };
  } finally {
    file.close();
  }
}

/** The package rewrites attributes in its own layout: what they say is compared. */
function withParsedMeta({ images, ...rest }: Content) {
  return { ...rest, images: images.map(({ attributes, ...image }) => ({ ...image, meta: [...parseMeta(attributes)] })) };
}

/** Reads every record of a file with the ismrmrd package and appends it to another. */
const copyWithPython = `
import sys
import ismrmrd
source = ismrmrd.Dataset(sys.argv[1], 'dataset', mode='r')
target = ismrmrd.Dataset(sys.argv[2], 'dataset', mode='w')
target.write_xml_header(source.read_xml_header())
for i in range(source.number_of_acquisitions()):
    target.append_acquisition(source.read_acquisition(i))
for i in range(source.number_of_waveforms()):
    target.append_waveform(source.read_waveform(i))
groups = sorted(name for name in source.list() if name.startswith('image_'))
for group in groups:
    for i in range(source.number_of_images(group)):
        target.append_image(group, source.read_image(group, i))
source.close()
target.close()
print(' '.join(groups))
`;

describe('the ismrmrd package for Python', () => {
  it('copies our files without a change, and we read its files', async () => {
    const nonEmpty = acquisitions.filter(({ header }) => header.nSamples > 0 && header.nChannels > 0);
    const content = fc.record({
      xml: headers.map(serializeHeader),
      raw: fc.array(nonEmpty, { minLength: 1, maxLength: 20 }),
      waves: fc.array(waveforms.filter(({ data }) => data.length > 0), { minLength: 1, maxLength: 8 }),
      // The package maps int32 to int64, which MRD does not have.
      images: fc.tuple(...imageDataTypes.filter((type) => type !== 'int32').map((type) => imagesOf(type, [4, 3, 2], 2))),
    });
    const attributes = serializeMeta({ ImageComments: 'Lendenwirbelsäule 腰椎 <1>', ImageRowDir: [1, 0, 0] });
    for (const [i, sample] of fc.sample(content, { numRuns: 3, seed: 20 }).entries()) {
      const expected = { ...sample, images: sample.images.map((item) => ({ ...item, attributes })) };
      const ours = join(folder, `ours${i}.h5`);
      const theirs = join(folder, `theirs${i}.h5`);
      await write(ours, expected);
      const groups = (await python(['-c', copyWithPython, ours, theirs])).toString().trim().split(' ');
      expect(groups.length).toBe(expected.images.length);
      expect(withParsedMeta(await read(theirs))).toEqual(withParsedMeta(expected));
    }
  });

  const roundTrip = `
import sys
from ismrmrd import xsd
sys.stdout.buffer.write(xsd.ToXML(xsd.CreateFromDocument(sys.stdin.buffer.read())).encode())
`;

  it('reads our headers, those with its latest elements too, and writes them alike', async () => {
    const later: MrdHeader = {
      ...smallHeader(),
      subjectInformation: { patientHeight_m: 1.75, patientName: 'Lendenwirbelsäule 腰椎' },
      sequenceParameters: {
        TR: [2000],
        TE: [30, 80],
        TI: [],
        flipAngle_deg: [150],
        echo_spacing: [],
        diffusionDimension: 'user_0',
        diffusion: [{ gradientDirection: { rl: 1, ap: 0, fh: 0 }, bvalue: 800 }],
        diffusionScheme: 'monopolar',
      },
    };
    later.encoding[0]!.encodingLimits.user_5 = { minimum: 0, maximum: 7, center: 4 };
    later.encoding[0]!.parallelImaging = {
      accelerationFactor: { kspace_encoding_step_1: 2, kspace_encoding_step_2: 1 },
      calibrationMode: 'embedded',
      multiband: {
        spacing: [{ dZ: [-10, 10] }],
        deltaKz: 0.5,
        multiband_factor: 2,
        calibration: 'separable2D',
        calibration_encoding: 0,
      },
    };
    const written = await python(['-c', roundTrip], Buffer.from(serializeHeader(later)));
    expect(parseHeader(written.toString())).toEqual(later);
  });
});

/** The centred inverse DFT of real, row-major pixels [n, n], complex interleaved: what a scanner would measure. */
function kspaceOf(pixels: Float64Array, n: number): Float64Array {
  const centre = n / 2;
  const kspace = new Float64Array(2 * n * n);
  for (let ky = 0; ky < n; ky += 1) {
    for (let kx = 0; kx < n; kx += 1) {
      for (let y = 0; y < n; y += 1) {
        for (let x = 0; x < n; x += 1) {
          const angle = (-2 * Math.PI * ((kx - centre) * (x - centre) + (ky - centre) * (y - centre))) / n;
          kspace[2 * (ky * n + kx)]! += pixels[y * n + x]! * Math.cos(angle);
          kspace[2 * (ky * n + kx) + 1]! += pixels[y * n + x]! * Math.sin(angle);
        }
      }
    }
  }
  return kspace;
}

describe("Debian's ismrmrd tools", () => {
  it('reconstruct a file that we wrote, and we read the image that they append to it', async () => {
    const n = 24;
    const nCoils = 3;
    // An L of two heights: neither symmetric nor square, so that a flip or a transposition shows.
    const pixels = Float64Array.from({ length: n * n }, (_, i) => {
      const [row, column] = [Math.floor(i / n), i % n];
      return row > 3 && row < 20 && column > 5 && column < 9 ? 1 : row > 15 && row < 20 && column > 5 && column < 18 ? 0.5 : 0;
    });
    const kspace = kspaceOf(pixels, n);
    const space = { matrixSize: { x: n, y: n, z: 1 }, fieldOfView_mm: { x: 240, y: 240, z: 5 } };
    const xml = serializeHeader({
      experimentalConditions: { H1resonanceFrequency_Hz: 63_500_000 },
      encoding: [{
        encodedSpace: space,
        reconSpace: space,
        encodingLimits: { kspace_encoding_step_1: { minimum: 0, maximum: n - 1, center: n / 2 } },
        trajectory: 'cartesian',
      }],
      waveformInformation: [],
    });
    const raw = Array.from({ length: n }, (_, line) => {
      const { header } = acquisition(n, nCoils);
      const data = Float32Array.from({ length: 2 * n * nCoils }, (_, i) => {
        const [coil, sample] = [Math.floor(i / (2 * n)), i % (2 * n)];
        return (coil + 1) * kspace[2 * n * line + sample]!;
      });
      return { header: { ...header, idx: { ...header.idx, kspaceEncodeStep1: line } }, trajectory: new Float32Array(0), data };
    });
    const path = join(folder, 'cartesian.h5');
    await write(path, { xml, raw, waves: [], images: [] });

    expect((await run('ismrmrd_recon_cartesian_2d', [path])).toString()).toMatch(/Number of acquisitions\s*: 24/);
    const { images, raw: again } = await read(path);
    expect(again).toEqual(raw);
    expect(images.length).toBe(1);
    const [{ header, data }] = images as [MrdImage];
    expect([header.matrixSize, header.nChannels]).toEqual([[n, n, 1], 1]);
    const scale = Math.max(...data) / Math.max(...pixels);
    expect(scale).toBeGreaterThan(0);
    const worst = Math.max(...data.map((value, i) => Math.abs(value / scale - pixels[i]!)));
    expect(worst).toBeLessThan(1e-5);
  });
});
