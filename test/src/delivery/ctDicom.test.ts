import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import dcmjs from 'dcmjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointOf } from '../../../imaging/index.js';
import type { Vector3 } from '../../../imaging/index.js';
import { CtScan } from '../../../simulator/index.js';
import type { CtOptions } from '../../../simulator/index.js';
import { openCtOutput } from '../../../src/delivery/index.js';
import { ball, smallFan, smallScan } from '../../simulator/ct/phantoms.js';

const subject = { key: '17', description: 'a ball of bone', bodyPart: 'LSPINE' };
const options: Partial<CtOptions> = {
  ...smallScan,
  beam: { ...smallFan, nViews: 90 },
  doseFractions: [1, 0.28, Infinity],
  kernels: ['soft', 'bone'],
  nSlices: 2,
  sliceThicknessMm: 2,
  sliceSpacingMm: 5,
  centreMm: [10, -20, 300],
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conus-ct-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function write(overrides: Partial<CtOptions> = {}, sliceIndex = 1, key = subject.key) {
  const scan = new CtScan(ball(40, [10, -20, 300], 3000), { ...options, ...overrides });
  const output = await openCtOutput(await mkdtemp(join(directory, 'series-')), scan.options, { ...subject, key }, '0.1.0');
  const slices = scan.slice(sliceIndex);
  const files = [];
  for (const slice of slices) files.push(await output.write(slice));
  const bytes = await Promise.all(files.map((file) => readFile(file)));
  const datasets = bytes.map((content): Record<string, unknown> =>
    dcmjs.data.DicomMetaDictionary.naturalizeDataset(dcmjs.data.DicomMessage.readFile(new Uint8Array(content).buffer).dict),
  );
  return { slices, files, bytes, datasets };
}

const numbers = (values: unknown) => (Array.isArray(values) ? values : [values]).map(Number);

describe('a simulated CT slice as DICOM', () => {
  it('has the HU of the slice', async () => {
    const { datasets, slices } = await write();
    datasets.forEach((dataset, index) => {
      const [pixelData] = dataset['PixelData'] as [ArrayBuffer];
      const stored = new Uint16Array(pixelData);
      const [slope, intercept] = [Number(dataset['RescaleSlope']), Number(dataset['RescaleIntercept'])];
      slices[index]!.hounsfield.forEach((value, pixel) => {
        const expected = Math.min(3071, Math.max(-1024, value));
        expect(Math.abs(stored[pixel]! * slope + intercept - expected)).toBeLessThanOrEqual(0.5);
      });
    });
    expect(Math.max(...slices[0]!.hounsfield)).toBeGreaterThan(1500);
  });

  it('lies where the slice lies', async () => {
    const { datasets, slices } = await write();
    const [dataset] = datasets;
    const { geometry } = slices[0]!;
    expect(geometry.centreMm).toEqual([10, -20, 300]);
    const [position, orientation] = [numbers(dataset!['ImagePositionPatient']), numbers(dataset!['ImageOrientationPatient'])];
    const [betweenRows, betweenColumns] = numbers(dataset!['PixelSpacing']);
    const voxel: Vector3 = [101, 17, 0];
    pointOf(geometry, voxel).forEach((coordinate, axis) => {
      const through =
        position[axis]! + voxel[0] * betweenColumns! * orientation[axis]! + voxel[1] * betweenRows! * orientation[axis + 3]!;
      expect(through).toBeCloseTo(coordinate, 6);
    });
    expect(dataset).toMatchObject({ SliceThickness: 2, SliceLocation: 300, PatientPosition: 'HFS' });
  });

  it('cannot be taken for a patient', async () => {
    const { datasets } = await write();
    for (const dataset of datasets) {
      expect(String(dataset['PatientName'])).toBe('SIMULATED^PHANTOM');
      expect(dataset).toMatchObject({
        PatientID: 'SIMULATED-17',
        SyntheticData: 'YES',
        QualityControlImage: 'YES',
        ContentQualification: 'RESEARCH',
        BurnedInAnnotation: 'NO',
        ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
      });
      for (const name of ['ImageComments', 'PatientComments']) expect(dataset[name]).toMatch(/^Simulated phantom, not a patient/);
      expect(dataset['SeriesDescription']).toMatch(/^SIMULATED/);
      expect(dataset['DerivationDescription']).toMatch(/^Simulated CT/);
    }
  });

  it('says how it was made', async () => {
    const { datasets, files } = await write();
    expect(datasets.map((dataset) => [dataset['SeriesNumber'], dataset['ConvolutionKernel'], dataset['Exposure']])).toEqual([
      [1, 'SOFT', 200], [2, 'BONE', 200], [3, 'SOFT', 56], [4, 'BONE', 56], [5, 'SOFT', undefined], [6, 'BONE', undefined],
    ]);
    expect(datasets[2]).toMatchObject({ KVP: 120, SeriesDescription: 'SIMULATED CT soft, 28 % dose', ReconstructionDiameter: 256 });
    expect(files.map((file) => basename(file)).slice(0, 2)).toEqual(['IM-0001-0002.dcm', 'IM-0002-0002.dcm']);
  });

  it('is byte for byte the same for the same seed, and has identifiers of its own for another', async () => {
    const [first, again, other, somebody] = [await write(), await write(), await write({ seed: 2 }), await write({}, 1, '18')];
    expect(again.bytes).toEqual(first.bytes);
    const uids = (run: typeof first, name: string) => new Set(run.datasets.map((dataset) => String(dataset[name])));
    const common = (name: string, a: typeof first, b: typeof first) => [...uids(a, name)].filter((uid) => uids(b, name).has(uid));
    expect(uids(first, 'SOPInstanceUID').size).toBe(6);
    expect(uids(first, 'SeriesInstanceUID').size).toBe(6);
    expect(uids(first, 'StudyInstanceUID').size).toBe(1);
    expect(uids(first, 'FrameOfReferenceUID').size).toBe(1);
    expect(common('SOPInstanceUID', first, other)).toEqual([]);
    expect(common('SeriesInstanceUID', first, other)).toEqual([]);
    expect(common('StudyInstanceUID', first, other)).toHaveLength(1);
    for (const name of ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'FrameOfReferenceUID']) {
      expect(common(name, first, somebody)).toEqual([]);
      for (const uid of uids(first, name)) expect(uid).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
    }
  });

  it('shares a series with its neighbours', async () => {
    const [feet, head] = [await write({}, 0), await write({}, 1)];
    expect(feet.datasets[0]!['SeriesInstanceUID']).toBe(head.datasets[0]!['SeriesInstanceUID']);
    expect(feet.datasets[0]!['SOPInstanceUID']).not.toBe(head.datasets[0]!['SOPInstanceUID']);
  });
});
