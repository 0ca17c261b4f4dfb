import { parseMeta } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { imagePositionPatient, pointOf } from '../../../imaging/index.js';
import { syntheticDescription, syntheticDicom, syntheticMrd } from '../../../src/delivery/index.js';
import { parseDicom, readVolume, stacksOf } from '../../../src/dicom/index.js';
import { encodeDicom, encodeDicomSeries } from '../../../src/delivery/dicomObjects.js';
import { subjects, syntheticSeries } from './fixtures.js';

const created = new Date(0);
const series = syntheticSeries('image', subjects[0]!);

describe('a synthetic series as one object', () => {
  const [object, ...others] = syntheticDicom(series, created, { enhanced: true });
  const classic = syntheticDicom(series, created);

  it('is, frame by frame, what its slices are', async () => {
    expect(others).toEqual([]);
    const image = await parseDicom(object!.bytes);
    expect(image.identity.sopClassUid).toBe('1.2.840.10008.5.1.4.1.1.4.1');
    const [[stack], [ofSlices]] = [stacksOf([image]), stacksOf(await Promise.all(classic.map(({ bytes }) => parseDicom(bytes))))];
    const [volume, other] = [readVolume(stack!), readVolume(ofSlices!)];
    expect(volume.geometry).toEqual(other.geometry);
    volume.data.forEach((value, voxel) => expect(value).toBeCloseTo(other.data[voxel]!, 6));
  });

  it('says all that its slices say, but for what its class has no place for', async () => {
    const [image, slice] = await Promise.all([object!, classic[0]!].map(({ bytes }) => parseDicom(bytes)));
    const beyond = new Set(['scanningSequence', 'sequenceVariant', 'acquisitionType', 'scanOptions', 'imageType', 'nFrames']);
    expect(image!.facts).toMatchObject(Object.fromEntries(Object.entries(slice!.facts).filter(([name]) => !beyond.has(name))));
    expect(image!.facts).toMatchObject({ nFrames: 3, imageType: ['DERIVED', 'PRIMARY', 'STATIC', 'SYNTHETIC'] });
    expect(image!.patientAndStudy).toMatchObject({ PatientID: '4711', StudyInstanceUID: '1.2.3.4', FrameOfReferenceUID: '1.2.3.5', Manufacturer: 'ACME' });
    const file = Buffer.from(object!.bytes).toString('latin1');
    for (const mark of ['SYN STIR sag', '109100', `model SHA-256 ${'ab'.repeat(32)}`, 'SYNTHETIC: computed, not measured', 'quality light AMBER', 'RESEARCH', 'Synthetic STIR', '2.25.1', '2.25.2', '2.25.9']) expect(file).toContain(mark);
  });

  it('tells that fat is suppressed, as its slices do', async () => {
    const saturated = { ...series, sequence: { trMs: 3500, teMs: 80, echoTrainLength: 15, echoSpacingMs: 10, isFatSaturated: true } };
    for (const enhanced of [false, true]) {
      const [told, untold] = await Promise.all([saturated, series].map((one) => parseDicom(syntheticDicom(one, created, { enhanced })[0]!.bytes)));
      expect([told!.facts.isFatSuppressed, untold!.facts.isFatSuppressed]).toEqual([true, undefined]);
    }
  });

  it('is a series of its own, the same whenever it is made, and another one with other pixels; maps have their own marks', async () => {
    const again = (changes: Partial<typeof series>) => syntheticDicom({ ...series, ...changes }, new Date(1e12), { enhanced: true })[0]!;
    expect(again({}).instance).toEqual(object!.instance);
    expect(object!.instance.seriesInstanceUid).not.toBe(classic[0]!.instance.seriesInstanceUid);
    expect(again({ volume: { ...series.volume, data: series.volume.data.map((value) => value + 0.01) } }).instance.sopInstanceUid).not.toBe(object!.instance.sopInstanceUid);
    expect((await parseDicom(again({ kind: 'low' }).bytes)).facts).toMatchObject({ isSynthetic: true, seriesDescription: 'SYN STIR sag LOW', imageType: ['DERIVED', 'PRIMARY', 'STATIC', 'INTERVALLOW'] });
    expect(() => again({ derivation: { ...series.derivation, isSynthetic: false } })).toThrow(expect.objectContaining({ code: 'CONUS_ERR_DERIVED_SOURCE' }) as Error);
  });

  it('is, of CT, a slice an object all the same', () => {
    const ct = { ...series, modality: 'CT' as const };
    expect(syntheticDicom(ct, created, { enhanced: true })).toEqual(syntheticDicom(ct, created));
  });
});

describe('a synthetic series', () => {
  it('is, read back, the volume that it was, to half a stored value', async () => {
    const images = await Promise.all(syntheticDicom(series, created).map(({ bytes }) => parseDicom(bytes)));
    const [stack] = stacksOf(images);
    const volume = readVolume(stack!);
    for (const corner of [[0, 0, 0], [11, 9, 2]] as const) {
      pointOf(volume.geometry, corner).forEach((value, axis) => expect(value).toBeCloseTo(pointOf(series.volume.geometry, corner)[axis]!, 4));
    }
    volume.data.forEach((value, voxel) => expect(Math.abs(value - series.volume.data[voxel]!)).toBeLessThan(0.51 / 4000));
    expect(imagePositionPatient(volume.geometry)).toHaveLength(3);
  });

  it('is the same whenever it is made, and another one with other pixels, another network or of other sources', () => {
    const uids = (changes: Partial<typeof series>) => syntheticDicom({ ...series, ...changes }, new Date(1e12)).map(({ instance }) => instance.sopInstanceUid);
    const first = syntheticDicom(series, created);
    expect(uids({})).toEqual(first.map(({ instance }) => instance.sopInstanceUid));
    expect(new Set(first.map(({ instance }) => instance.seriesInstanceUid)).size).toBe(1);
    const { derivation, volume } = series;
    const others = [
      { volume: { ...volume, data: volume.data.map((value) => value + 0.01) } },
      { derivation: { ...derivation, stages: derivation.stages.map((stage) => ({ ...stage, modelSha256: 'cd'.repeat(32) })) } },
      { derivation: { ...derivation, sources: derivation.sources.map((source) => ({ ...source, seriesInstanceUid: '2.25.10' })) } },
      { kind: 'low' as const },
    ];
    const all = [uids({}), ...others.map(uids)].flat();
    expect(new Set(all).size).toBe(3 * (others.length + 1));
  });

  it('is marked wherever it can be, in DICOM and on the wire', async () => {
    const [image] = await Promise.all(syntheticDicom(series, created).map(({ bytes }) => parseDicom(bytes)));
    expect(image!.facts).toMatchObject({ isSynthetic: true, imageType: ['DERIVED', 'PRIMARY', 'M', 'SYNTHETIC'], seriesDescription: 'SYN STIR sag', seriesNumber: 9001 });
    const meta = parseMeta(syntheticMrd(series)[0]!.attributes);
    expect(Object.fromEntries(['ConusSynthetic', 'SeriesDescription', 'ConusQuality', 'ConusModelSha256', 'ImageComments'].map((name) => [name, meta.get(name)?.[0]]))).toEqual({
      ConusSynthetic: 'true', SeriesDescription: 'SYN STIR sag', ConusQuality: 'amber', ConusModelSha256: 'ab'.repeat(32),
      ImageComments: 'SYNTHETIC: computed, not measured; from images of a phantom or simulation, not of a patient; quality light AMBER (L3: cannot tell); Conus 0.0.0, research software',
    });
    expect(() => syntheticDicom({ ...series, derivation: { ...series.derivation, isSynthetic: false } }, created)).toThrow(expect.objectContaining({ code: 'CONUS_ERR_DERIVED_SOURCE' }) as Error);
  });

  it('is, of CT, Hounsfield units as they are, of a CT that nobody scanned', async () => {
    const hu = { ...series.volume, data: Float32Array.from({ length: 360 }, (_, index) => index * 10 - 1024) };
    const ct = { ...syntheticSeries('low', subjects[0]!), kind: 'image' as const, modality: 'CT' as const, description: 'CT', volume: hu };
    const images = await Promise.all(syntheticDicom(ct, created).map(({ bytes }) => parseDicom(bytes)));
    expect(images[0]!.identity.sopClassUid).toBe('1.2.840.10008.5.1.4.1.1.2');
    expect(images[0]!.facts).toMatchObject({ modality: 'CT', isSynthetic: true, seriesDescription: 'SYN CT', imageType: ['DERIVED', 'SECONDARY', 'AXIAL', 'SYNTHETIC'] });
    expect(readVolume(stacksOf(images)[0]!).data).toEqual(hu.data);
    expect(parseMeta(syntheticMrd(ct)[0]!.attributes).get('ConusUnit')).toEqual(['HU']);
    const [low] = await Promise.all(syntheticDicom({ ...ct, kind: 'low' }, created).map(({ bytes }) => parseDicom(bytes)));
    expect(low!.facts).toMatchObject({ seriesDescription: 'SYN CT LOW', imageType: ['DERIVED', 'SECONDARY', 'AXIAL', 'SYNTHETIC', 'INTERVALLOW'] });
  });

  it('keeps its marks however long its name is', () => {
    const long = syntheticDescription({ description: 'x'.repeat(100), kind: 'low' });
    expect(long).toMatch(/^SYN x+ LOW$/);
    expect(long).toHaveLength(64);
    expect(syntheticDescription({ description: 'SYN STIR', kind: 'image' })).toBe('SYN STIR');
  });

  it('is written together as each object would be by itself', () => {
    const common = { SOPClassUID: '1.2.840.10008.5.1.4.1.1.4', PatientName: 'A^B', ReferencedImageSequence: [{ ReferencedSOPInstanceUID: '2.25.1' }, { ReferencedSOPInstanceUID: '2.25.22' }] };
    const own = ['2.25.3', '2.25.4'].map((uid, k) => ({ SOPInstanceUID: uid, InstanceNumber: String(k + 1), PixelData: new Uint16Array([k, 7, 8, 9]).buffer, _vrMap: { PixelData: 'OW' } }));
    expect(encodeDicomSeries(common, own, '1.0.0')).toEqual(own.map((dataset) => encodeDicom({ ...common, ...dataset }, '1.0.0')));
  });

  it('has a sign where its values have one', () => {
    const [first] = syntheticMrd(series);
    expect(first!.data[0]).toBe(-400);
  });
});
