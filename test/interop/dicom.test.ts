/** Our DICOM files before two judges: dicom3tools' dciodvfy and dcmtk's dcmdump. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MrdHeader } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointOf } from '../../imaging/index.js';
import type { ReconImage } from '../../recon/index.js';
import { dicomObjects, openOutput, Pseudonymiser, pseudonymiseDicom, syntheticDicom } from '../../src/delivery/index.js';
import type { DeliverySettings, Derivation } from '../../src/delivery/index.js';
import { header, image, obliqueGeometry, settings, subjects, syntheticSeries } from '../src/delivery/fixtures.js';
import { runPython } from './peers.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conus-dicom-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function write(
  source: ReconImage,
  from: MrdHeader | undefined,
  overrides: Partial<DeliverySettings> = {},
): Promise<string> {
  const output = await openOutput(await mkdtemp(join(directory, 'series-')), from, { ...settings, ...overrides });
  await output.write(source);
  const { files } = await output.close();
  return files[0]!;
}

/** Both outputs of a tool; a tool that is not there is a failure. */
function run(tool: string, ...args: string[]): string {
  const { error, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

/** Of the classic object, at the root of the multi-frame one (src/delivery/enhancedMr.ts). */
const beside = ['0x0008,0x2111', '0x0018,0x9025', '0x0018,0x0080', '0x0018,0x0082', '0x0018,0x0084', '0x0018,0x0091', '0x0018,0x1314'];

function expectValid(file: string, iod: 'MRImage' | 'CTImage' | 'SCImage' | 'EnhancedMRImage'): void {
  // SyntheticData came into PS3.6 after the dictionary of the dciodvfy that Debian has.
  const lines = run('dciodvfy', file).split('\n').filter((line) => !/\(0x0008,0x001c\)/.test(line));
  expect(lines).toContain(iod);
  expect(lines.filter((line) => /^(Error|Abort)/.test(line))).toEqual([]);
  // What is beyond the standard's own list must be what we meant to add, and nothing else.
  const extended = lines.flatMap((line) => /not present in standard DICOM IOD - \((\S+)\)/.exec(line)?.[1] ?? []);
  const meant = ['0x0018,0x9069', '0x0018,0x9155', '0x0018,0x1002', '0x0018,0x9077', '0x0018,0x9078', '0x0018,0x9081', ...(iod === 'EnhancedMRImage' ? beside : [])];
  expect(extended.filter((tag) => !meant.includes(tag))).toEqual([]);
}

const images: Record<string, ReconImage> = {
  'an accelerated image': image(),
  'a fully sampled image': image({ method: 'full', accelerationPhase: 1, nCalibrationLines: 0 }),
  'a zero-filled image': image({ method: 'zeroFilled', nMissingLines: 40, hasPhase: false }),
  'an image in arbitrary units': image({ snrUnits: false }),
  'a g-factor map': image({ kind: 'gFactor' }),
  'a noise map': image({ kind: 'noise' }),
};

describe('dciodvfy finds no error in', () => {
  for (const [name, source] of Object.entries(images)) {
    it(name, async () => {
      expectValid(await write(source, header()), 'MRImage');
      expectValid(await write(source, undefined), 'MRImage');
      expectValid(await write({ ...source, geometry: undefined }, header()), 'SCImage');
      expectValid(await write({ ...source, geometry: undefined }, undefined), 'SCImage');
    });
  }

  it('a denoised and a synthetic image', async () => {
    const stage = { manufacturer: 'Conus', modelName: 'mr-denoiser', softwareVersion: '1.2.0', modelSha256: 'ab'.repeat(32), description: 'a network' } as const;
    const denoised: Derivation = {
      imageTypeMark: 'DENOISED', isSynthetic: false, seriesMark: 'DENOISED 70%', description: 'Denoised at 70 %',
      stages: [{ ...stage, purpose: 'processing' }],
      sources: [{ sopClassUid: '1.2.840.10008.5.1.4.1.1.4', sopInstanceUid: '2.25.4711', seriesInstanceUid: '2.25.47' }],
      quality: { light: 'red', reasons: ['structure in the residual'] },
    };
    const synthetic: Derivation = { ...denoised, imageTypeMark: 'SYNTHETIC', isSynthetic: true, seriesMark: 'STIR', stages: [{ ...stage, purpose: 'synthesizing' }] };
    for (const derivation of [denoised, synthetic]) {
      for (const source of [image(), image({ accelerationSlice: 2 })]) {
        const [object] = dicomObjects([source], header(), settings, { derivationOf: () => derivation });
        const file = join(await mkdtemp(join(directory, 'derived-')), 'image.dcm');
        await writeFile(file, object!.bytes);
        expectValid(file, 'MRImage');
      }
    }
  });

  it('synthetic series and their maps, of a known patient and of nobody, and under a pseudonym', async () => {
    const folder = await mkdtemp(join(directory, 'synthetic-'));
    let n = 0;
    for (const subject of subjects) {
      const computed = syntheticSeries('low', subject);
      const ofCt = (['image', 'low', 'high'] as const).map((kind) => ({ ...computed, kind, modality: 'CT' as const, description: 'CT' }));
      const ofMr = (['image', 'low', 'high', 'fatFraction', 'pairResidual'] as const).map((kind) => syntheticSeries(kind, subject));
      const saturated = { ...ofMr[0]!, sequence: { trMs: 3500, teMs: 80, echoTrainLength: 15, echoSpacingMs: 10, isFatSaturated: true } };
      for (const series of [...ofMr, saturated, ...ofCt]) {
        const objects = syntheticDicom(series, new Date());
        expect(objects).toHaveLength(3);
        const enhanced = syntheticDicom(series, new Date(), { enhanced: true });
        expect(enhanced).toHaveLength(series.modality === 'CT' ? 3 : 1);
        for (const [[one], iod] of [[objects, series.modality === 'CT' ? 'CTImage' : 'MRImage'], [enhanced, series.modality === 'CT' ? 'CTImage' : 'EnhancedMRImage']] as const) {
          const { bytes } = one!;
          for (const shown of [bytes, pseudonymiseDicom(bytes, new Pseudonymiser(new Uint8Array(32).fill(1), 'remove'), 'test')]) {
            const file = join(folder, `${n++}.dcm`);
            await writeFile(file, shown);
            expectValid(file, iod);
          }
        }
      }
    }
  });

  it('and highdicom the very volume in, a synthetic series as one object', async () => {
    const folder = await mkdtemp(join(directory, 'volumes-'));
    const all = (['image', 'low', 'high', 'fatFraction', 'pairResidual'] as const).map((kind) => syntheticSeries(kind, subjects[0]!));
    const files = all.map(({ kind }) => join(folder, `${kind}.dcm`));
    for (const [index, series] of all.entries()) await writeFile(files[index]!, syntheticDicom(series, new Date(), { enhanced: true })[0]!.bytes);
    const read = JSON.parse((await runPython('multiFrame.py', ...files)).toString()) as readonly {
      affine: number[][]; shape: number[]; values: number[]; realWorld: number[]; synthetic: string; imageType: string[]; frameType: string[]; sources: string[];
    }[];
    for (const [index, { volume: { geometry, data }, derivation }] of all.entries()) {
      const { affine, shape, values, realWorld, synthetic, imageType, frameType, sources } = read[index]!;
      const [columns, rows, slices] = geometry.matrixSize;
      expect(shape).toEqual([slices, rows, columns]);
      const placeOf = (k: number, j: number, i: number) => [0, 1, 2].map((axis) => affine[axis]![0]! * k + affine[axis]![1]! * j + affine[axis]![2]! * i + affine[axis]![3]!);
      // It counts slices from the other end where that makes right-handed axes.
      const isReversed = Math.hypot(...placeOf(0, 0, 0).map((coordinate, axis) => coordinate - pointOf(geometry, [0, 0, 0])[axis]!)) > 1;
      const own = (slice: number) => (isReversed ? slices - 1 - slice : slice);
      for (const [k, j, i] of [[0, 0, 0], [slices - 1, 0, 0], [0, rows - 1, 0], [1, 2, columns - 1]] as const) {
        pointOf(geometry, [i, j, own(k)]).forEach((coordinate, axis) => expect(placeOf(k, j, i)[axis]).toBeCloseTo(coordinate, 4));
      }
      const nPixels = rows * columns;
      values.forEach((value, voxel) => expect(Math.abs(value - data[own(Math.floor(voxel / nPixels)) * nPixels + (voxel % nPixels)]!)).toBeLessThan(0.0051));
      expect(realWorld).toEqual(values);
      expect([synthetic, imageType[0], frameType]).toEqual(['YES', 'DERIVED', imageType]);
      expect(sources).toEqual(derivation.sources.map(({ sopInstanceUid }) => sopInstanceUid));
    }
  });

  it('multi-frame objects, with and without a header, of images and maps, plain and derived, and under a pseudonym', async () => {
    const stage = { manufacturer: 'Conus', modelName: 'mr-maps', softwareVersion: '1.2.0', modelSha256: 'ab'.repeat(32), description: 'a network', purpose: 'synthesizing' } as const;
    const derivation: Derivation = {
      imageTypeMark: 'SYNTHETIC', isSynthetic: true, seriesMark: 'STIR', description: 'Synthetic STIR', stages: [stage],
      sources: [{ sopClassUid: '1.2.840.10008.5.1.4.1.1.4', sopInstanceUid: '2.25.4711', seriesInstanceUid: '2.25.47' }],
    };
    const slice = (index: number, kind: ReconImage['kind'], repetition: number) => {
      const geometry = obliqueGeometry(10, 12);
      const [x, y, z] = geometry.centreMm;
      const [dx, dy, dz] = geometry.sliceDirection;
      const centreMm = [x + 6 * index * dx, y + 6 * index * dy, z + 6 * index * dz] as const;
      return image({ kind, geometry: { ...geometry, centreMm }, counters: { slice: index, contrast: 0, phase: 0, repetition, set: 0, average: 0 } });
    };
    const key = new Uint8Array(32).fill(1);
    const options = [{}, { derivationOf: () => derivation }, { pseudonymiser: new Pseudonymiser(key, 'remove') }, { pseudonymiser: new Pseudonymiser(key, 'shift'), derivationOf: () => derivation }];
    const folder = await mkdtemp(join(directory, 'enhanced-'));
    let n = 0;
    for (const from of [header(), undefined]) {
      for (const kind of ['image', 'gFactor'] as const) {
        for (const option of options) {
          const images = [slice(0, kind, 0), slice(1, kind, 0), slice(0, kind, 1), slice(1, kind, 1)];
          const enhanced = dicomObjects(images, from, settings, { ...option, enhanced: true });
          const classic = dicomObjects(images, from, settings, option);
          expect([enhanced.length, classic.length]).toEqual([1, 4]);
          for (const [object, iod] of [[enhanced[0]!, 'EnhancedMRImage'], [classic[0]!, 'MRImage']] as const) {
            const file = join(folder, `${n++}.dcm`);
            await writeFile(file, object.bytes);
            expectValid(file, iod);
          }
        }
      }
    }
  });

  it('signed pixels', async () => {
    expectValid(await write(image(), header(), { pixelType: 'int16' }), 'MRImage');
    expectValid(await write(image(), header(), { openRecon: true }), 'MRImage');
  });

  it('any sequence', async () => {
    for (const sequenceType of ['Flash', 'SSFP', 'EPI', 'TurboSpinEcho', 'FID']) {
      expectValid(await write(image(), header({ sequenceType, center: 3 })), 'MRImage');
    }
  });

  it('a header whose texts do not fit', async () => {
    const long = 'Größe 大小 \\ \n'.repeat(60);
    const from: MrdHeader = {
      ...header(),
      subjectInformation: { patientName: long, patientID: long, patientGender: long, patientBirthdate: 'yesterday' },
      studyInformation: { studyDescription: long, studyID: long, studyDate: 'today', studyTime: 'noon', studyInstanceUID: '1.02' },
    };
    expectValid(await write(image(), from, { seriesDescription: long, chain: long }), 'MRImage');
  });
});

describe('dcmdump reads', () => {
  it('what was written, in the character set that was declared', async () => {
    const dump = run('dcmdump', '+L', await write(image(), header()));
    expect(dump).toContain('LittleEndianExplicit');
    expect(dump).toMatch(/\(0010,0010\) PN \[Müller\^Änne\]/);
    expect(dump).toMatch(/\(0008,0008\) CS \[ORIGINAL\\PRIMARY\\M\\GRAPPA\]/);
    expect(dump).toMatch(/\(0018,9069\) FD 2 /);
    expect(dump).toMatch(/\(0018,9078\) CS \[GRAPPA\]/);
    expect(dump).toMatch(/\(0008,0100\) SH \[109102\]/);
    expect(dump).toMatch(/\(0040,9225\) FD 0\.1 /);
    expect(dump).not.toMatch(/^[EWF]: /m);
  });
});
