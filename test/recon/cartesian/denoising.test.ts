import { flagsOf } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { fitScale, nRmse } from '../../../imaging/index.js';
import {
  Arena, bindKernels, CartesianReconstruction, createSessionMemory, defaultReconParameters, planCartesian, runCalibration, type DenoiseOutcome, type DenoiseRequest, type DenoiseRunner, type ReconImage, type ReconParameters,
} from '../../../recon/index.js';
import { Random, SimulatedScan } from '../../../simulator/index.js';
import { GridScan, magnitudeOf, reconstructGrid, type GridScanOptions, type PlayedScan } from './gridScan.js';
import { played } from './simulated.js';

const model = { id: 'test', version: '1', sha256: 'ab' };
const base: Partial<GridScanOptions> = { noiseStd: 0.01, nCoils: 6 };

/** Answers at once with f of each image. */
const denoiserOf = (f: (image: DenoiseRequest['images'][number]) => Float32Array): DenoiseRunner => (request, done) =>
  done({ images: request.images.map(f), model, ms: 1 });
const identity = denoiserOf(({ data }) => data.slice());
/** Means over 3 x 3 pixels. */
const blur = denoiserOf(({ rows, columns, data }) => blurred(data, rows, columns));

function blurred(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let dr = -1; dr <= 1; dr++) {
        for (let dc = -1; dc <= 1; dc++) {
          const from = 2 * (((row + dr + rows) % rows) * columns + ((column + dc + columns) % columns));
          const to = 2 * (row * columns + column);
          out[to] = out[to]! + data[from]! / 9;
          out[to + 1] = out[to + 1]! + data[from + 1]! / 9;
        }
      }
    }
  }
  return out;
}

/** Keeps requests until they are answered, in whatever order. */
class Waiting {
  readonly requests: { request: DenoiseRequest; done: (outcome: DenoiseOutcome) => void }[] = [];
  readonly run: DenoiseRunner = (request, done) => this.requests.push({ request, done });

  /** The last one first, until there are none. */
  answerAll(outcomeOf: (request: DenoiseRequest) => DenoiseOutcome = ({ images }) => ({ images: images.map(({ data }) => data), model, ms: 1 })): void {
    for (let last = this.requests.pop(); last !== undefined; last = this.requests.pop()) last.done(outcomeOf(last.request));
  }
}

const ofKind = (images: readonly ReconImage[], kind: ReconImage['kind']) => images.filter((image) => image.kind === kind);
const slicesOf = (images: readonly ReconImage[]) => images.map(({ counters }) => counters.slice);
const run = (scan: PlayedScan, parameters: Partial<ReconParameters>, denoiser?: DenoiseRunner, settle?: () => void) =>
  reconstructGrid(scan, parameters, 0, denoiser, settle);

function relativeDifference(a: Float32Array, b: Float32Array): number {
  let [difference, energy] = [0, 0];
  a.forEach((value, i) => {
    difference += (value - b[i]!) ** 2;
    energy += b[i]! ** 2;
  });
  return Math.sqrt(difference / energy);
}

describe('the denoised series', () => {
  const scan = new GridScan({ ...base, nSlices: 3, acceleration: 2 });
  const conventional = reconstructGrid(scan).images;

  it('is not there, and no denoiser is asked, at strength 0', () => {
    let nAsked = 0;
    const { images } = run(scan, { denoise: 0 }, (request, done) => {
      nAsked++;
      identity(request, done);
    });
    expect(nAsked).toBe(0);
    expect(images).toEqual(conventional);
  });

  it('comes beside the conventional series, which stays as it is bit for bit', () => {
    const { images } = run(scan, { denoise: 75 }, blur);
    expect(ofKind(images, 'image').map(({ data }) => data)).toEqual(conventional.map(({ data }) => data));
    expect(slicesOf(ofKind(images, 'denoised'))).toEqual([0, 1, 2]);
    expect(ofKind(images, 'denoised')[0]).toMatchObject({
      method: 'grappa', hasPhase: true, geometry: conventional[0]!.geometry,
      denoising: { strengthPercent: 75, noiseSource: 'measured', modelId: 'test', modelVersion: '1', modelSha256: 'ab', dataConsistency: false },
    });
  });

  it('is the conventional image where the denoiser changes nothing', () => {
    const variants: Partial<GridScanOptions>[] = [
      {}, { acceleration: 3 }, { partialFourier: 0.75 }, { interpolation: 2 }, { phaseOversampling: 1.5 }, { echo: 0.75 },
      { phaseResolution: 0.7 }, { matrix: [40, 40, 12], slicePartialFourier: 0.75, sliceOversampling: 1.5 },
    ];
    for (const options of variants) {
      const { images } = run(new GridScan({ ...base, ...options }), { denoise: 100, denoiseDataConsistency: 'off' }, identity);
      const [before, after] = [ofKind(images, 'image'), ofKind(images, 'denoised')];
      expect(after).toHaveLength(before.length);
      before.forEach((image, at) => expect(relativeDifference(after[at]!.data, image.data)).toBeLessThan(1e-6));
    }
  });

  it('goes linearly from the image to the denoised one', () => {
    const at = (denoise: number) => ofKind(run(scan, { denoise, denoiseDataConsistency: 'off' }, blur).images, 'denoised')[0]!.data;
    const [half, full] = [at(50), at(100)];
    const from = conventional[0]!.data;
    expect(relativeDifference(half, from.map((value, i) => (value + full[i]!) / 2))).toBeLessThan(1e-6);
    expect(relativeDifference(full, from)).toBeGreaterThan(0.01);
  });

  it('shows less from an image on whose light asks for less, and never more again', () => {
    // Takes out what looks like the noise; of slice 1 nothing, so that its light is red.
    const takesNoise: DenoiseRunner = (request, done) =>
      denoiserOf(({ data, noise }) => {
        const random = new Random(request.slice + 1);
        return data.map((value, i) => (request.slice === 1 ? value : value - 0.9 * noise[i >> 1]! * random.normal()));
      })(request, done);
    const { images } = run(scan, { denoise: 75, onRed: 30, residualMap: true, denoiseDataConsistency: 'off' }, takesNoise);
    const denoised = ofKind(images, 'denoised');
    expect(denoised.map(({ denoising }) => [denoising!.strengthPercent, denoising!.light === 'red'])).toEqual([[75, false], [30, true], [30, false]]);
    ofKind(images, 'residual').forEach(({ data }, at) => {
      const expected = conventional[at]!.data.map((value, i) => value - (at === 0 ? 0.75 : 0.3) * data[i]!);
      expect(relativeDifference(denoised[at]!.data, expected)).toBeLessThan(1e-6);
    });
  });

  it('has a residual, which is what full strength takes out', () => {
    const { images } = run(scan, { denoise: 40, residualMap: true, denoiseDataConsistency: 'off' }, blur);
    const [residual, denoised] = [ofKind(images, 'residual')[1]!, ofKind(images, 'denoised')[1]!];
    expect(residual.denoising).toEqual(denoised.denoising);
    const expected = conventional[1]!.data.map((value, i) => value - 0.4 * residual.data[i]!);
    expect(relativeDifference(denoised.data, expected)).toBeLessThan(1e-6);
  });

  it('is corrected for intensity, filtered and completed as the conventional one is', () => {
    const { images } = run(
      new GridScan({ ...base, partialFourier: 0.75 }), { denoise: 100, intensityCorrection: 'estimate', rawFilter: 'hann', denoiseDataConsistency: 'off' }, identity,
    );
    const [image, denoised] = [ofKind(images, 'image')[0]!, ofKind(images, 'denoised')[0]!];
    expect(denoised.partialFourier).toBe(image.partialFourier);
    expect(denoised.postProcessing).toEqual(image.postProcessing);
    expect(relativeDifference(denoised.data, image.data)).toBeLessThan(1e-6);
  });
});

describe('the noise that a denoiser is told', () => {
  /** Standard deviation over replicas, over the noise map, of what the denoiser is given. */
  function noiseRatioOf(options: Partial<GridScanOptions>, parameters: Partial<ReconParameters> = {}, nReplicas = 20): { ratio: number; size: [number, number] } {
    const scan = new GridScan({ ...base, matrix: [40, 40, 1], noisyCalibration: false, noiseStd: 0.02, ...options });
    const seen: DenoiseRequest['images'][number][] = [];
    for (let replica = 0; replica < nReplicas; replica++) {
      reconstructGrid(scan, { denoise: 50, ...parameters }, replica, (request, done) => {
        seen.push(request.images[0]!);
        identity(request, done);
      });
    }
    const { rows, columns, noise } = seen[0]!;
    let [sum, count] = [0, 0];
    for (let p = 0; p < rows * columns; p++) {
      // Along the signal's phase: maps that the image gives itself turn with its noise.
      const sizes = seen.map(({ data }) => Math.hypot(data[2 * p]!, data[2 * p + 1]!));
      const mean = sizes.reduce((total, size) => total + size, 0) / sizes.length;
      if (mean < 8 * noise[p]!) continue;
      sum += sizes.reduce((total, size) => total + (size - mean) ** 2, 0) / (sizes.length - 1) / noise[p]! ** 2;
      count++;
    }
    expect(count).toBeGreaterThan(100);
    return { ratio: Math.sqrt(sum / count), size: [rows, columns] };
  }

  it('is the standard deviation of each pixel', () => {
    const cases: Partial<GridScanOptions>[] = [{}, { acceleration: 3 }, { nAverages: 2 }, { partialFourier: 0.75 }, { echo: 0.75 }];
    const ratios = cases.map((options) => noiseRatioOf(options).ratio);
    for (const ratio of ratios) expect(Math.abs(ratio - 1), ratios.join()).toBeLessThan(0.04);
  }, 60_000);

  it('is that of SENSE, too, which is less certain', () => {
    expect(Math.abs(noiseRatioOf({ matrix: [64, 64, 1], acceleration: 2 }, { unalias: 'sense', senseIterations: 8 }, 8).ratio - 1)).toBeLessThan(0.1);
  }, 60_000);

  it('is on a grid as fine as what was sampled', () => {
    const { ratio, size } = noiseRatioOf({ matrix: [64, 64, 1], interpolation: 2 });
    expect(size).toEqual([32, 32]);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
  }, 60_000);

  it('is the edge of k-space where there was no noise scan', () => {
    const scan = new GridScan({ ...base, noiseStd: 0.01 });
    const { images, notices } = run(scan, { denoise: 50, prewhiten: false }, identity);
    expect(ofKind(images, 'denoised')[0]!.denoising!.noiseSource).toBe('edge');
    expect(notices.map(({ code }) => code)).toContain('RECON_INFO_NOISE_ESTIMATE');
  });
});

describe('a denoiser that takes its time', () => {
  const scan = new GridScan({ ...base, nSlices: 4 });

  it('is waited for at the end, and its answers leave in the order of the slices', () => {
    const waiting = new Waiting();
    expect(run(scan, { denoise: 50 }, waiting.run).isFinished).toBe(false);
    const answered = new Waiting();
    const images: number[] = [];
    const result = run(scan, { denoise: 50 }, answered.run, () => answered.answerAll());
    images.push(...slicesOf(ofKind(result.images, 'denoised')));
    expect(images).toEqual([0, 1, 2, 3]);
  });

  it('does not hold up the conventional images', () => {
    const waiting = new Waiting();
    expect(slicesOf(run(scan, { denoise: 50 }, waiting.run).images)).toEqual([0, 1, 2, 3]);
    expect(waiting.requests.length).toBeLessThanOrEqual(2);
  });

  it('may answer twice without harm', () => {
    const { images } = run(scan, { denoise: 50 }, (request, done) => {
      identity(request, done);
      identity(request, done);
    });
    expect(ofKind(images, 'denoised')).toHaveLength(4);
  });
});

describe('a denoiser that fails', () => {
  const scan = new GridScan({ ...base, nSlices: 4 });
  const failure = { failure: { code: 'MODEL_ERR_TIMEOUT', message: 'no answer in 5 s' } };

  it('ends the denoised series with its reason; the conventional one is whole', () => {
    const outcomes: Record<string, (request: DenoiseRequest) => DenoiseOutcome> = {
      MODEL_ERR_TIMEOUT: () => failure,
      'another size': () => ({ images: [new Float32Array(3)], model, ms: 1 }),
      'not finite': ({ images }) => ({ images: images.map(({ data }) => data.map(() => NaN)), model, ms: 1 }),
    };
    for (const [text, outcomeOf] of Object.entries(outcomes)) {
      const waiting = new Waiting();
      const { images, notices, isFinished } = run(scan, { denoise: 50 }, waiting.run, () =>
        waiting.answerAll((request) => (request.slice === 1 ? outcomeOf(request) : { images: request.images.map(({ data }) => data), model, ms: 1 })),
      );
      expect(isFinished).toBe(true);
      expect(slicesOf(ofKind(images, 'image'))).toEqual([0, 1, 2, 3]);
      expect(slicesOf(ofKind(images, 'denoised'))).toEqual([0]);
      const said = notices.filter(({ code }) => code === 'RECON_WARN_DENOISER_FAILED');
      expect(said).toHaveLength(1);
      expect(said[0]!.message).toContain(text);
      expect(said[0]!.message).toContain('Slice 1');
    }
  });
});

describe('a compressed-sensing image', () => {
  it('is denoised by a map of its own, and its light says that its noise is not white', () => {
    const scan = new GridScan({ ...base, acceleration: 2 });
    let asked: Float32Array | undefined;
    const { images } = run(scan, { denoise: 50, unalias: 'l1', noiseMap: true }, (request, done) => {
      asked = request.images[0]!.noise.slice();
      identity(request, done);
    });
    const [denoised] = ofKind(images, 'denoised');
    expect(denoised).toMatchObject({ method: 'l1', noiseMapMethod: 'perturbation' });
    expect(denoised!.denoising!.reasons.at(-1)).toContain('compressed-sensing');
    const noise = ofKind(images, 'noise')[0]!.data;
    noise.forEach((value, p) => value > 0 && expect(asked![p]).toBeCloseTo(value, 5));
  });
});

describe('images that are not denoised', () => {
  const said = (scan: PlayedScan, parameters: Partial<ReconParameters>, denoiser: DenoiseRunner | undefined = identity) => {
    const { images, notices, isFinished } = run(scan, { denoise: 50, ...parameters }, denoiser);
    expect(isFinished).toBe(true);
    expect(ofKind(images, 'denoised')).toHaveLength(0);
    return notices.filter(({ code }) => code === 'RECON_WARN_NOT_DENOISED' || code === 'RECON_WARN_DENOISE_INPUT').map(({ message }) => message);
  };

  it('come with the reason, once', () => {
    const scan = new GridScan({ ...base, nSlices: 2, acceleration: 2 });
    expect(said(scan, { combine: 'rss' })).toEqual([expect.stringContaining('root-sum-of-squares')]);
    expect(said(scan, { unalias: 'none' })).toEqual([expect.stringContaining('incomplete')]);
    expect(said(new GridScan({ ...base, nSlices: 2, noiseStd: 0 }), {})).toHaveLength(1);
  });

  it('are all of them where no denoiser is ready', () => {
    expect(run(new GridScan(base), { denoise: 50 }).notices.map(({ code }) => code)).toContain('RECON_WARN_NOT_DENOISED');
  });
});

/** Two averages that no header announces: those of the second are lines that come late. */
function unannouncedAverages(): PlayedScan {
  const averaged = played(new SimulatedScan({ matrix: [64, 64], nCoils: 6, nAverages: 2, nSlices: 1, noiseStd: 0.002 }));
  const [encoding, ...others] = averaged.header.encoding;
  const { average, ...encodingLimits } = encoding!.encodingLimits;
  expect(average?.maximum).toBe(1);
  return {
    ...averaged,
    header: { ...averaged.header, encoding: [{ ...encoding!, encodingLimits }, ...others] },
    *readouts() {
      for (const { header, samples } of averaged.readouts()) {
        yield { header: { ...header, flags: header.flags & ~flagsOf('firstInSlice', 'lastInSlice') }, samples };
      }
    },
  };
}

describe('lines that come late', () => {
  it('bring both images again', () => {
    const unannounced = unannouncedAverages();
    const { images } = run(unannounced, { denoise: 100, denoiseDataConsistency: 'off' }, identity);
    const [before, after] = [ofKind(images, 'image'), ofKind(images, 'denoised')];
    expect(before.length).toBeGreaterThan(1);
    expect(after).toHaveLength(before.length);
    expect(relativeDifference(after.at(-1)!.data, before.at(-1)!.data)).toBeLessThan(1e-6);
  });
});

describe('measured lines', () => {
  const scan = (options: Partial<GridScanOptions>) => new GridScan({ ...base, noiseStd: 0.002, ...options });
  const isConsistent = (images: readonly ReconImage[]) => ofKind(images, 'denoised').map(({ denoising }) => denoising!.dataConsistency);

  it('are put back into what a denoiser blurred, and make it sharper', () => {
    const truth = scan({ acceleration: 2 }).truth();
    const errorOf = (denoiseDataConsistency: 'on' | 'off') => {
      const { images } = run(scan({ acceleration: 2 }), { denoise: 100, denoiseDataConsistency }, blur);
      expect(isConsistent(images)).toEqual([denoiseDataConsistency === 'on']);
      const image = magnitudeOf(ofKind(images, 'denoised')[0]!);
      return nRmse(image.map((value) => value * fitScale(image, truth)), truth);
    };
    expect(errorOf('on')).toBeLessThan(0.97 * errorOf('off'));
  });

  it('are put back where that was found to help, unless told otherwise', () => {
    for (const [acceleration, isPutBack] of [[2, false], [3, true]] as const) {
      expect(isConsistent(run(scan({ acceleration, matrix: [48, 48, 1] }), { denoise: 80 }, identity).images)).toEqual([isPutBack]);
    }
    const { decisions } = planCartesian(scan({ acceleration: 3, interpolation: 2 }).header, { ...defaultReconParameters, denoise: 80 });
    expect(decisions.find(({ what }) => what === 'measured lines in denoised images')?.value).toBe('not put back');
  });

  it('are left where they cannot be put back, which is said', () => {
    const { plan, notices } = planCartesian(scan({ interpolation: 2 }).header, { ...defaultReconParameters, denoise: 50, denoiseDataConsistency: 'on' });
    expect(plan.parameters.denoise).toBe(50);
    expect(notices.map(({ code }) => code)).toEqual(['RECON_WARN_DATA_CONSISTENCY']);
  });

  it('are those that the image was made of, also where more came before the denoiser answered', () => {
    const parameters = { denoise: 100, denoiseDataConsistency: 'on' } as const;
    const waiting = new Waiting();
    const late = run(unannouncedAverages(), parameters, waiting.run, () => waiting.answerAll());
    const atOnce = run(unannouncedAverages(), parameters, identity);
    for (const { images } of [late, atOnce]) expect(isConsistent(images)).toEqual([true, true]);
    expect(ofKind(late.images, 'denoised').map(({ data }) => data)).toEqual(ofKind(atOnce.images, 'denoised').map(({ data }) => data));
  });
});

describe('a session with little memory', () => {
  it('gives up what waits to put measured lines back, and denoises without, which is said', () => {
    const scan = new GridScan({ ...base, nSlices: 12, acceleration: 3, matrix: [48, 48, 1] });
    const plenty = run(scan, { denoise: 100 }, identity);
    const linesPutBack = (images: readonly ReconImage[]) => ofKind(images, 'denoised').map(({ denoising }) => denoising!.dataConsistency);
    expect(linesPutBack(plenty.images)).toEqual(Array(12).fill(true));

    // Room for one calibration at a time, and beside it for some of what waits.
    const limitBytes = 3000 * 1024;
    const memory = createSessionMemory(limitBytes);
    const arena = new Arena(memory, { startByte: 64, limitBytes });
    const { plan } = planCartesian(scan.header, { ...defaultReconParameters, denoise: 100 });
    const images: ReconImage[] = [];
    const notices: string[] = [];
    const waiting = new Waiting();
    const reconstruction = new CartesianReconstruction(
      plan, bindKernels(memory, arena), { image: (image) => images.push(image), notice: ({ code }) => notices.push(code) },
      (job, done) => done(runCalibration(memory, job)), undefined, waiting.run,
    );
    const pointer = arena.allocate(8 * scan.options.nCoils * scan.nSamples);
    for (const { header, samples } of scan.readouts()) {
      arena.f32(pointer, samples.length).set(samples);
      reconstruction.push(header, pointer);
    }
    let isFinished = false;
    reconstruction.finish(() => (isFinished = true));
    waiting.answerAll();
    expect(isFinished).toBe(true);
    expect(ofKind(images, 'image').map(({ data }) => data)).toEqual(ofKind(plenty.images, 'image').map(({ data }) => data));
    expect(linesPutBack(images)).toEqual(Array(12).fill(false));
    expect(notices.filter((code) => code === 'RECON_WARN_DATA_CONSISTENCY')).toHaveLength(1);
  });
});
