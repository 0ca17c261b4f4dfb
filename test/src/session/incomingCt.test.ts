import { describe, expect, it } from 'vitest';
import { parseMeta, serializeMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { IncomingCt } from '../../../src/session/index.js';
import type { IncomingCtOptions } from '../../../src/session/index.js';
import type { DenoiseOutcome, DenoiseRequest, DenoisingRecord, LightFallbacks, ReconNotice } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';

const size = 96;
const noiseHu = 20;
const model = { id: 'ct-denoiser', version: '1.0.0', sha256: 'ab' };

/** Muscle, fat and air. */
const truth = Float32Array.from({ length: size * size }, (_, p) => {
  const radius = Math.hypot((p % size) - 48, Math.floor(p / size) - 48);
  return radius < 30 ? 50 : radius < 42 ? -100 : -1000;
});

function image(slice: number, values: ArrayLike<number>, dataType: 'int16' | 'uint16' | 'float32' = 'int16', attributes: Record<string, string | number> = {}): MrdImage {
  const arrays = { int16: Int16Array, uint16: Uint16Array, float32: Float32Array };
  return {
    header: {
      version: 1, dataType, flags: 0n, measurementUid: 1, matrixSize: [size, size, 1], fovMm: [size * 0.8, size * 0.8, 3], nChannels: 1,
      position: [0, 0, 3 * slice], readDir: [1, 0, 0], phaseDir: [0, 1, 0], sliceDir: [0, 0, 1], patientTablePosition: [0, 0, 0],
      average: 0, slice, contrast: 0, phase: 0, repetition: 0, set: 0, acquisitionTimeStamp: 0, physiologyTimeStamp: [0, 0, 0],
      imageType: 1, imageIndex: slice + 1, imageSeriesIndex: 4, userInt: [0, 0, 0, 0, 0, 0, 0, 0], userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
    },
    attributes: serializeMeta({ SeriesDescription: 'Abdomen', ...attributes }),
    data: arrays[dataType].from(values),
  };
}

function ct(slice: number): MrdImage {
  const random = new Random(slice + 1);
  return image(slice, truth.map((value) => Math.round(value + noiseHu * random.normal())));
}

type Answer = (request: DenoiseRequest) => DenoiseOutcome | Promise<DenoiseOutcome>;
const perfect: Answer = () => ({ images: [truth.slice()], model, ms: 1 });

async function through(
  images: readonly MrdImage[], answer: Answer = perfect, strengthPercent = 60, fallbacks: LightFallbacks = { onAmber: 'deliver', onRed: 'end' },
  noiseByDose?: IncomingCtOptions['noiseByDose'],
) {
  const made: { image: MrdImage; record: DenoisingRecord }[] = [];
  const ends: string[] = [];
  const said: ReconNotice[] = [];
  const incoming = new IncomingCt({
    denoiser: async (request) => answer(request),
    strengthPercent,
    fallbacks,
    noiseByDose,
    say: (notice) => said.push(notice),
    image: (one, record) => made.push({ image: one, record }),
    ended: (reason) => ends.push(reason),
  });
  for (const one of images) incoming.take(one);
  await incoming.done();
  return { made, ends, said };
}

describe('CT images that come in', () => {
  it('come out a second time, denoised, in their order, with their header and what was done to them', async () => {
    const images = [ct(0), ct(1), ct(2)];
    const before = images.map(({ data }) => data.slice());
    const { made, ends } = await through(images);
    expect(ends).toEqual([]);
    expect(made.map(({ image: { header } }) => header)).toEqual(images.map(({ header }) => header));
    const meta = parseMeta(made[0]!.image.attributes);
    expect(meta.get('SeriesDescription')).toEqual(['Abdomen DN60']);
    expect(meta.get('ConusDenoise')).toEqual(['60']);
    expect(meta.get('ConusDenoiseNoise')).toEqual(['estimated']);
    expect(meta.get('ConusModelSha256')).toEqual(['ab']);
    made.forEach(({ image: { data } }, k) => {
      const p = 48 * size + 48;
      expect(data[p]).toBe(Math.round(before[k]![p]! + 0.6 * (truth[p]! - before[k]![p]!)));
    });
    // Those that came in stay as they are.
    images.forEach(({ data }, k) => expect(data).toEqual(before[k]));
  });

  it('are denoised at full strength with the noise of dose and kernel, which is said', async () => {
    const asked: DenoiseRequest[] = [];
    const answer: Answer = (request) => {
      asked.push(request);
      return perfect(request);
    };
    const { made, said } = await through([ct(0)], answer, 100, undefined, () => new Float32Array(size * size).fill(noiseHu));
    expect(asked[0]!.images[0]!.noise).toEqual(new Float32Array(size * size).fill(noiseHu));
    expect(made[0]!.record).toMatchObject({ strengthPercent: 100, noiseSource: 'dose' });
    expect(parseMeta(made[0]!.image.attributes).get('ConusDenoiseNoise')).toEqual(['dose']);
    expect(said).toEqual([]);
  });

  it.each([
    ['the image has four times as much', 'give 0.2', () => new Float32Array(size * size).fill(noiseHu / 4)],
    ['the image has half as much', 'give 1.9', () => new Float32Array(size * size).fill(noiseHu * 2)],
    ['dose or kernel are not known', 'it has no Exposure', () => ({ unknown: 'it has no Exposure' })],
  ] as const)('are denoised with an estimate where %s, which is said once', async (_, why, noiseByDose) => {
    const { made, said } = await through([ct(0), ct(1)], perfect, 100, undefined, noiseByDose);
    expect(made.map(({ record: { noiseSource, strengthPercent } }) => [noiseSource, strengthPercent])).toEqual([['estimated', 75], ['estimated', 75]]);
    expect(said.map(({ code }) => code)).toEqual(['CONUS_WARN_CT_NOISE_ESTIMATED']);
    expect(said[0]!.message).toContain(why);
  });

  it('keep the scale of their pixels', async () => {
    const stored = ct(0).data.map((value) => (value + 1024) * 2);
    const asked: DenoiseRequest[] = [];
    const { made } = await through([image(0, stored as unknown as ArrayLike<number>, 'uint16', { RescaleSlope: 0.5, RescaleIntercept: -1024 })], (request) => {
      asked.push(request);
      return { images: [truth.slice()], model, ms: 1 };
    }, 75);
    const p = 48 * size + 48;
    expect(asked[0]!.images[0]!.data[p]).toBe(stored[p]! / 2 - 1024);
    expect(made[0]!.image.data).toBeInstanceOf(Uint16Array);
    expect(made[0]!.image.data[p]).toBe(Math.round((asked[0]!.images[0]!.data[p]! * 0.25 + truth[p]! * 0.75 + 1024) * 2));
  });

  it('are passed over where they are none', async () => {
    const magnitude = image(0, truth.map((_, p) => 400 + (p % 500)), 'uint16');
    const { made, ends } = await through([magnitude, magnitude]);
    expect([made, ends]).toEqual([[], []]);
  });

  it.each<[string, Answer]>([
    ['fails', () => ({ failure: { code: 'MODEL_ERR_TIMEOUT', message: 'no answer after 10 ms' } })],
    ['breaks', () => Promise.reject(new Error('no answer after 10 ms'))],
  ])('end their series, with the reason and no gap, where the denoiser %s', async (_, broken) => {
    const { made, ends } = await through([ct(0), ct(1), ct(2)], (request) => (request.slice === 1 ? broken(request) : perfect(request)));
    expect(made.map(({ image: { header } }) => header.slice)).toEqual([0]);
    expect(ends).toEqual([expect.stringMatching(/image 2 .*no answer after 10 ms/)]);
  });

  it('end their series where the denoiser takes more than noise, unless that is to be delivered with its light', async () => {
    const brighter: Answer = () => ({ images: [truth.map((value) => value + 60)], model, ms: 1 });
    const { made, ends } = await through([ct(0)], brighter);
    expect(made).toEqual([]);
    expect(ends).toEqual([expect.stringMatching(/not to be trusted/)]);
    const delivered = await through([ct(0)], brighter, 60, { onAmber: 'deliver', onRed: 'deliver' });
    expect(delivered.made.map(({ record }) => record.light)).toEqual(['red']);
    expect(delivered.ends).toEqual([]);
  });

  it('are shown with less strength from one on whose light asks for it, in a series of its own, and that is said once', async () => {
    const brighter = truth.map((value) => value + 60);
    const images = [ct(0), ct(1), ct(2)];
    const { made, ends, said } = await through(
      images, (request) => ({ images: [request.slice === 1 ? brighter.slice() : truth.slice()], model, ms: 1 }), 60, { onAmber: 'deliver', onRed: 25 },
    );
    expect(ends).toEqual([]);
    expect(made.map(({ record: { strengthPercent, light } }) => [strengthPercent, light])).toEqual([[60, 'green'], [25, 'red'], [25, 'green']]);
    expect(made.map(({ image: { attributes } }) => parseMeta(attributes).get('SeriesDescription'))).toEqual([['Abdomen DN60'], ['Abdomen DN25'], ['Abdomen DN25']]);
    expect(said.map(({ code, message }) => [code, message])).toEqual([['CONUS_WARN_QUALITY_STRENGTH', expect.stringMatching(/^image 2 is red .* 25 %/)]]);
    const p = 48 * size + 48;
    const before = images[1]!.data[p]!;
    expect(made[1]!.image.data[p]).toBe(Math.round(before + 0.25 * (brighter[p]! - before)));
  });

  it('are not asked for any more when nobody waits', async () => {
    let nAsked = 0;
    const incoming: IncomingCt = new IncomingCt({
      denoiser: async (request) => {
        nAsked++;
        incoming.abort();
        return perfect(request);
      },
      strengthPercent: 50,
      fallbacks: { onAmber: 'deliver', onRed: 'deliver' },
      image: () => expect.unreachable(),
      say: () => expect.unreachable(),
      ended: () => expect.unreachable(),
    });
    for (const one of [ct(0), ct(1)]) incoming.take(one);
    await incoming.done();
    expect(nAsked).toBe(1);
  });
});
