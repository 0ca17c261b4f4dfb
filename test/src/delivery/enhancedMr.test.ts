import dcmjs from 'dcmjs';
import { describe, expect, it } from 'vitest';
import type { Vector3 } from '../../../imaging/index.js';
import type { ReconImage } from '../../../recon/index.js';
import { dicomObjects } from '../../../src/delivery/index.js';
import type { DicomObject, DicomObjectOptions } from '../../../src/delivery/index.js';
import { header, image, obliqueGeometry, settings } from './fixtures.js';

type Dataset = Record<string, unknown>;

const created = new Date(2024, 4, 6, 8, 0, 0);
const item = (values: unknown, at = 0) => (values as Dataset[])[at]!;
const numbers = (values: unknown) => (Array.isArray(values) ? values : [values]).map(Number);

function datasetOf({ bytes }: DicomObject): Dataset {
  return dcmjs.data.DicomMetaDictionary.naturalizeDataset(dcmjs.data.DicomMessage.readFile(bytes.slice().buffer).dict);
}

/** A slice of a stack, 6 mm a slice along its normal; its pixels tell which one it is. */
function slice(index: number, overrides: { contrast?: number; repetition?: number; tilt?: boolean } = {}): ReconImage {
  const plain = obliqueGeometry(10, 12);
  const geometry = overrides.tilt === true ? { ...plain, rowDirection: plain.columnDirection, columnDirection: plain.rowDirection } : plain;
  const centreMm = geometry.centreMm.map((coordinate, axis) => coordinate + 6 * index * geometry.sliceDirection[axis]!) as unknown as Vector3;
  const counters = { slice: index, contrast: overrides.contrast ?? 0, phase: 0, repetition: overrides.repetition ?? 0, set: 0, average: 0 };
  const magnitudes = Float32Array.from({ length: 120 }, (_, i) => 10 + i + 20 * index + (overrides.repetition ?? 0));
  return image({ geometry: { ...geometry, centreMm }, counters }, magnitudes);
}

const make = (images: readonly ReconImage[], options: DicomObjectOptions = {}) => dicomObjects(images, header(), settings, { created, enhanced: true, ...options });
const framesOf = (dataset: Dataset) => dataset['PerFrameFunctionalGroupsSequence'] as Dataset[];
const contentOf = (frame: Dataset) => item(frame['FrameContentSequence']);

describe('a series as one Enhanced MR object', () => {
  const images = [slice(2), slice(0), slice(1)];
  const [object, ...others] = make(images);
  const dataset = datasetOf(object!);

  it('has a frame an image, in the order of the slices', () => {
    expect(others).toEqual([]);
    expect(object!.instance.sopClassUid).toBe('1.2.840.10008.5.1.4.1.1.4.1');
    expect(dataset).toMatchObject({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.4.1', NumberOfFrames: 3, Rows: 12, Columns: 10, SOPInstanceUID: object!.instance.sopInstanceUid });
    expect(framesOf(dataset).map((frame) => numbers(contentOf(frame)['DimensionIndexValues']))).toEqual([[1, 1], [1, 2], [1, 3]]);
    const stored = new Uint16Array((dataset['PixelData'] as [ArrayBuffer])[0]);
    expect(stored).toHaveLength(3 * 120);
    // Each frame's pixels are those of the classic object of its slice.
    const classic = dicomObjects(images, header(), settings, { created }).map(datasetOf);
    [1, 2, 0].forEach((at, frame) => {
      expect(stored.slice(120 * frame, 120 * (frame + 1))).toEqual(new Uint16Array((classic[at]!['PixelData'] as [ArrayBuffer])[0]));
      expect(numbers(item(framesOf(dataset)[frame]!['PlanePositionSequence'])['ImagePositionPatient'])).toEqual(numbers(classic[at]!['ImagePositionPatient']));
    });
  });

  it('says once what all frames share, in the patient as in the classic objects', () => {
    const shared = item(dataset['SharedFunctionalGroupsSequence']);
    const classic = datasetOf(dicomObjects([slice(0)], header(), settings, { created })[0]!);
    // The first image of a series sets its window.
    const first = datasetOf(dicomObjects(images, header(), settings, { created })[0]!);
    expect(numbers(item(shared['PlaneOrientationSequence'])['ImageOrientationPatient'])).toEqual(numbers(classic['ImageOrientationPatient']));
    expect(numbers(item(shared['PixelMeasuresSequence'])['PixelSpacing'])).toEqual(numbers(classic['PixelSpacing']));
    expect(item(shared['RealWorldValueMappingSequence'])['RealWorldValueSlope']).toBe(item(classic['RealWorldValueMappingSequence'])['RealWorldValueSlope']);
    expect(Number(item(shared['PixelValueTransformationSequence'])['RescaleSlope'])).toBe(item(classic['RealWorldValueMappingSequence'])['RealWorldValueSlope']);
    // Windows are in what that transformation gives.
    const slope = Number(item(shared['PixelValueTransformationSequence'])['RescaleSlope']);
    expect(Number(item(shared['FrameVOILUTSequence'])['WindowWidth'])).toBeCloseTo(slope * Number(first['WindowWidth']), 6);
    expect(item(shared['MREchoSequence'])['EffectiveEchoTime']).toBe(82.1);
    for (const name of ['RepetitionTime', 'InversionTime', 'MagneticFieldStrength', 'ParallelAcquisition', 'ParallelReductionFactorInPlane', 'ParallelAcquisitionTechnique', 'PartialFourier', 'PatientID', 'StudyInstanceUID', 'FrameOfReferenceUID', 'PatientPosition', 'ContentQualification', 'DerivationDescription', 'ContentDate']) {
      expect(dataset[name]).toEqual(classic[name]);
    }
    expect(dataset['SeriesInstanceUID']).not.toBe(classic['SeriesInstanceUID']);
    expect(dataset['ImageType']).toEqual(['DERIVED', 'PRIMARY', 'STATIC', 'NONE']);
  });

  it('is the same object in whatever order its images came, and another one with other pixels', () => {
    expect(make([...images].reverse())[0]!.instance).toEqual(object!.instance);
    expect(make([slice(2), slice(0)])[0]!.instance.sopInstanceUid).not.toBe(object!.instance.sopInstanceUid);
  });

  it('has dimensions that name attributes of its frames', () => {
    const dimensions = dataset['DimensionIndexSequence'] as Dataset[];
    expect(dimensions).toHaveLength(2);
    const organization = item(dataset['DimensionOrganizationSequence'])['DimensionOrganizationUID'];
    for (const dimension of dimensions) expect(dimension['DimensionOrganizationUID']).toBe(organization);
    expect(dimensions.map((dimension) => dimension['DimensionIndexPointer'])).toEqual([0x00209056, 0x00209057]);
  });
});

describe('images of one place', () => {
  it('are counted in time, and those of an echo of its own are an object of its own', () => {
    const images = [0, 1].flatMap((repetition) => [slice(0, { repetition }), slice(1, { repetition })]);
    const [object] = make(images);
    expect(framesOf(datasetOf(object!)).map((frame) => numbers(contentOf(frame)['DimensionIndexValues']))).toEqual([[1, 1, 1], [1, 1, 2], [1, 2, 1], [1, 2, 2]]);
    const echoes = make([slice(0), slice(0, { contrast: 1 }), slice(1, { contrast: 1 }), slice(1)]).map(datasetOf);
    expect(echoes.map((dataset) => item(item(dataset['SharedFunctionalGroupsSequence'])['MREchoSequence'])['EffectiveEchoTime'])).toEqual([82.1, 120]);
    expect(echoes.map((dataset) => dataset['NumberOfFrames'])).toEqual([2, 2]);
    expect(new Set(echoes.map((dataset) => dataset['SeriesInstanceUID'])).size).toBe(1);
  });
});

describe('slices of two directions', () => {
  it('are two stacks, each with its own orientation', () => {
    const dataset = datasetOf(make([slice(0), slice(1), slice(0, { tilt: true }), slice(1, { tilt: true })])[0]!);
    expect(framesOf(dataset).map((frame) => contentOf(frame)['StackID'])).toEqual(['1', '1', '2', '2']);
    expect(framesOf(dataset).map((frame) => contentOf(frame)['InStackPositionNumber'])).toEqual([1, 2, 1, 2]);
    expect(item(dataset['SharedFunctionalGroupsSequence'])).not.toHaveProperty('PlaneOrientationSequence');
    const orientations = framesOf(dataset).map((frame) => JSON.stringify(item(frame['PlaneOrientationSequence'])['ImageOrientationPatient']));
    expect(new Set(orientations).size).toBe(2);
  });
});

describe('images without geometry', () => {
  it('stay single, as Secondary Capture', () => {
    const objects = make([slice(0), image({ geometry: undefined })]);
    expect(objects.map(({ instance }) => instance.sopClassUid)).toEqual(['1.2.840.10008.5.1.4.1.1.7', '1.2.840.10008.5.1.4.1.1.4.1']);
  });
});
