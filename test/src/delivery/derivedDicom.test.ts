import dcmjs from 'dcmjs';
import type { DicomElements } from 'dcmjs';
import { describe, expect, it } from 'vitest';
import { derivedDicom, dicomObjects, encodeDicom } from '../../../src/delivery/index.js';
import type { Derivation } from '../../../src/delivery/index.js';
import { header, image, settings } from './fixtures.js';

type Dataset = Record<string, unknown>;
const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
const created = new Date(2031, 0, 2, 3, 4, 5);
const item = (values: unknown, at = 0) => (values as Dataset[])[at]!;

function datasetOf(bytes: Uint8Array): Dataset {
  return DicomMetaDictionary.naturalizeDataset(DicomMessage.readFile(bytes.slice().buffer).dict);
}

const derivation: Omit<Derivation, 'sources'> = {
  imageTypeMark: 'DENOISED', isSynthetic: false, seriesMark: 'DENOISED', description: 'Denoised at 70 % by ct-denoiser 1.0.0',
  stages: [{ purpose: 'processing', manufacturer: 'Conus', modelName: 'ct-denoiser', softwareVersion: '1.0.0', modelSha256: 'ab'.repeat(32), description: 'Denoising' }],
  quality: { light: 'amber', reasons: ['noise estimated'] },
};

/** A CT slice of 3 x 4 pixels in 12 bits: HU = stored - 1024. */
function ct(overrides: Dataset = {}): Uint8Array {
  return encodeDicom({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2', SOPInstanceUID: '1.2.3.1', SeriesInstanceUID: '1.2.3.2', StudyInstanceUID: '1.2.3.3', FrameOfReferenceUID: '1.2.3.4',
    ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'], Modality: 'CT', PatientName: 'Doe^Jane', PatientID: 'P', SeriesNumber: '3', SeriesDescription: 'Spine 3.0 B70', InstanceNumber: '17',
    ImagePositionPatient: ['-10.5', '20', '-300.25'], ImageOrientationPatient: ['1', '0', '0', '0', '0.6', '0.8'], PixelSpacing: ['0.5', '0.4'], KVP: '120', ConvolutionKernel: 'B70s',
    SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', Rows: 3, Columns: 4, BitsAllocated: 16, BitsStored: 12, HighBit: 11, PixelRepresentation: 0,
    RescaleIntercept: '-1024', RescaleSlope: '1', WindowCenter: '40', WindowWidth: '400', SmallestImagePixelValue: 0,
    PixelData: new Uint16Array(12).fill(1000).buffer, _vrMap: { PixelData: 'OW', SmallestImagePixelValue: 'US' }, ...overrides,
  }, '0.1.0');
}

const make = (source: Uint8Array, values: Float32Array, over: Partial<typeof derivation> = {}) => derivedDicom({ source, values, derivation: { ...derivation, ...over }, softwareVersion: '0.1.0', created });
const values = Float32Array.of(-1024, -2000, 0, 40.4, 40.6, 3071, 5000, NaN, 100, 200, 300, 400);

describe('an image made from a DICOM image', () => {
  const { instance, bytes } = make(ct(), values);
  const dataset = datasetOf(bytes);

  it('has the given pixels in the scale and the bits of the source', () => {
    expect(Array.from(new Uint16Array((dataset['PixelData'] as [ArrayBuffer])[0]))).toEqual([0, 0, 1024, 1064, 1065, 4095, 4095, 0, 1124, 1224, 1324, 1424]);
    expect(dataset).toMatchObject({ RescaleIntercept: -1024, RescaleSlope: 1, BitsStored: 12, WindowCenter: 40 });
    expect(dataset).not.toHaveProperty('SmallestImagePixelValue');
  });

  it('lies where the source lies, in its study, of its patient, with what is known of its acquisition', () => {
    const source = datasetOf(ct());
    for (const name of ['PatientID', 'StudyInstanceUID', 'FrameOfReferenceUID', 'ImagePositionPatient', 'ImageOrientationPatient', 'PixelSpacing', 'KVP', 'ConvolutionKernel', 'InstanceNumber', 'SOPClassUID', 'Modality']) {
      expect(dataset[name]).toEqual(source[name]);
    }
    expect(String(dataset['PatientName'])).toBe('Doe^Jane');
  });

  it('says what was done, and to what', () => {
    expect(dataset).toMatchObject({
      ImageType: ['DERIVED', 'PRIMARY', 'AXIAL', 'DENOISED'], SeriesDescription: 'Spine 3.0 B70 DENOISED', SeriesNumber: 301, ContentQualification: 'RESEARCH',
      DerivationDescription: derivation.description, InstanceCreationDate: '20310102',
    });
    expect(dataset['ImageComments']).toMatch(/^quality light AMBER \(noise estimated\)/);
    expect(item(dataset['SourceImageSequence'])).toMatchObject({ ReferencedSOPInstanceUID: '1.2.3.1', ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.2' });
    expect(item(dataset['ContributingEquipmentSequence'])).toMatchObject({ ManufacturerModelName: 'ct-denoiser' });
    expect(dataset).not.toHaveProperty('SyntheticData');
    expect(dataset).toMatchObject({ SOPInstanceUID: instance.sopInstanceUid, SeriesInstanceUID: instance.seriesInstanceUid });
  });

  it('has the same identifiers when it is made again, others for other pixels, weights and sources', () => {
    const again = derivedDicom({ source: ct(), values, derivation, softwareVersion: '0.1.0', created: new Date(2040, 1, 1) });
    expect(again.instance).toEqual(instance);
    const otherPixels = make(ct(), values.map((value) => value + 1)).instance;
    expect(otherPixels.seriesInstanceUid).toBe(instance.seriesInstanceUid);
    expect(otherPixels.sopInstanceUid).not.toBe(instance.sopInstanceUid);
    const otherWeights = make(ct(), values, { stages: [{ ...derivation.stages[0]!, modelSha256: 'cd'.repeat(32) }] }).instance;
    expect(otherWeights.seriesInstanceUid).not.toBe(instance.seriesInstanceUid);
    const neighbour = make(ct({ SOPInstanceUID: '1.2.3.9' }), values).instance;
    expect(neighbour.seriesInstanceUid).toBe(instance.seriesInstanceUid);
    expect(neighbour.sopInstanceUid).not.toBe(instance.sopInstanceUid);
  });

  it('carries the mark of synthetic data on, and the equipment of the source', () => {
    const source = ct({ SyntheticData: 'YES', ContributingEquipmentSequence: [{ Manufacturer: 'ACME', PurposeOfReferenceCodeSequence: [{ CodeValue: '109101', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Acquisition Equipment' }] }] });
    const made = datasetOf(make(source, values).bytes);
    expect(made['SyntheticData']).toBe('YES');
    expect((made['ContributingEquipmentSequence'] as Dataset[]).map((stage) => stage['Manufacturer'])).toEqual(['ACME', 'Conus']);
    expect(datasetOf(make(ct(), values, { isSynthetic: true, imageTypeMark: 'SYNTHETIC', seriesMark: 'CT' }).bytes)).toMatchObject({ SyntheticData: 'YES', SeriesDescription: 'SYN Spine 3.0 B70 CT' });
  });

  it('has signed pixels where the source has, and none of its private attributes', () => {
    const [plain] = dicomObjects([image()], header(), { ...settings, pixelType: 'int16' }, { created });
    const { meta, dict } = DicomMessage.readFile(plain!.bytes.slice().buffer);
    const file = new dcmjs.data.DicomDict(meta);
    file.dict = { ...dict, '00290010': { vr: 'LO', Value: ['ACME'] }, '00291010': { vr: 'LO', Value: ['private'] } } satisfies DicomElements;
    const made = make(new Uint8Array(file.write()), Float32Array.from({ length: 120 }, (_, i) => i - 60));
    expect(new Int16Array((datasetOf(made.bytes)['PixelData'] as [ArrayBuffer])[0])[0]).toBe(-60);
    expect(Buffer.from(made.bytes).toString('latin1')).not.toContain('private');
  });

  it.each<[string, Dataset, string]>([
    ['several frames', { NumberOfFrames: '2' }, 'CONUS_ERR_DERIVED_SOURCE'],
    ['another class', { SOPClassUID: '1.2.840.10008.5.1.4.1.1.7' }, 'CONUS_ERR_DERIVED_SOURCE'],
    ['colours', { SamplesPerPixel: 3 }, 'CONUS_ERR_DERIVED_SOURCE'],
    ['another size', { Rows: 4 }, 'CONUS_ERR_IMAGE_SIZE'],
  ])('is refused for a source of %s', (_, overrides, code) => {
    expect(() => make(ct(overrides), values)).toThrow(new RegExp(code));
  });
});

describe('a denoised image of our own', () => {
  it('names the conventional one as its source, its network, and its light', () => {
    const record = {
      strengthPercent: 70, noiseSource: 'measured', light: 'green', reasons: [], residualStd: 1, edgeCorrelation: 0, largestStructure: 1, dataConsistency: true,
      modelId: 'mr-denoiser', modelVersion: '1.2.0', modelSha256: 'ef'.repeat(32),
    } as const;
    const objects = dicomObjects([image(), image({ kind: 'denoised', denoising: record }), image({ kind: 'residual', denoising: record })], header(), settings, { created });
    const [, denoised, residual] = objects.map(({ bytes }) => datasetOf(bytes));
    expect(denoised).toMatchObject({ ImageType: ['DERIVED', 'PRIMARY', 'M', 'GRAPPA', 'DENOISED'] });
    expect(residual).toMatchObject({ ImageType: ['DERIVED', 'PRIMARY', 'RESIDUAL', 'GRAPPA'] });
    for (const dataset of [denoised!, residual!]) {
      expect(item(dataset['SourceImageSequence'])['ReferencedSOPInstanceUID']).toBe(objects[0]!.instance.sopInstanceUid);
      expect(item(dataset['ContributingEquipmentSequence'], 1)).toMatchObject({ ManufacturerModelName: 'mr-denoiser', SoftwareVersions: '1.2.0' });
      expect(dataset['ImageComments']).toMatch(/^quality light GREEN/);
    }
    expect(denoised!['DerivationDescription']).toMatch(/^Denoised at 70 % by mr-denoiser 1.2.0, measured noise, measured lines put back; Conus/);
    expect([denoised, residual].map((dataset) => String(dataset!['SeriesDescription']))).toEqual([expect.stringMatching(/ DN70$/), expect.stringMatching(/ DN70 RESIDUAL$/)]);
    expect(new Set(objects.map(({ instance }) => instance.seriesInstanceUid)).size).toBe(3);
  });
});
