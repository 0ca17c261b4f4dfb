import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import dcmjs from 'dcmjs';
import type { DicomElements } from 'dcmjs';
import { serializeHeader } from 'ismrmrd';
import type { MrdHeader } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dicomObjects, openOutput, pseudonymiseDicom, Pseudonymiser } from '../../../src/delivery/index.js';
import type { DatePolicy, Derivation } from '../../../src/delivery/index.js';
import { header, image, settings } from './fixtures.js';

type Dataset = Record<string, unknown>;

const key = (fill: number) => new Uint8Array(32).fill(fill);
const created = new Date(2024, 4, 6, 8, 0, 0);
const { DicomMessage, DicomMetaDictionary } = dcmjs.data;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-pseudonym-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Every text that could name somebody, each of which can be found again. */
const secrets = {
  name: 'ZZNAME^ZZGIVEN', id: 'ZZPATIENTID', birthDate: '1961-02-03', accession: 'ZZACCESSION', study: 'ZZSTUDYID', description: 'ZZSTUDYDESCRIPTION',
  referring: 'ZZREFERRING', institution: 'ZZINSTITUTION', station: 'ZZSTATION', serial: 'ZZSERIAL', device: 'ZZDEVICE', protocol: 'ZZPROTOCOL', series: 'ZZSERIES',
  measurement: 'ZZMEASUREMENT', user: 'ZZUSER',
} as const;

function namedHeader(overrides: Partial<NonNullable<MrdHeader['subjectInformation']>> = {}): MrdHeader {
  const plain = header();
  return {
    ...plain,
    subjectInformation: { ...plain.subjectInformation, patientName: secrets.name, patientID: secrets.id, patientBirthdate: secrets.birthDate, ...overrides },
    studyInformation: {
      ...plain.studyInformation, accessionNumber: secrets.accession, studyID: secrets.study, studyDescription: secrets.description, referringPhysicianName: secrets.referring, bodyPartExamined: 'LSPINE',
    },
    measurementInformation: { ...plain.measurementInformation!, protocolName: secrets.protocol, seriesDescription: secrets.series, measurementID: secrets.measurement },
    acquisitionSystemInformation: {
      ...plain.acquisitionSystemInformation!, institutionName: secrets.institution, stationName: secrets.station, deviceSerialNumber: secrets.serial, deviceID: secrets.device,
    },
    userParameters: { userParameterLong: [{ name: 'n', value: 3 }], userParameterDouble: [], userParameterString: [{ name: 'who', value: secrets.user }], userParameterBase64: [] },
  };
}

const denoised: Derivation = {
  imageTypeMark: 'DENOISED', isSynthetic: false, seriesMark: 'DENOISED', description: `for ${secrets.name}`,
  stages: [{ purpose: 'processing', manufacturer: 'Conus', modelName: 'mr-denoiser', softwareVersion: '1.2.0', modelSha256: 'ab'.repeat(32), description: `for ${secrets.name}` }],
  sources: [{ sopClassUid: '1.2.840.10008.5.1.4.1.1.4', sopInstanceUid: '1.2.3.4711', seriesInstanceUid: '1.2.3.47' }],
};
const synthetic: Derivation = { ...denoised, imageTypeMark: 'SYNTHETIC', isSynthetic: true };

function objectOf(policy: DatePolicy = 'remove', from = namedHeader(), derivation: Derivation = denoised, fill = 7) {
  const named = { ...settings, parameters: { ...settings.parameters, seriesDescription: secrets.series } };
  const [object] = dicomObjects([image()], from, named, { created, derivationOf: () => derivation, pseudonymiser: new Pseudonymiser(key(fill), policy) });
  return object!;
}

function datasetOf(bytes: Uint8Array): Dataset {
  return DicomMetaDictionary.naturalizeDataset(DicomMessage.readFile(bytes.slice().buffer).dict);
}

const item = (values: unknown, at = 0) => (values as Dataset[])[at]!;
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

function expectNobody(content: string): void {
  expect(content).not.toMatch(/ZZ/);
  expect(content).not.toMatch(/1961-?02-?03/);
  expect(content).not.toContain('1.2.826.0.1.3680043.8.498');
}

describe('a DICOM object under a pseudonym', () => {
  it('names nobody, anywhere in its bytes', () => {
    for (const policy of ['remove', 'shift'] as const) {
      const { bytes } = objectOf(policy);
      expectNobody(textOf(bytes));
      expect(textOf(bytes)).not.toContain('20240506');
      expect(textOf(bytes)).not.toContain('1.2.3.4711');
    }
  });

  it('says so, and is still an image in its place', () => {
    const dataset = datasetOf(objectOf().bytes);
    const plain = datasetOf(dicomObjects([image()], namedHeader(), settings, { created })[0]!.bytes);
    expect(dataset).toMatchObject({
      PatientIdentityRemoved: 'YES', LongitudinalTemporalInformationModified: 'REMOVED', BurnedInAnnotation: 'NO', Modality: 'MR', ContentQualification: 'RESEARCH',
      ImageType: ['DERIVED', 'PRIMARY', 'M', 'GRAPPA', 'DENOISED'], SeriesDescription: 'MR M GRAPPA DENOISED', Manufacturer: 'ACME', ManufacturerModelName: 'Magnet 3',
    });
    expect(item(dataset['DeidentificationMethodCodeSequence'])['CodeValue']).toBe('113100');
    for (const kept of ['ImagePositionPatient', 'ImageOrientationPatient', 'PixelSpacing', 'SliceThickness', 'EchoTime', 'RepetitionTime', 'MagneticFieldStrength', 'ParallelReductionFactorInPlane', 'WindowCenter']) {
      expect(dataset[kept]).toEqual(plain[kept]);
    }
    expect(new Uint8Array((dataset['PixelData'] as [ArrayBuffer])[0])).toEqual(new Uint8Array((plain['PixelData'] as [ArrayBuffer])[0]));
    expect(item(dataset['RealWorldValueMappingSequence'])['RealWorldValueSlope']).toBe(item(plain['RealWorldValueMappingSequence'])['RealWorldValueSlope']);
  });

  it('keeps the marks of what was done, and the digest of the network', () => {
    const dataset = datasetOf(objectOf('remove', namedHeader(), synthetic).bytes);
    expect(dataset).toMatchObject({ SyntheticData: 'YES', SeriesDescription: 'SYN MR M GRAPPA SYNTHETIC' });
    const stage = item(dataset['ContributingEquipmentSequence'], 1);
    expect(stage).toMatchObject({ ManufacturerModelName: 'mr-denoiser', SoftwareVersions: '1.2.0', ContributionDescription: `model SHA-256 ${'ab'.repeat(32)}` });
  });

  it('has identifiers that agree with what is told of it, and keep studies, series and frames together', () => {
    const { instance, bytes } = objectOf();
    const dataset = datasetOf(bytes);
    expect(dataset).toMatchObject({ SOPInstanceUID: instance.sopInstanceUid, SeriesInstanceUID: instance.seriesInstanceUid, StudyInstanceUID: instance.studyInstanceUid, SOPClassUID: instance.sopClassUid });
    const pseudonymiser = new Pseudonymiser(key(7), 'remove');
    expect(dataset['StudyInstanceUID']).toBe(pseudonymiser.uid('1.2.826.0.1.3680043.8.498.1'));
    expect(dataset['FrameOfReferenceUID']).toBe(pseudonymiser.uid('1.2.826.0.1.3680043.8.498.2'));
    expect(item(dataset['SourceImageSequence'])['ReferencedSOPInstanceUID']).toBe(pseudonymiser.uid('1.2.3.4711'));
    for (const uid of [instance.sopInstanceUid, instance.studyInstanceUid]) expect(uid).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
  });
});

describe('pseudonyms', () => {
  const nameOf = (from: MrdHeader, fill = 7) => String(datasetOf(objectOf('remove', from, denoised, fill).bytes)['PatientID']);

  it('are the same for the same patient and key, and for nobody else', () => {
    const known = nameOf(namedHeader());
    expect(known).toMatch(/^CONUS-[0-9A-F]{20}$/);
    // A name may be spelt in many ways; the identifier is the patient.
    expect(nameOf(namedHeader({ patientName: 'another spelling' }))).toBe(known);
    expect(nameOf(namedHeader({ patientID: 'another' }))).not.toBe(known);
    expect(nameOf(namedHeader(), 8)).not.toBe(known);
    expect(nameOf(namedHeader({ patientID: '' }))).not.toBe(nameOf(namedHeader({ patientID: '', patientBirthdate: '1961-02-04' })));
  });

  it('of who has neither identifier nor name are one a study', () => {
    const nameless = (studyInstanceUID: string): MrdHeader => ({ ...namedHeader({ patientID: '', patientName: '' }), studyInformation: { studyInstanceUID } });
    expect(nameOf(nameless('1.2.3'))).toBe(nameOf(nameless('1.2.3')));
    expect(nameOf(nameless('1.2.3'))).not.toBe(nameOf(nameless('1.2.4')));
    expect(new Pseudonymiser(key(7), 'remove').header(nameless('1.2.3')).subjectInformation?.patientID).toBe(nameOf(nameless('1.2.3')));
  });

  it('are the same in the header of raw data', () => {
    const pseudonymiser = new Pseudonymiser(key(7), 'remove');
    expect(pseudonymiser.header(namedHeader()).subjectInformation?.patientID).toBe(nameOf(namedHeader()));
  });

  it.each(['remove', 'shift'] as const)('leave nothing of a person in a header (dates: %s)', (policy) => {
    const xml = serializeHeader(new Pseudonymiser(key(7), policy).header(namedHeader()));
    expectNobody(xml);
    expect(xml).not.toContain('2024-05-06');
    expect(xml).toContain('LSPINE');
    expect(xml).toContain('<systemModel>Magnet 3</systemModel>');
    expect(xml).toContain('<TR>3500</TR>');
  });

  it('want a key that cannot be guessed', async () => {
    expect(() => new Pseudonymiser(new Uint8Array(31), 'remove')).toThrow(/CONUS_ERR_PSEUDONYM_KEY/);
    await expect(Pseudonymiser.fromKeyFile(join(folder, 'none'), 'remove')).rejects.toMatchObject({ code: 'CONUS_ERR_PSEUDONYM_KEY' });
    await writeFile(join(folder, 'key'), key(7));
    expect((await Pseudonymiser.fromKeyFile(join(folder, 'key'), 'remove')).uid('1.2.3')).toBe(new Pseudonymiser(key(7), 'remove').uid('1.2.3'));
  });
});

describe('dates', () => {
  const dates = (from: MrdHeader) => {
    const dataset = datasetOf(objectOf('shift', from).bytes);
    return ['StudyDate', 'SeriesDate'].map((name) => String(dataset[name]));
  };
  const days = (date: string) => Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00:00Z`) / 86_400_000;

  it('that are shifted keep their distance, and go back by as many days for the whole patient', () => {
    const later = namedHeader();
    later.measurementInformation!.seriesDate = '2024-05-09';
    const [study, series] = dates(later);
    expect(days(series!) - days(study!)).toBe(3);
    const shift = days('20240506') - days(study!);
    expect(shift).toBeGreaterThanOrEqual(1);
    expect(shift).toBeLessThanOrEqual(3652);
    expect(dates(namedHeader())[0]).toBe(study);
    expect(dates(namedHeader({ patientID: 'another' }))[0]).not.toBe(study);
    expect(new Pseudonymiser(key(7), 'shift').header(later).studyInformation?.studyDate?.replaceAll('-', '')).toBe(study);
    expect(datasetOf(objectOf('shift').bytes)['LongitudinalTemporalInformationModified']).toBe('MODIFIED');
  });
});

describe('a file of somebody else', () => {
  /** As a scanner may have written it: private attributes, people, a overlay, nested things. */
  function foreign(overrides: Dataset = {}): Uint8Array {
    const [plain] = dicomObjects([image()], namedHeader(), settings, { created });
    const { meta, dict } = DicomMessage.readFile(plain!.bytes.slice().buffer);
    const more = DicomMetaDictionary.denaturalizeDataset({
      OperatorsName: 'ZZOPERATOR', PerformingPhysicianName: 'ZZPHYSICIAN', PatientComments: 'ZZCOMMENT', OtherPatientIDs: 'ZZOTHER', InstitutionAddress: 'ZZADDRESS', PatientAge: '063Y',
      RequestAttributesSequence: [{ ScheduledProcedureStepDescription: 'ZZSTEP', RequestedProcedureID: 'ZZREQUEST' }],
      ReferencedImageSequence: [{ ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4', ReferencedSOPInstanceUID: '1.2.826.0.1.3680043.8.498.9' }],
      ...overrides,
    });
    const file = new dcmjs.data.DicomDict(meta);
    file.dict = {
      ...dict, ...more,
      '00291010': { vr: 'LO', Value: ['ZZPRIVATE'] }, '00290010': { vr: 'LO', Value: ['ZZCREATOR'] }, '00191001': { vr: 'UN', Value: [new TextEncoder().encode('ZZUNKNOWN').buffer] },
      '60003000': { vr: 'OW', Value: [new TextEncoder().encode('ZZOVERLAYS').buffer] },
    } satisfies DicomElements;
    return new Uint8Array(file.write());
  }

  it('loses what it says of people, private attributes first, and keeps its pixels', () => {
    const bytes = foreign();
    expect(textOf(bytes)).toMatch(/ZZPRIVATE|ZZOVERLAYS/);
    const made = pseudonymiseDicom(bytes, new Pseudonymiser(key(7), 'remove'), '0.1.0');
    expectNobody(textOf(made));
    const dataset = datasetOf(made);
    expect(dataset).not.toHaveProperty('PatientAge');
    expect(dataset['PatientIdentityRemoved']).toBe('YES');
    expect(new Uint8Array((dataset['PixelData'] as [ArrayBuffer])[0])).toEqual(new Uint8Array((datasetOf(bytes)['PixelData'] as [ArrayBuffer])[0]));
    expect(item(dataset['ReferencedImageSequence'])['ReferencedSOPClassUID']).toBe('1.2.840.10008.5.1.4.1.1.4');
    // Made again, it is the same; made of what was made, the pixels are.
    expect(pseudonymiseDicom(bytes, new Pseudonymiser(key(7), 'remove'), '0.1.0')).toEqual(made);
  });

  it('has the pseudonym that the patient has elsewhere', () => {
    const made = datasetOf(pseudonymiseDicom(foreign(), new Pseudonymiser(key(7), 'remove'), '0.1.0'));
    expect(made['PatientID']).toBe(datasetOf(objectOf().bytes)['PatientID']);
  });

  it('is refused where its pixels hold writing', () => {
    expect(() => pseudonymiseDicom(foreign({ BurnedInAnnotation: 'YES' }), new Pseudonymiser(key(7), 'remove'), '0.1.0')).toThrow(/CONUS_ERR_BURNED_IN/);
  });
});

describe('an output under a pseudonym', () => {
  it.each(['out.h5', 'out.mrd', 'dicom/', 'out.nii'])('%s names nobody', async (name) => {
    const { readFile } = await import('node:fs/promises');
    const named = { ...settings, seriesDescription: secrets.series, parameters: { seriesDescription: secrets.series } };
    const output = await openOutput(join(folder, name), namedHeader(), named, new Pseudonymiser(key(7), 'remove'));
    await output.write(image());
    const { files } = await output.close();
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expectNobody((await readFile(file)).toString('latin1'));
  });
});
