import dcmjs from 'dcmjs';
import type { DicomElements } from 'dcmjs';
import type { MrdHeader } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import type { ReconImage } from '../../../recon/index.js';
import { fileOf } from '../../../src/delivery/dicomFile.js';
import { dicomObjects, EXPLICIT_VR_LITTLE_ENDIAN, rawDataIdentity } from '../../../src/delivery/index.js';
import type { DeliverySettings, Derivation, DicomObject, DicomObjectOptions } from '../../../src/delivery/index.js';
import { header, image, obliqueGeometry, settings } from './fixtures.js';

type Dataset = Record<string, unknown>;

function datasetOf({ bytes }: DicomObject): Dataset {
  const { dict } = dcmjs.data.DicomMessage.readFile(new Uint8Array(bytes).buffer);
  return dcmjs.data.DicomMetaDictionary.naturalizeDataset(dict);
}

const item = (values: unknown) => (values as Dataset[])[0]!;
const created = new Date(2024, 4, 6, 8, 0, 0);

const slice = (index: number, overrides: Partial<ReconImage> = {}) =>
  image({ counters: { slice: index, contrast: 0, phase: 0, repetition: 0, set: 0, average: 0 }, ...overrides });

function instances(
  images: readonly ReconImage[],
  from: MrdHeader | 'no header' = header(),
  overrides: Partial<DeliverySettings> = {},
  options: DicomObjectOptions = {},
) {
  const objects = dicomObjects(images, from === 'no header' ? undefined : from, { ...settings, ...overrides }, { created, ...options });
  return objects.map(({ instance }) => instance);
}

describe('a scan that is reconstructed again', () => {
  const images = [slice(0), slice(1), slice(1, { kind: 'gFactor' }), slice(2, { geometry: undefined })];

  it('gives the same objects, byte for byte', () => {
    const [first, second] = [dicomObjects(images, header(), settings, { created }), dicomObjects(images, header(), settings, { created })];
    expect(second).toEqual(first);
  });

  it('gives the same identifiers at another time, and differs in the moment of creation only', () => {
    const later = dicomObjects(images, header(), settings, { created: new Date(2031, 0, 2, 3, 4, 5) });
    dicomObjects(images, header(), settings, { created }).forEach((object, i) => {
      expect(later[i]!.instance).toEqual(object.instance);
      const [before, after] = [datasetOf(object), datasetOf(later[i]!)];
      const changed = Object.keys(before).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
      expect(changed.sort()).toEqual(['ContributingEquipmentSequence', 'InstanceCreationDate', 'InstanceCreationTime']);
    });
  });

  it('gives the same instances in whatever order its slices come', () => {
    const known = new Map(dicomObjects(images.slice(0, 2), header(), settings, { created }).map((object) => [object.instance.sopInstanceUid, datasetOf(object)['InstanceNumber']]));
    for (const object of dicomObjects(images.slice(0, 2).reverse(), header(), settings, { created })) {
      expect(known.get(object.instance.sopInstanceUid)).toBe(datasetOf(object)['InstanceNumber']);
    }
    expect([...known.values()]).toEqual([1, 2]);
  });
});

describe('identifiers', () => {
  const uidsOf = (one: { studyInstanceUid: string; seriesInstanceUid: string; sopInstanceUid: string }) => [one.studyInstanceUid, one.seriesInstanceUid, one.sopInstanceUid];
  const [reference] = instances([image()]);

  it('are valid, and one an instance', () => {
    const all = instances([slice(0), slice(1), slice(0, { kind: 'noise' }), slice(0, { kind: 'coilMap', coil: 0 }), slice(0, { kind: 'coilMap', coil: 1 })], 'no header');
    expect(new Set(all.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(5);
    expect(new Set(all.map(({ seriesInstanceUid }) => seriesInstanceUid)).size).toBe(3);
    expect(new Set(all.map(({ studyInstanceUid }) => studyInstanceUid)).size).toBe(1);
    for (const uid of all.flatMap(uidsOf)) expect(uid).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
  });

  it('are new for new pixels, in the same series', () => {
    const magnitudes = Array.from({ length: 120 }, (_, i) => (i === 60 ? 42 : (100 * (i + 1)) / 120));
    const [changed] = instances([image({}, magnitudes)]);
    expect(changed!.seriesInstanceUid).toBe(reference!.seriesInstanceUid);
    expect(changed!.sopInstanceUid).not.toBe(reference!.sopInstanceUid);
  });

  it('are new for the same pixels elsewhere', () => {
    const geometry = obliqueGeometry(10, 12);
    const [moved] = instances([image({ geometry: { ...geometry, centreMm: [12.5, -48.25, 103.76] } })]);
    expect(moved!.sopInstanceUid).not.toBe(reference!.sopInstanceUid);
  });

  it.each<[string, Partial<DeliverySettings>]>([
    ['other software', { softwareVersion: '0.2.0' }],
    ['other parameters', { parameters: { combine: 'rss' } }],
    ['another chain', { chain: 'full' }],
    ['other raw data', { rawDataIdentity: 'another' }],
    ['another pixel type', { pixelType: 'int16' }],
  ])('name another series for %s, in the same study', (_, overrides) => {
    const [other] = instances([image()], header(), overrides);
    expect(other!.studyInstanceUid).toBe(reference!.studyInstanceUid);
    expect(other!.seriesInstanceUid).not.toBe(reference!.seriesInstanceUid);
  });

  it('do not depend on the order in which parameters are listed', () => {
    const one = instances([image()], header(), { parameters: { a: 1, b: 2 } });
    expect(instances([image()], header(), { parameters: { b: 2, a: 1 } })).toEqual(one);
  });

  it('of raw data follow from header, measurement and samples', () => {
    const first = { measurementUid: 1, acquisitionTimeStamp: 2 } as Parameters<typeof rawDataIdentity>[1];
    const samples = Float32Array.of(1, 2, 3, 4);
    const identity = rawDataIdentity(header(), first, samples);
    expect(identity).toMatch(/^[0-9a-f]{64}$/);
    const shared = new Float32Array(new SharedArrayBuffer(16));
    shared.set(samples);
    expect(rawDataIdentity(header(), first, shared)).toBe(identity);
    const others = [
      rawDataIdentity(header({ center: 3 }), first, samples),
      rawDataIdentity(header(), { ...first, measurementUid: 2 }, samples),
      rawDataIdentity(header(), first, Float32Array.of(1, 2, 3, 5)),
    ];
    expect(new Set([identity, ...others]).size).toBe(4);
  });

  describe('of the study', () => {
    const withoutUid = (study: Partial<NonNullable<MrdHeader['studyInformation']>>, patientID = 'P-17'): MrdHeader => ({
      ...header(),
      subjectInformation: { patientName: 'A', patientID },
      studyInformation: study,
    });
    const studyOf = (from: MrdHeader, rawDataIdentity: string) => instances([image()], from, { rawDataIdentity })[0]!.studyInstanceUid;

    it("is the header's where it has a valid one", () => {
      expect(reference!.studyInstanceUid).toBe('1.2.826.0.1.3680043.8.498.1');
      expect(studyOf(withoutUid({ studyInstanceUID: '1.02' }), 'x')).toMatch(/^2\.25\./);
    });

    it('is shared by scans of one patient and visit, and by no others', () => {
      const visit = { studyDate: '2024-05-06', studyTime: '07:08:09' };
      const known = studyOf(withoutUid(visit), 'scan 1');
      expect(studyOf(withoutUid(visit), 'scan 2')).toBe(known);
      const others = [studyOf(withoutUid(visit, 'P-18'), 'scan 1'), studyOf(withoutUid({ ...visit, studyTime: '09:00:00' }), 'scan 1')];
      expect(new Set([known, ...others]).size).toBe(3);
    });

    it('is not shared where the patient or the visit is not named', () => {
      for (const from of [withoutUid({ studyDate: '2024-05-06' }), withoutUid({ studyDate: '2024-05-06', studyTime: '07:08:09' }, '')]) {
        expect(studyOf(from, 'scan 1')).not.toBe(studyOf(from, 'scan 2'));
      }
    });
  });
});

describe('an image that was derived', () => {
  const denoised: Derivation = {
    imageTypeMark: 'DENOISED',
    isSynthetic: false,
    seriesMark: 'DENOISED 70%',
    description: 'Denoised at 70 % by mr-denoiser 1.2.0',
    stages: [
      { purpose: 'processing', manufacturer: 'Conus', modelName: 'mr-denoiser', softwareVersion: '1.2.0', modelSha256: 'ab'.repeat(32), description: 'Denoising at 70 %' },
    ],
    sources: [{ sopClassUid: '1.2.840.10008.5.1.4.1.1.4', sopInstanceUid: '2.25.4711', seriesInstanceUid: '2.25.47' }],
    quality: { light: 'amber', reasons: ['edges in the residual'] },
  };
  const synthetic: Derivation = {
    ...denoised,
    imageTypeMark: 'SYNTHETIC',
    isSynthetic: true,
    seriesMark: 'STIR',
    description: 'Synthetic STIR',
    stages: [...denoised.stages, { purpose: 'synthesizing', manufacturer: 'Conus', modelName: 'mr-maps', softwareVersion: '2.0.0', modelSha256: 'cd'.repeat(32), description: 'Tissue parameter maps' }],
  };
  const make = (derivation?: Derivation, source = image()) =>
    dicomObjects([source], header(), settings, { created, ...(derivation && { derivationOf: () => derivation }) })[0]!;

  it('says so, names the sources, the stages and the networks, and shows its light first', () => {
    const dataset = datasetOf(make(denoised));
    expect(dataset).toMatchObject({
      ImageType: ['DERIVED', 'PRIMARY', 'M', 'GRAPPA', 'DENOISED'],
      SeriesDescription: 't2_tse_sag DENOISED 70%',
      ContentQualification: 'RESEARCH',
      FrameOfReferenceUID: '1.2.826.0.1.3680043.8.498.2',
      StudyInstanceUID: '1.2.826.0.1.3680043.8.498.1',
    });
    expect(dataset).not.toHaveProperty('SyntheticData');
    expect(dataset['DerivationDescription']).toMatch(/^Denoised at 70 % by mr-denoiser 1.2.0; Conus/);
    expect(dataset['ImageComments']).toMatch(/^quality light AMBER \(edges in the residual\)/);
    const source = item(dataset['SourceImageSequence']);
    expect(source).toMatchObject({ ReferencedSOPInstanceUID: '2.25.4711', ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4' });
    expect(item(source['PurposeOfReferenceCodeSequence'])).toMatchObject({ CodeValue: '121322', CodingSchemeDesignator: 'DCM' });
    const [reconstruction, denoising] = dataset['ContributingEquipmentSequence'] as Dataset[];
    expect(reconstruction).toMatchObject({ ManufacturerModelName: 'Conus' });
    expect(denoising).toMatchObject({ Manufacturer: 'Conus', ManufacturerModelName: 'mr-denoiser', SoftwareVersions: '1.2.0' });
    expect(denoising!['ContributionDescription']).toContain('ab'.repeat(32));
    expect(item(denoising!['PurposeOfReferenceCodeSequence'])['CodeValue']).toBe('109102');
  });

  it('is marked where nobody measured it', () => {
    const dataset = datasetOf(make(synthetic));
    expect(dataset).toMatchObject({ SyntheticData: 'YES', SeriesDescription: 'SYN t2_tse_sag STIR' });
    expect(dataset['ImageComments']).toMatch(/^SYNTHETIC/);
    const stages = dataset['ContributingEquipmentSequence'] as Dataset[];
    expect(stages.map((stage) => item(stage['PurposeOfReferenceCodeSequence'])['CodeValue'])).toEqual(['109102', '109102', '109100']);
  });

  it('keeps its marks whatever the series is called', () => {
    const named = { ...settings, seriesDescription: 'ä'.repeat(100) };
    const [object] = dicomObjects([image()], header(), named, { created, derivationOf: () => synthetic });
    const description = String(datasetOf(object!)['SeriesDescription']);
    expect(description).toMatch(/^SYN ä+ STIR$/);
    expect(Buffer.byteLength(description)).toBeLessThanOrEqual(64);
  });

  it('is another series than its source, and another one with other weights', () => {
    const other = { ...denoised, stages: [{ ...denoised.stages[0]!, modelSha256: 'ef'.repeat(32) }] };
    const objects = [make(), make(denoised), make(other)];
    expect(new Set(objects.map(({ instance }) => instance.seriesInstanceUid)).size).toBe(3);
    const devices = [denoised, other].map((derivation) => (datasetOf(make(derivation))['ContributingEquipmentSequence'] as Dataset[])[1]!['DeviceUID']);
    expect(devices[0]).toMatch(/^2\.25\./);
    expect(devices[1]).not.toBe(devices[0]);
    expect(datasetOf(make({ ...denoised }))['ContributingEquipmentSequence']).toEqual(datasetOf(make(denoised))['ContributingEquipmentSequence']);
  });
});

describe('dates and places', () => {
  it('are those of the scan where it is known', () => {
    const dataset = datasetOf(dicomObjects([image()], header(), settings, { created })[0]!);
    expect(dataset).toMatchObject({ ContentDate: '20240506', ContentTime: '072000' });
    const unknown = datasetOf(dicomObjects([image()], undefined, settings, { created })[0]!);
    expect(unknown).toMatchObject({ ContentDate: '20240506', ContentTime: '080000' });
  });

  it('number images by their counters within the limits of the header', () => {
    const limited = header();
    limited.encoding[0]!.encodingLimits.contrast = { minimum: 0, maximum: 1, center: 0 };
    const at = (slice: number, contrast: number) => image({ counters: { slice, contrast, phase: 0, repetition: 0, set: 0, average: 0 } });
    const numbers = dicomObjects([at(2, 0), at(0, 1), at(0, 0), at(1, 1)], limited, settings, { created }).map((object) => datasetOf(object)['InstanceNumber']);
    expect(numbers).toEqual([5, 2, 1, 4]);
    // Beyond the limits: in the order of their coming.
    expect(datasetOf(dicomObjects([at(2, 2)], limited, settings, { created })[0]!)['InstanceNumber']).toBe(1);
  });

  it('tell the acceleration along the partitions', () => {
    const dataset = datasetOf(dicomObjects([image({ accelerationPhase: 1, accelerationSlice: 2 })], header(), settings, { created })[0]!);
    expect(dataset).toMatchObject({ ParallelAcquisition: 'YES', ParallelReductionFactorInPlane: 1, ParallelReductionFactorOutOfPlane: 2 });
  });
});

describe('a file', () => {
  const elements = (): DicomElements => dcmjs.data.DicomMetaDictionary.denaturalizeDataset({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4', SOPInstanceUID: '1.2.3.4', SpecificCharacterSet: 'ISO_IR 192', PatientName: 'Ängström^Åsa',
    Rows: 3, SliceThickness: '1.5', ImageType: ['DERIVED', 'PRIMARY'], WindowCenter: [], ReferencedSeriesSequence: [],
    SharedFunctionalGroupsSequence: [{ PixelMeasuresSequence: [{ PixelSpacing: ['0.7', '0.7'] }], PlaneOrientationSequence: [{ ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'] }] }],
    PerFrameFunctionalGroupsSequence: [1, 2, 3].map((segment) => ({ FrameContentSequence: [{ DimensionIndexValues: [segment, 1] }], SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment }, {}] })),
    PixelData: Uint8Array.of(1, 2, 3, 4).buffer, _vrMap: { PixelData: 'OB' },
  });

  it('is byte for byte what dcmjs alone writes', () => {
    for (const leftOut of [[], ['7FE00010'], ['52009230', '52009229']]) {
      const own = Object.fromEntries(Object.entries(elements()).filter(([tag]) => !leftOut.includes(tag)));
      const bytes = fileOf(own, EXPLICIT_VR_LITTLE_ENDIAN, '0.1.0');
      const { meta } = dcmjs.data.DicomMessage.readFile(new Uint8Array(bytes).buffer);
      const file = new dcmjs.data.DicomDict(meta);
      file.dict = own;
      expect(Buffer.from(bytes).equals(Buffer.from(file.write()))).toBe(true);
    }
  });
});
