import { describe, expect, it } from 'vitest';
import { affineLps } from '../../../imaging/index.js';
import { describeDicom, parseDicom, readVolume, stacksOf } from '../../../src/dicom/index.js';
import { outlineDataset } from '../../../src/dicom/outline.js';
import { fileHead, readFileMeta } from '../../../src/dicom/part10.js';
import { transcode } from '../../../src/dicom/transcode.js';
import { classicSeries, classicSlice, CT, encode, enhancedVolume, EXPLICIT, IMPLICIT, MR, obliqueVolume, PATIENT, PATIENT_ID, pattern, pixelBytes } from './fixtures.js';

const geometry = obliqueVolume();
const [columns, rows, slices] = geometry.matrixSize;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    expect(message).not.toContain('Geheim');
    expect(message).not.toContain(PATIENT_ID);
    return code ?? message;
  }
  return 'no error';
}

const classic = (overrides: Record<string, unknown> = {}, syntax = EXPLICIT) => encode(classicSlice(geometry, 0, overrides), syntax);

function expectAffine(actual: readonly number[], expected: readonly number[]): void {
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
}

describe('a classic series', () => {
  for (const syntax of [EXPLICIT, IMPLICIT]) {
    it(`becomes the volume that it was, in any order of its files (${syntax})`, async () => {
      const files = Array.from({ length: slices }, (_, slice) => encode(classicSlice(geometry, slice), syntax));
      const images = await Promise.all([3, 0, 4, 2, 1].map((slice) => parseDicom(files[slice]!)));
      const [stack, ...others] = stacksOf(images);
      expect(others).toEqual([]);
      expect(stack!.findings).toEqual([]);
      const volume = readVolume(stack!);
      expectAffine(affineLps(volume.geometry), affineLps(geometry));
      for (let slice = 0; slice < slices; slice++) {
        expect([...volume.data.subarray(slice * rows * columns, (slice + 1) * rows * columns)]).toEqual([...pattern(columns, rows, slice)]);
      }
    });
  }

  it('tells facts, and keeps what patient and study are for derived series only', async () => {
    const { facts, patientAndStudy, identity } = await parseDicom(classic({ SyntheticData: 'YES', InversionTime: '160' }));
    expect(facts).toMatchObject({
      modality: 'MR', repetitionTimeMs: 3500, echoTimeMs: 82.1, inversionTimeMs: 160, flipAngleDeg: 150, fieldStrengthT: 2.89362,
      seriesDescription: 't2_tse_sag', echoTrainLength: 12, isSynthetic: true, instanceNumber: 1, rows, columns, nFrames: 1,
    });
    expect(JSON.stringify(facts)).not.toContain('Geheim');
    expect(JSON.stringify(patientAndStudy['PatientName'])).toContain(PATIENT);
    expect(identity.transferSyntaxUid).toBe(EXPLICIT);
  });

  it('scales by the rescale, else by the real world value mapping, and says which', async () => {
    const stored = pattern(columns, rows, 0);
    const rescaled = await parseDicom(classic({ SOPClassUID: CT, Modality: 'CT', RescaleSlope: '1', RescaleIntercept: '-1024' }));
    expect(rescaled.frames[0]!.scaling).toMatchObject({ source: 'rescale', unit: 'HU' });
    expect([...rescaled.frames[0]!.values()]).toEqual([...stored].map((value) => value - 1024));
    const mapped = await parseDicom(classic({
      RealWorldValueMappingSequence: [{ RealWorldValueSlope: 0.5, RealWorldValueIntercept: 0, MeasurementUnitsCodeSequence: [{ CodeValue: '1' }] }],
    }));
    expect(mapped.frames[0]!.scaling).toMatchObject({ source: 'realWorld', slope: 0.5, unit: '1' });
    expect([...mapped.frames[0]!.values()]).toEqual([...stored].map((value) => value / 2));
    expect((await parseDicom(classic())).frames[0]!.scaling.source).toBe('stored');
  });

  it('proposes a window in the unit of its values, and none where it cannot be read', async () => {
    const windowOf = async (overrides: Record<string, unknown>) => (await parseDicom(classic(overrides))).frames[0]!.window;
    expect(await windowOf({ Modality: 'CT', RescaleSlope: '1', RescaleIntercept: '-1024', WindowCenter: ['40', '400'], WindowWidth: ['400', '1800'] })).toEqual({ centre: 40, width: 400 });
    const mapping = { RealWorldValueMappingSequence: [{ RealWorldValueSlope: 0.5, RealWorldValueIntercept: 0, MeasurementUnitsCodeSequence: [{ CodeValue: '1' }] }] };
    expect(await windowOf({ ...mapping, WindowCenter: '100', WindowWidth: '200' })).toEqual({ centre: 50, width: 100 });
    expect(await windowOf({ WindowCenter: '100', WindowWidth: '0' })).toBeUndefined();
    expect(await windowOf({ WindowCenter: 'wide', WindowWidth: '200' })).toBeUndefined();
    expect(await windowOf({})).toBeUndefined();
  });

  it('keeps the sign of signed pixels, and leaves out bits beyond the stored ones', async () => {
    const values = Int16Array.from({ length: rows * columns }, (_, i) => i * 7 - 400);
    const signed = await parseDicom(classic({ PixelRepresentation: 1, PixelData: pixelBytes(values) }));
    expect([...signed.frames[0]!.values()]).toEqual([...values]);
    const overlaid = pattern(columns, rows, 0).map((value) => value | 0xf000);
    const masked = await parseDicom(classic({ PixelData: pixelBytes(overlaid) }));
    expect([...masked.frames[0]!.values()]).toEqual([...pattern(columns, rows, 0)]);
  });
});

describe('an enhanced object', () => {
  it('is the same volume, by its functional groups, whatever the order of frames', async () => {
    const order = [4, 1, 0, 3, 2];
    const image = await parseDicom(encode(enhancedVolume(geometry, order)));
    expect(image.facts).toMatchObject({ echoTimeMs: 82.1, repetitionTimeMs: 3500, flipAngleDeg: 150, nFrames: slices });
    const volume = readVolume(stacksOf([image])[0]!);
    expectAffine(affineLps(volume.geometry), affineLps(geometry));
    expect([...volume.data.subarray(0, rows * columns)]).toEqual([...pattern(columns, rows, 0)].map((value) => 2 * value - 5));
  });

  it('is refused where frames have no place', () => {
    const bare = enhancedVolume(geometry, [0, 1, 2, 3, 4], { PerFrameFunctionalGroupsSequence: Array.from({ length: slices }, () => ({ FrameContentSequence: [{ StackID: '1' }] })) });
    expect(codeOf(() => describeDicom(encode(bare)))).toBe('DICOM_ERR_GEOMETRY');
    const few = enhancedVolume(geometry, [0, 1, 2, 3, 4], { NumberOfFrames: '4' });
    expect(codeOf(() => describeDicom(encode(few)))).toBe('DICOM_ERR_GEOMETRY');
  });
});

describe('stacks', () => {
  const imagesOf = (positions: readonly Record<string, unknown>[]) =>
    Promise.all(positions.map((overrides, slice) => parseDicom(encode(classicSlice(geometry, Math.min(slice, slices - 1), { SOPInstanceUID: `2.25.9${slice}`, ...overrides })))));
  const axial = { ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'] };
  const at = (x: number, y: number, z: number) => ({ ...axial, ImagePositionPatient: [String(x), String(y), String(z)] });

  it('tell a gap and make no volume of it', async () => {
    const [stack] = stacksOf(await imagesOf([at(0, 0, 0), at(0, 0, 5), at(0, 0, 15), at(0, 0, 20)]));
    expect(stack!.findings.map(({ code }) => code)).toEqual(['DICOM_WARN_SLICE_GAP']);
    expect(codeOf(() => readVolume(stack!))).toBe('DICOM_ERR_SPACING');
  });

  it('tell irregular distances', async () => {
    const [stack] = stacksOf(await imagesOf([at(0, 0, 0), at(0, 0, 5), at(0, 0, 10.6), at(0, 0, 15)]));
    expect(stack!.findings.map(({ code }) => code)).toEqual(['DICOM_WARN_IRREGULAR_SPACING']);
    expect(stack!.geometry).toBeUndefined();
  });

  it('keep the first of two images at one place, and tell it', async () => {
    const [stack] = stacksOf(await imagesOf([at(0, 0, 0), at(0, 0, 5), at(0, 0, 5)]));
    expect(stack!.findings.map(({ code }) => code)).toEqual(['DICOM_WARN_DUPLICATE_SLICE']);
    expect(stack!.slices.map(({ image }) => image.identity.sopInstanceUid)).toEqual(['2.25.90', '2.25.91']);
    expect(stack!.geometry!.matrixSize[2]).toBe(2);
  });

  it('of a tilted gantry are refused', async () => {
    const [stack] = stacksOf(await imagesOf([at(0, 0, 0), at(0, 1, 5), at(0, 2, 10)]));
    expect(codeOf(() => readVolume(stack!))).toBe('DICOM_ERR_GANTRY_TILT');
  });

  it('are one for each echo and each orientation', async () => {
    const echoes = await imagesOf([at(0, 0, 0), at(0, 0, 5), { ...at(0, 0, 0), EchoTime: '20', EchoNumbers: '2' }, { ...at(0, 0, 5), EchoTime: '20', EchoNumbers: '2' }]);
    expect(stacksOf(echoes).map(({ slices: frames, echoTimeMs }) => [frames.length, echoTimeMs])).toEqual([[2, 82.1], [2, 20]]);
    const blocks = await imagesOf([at(0, 0, 0), { ...at(0, 0, 50), ImageOrientationPatient: ['1', '0', '0', '0', '0.8', '0.6'] }]);
    expect(stacksOf(blocks)).toHaveLength(2);
  });
});

describe('refused', () => {
  const cases: Record<string, [string, () => Uint8Array]> = {
    'what is no DICOM': ['DICOM_ERR_NOT_DICOM', () => new Uint8Array(1000)],
    'an empty file': ['DICOM_ERR_NOT_DICOM', () => new Uint8Array(0)],
    'another SOP class': ['DICOM_ERR_SOP_CLASS', () => classic({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.1' })],
    'no position': ['DICOM_ERR_GEOMETRY', () => classic({ ImagePositionPatient: undefined })],
    'no orientation': ['DICOM_ERR_GEOMETRY', () => classic({ ImageOrientationPatient: undefined })],
    'skewed directions': ['DICOM_ERR_GEOMETRY', () => classic({ ImageOrientationPatient: ['1', '0', '0', '0.1', '1', '0'] })],
    'no spacing': ['DICOM_ERR_GEOMETRY', () => classic({ PixelSpacing: undefined })],
    'a spacing of zero': ['DICOM_ERR_GEOMETRY', () => classic({ PixelSpacing: ['0', '1'] })],
    'two coordinates': ['DICOM_ERR_VALUE', () => classic({ ImagePositionPatient: ['0', '1'] })],
    'no rows': ['DICOM_ERR_VALUE', () => classic({ Rows: undefined })],
    'too few pixels': ['DICOM_ERR_PIXELS', () => classic({ Rows: rows + 1 })],
    'no pixels': ['DICOM_ERR_PIXELS', () => classic({ PixelData: undefined })],
    'colour': ['DICOM_ERR_PIXELS', () => classic({ SamplesPerPixel: 3, PhotometricInterpretation: 'RGB', PlanarConfiguration: 0 })],
    'no series': ['DICOM_ERR_IDENTITY', () => classic({ SeriesInstanceUID: undefined })],
    'an invalid identifier': ['DICOM_ERR_IDENTITY', () => classic({ StudyInstanceUID: '1.02' })],
    'rows as text': ['DICOM_ERR_VALUE', () => withVr(classic(), 0x0028, 0x0010, 'SH')],
    'no representation': ['DICOM_ERR_STRUCTURE', () => withVr(classic(), 0x0008, 0x0060, 'Q?')],
  };
  for (const [name, [code, file]] of Object.entries(cases)) {
    it(name, () => {
      expect(codeOf(() => describeDicom(file()))).toBe(code);
    });
  }

  it('at every length shorter than the whole, with a code', () => {
    const file = classic();
    for (let length = 0; length < file.length; length += 7) {
      expect(codeOf(() => describeDicom(file.subarray(0, length)))).toMatch(/^DICOM_ERR_/);
    }
  });

  it('or read, but never anything else, with any byte changed', () => {
    const file = classic({ ReferencedImageSequence: [{ ReferencedSOPClassUID: MR, ReferencedSOPInstanceUID: '2.25.1' }] });
    for (let i = 128; i < file.length - 240; i += 5) {
      const changed = file.slice();
      changed[i] = changed[i]! ^ 0xa5;
      expect(codeOf(() => describeDicom(changed))).toMatch(/^(DICOM_ERR_\w+|no error)$/);
    }
  });

  it('zeros without end, at their second element', () => {
    const head = fileHead({ sopClassUid: MR, sopInstanceUid: '2.25.1', transferSyntaxUid: IMPLICIT });
    const file = new Uint8Array(head.length + 64 * 2 ** 20);
    file.set(head);
    expect(codeOf(() => describeDicom(file))).toBe('DICOM_ERR_STRUCTURE');
  });

  it('sequences without end', () => {
    const items = Array.from({ length: 40 }, () => [0x08, 0x00, 0x40, 0x11, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]).flat();
    expect(codeOf(() => outlineDataset(Uint8Array.from(items), 0, IMPLICIT))).toBe('DICOM_ERR_STRUCTURE');
  });
});

/** The representation of an element of a file in Explicit VR Little Endian, changed. */
function withVr(file: Uint8Array, group: number, element: number, vr: string): Uint8Array {
  const changed = file.slice();
  const tag = [group & 255, group >> 8, element & 255, element >> 8];
  const at = changed.findIndex((_, i) => i > 300 && tag.every((byte, j) => changed[i + j] === byte));
  changed[at + 4] = vr.charCodeAt(0);
  changed[at + 5] = vr.charCodeAt(1);
  return changed;
}

describe('the head of a file', () => {
  it('is read as it was written', () => {
    const meta = { sopClassUid: MR, sopInstanceUid: '2.25.123', transferSyntaxUid: EXPLICIT };
    const head = fileHead(meta, 'SCANNER');
    expect(readFileMeta(head)).toEqual({ ...meta, datasetOffset: head.length });
  });
});

describe('transcoding', () => {
  it('to another native syntax leaves pixels and place as they are', async () => {
    const file = classicSeries()[2]!;
    const implicit = await transcode(file, IMPLICIT);
    expect(readFileMeta(implicit).transferSyntaxUid).toBe(IMPLICIT);
    const [before, after] = [await parseDicom(file), await parseDicom(implicit)];
    expect([...after.frames[0]!.values()]).toEqual([...before.frames[0]!.values()]);
    expect(after.frames[0]!.plane).toEqual(before.frames[0]!.plane);
  });
});
