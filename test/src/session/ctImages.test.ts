import { encodeClose, encodeConfigText, encodeHeader, encodeImage, parseMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DenoiseOutcome, DenoiseRequest } from '../../../recon/index.js';
import { clinicalFanBeam, CtScan } from '../../../simulator/index.js';
import { Denoising } from '../../../src/denoising/index.js';
import type { Denoisers } from '../../../src/session/index.js';
import { muscleInFat } from '../../simulator/ct/phantoms.js';
import { play } from '../fakes.js';
import { concat, headerXml } from '../streams.js';

const size = 192;
let slices: MrdImage[];
let truths: Float32Array[];

beforeAll(() => {
  const scan = new CtScan(muscleInFat, {
    beam: { ...clinicalFanBeam, nViews: 492 }, matrix: size, fovMm: size, bodyPixelMm: 1, planesPerSlice: 1, nSlices: 2, doseFractions: [0.05, Infinity], seed: 3,
  });
  const scanned = [0, 1].map((index) => scan.slice(index));
  slices = scanned.map(([noisy], index) => ctImage(index, noisy!.hounsfield));
  truths = scanned.map(([, clean]) => clean!.hounsfield);
});

function ctImage(slice: number, hounsfield: Float32Array): MrdImage {
  return {
    header: {
      version: 1, dataType: 'int16', flags: 0n, measurementUid: 1, matrixSize: [size, size, 1], fovMm: [size, size, 3], nChannels: 1,
      position: [0, 0, 3 * slice], readDir: [1, 0, 0], phaseDir: [0, 1, 0], sliceDir: [0, 0, 1], patientTablePosition: [0, 0, 0],
      average: 0, slice, contrast: 0, phase: 0, repetition: 0, set: 0, acquisitionTimeStamp: 0, physiologyTimeStamp: [0, 0, 0],
      imageType: 1, imageIndex: slice + 1, imageSeriesIndex: 1, userInt: [0, 0, 0, 0, 0, 0, 0, 0], userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
    },
    attributes: '<ismrmrdMeta><meta><name>SeriesDescription</name><value>CT abdomen</value></meta></ismrmrdMeta>',
    data: Int16Array.from(hounsfield, Math.round),
  };
}

async function answerOf(denoisers: Denoisers | undefined, denoise: number) {
  const config = encodeConfigText(JSON.stringify({ chain: 'default', parameters: { denoise: String(denoise) } }));
  const stream = [concat(config), concat(encodeHeader(headerXml())), ...slices.map((slice) => concat(encodeImage(slice))), concat(encodeClose())];
  const { messages, texts, summary } = await play(stream, {}, denoisers === undefined ? {} : { denoisers });
  const images = messages.flatMap((message) => (message.kind === 'image' ? [message.image] : []));
  expect(messages.at(-1)).toEqual({ kind: 'close' });
  const isDenoised = ({ attributes }: MrdImage) => parseMeta(attributes).has('ConusDenoise');
  return { texts, summary, returned: images.filter((image) => !isDenoised(image)), denoised: images.filter(isDenoised) };
}

const denoisersOf = (answer: (request: DenoiseRequest) => DenoiseOutcome): Denoisers => ({
  denoiser: (task) => (task === 'denoise-ct' ? (request) => Promise.resolve(answer(request)) : undefined),
});
const model = { id: 'perfect', version: '1.0.0', sha256: 'ab' };
const perfect = denoisersOf(({ slice }) => ({ images: [truths[slice]!.slice()], model, ms: 1 }));

describe('CT images in a session', () => {
  it('go back as they came, and a second time denoised, in a series of its own', async () => {
    const { texts, summary, returned, denoised } = await answerOf(perfect, 50);
    expect(returned).toEqual(slices);
    expect(denoised.map(({ header: { slice } }) => slice)).toEqual([0, 1]);
    expect(new Set(denoised.map(({ header }) => header.imageSeriesIndex)).size).toBe(1);
    expect(denoised[0]!.header.imageSeriesIndex).not.toBe(slices[0]!.header.imageSeriesIndex);
    expect(texts).toEqual([]);
    expect(summary).toMatchObject({ outcome: 'completed', nImagesIn: 2, nImagesOut: 4 });
  });

  it('go back bit for bit and alone at strength 0, and where there is no denoiser', async () => {
    for (const [denoisers, denoise] of [[perfect, 0], [undefined, 75], [{ denoiser: () => undefined }, 75]] as const) {
      const { texts, returned, denoised } = await answerOf(denoisers, denoise);
      expect(returned).toEqual(slices);
      expect(denoised).toEqual([]);
      expect(texts).toEqual([expect.stringContaining('CONUS_WARN_IMAGES_RETURNED')]);
    }
  });

  it('go back all the same where the denoiser fails, with the reason', async () => {
    const failing = denoisersOf(({ slice }) => (slice === 1 ? { failure: { code: 'MODEL_ERR_CRASHED', message: 'the process ended' } } : { images: [truths[slice]!.slice()], model, ms: 1 }));
    const { texts, summary, returned, denoised } = await answerOf(failing, 75);
    expect(returned).toEqual(slices);
    expect(denoised.map(({ header: { slice } }) => slice)).toEqual([0]);
    expect(texts).toEqual([expect.stringMatching(/CONUS_WARN_CT_SERIES_END.*image 2.*the process ended/)]);
    expect(summary.outcome).toBe('completed');
  });
});

describe('the CT denoiser that comes with the program', () => {
  let denoising: Denoising;
  beforeAll(async () => {
    denoising = await Denoising.open({ threads: 1 });
  });
  afterAll(() => denoising.close());

  it('takes noise from the soft tissue of a session’s images, and nothing else', async () => {
    const { texts, returned, denoised } = await answerOf(denoising, 75);
    expect(texts).toEqual([]);
    expect(returned).toEqual(slices);
    expect(denoised).toHaveLength(2);
    const error = (image: MrdImage, truth: Float32Array) => {
      const errors = Float32Array.from(image.data as Int16Array, (value, p) => value - truth[p]!).filter((_, p) => truth[p]! > -20 && truth[p]! < 120);
      const mean = errors.reduce((sum, value) => sum + value, 0) / errors.length;
      return { mean, std: Math.sqrt(errors.reduce((sum, value) => sum + (value - mean) ** 2, 0) / errors.length) };
    };
    slices.forEach((slice, k) => {
      const [before, after] = [error(slice, truths[k]!), error(denoised[k]!, truths[k]!)];
      expect(after.std / before.std).toBeLessThan(0.6);
      expect(Math.abs(after.mean - before.mean)).toBeLessThan(1);
    });
    expect(parseMeta(denoised[0]!.attributes).get('ConusModel')).toEqual(['ct-denoiser']);
  });
});
