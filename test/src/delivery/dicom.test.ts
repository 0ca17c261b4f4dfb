import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import dcmjs from 'dcmjs';
import fc from 'fast-check';
import { encodeImage, parseMessages } from 'ismrmrd';
import type { MrdHeader, MrdImage } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pixelSpacingMm } from '../../../imaging/index.js';
import type { ImageGeometry, Vector3 } from '../../../imaging/index.js';
import type { ReconImage } from '../../../recon/index.js';
import { SeriesBook, openOutput } from '../../../src/delivery/index.js';
import type { DeliverySettings } from '../../../src/delivery/index.js';
import { header, image, obliqueGeometry, settings } from './fixtures.js';

type Dataset = Record<string, unknown>;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conus-dicom-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function read(file: string): Promise<Dataset> {
  const bytes = await readFile(file);
  const { dict } = dcmjs.data.DicomMessage.readFile(new Uint8Array(bytes).buffer);
  return dcmjs.data.DicomMetaDictionary.naturalizeDataset(dict);
}

async function write(
  images: readonly ReconImage[],
  from: MrdHeader | 'no header' = header(),
  overrides: Partial<DeliverySettings> = {},
) {
  const output = await openOutput(await mkdtemp(join(directory, 'series-')), from === 'no header' ? undefined : from, { ...settings, ...overrides });
  for (const source of images) await output.write(source);
  const { files, notices } = await output.close();
  return { files, notices, datasets: await Promise.all(files.map(read)) };
}

async function writeOne(source: ReconImage, from?: MrdHeader, overrides?: Partial<DeliverySettings>): Promise<Dataset> {
  const { datasets } = await write([source], from, overrides);
  return datasets[0]!;
}

const numbers = (values: unknown) => (Array.isArray(values) ? values : [values]).map(Number);
const item = (values: unknown) => (values as Dataset[])[0]!;

function storedOf(dataset: Dataset): Int16Array | Uint16Array {
  const [pixelData] = dataset['PixelData'] as [ArrayBuffer];
  return dataset['PixelRepresentation'] === 1 ? new Int16Array(pixelData) : new Uint16Array(pixelData);
}

describe('pixels', () => {
  it.each(['uint16', 'int16'] as const)('times the recorded slope are the image (%s)', async (pixelType) => {
    for (const snrUnits of [true, false]) {
      const source = image({ snrUnits });
      const dataset = await writeOne(source, header(), { pixelType });
      const mapping = item(dataset['RealWorldValueMappingSequence']);
      const slope = Number(mapping['RealWorldValueSlope']);
      expect(item(mapping['MeasurementUnitsCodeSequence'])['CodeValue']).toBe(snrUnits ? '1' : "[arb'U]");
      const stored = storedOf(dataset);
      expect(stored).toHaveLength(120);
      stored.forEach((value, i) => {
        const magnitude = Math.hypot(source.data[2 * i]!, source.data[2 * i + 1]!);
        expect(Math.abs(value * slope + Number(mapping['RealWorldValueIntercept']) - magnitude)).toBeLessThan(0.501 * slope);
      });
    }
  });

  it('are integers where floats were asked for, and it is said', async () => {
    const { datasets, notices } = await write([image()], header(), { pixelType: 'complex64' });
    expect(datasets[0]).toMatchObject({ BitsAllocated: 16, PixelRepresentation: 0 });
    expect(notices.map((notice) => notice.code)).toEqual(['DICOM_WARN_MAGNITUDE_ONLY']);
  });
});

describe('a fiducial', () => {
  type Pixel = { column: number; row: number };

  /** The image as a client gets it, float32 header and all. */
  function onTheWire(source: ReconImage): MrdImage {
    const [message] = parseMessages(Buffer.concat(encodeImage(new SeriesBook(header(), settings).message(source))));
    if (message?.kind !== 'image') throw new Error('no image');
    return message.image;
  }

  /** The MRD route: the centre of the volume is the centre of pixel (⌊Nx/2⌋, ⌊Ny/2⌋). */
  function throughMrd(source: ReconImage, { column, row }: Pixel): number[] {
    const { position, matrixSize, fovMm, readDir, phaseDir } = onTheWire(source).header;
    const [nx, ny] = matrixSize;
    return position.map(
      (centre, axis) =>
        centre +
        (column - Math.floor(nx / 2)) * (fovMm[0] / nx) * readDir[axis]! +
        (row - Math.floor(ny / 2)) * (fovMm[1] / ny) * phaseDir[axis]!,
    );
  }

  /** The DICOM route: the equation of PS3.3 C.7.6.2.1.1. */
  async function throughDicom(source: ReconImage, { column, row }: Pixel): Promise<number[]> {
    const dataset = await writeOne(source);
    const orientation = numbers(dataset['ImageOrientationPatient']);
    const [rowSpacing, columnSpacing] = numbers(dataset['PixelSpacing']);
    return numbers(dataset['ImagePositionPatient']).map(
      (first, axis) =>
        first + column * columnSpacing! * orientation[axis]! + row * rowSpacing! * orientation[axis + 3]!,
    );
  }

  it('is the same pixel through both, and the same point in the patient', async () => {
    const [rows, columns] = [13, 10];
    const geometry = obliqueGeometry(columns, rows);
    const magnitudes = new Float32Array(rows * columns).fill(1);
    magnitudes[2 * columns + 7] = 50;
    const source = image({ rows, columns, geometry }, magnitudes);

    const brightest = (stored: ArrayLike<number>) => Array.from(stored).indexOf(Math.max(...Array.from(stored)));
    expect(brightest(onTheWire(source).data)).toBe(2 * columns + 7);
    expect(brightest(storedOf(await writeOne(source)))).toBe(2 * columns + 7);

    const pixel = { column: 7, row: 2 };
    const expected = ([0, 1, 2] as const).map(
      (axis) => geometry.centreMm[axis] + 2 * 26 * geometry.rowDirection[axis] - 4 * (300 / 13) * geometry.columnDirection[axis],
    );
    expect(distance(throughMrd(source, pixel), expected)).toBeLessThan(1e-3);
    expect(distance(await throughDicom(source, pixel), expected)).toBeLessThan(1e-3);
  });

  it('lies in one place for any size, field of view and centre', async () => {
    const size = fc.integer({ min: 1, max: 9 });
    const extent = fc.double({ min: 50, max: 500, noNaN: true });
    const coordinate = fc.double({ min: -900, max: 900, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        size, size, fc.tuple(extent, extent), fc.tuple(coordinate, coordinate, coordinate),
        async (rows, columns, [width, height], centreMm) => {
          const fovMm: Vector3 = [width, height, 3];
          const geometry: ImageGeometry = { ...obliqueGeometry(columns, rows), fovMm, centreMm };
          const source = image({ rows, columns, geometry, fovMm });
          const pixel = { column: columns - 1, row: 0 };
          expect(distance(throughMrd(source, pixel), await throughDicom(source, pixel))).toBeLessThan(1e-3);
        },
      ),
      { numRuns: 25 },
    );
  });

  function distance(a: readonly number[], b: readonly number[]): number {
    return Math.hypot(...a.map((value, axis) => value - b[axis]!));
  }
});

describe('a magnitude image', () => {
  it('states where it comes from and how it was made', async () => {
    const dataset = await writeOne(image({ counters: { slice: 2, contrast: 1, phase: 0, repetition: 3, set: 0, average: 0 } }));
    expect(dataset).toMatchObject({
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
      ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'GRAPPA'],
      PatientID: 'P-17',
      PatientBirthDate: '19610203',
      PatientSex: 'F',
      StudyInstanceUID: '1.2.826.0.1.3680043.8.498.1',
      FrameOfReferenceUID: '1.2.826.0.1.3680043.8.498.2',
      StudyDate: '20240506',
      StudyTime: '070809',
      SeriesNumber: 401,
      SeriesDescription: 't2_tse_sag',
      AcquisitionNumber: 4,
      InstanceNumber: 1,
      Manufacturer: 'ACME',
      PatientPosition: 'HFS',
      ScanningSequence: ['SE', 'IR'],
      SequenceVariant: 'SK',
      MRAcquisitionType: '2D',
      RepetitionTime: 3500,
      EchoTime: 120,
      InversionTime: 160,
      FlipAngle: 150,
      EchoTrainLength: 12,
      MagneticFieldStrength: 2.89362,
      ImagingFrequency: 123.194105,
      SliceThickness: 4.5,
      ParallelAcquisition: 'YES',
      ParallelReductionFactorInPlane: 2,
      ParallelAcquisitionTechnique: 'GRAPPA',
      PartialFourier: 'NO',
      ContentQualification: 'RESEARCH',
    });
    expect(String(dataset['PatientName'])).toBe('Müller^Änne');
    expect(dataset['DerivationDescription']).toMatch(/research software.*GRAPPA R=2, 24 calibration lines.*grappaRegularization=0.0005/);
    const equipment = item(dataset['ContributingEquipmentSequence']);
    expect(equipment).toMatchObject({ Manufacturer: 'Conus', SoftwareVersions: '0.1.0' });
    expect(item(equipment['PurposeOfReferenceCodeSequence'])).toMatchObject({
      CodeValue: '109102',
      CodingSchemeDesignator: 'DCM',
    });
    expect(numbers(dataset['PixelSpacing'])).toEqual([...pixelSpacingMm(obliqueGeometry(10, 12))]);
  });

  it('is partial Fourier where k-space is longer on one side of its centre', async () => {
    expect(await writeOne(image(), header({ center: 3 }))).toMatchObject({ PartialFourier: 'YES', ScanOptions: 'PFP' });
    expect(await writeOne(image(), header({ center: 0 }))).not.toHaveProperty('PartialFourier');
  });

  it('claims no technique for missing lines and no sequence that it does not know', async () => {
    const zeroFilled = await writeOne(image({ method: 'zeroFilled', nMissingLines: 9 }), header({ sequenceType: 'secret' }));
    expect(zeroFilled).toMatchObject({
      ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'ZEROFILLED'],
      SeriesDescription: 't2_tse_sag ZEROFILLED',
      ParallelAcquisition: 'YES',
      ScanningSequence: ['RM', 'IR'],
    });
    expect(zeroFilled).not.toHaveProperty('ParallelAcquisitionTechnique');
    expect(zeroFilled['ImageComments']).toMatch(/^ZEROFILLED: 9 lines missing/);
    const full = await writeOne(image({ method: 'full', accelerationPhase: 1 }));
    expect(full).toMatchObject({ ParallelAcquisition: 'NO', ParallelReductionFactorInPlane: 1 });
  });
});

describe('maps', () => {
  it('are derived, in series of their own', async () => {
    const { datasets } = await write([image(), image({ kind: 'gFactor' }), image({ kind: 'noise' })]);
    expect(datasets.map((dataset) => (dataset['ImageType'] as string[]).slice(0, 3).join(' '))).toEqual([
      'ORIGINAL PRIMARY M',
      'DERIVED PRIMARY GFACTOR',
      'DERIVED PRIMARY NOISE',
    ]);
    expect(new Set(datasets.map((dataset) => dataset['SeriesInstanceUID'])).size).toBe(3);
    expect(new Set(datasets.map((dataset) => dataset['StudyInstanceUID'])).size).toBe(1);
  });
});

describe('files', () => {
  it('are named by series and order', async () => {
    const { files } = await write([image(), image({ kind: 'gFactor' }), image()]);
    expect(files.map((file) => basename(file))).toEqual(['IM-0001-0001.dcm', 'IM-0002-0001.dcm', 'IM-0001-0002.dcm']);
  });
});

describe('an image without geometry', () => {
  it('is Secondary Capture: no position is invented, and it is said', async () => {
    const { datasets, notices } = await write([image({ geometry: undefined })]);
    expect(datasets[0]).toMatchObject({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.7', ConversionType: 'WSD' });
    expect(datasets[0]?.['ImageComments']).toContain('geometry unknown');
    for (const name of ['ImagePositionPatient', 'ImageOrientationPatient', 'PixelSpacing', 'FrameOfReferenceUID', 'SliceLocation']) {
      expect(datasets[0]).not.toHaveProperty(name);
    }
    expect(notices.map((notice) => notice.code)).toEqual(['DICOM_WARN_NO_GEOMETRY']);
  });
});

describe('text from the header', () => {
  it('may be anything: it is cut to fit, and never printed', async () => {
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(() => undefined),
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 200, unit: 'grapheme' }), fc.string({ maxLength: 100 }), async (name, id) => {
        const from: MrdHeader = {
          ...header(),
          subjectInformation: { patientName: name, patientID: id, patientGender: name, patientBirthdate: id },
          studyInformation: { studyDescription: name, studyID: name, accessionNumber: id, studyInstanceUID: id },
        };
        const dataset = await writeOne(image(), from, { seriesDescription: name });
        expect(Buffer.byteLength(String(dataset['PatientID']))).toBeLessThanOrEqual(64);
        expect(String(dataset['StudyInstanceUID'])).toMatch(/^[\d.]{3,64}$/);
      }),
      { numRuns: 40 },
    );
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});
