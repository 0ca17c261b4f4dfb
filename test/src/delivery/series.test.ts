import fc from 'fast-check';
import { parseMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import type { ReconImage } from '../../../recon/index.js';
import { SeriesBook } from '../../../src/delivery/index.js';
import type { DeliverySettings } from '../../../src/delivery/index.js';
import { header, image, settings } from './fixtures.js';

const book = (overrides: Partial<DeliverySettings> = {}) => new SeriesBook(header(), { ...settings, ...overrides });
const metaOf = (message: MrdImage) => parseMeta(message.attributes);
const slopeOf = (message: MrdImage) => Number(metaOf(message).get('RescaleSlope')?.[0]);
const codesOf = (series: SeriesBook) => series.notices.map((notice) => notice.code);
const flat = (value: number, overrides: Partial<ReconImage> = {}) =>
  image(overrides, new Float32Array(120).fill(value));

describe('the scale of a series', () => {
  it('is ten stored values a unit of SNR', () => {
    const message = book().message(flat(12.34));
    expect(slopeOf(message)).toBe(0.1);
    expect([...message.data]).toEqual(new Array(120).fill(123));
  });

  it('is a power of two with fourfold headroom where the unit is arbitrary', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), fc.constantFrom('uint16', 'int16'), (peak, pixelType) => {
        const series = book({ pixelType });
        const scale = 1 / slopeOf(series.message(flat(peak, { snrUnits: false })));
        const largest = pixelType === 'uint16' ? 65535 : 32767;
        expect(Number.isInteger(Math.log2(scale))).toBe(true);
        expect(scale * Math.fround(peak) * 4).toBeLessThanOrEqual(largest * (1 + 1e-6));
        expect(scale * Math.fround(peak) * 8).toBeGreaterThan(largest * (1 - 1e-6));
        series.message(flat(3.9 * peak, { snrUnits: false }));
        expect(series.notices).toEqual([]);
      }),
    );
  });

  it('is set by the first image: the same signal is the same number in every slice', () => {
    const series = book();
    const bright = flat(5, { snrUnits: false });
    const first = series.message(bright);
    const between = series.message(flat(0.01, { snrUnits: false }));
    const last = series.message(bright);
    expect(last.data).toEqual(first.data);
    expect(slopeOf(last)).toBe(slopeOf(first));
    expect(slopeOf(between)).toBe(slopeOf(first));
    expect(metaOf(between).get('WindowWidth')).toEqual(metaOf(first).get('WindowWidth'));
  });

  it('gives back the image to half a stored value', () => {
    const values = fc.array(fc.float({ min: 0, max: 3000, noNaN: true }), { minLength: 120, maxLength: 120 });
    fc.assert(
      fc.property(values, fc.boolean(), fc.constantFrom('uint16', 'int16'), (magnitudes, snrUnits, pixelType) => {
        const source = image({ snrUnits, hasPhase: false }, magnitudes);
        const message = book({ pixelType }).message(source);
        const slope = slopeOf(message);
        message.data.forEach((stored, i) => {
          const value = Math.hypot(source.data[2 * i]!, source.data[2 * i + 1]!);
          expect(Math.abs(stored * slope - value)).toBeLessThanOrEqual(slope / 2 + 1e-6 * value);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('clips at the range of the type, and counts what it clipped', () => {
    const series = book({ openRecon: true });
    const magnitudes = new Float32Array(120).fill(10);
    magnitudes.fill(4000, 0, 7);
    const message = series.message(image({}, magnitudes));
    expect([...message.data.slice(0, 8)]).toEqual([...new Array(7).fill(32767), 100]);
    expect(codesOf(series)).toEqual(['CONUS_WARN_CLIPPED']);
    expect(series.notices[0]?.message).toContain('7 pixels of 1 images');
    series.message(image({}, magnitudes));
    expect(series.notices[0]?.message).toContain('14 pixels of 2 images');
  });

  it('puts 0 for what is not finite, and says so', () => {
    const series = book();
    const magnitudes = new Float32Array(120).fill(10);
    magnitudes.set([NaN, Infinity]);
    const message = series.message(image({}, magnitudes));
    expect([...message.data.slice(0, 3)]).toEqual([0, 0, 100]);
    expect(codesOf(series)).toEqual(['CONUS_WARN_NOT_FINITE']);
  });

  it('says that an image is empty', () => {
    const series = book();
    expect([...series.message(flat(0, { snrUnits: false })).data]).toEqual(new Array(120).fill(0));
    expect(codesOf(series)).toEqual(['CONUS_WARN_EMPTY_IMAGE']);
  });
});

describe('the pixel type', () => {
  it('is int16 for an OpenRecon host, uint16 for others, and what was asked for else', () => {
    expect(book().message(image()).data).toBeInstanceOf(Uint16Array);
    expect(book({ openRecon: true }).message(image()).data).toBeInstanceOf(Int16Array);
    expect(book({ pixelType: 'int16' }).message(image()).header.dataType).toBe('int16');
    const floats = book({ pixelType: 'float32', openRecon: true }).message(image());
    expect(floats.header.dataType).toBe('float32');
    expect(slopeOf(floats)).toBe(1);
  });

  it('complex64 holds the image bit for bit; its maps are float32', () => {
    const series = book({ pixelType: 'complex64' });
    const source = image();
    const message = series.message(source);
    expect(message.header).toMatchObject({ dataType: 'complex64', imageType: 5 });
    expect(message.data).toEqual(source.data);
    const map = series.message(image({ kind: 'gFactor' }));
    expect(map.header).toMatchObject({ dataType: 'float32', imageType: 1 });
    expect(map.data).toEqual(image({ kind: 'gFactor' }).data);
    for (const kind of ['coilMap', 'psf'] as const) {
      expect(series.message(image({ kind })).header).toMatchObject({ dataType: 'complex64', imageType: 5 });
    }
  });

  it('integer maps have a thousand stored values a unit', () => {
    for (const kind of ['gFactor', 'noise'] as const) {
      const message = book().message(flat(1.234, { kind }));
      expect(message.data[5]).toBe(1234);
      expect(slopeOf(message)).toBe(0.001);
    }
  });

  it('coil maps and point-spread functions have ten thousand, SNR maps the scale of images', () => {
    for (const kind of ['coilMap', 'psf'] as const) {
      const message = book().message(flat(0.4321, { kind, snrUnits: false }));
      expect(message.data[5]).toBe(4321);
      expect(metaOf(message).get('ConusUnit')).toEqual(['1']);
    }
    expect(slopeOf(book().message(flat(1, { kind: 'snr' })))).toBe(0.1);
  });

  it('a coil map says which coil it is of', () => {
    const meta = metaOf(book().message(image({ kind: 'coilMap', coil: 2, nVirtualCoils: 8 })));
    expect(meta.get('ConusCoil')).toEqual(['2']);
    expect(meta.get('ImageType')).toEqual(['DERIVED\\PRIMARY\\COILMAP\\GRAPPA']);
    expect(meta.get('ImageComments')?.[0]).toContain('coil map of coil 3 of 8');
  });
});

const anyImage = fc
  .record({
    kind: fc.constantFrom('image', 'gFactor', 'noise', 'snr', 'coilMap', 'psf', 'denoised', 'residual'),
    rows: fc.constantFrom(6, 8),
    columns: fc.constantFrom(6, 8),
    method: fc.constantFrom('full', 'grappa', 'zeroFilled'),
    snrUnits: fc.boolean(),
  })
  .map((description) => image(description));

describe('a series', () => {
  it('has one type, one matrix size, one scale, one window and one description', () => {
    fc.assert(
      fc.property(
        fc.array(anyImage, { minLength: 1, maxLength: 30 }),
        fc.constantFrom('uint16', 'int16', 'float32', 'complex64'),
        (images, pixelType) => {
          const series = book({ pixelType });
          const shared = new Map<number, unknown>();
          const counts = new Map<number, number>();
          for (const source of images) {
            const message = series.message(source);
            const { imageSeriesIndex: index, dataType, matrixSize, imageIndex } = message.header;
            const meta = metaOf(message);
            const names = ['RescaleSlope', 'WindowWidth', 'SeriesDescription', 'ConusUnit', 'ConusKind', 'ConusMethod'];
            const facts = [dataType, matrixSize, ...names.map((name) => meta.get(name))];
            expect(facts).toEqual(shared.get(index) ?? facts);
            shared.set(index, facts);
            counts.set(index, (counts.get(index) ?? 0) + 1);
            expect(imageIndex).toBe(counts.get(index));
            expect(matrixSize).toEqual([source.columns, source.rows, 1]);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('has a fixed index a kind, whatever comes first; further series count on', () => {
    const series = book({ seriesIndexBase: 10 });
    const indexOf = (source: ReconImage) => series.message(source).header.imageSeriesIndex;
    expect(indexOf(image({ kind: 'noise' }))).toBe(12);
    expect(indexOf(image({ kind: 'psf' }))).toBe(15);
    expect(indexOf(image({ kind: 'coilMap' }))).toBe(14);
    expect(indexOf(image({ kind: 'snr' }))).toBe(13);
    expect(indexOf(image({ kind: 'gFactor' }))).toBe(11);
    expect(indexOf(image())).toBe(10);
    expect(indexOf(image({ kind: 'residual' }))).toBe(17);
    expect(indexOf(image({ kind: 'denoised' }))).toBe(16);
    expect(indexOf(image({ rows: 20 }))).toBe(18);
    expect(indexOf(image({ method: 'zeroFilled' }))).toBe(19);
    expect(indexOf(image())).toBe(10);
  });

  it('is named after the request, the series or the protocol, at most 64 characters with its mark', () => {
    const described = (overrides: Partial<DeliverySettings>, source: Partial<ReconImage>) =>
      metaOf(book(overrides).message(image(source))).get('SeriesDescription');
    expect(described({}, {})).toEqual(['t2_tse_sag']);
    expect(described({ seriesDescription: 'mine' }, {})).toEqual(['mine']);
    expect(described({}, { kind: 'gFactor' })).toEqual(['t2_tse_sag GFACTOR']);
    const [long] = described({ seriesDescription: 'x'.repeat(100) }, { kind: 'noise', method: 'zeroFilled' }) ?? [];
    expect(long).toHaveLength(64);
    expect(long).toMatch(/x NOISE ZEROFILLED$/);
  });
});

describe('an image message', () => {
  it('lies where the image lies, in its loops and at its time', () => {
    const source = image({ counters: { slice: 3, contrast: 1, phase: 2, repetition: 4, set: 5, average: 6 } });
    expect(book().message(source).header).toMatchObject({
      position: source.geometry?.centreMm,
      readDir: source.geometry?.rowDirection,
      phaseDir: source.geometry?.columnDirection,
      sliceDir: source.geometry?.sliceDirection,
      fovMm: [260, 300, 4.5],
      nChannels: 1,
      ...source.counters,
      measurementUid: 7,
      acquisitionTimeStamp: 1234,
      physiologyTimeStamp: [1, 2, 3],
      patientTablePosition: [0, 0, -5],
      imageType: 1,
    });
  });

  it('carries what a scanner reads back', () => {
    const source = image({ counters: { slice: 0, contrast: 1, phase: 0, repetition: 0, set: 0, average: 0 } });
    const meta = metaOf(book().message(source));
    expect(Object.fromEntries(meta)).toMatchObject({
      DataRole: ['Image'],
      ImageProcessingHistory: ['CONUS', 'NoisePrewhitening', 'GRAPPA R=2', 'FFT', 'AdaptiveCombine'],
      SequenceDescriptionAdditional: ['CONUS'],
      ImageType: ['ORIGINAL\\PRIMARY\\M\\GRAPPA'],
      RescaleSlope: ['0.1'],
      RescaleIntercept: ['0'],
      WindowCenter: ['500'],
      WindowWidth: ['1000'],
      EchoTime: ['120'],
      InversionTime: ['160'],
      Keep_image_geometry: ['1'],
      ConusVersion: ['0.1.0'],
      ConusMethod: ['grappa'],
      ConusAcceleration: ['2'],
      ConusMissingLines: ['0'],
    });
    expect(meta.get('ImageRowDir')?.map(Number)).toEqual(source.geometry?.rowDirection);
    expect(meta.get('ImageColumnDir')?.map(Number)).toEqual(source.geometry?.columnDirection);
    expect(meta.get('ImageSliceDir')?.map(Number)).toEqual(source.geometry?.sliceDirection);
    expect(JSON.parse(meta.get('ConusParameters')?.[0] ?? '')).toEqual(settings.parameters);
  });

  it('is marked where lines are missing', () => {
    const meta = metaOf(book().message(image({ method: 'zeroFilled', nMissingLines: 31 })));
    expect(meta.get('SeriesDescription')).toEqual(['t2_tse_sag ZEROFILLED']);
    expect(meta.get('SequenceDescriptionAdditional')).toEqual(['CONUS_ZEROFILLED']);
    expect(meta.get('ImageComments')?.[0]).toMatch(/^ZEROFILLED: 31 lines missing/);
    expect(meta.get('ImageType')).toEqual(['ORIGINAL\\PRIMARY\\M\\ZEROFILLED']);
  });

  it('says that its geometry is unknown, and offers none to keep', () => {
    const message = book().message(image({ geometry: undefined }));
    expect(message.header).toMatchObject({ position: [0, 0, 0], readDir: [0, 0, 0], phaseDir: [0, 0, 0] });
    const meta = metaOf(message);
    expect(meta.get('ConusGeometry')).toEqual(['unknown']);
    expect(meta.get('ImageComments')?.[0]).toContain('geometry unknown');
    expect(['ImageRowDir', 'ImageColumnDir', 'ImageSliceDir', 'Keep_image_geometry'].filter((name) => meta.has(name))).toEqual([]);
  });

  it('is refused where the pixels are not rows times columns', () => {
    expect(() => book().message({ ...image(), rows: 13 })).toThrow('CONUS_ERR_IMAGE_SIZE');
    expect(() => book().message({ ...image(), rows: 0, data: new Float32Array(0) })).toThrow('CONUS_ERR_IMAGE_SIZE');
  });
});
