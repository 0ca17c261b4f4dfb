import { createReadStream, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DenoiseOutcome, DenoiseRequest } from '../../../recon/index.js';
import { ReconstructionPool } from '../../../src/reconstruction/index.js';
import { sweepFile, sweepPage } from '../../../src/report/index.js';
import { sweep, sweepFileSchema, type SweepOptions, type SweepOutcome, type SweepResult } from '../../../src/sweep/index.js';
import { smallScan, streamOf, withTiming, type Opener } from './scans.js';

let pool: ReconstructionPool;
beforeAll(() => {
  pool = new ReconstructionPool({ threads: 1 });
});
afterAll(() => pool.close());

const swept = (open: Opener, options: Partial<SweepOptions> = {}): Promise<SweepOutcome> =>
  sweep({ accelerations: [1, 2, 4], calibrationLines: [16], methods: ['grappa'], denoisePercents: [0], limits: {}, ...options }, { open, reconstructions: pool });

const rising = (values: readonly (number | undefined)[]) => values.every((value, i) => i === 0 || value! > values[i - 1]!);
const figure = (results: readonly SweepResult[], name: 'nRmse' | 'ssim' | 'gMean' | 'g99' | 'snr') => results.map(({ figures }) => figures?.[name]);

describe('a sweep of fully sampled data', () => {
  let outcome: SweepOutcome;
  beforeAll(async () => {
    const limits = { maxNRmse: 0.15, maxG99: 2.5 };
    outcome = await swept(streamOf(smallScan, withTiming(4)), { calibrationLines: [16, 24], limits });
  });
  const withLines = (lines: number) => [outcome.baseline, ...outcome.results.filter(({ setting }) => setting?.calibrationLines === lines)];

  it('has each combination once, the data as they are for R = 1', () => {
    expect(outcome.results.map(({ setting }) => [setting?.acceleration, setting?.calibrationLines])).toEqual([[2, 16], [2, 24], [4, 16], [4, 24]]);
    expect(outcome.baseline.figures).toMatchObject({ nRmse: 0, ssim: 1 });
    expect(outcome.baseline.figures!.gMean).toBeCloseTo(1, 3);
    expect(outcome.snrUnits).toBe(true);
  });

  it.each([16, 24])('with R the error and g rise, similarity, SNR and minutes fall; %s calibration lines', (lines) => {
    const results = withLines(lines);
    for (const name of ['nRmse', 'gMean', 'g99'] as const) expect(rising(figure(results, name)), name).toBe(true);
    for (const name of ['ssim', 'snr'] as const) expect(rising(figure(results, name).toReversed()), name).toBe(true);
    expect(rising(results.map(({ minutes }) => minutes).toReversed())).toBe(true);
    expect(rising(results.map(({ nLines }) => nLines).toReversed())).toBe(true);
  });

  it('loses SNR by the root of the net acceleration and by g', () => {
    for (const { figures, relativeSnr, nLines } of outcome.results.slice(0, 2)) {
      expect(relativeSnr! * figures!.gMean! * Math.sqrt(64 / nLines)).toBeCloseTo(1, 0);
    }
  });

  it('names the fastest setting within the limits, and what keeps the others out', () => {
    expect(outcome.fastest?.setting).toMatchObject({ acceleration: 2 });
    for (const { setting, violations } of outcome.results) expect(violations.length > 0, JSON.stringify(setting)).toBe(setting!.acceleration === 4);
  });

  it('is told on a page of its own, without scripts, with every setting', () => {
    const page = sweepPage(outcome);
    expect(page.match(/<svg viewBox="0 0 460/g)).toHaveLength(5);
    expect(page.match(/<img/g)).toHaveLength(3 + 2 + 3 * 4);
    for (const { setting } of outcome.results) expect(page).toContain(`R = ${setting!.acceleration}, ${setting!.calibrationLines} calibration lines, grappa`);
    expect(page).not.toMatch(/<script|https?:\/\//);
  });

  it('is the same as a file, every figure and picture of it', () => {
    const file = sweepFileSchema.parse(JSON.parse(JSON.stringify(sweepFile(outcome))));
    expect(file.rows.map(({ figures }) => figures)).toEqual([outcome.baseline, ...outcome.results].map(({ figures }) => figures));
    expect(file.rows[file.fastest!]!.setting).toEqual(outcome.fastest!.setting);
    const { rows, columns } = file.pictures!;
    for (const { setting, pictures } of file.rows) {
      expect(Object.keys(pictures!)).toEqual(setting === undefined ? ['image', 'gFactor'] : ['image', 'error', 'gFactor']);
      for (const uri of Object.values(pictures!)) expect(decode(Buffer.from(uri!.split(',')[1]!, 'base64'))).toMatchObject({ height: rows, width: columns });
    }
  });
});

describe('a sweep of several methods', () => {
  it('has figures of all of them', async () => {
    const { results } = await swept(streamOf({ ...smallScan, nSlices: 1 }), { accelerations: [2], calibrationLines: [20], methods: ['grappa', 'sense', 'l1'], limits: { maxG99: 100 } });
    expect(results.map(({ setting, violations }) => [setting?.method, ...violations])).toEqual([['grappa'], ['sense'], ['l1']]);
    for (const { figures } of results) {
      expect(figures!.nRmse).toBeLessThan(0.2);
      expect(figures!.gMean).toBeGreaterThan(0);
    }
  });
});

describe('the reference', () => {
  it('has the coil maps of the setting: what is left without noise and aliasing is nothing', async () => {
    // All lines are kept by calibrating with all of them.
    const { results } = await swept(streamOf({ ...smallScan, noiseStd: 0 }), { accelerations: [2], calibrationLines: [64] });
    expect(results[0]!.figures!.nRmse).toBeLessThan(1e-5);
  });

  it('of accelerated data is made of all of their lines', async () => {
    const { results, baseline } = await swept(streamOf({ ...smallScan, acceleration: 2, calibrationLines: 20 }), { accelerations: [2, 4], calibrationLines: [16] });
    expect(baseline.nLines).toBe(32 + 10);
    expect(results[0]!.figures!.nRmse).toBeGreaterThan(0);
    expect(rising(figure(results, 'nRmse'))).toBe(true);
  });
});

describe('a setting that cannot be had', () => {
  it('is told with its reason: too few lines for the kernel', async () => {
    const { results, fastest } = await swept(streamOf(smallScan), { accelerations: [4], calibrationLines: [8], limits: { maxNRmse: 10 } });
    expect(results[0]!.violations).toEqual(['zero-filled']);
    expect(results[0]!.remarks).toContain('RECON_WARN_NO_CALIBRATION');
    expect(fastest?.setting).toBeUndefined();
  });

  it('is refused before anything is reconstructed', async () => {
    await expect(swept(streamOf({ ...smallScan, acceleration: 2 }), { accelerations: [3] })).rejects.toThrow('CONUS_ERR_SWEEP_ACCELERATION');
  });
});

const recording = fileURLToPath(new URL('../../../../shared/data/kspace/twixtools-siemens-gre-epi/gre.mrd', import.meta.url));

describe.skipIf(!existsSync(recording))('a recorded phantom with two coils', () => {
  it('has less error and noise at R = 2 by wavelets than by GRAPPA, and knows its minutes', async () => {
    const open = () => Promise.resolve(createReadStream(recording));
    const { results, baseline, snrUnits } = await swept(open, { accelerations: [2], calibrationLines: [32], methods: ['grappa', 'l1'] });
    expect(snrUnits).toBe(false);
    expect(baseline.nLines).toBe(160);
    expect(baseline.minutes).toBeCloseTo((160 * 0.01) / 60, 3);
    expect(results[1]!.figures!.nRmse).toBeLessThan(results[0]!.figures!.nRmse);
  });
});

describe('a sweep over strengths of the denoiser', () => {
  /** Takes half of every pixel out: what comes of it is told by its strength alone. */
  const halving = { denoiser: () => async ({ images }: DenoiseRequest): Promise<DenoiseOutcome> => ({
    images: images.map(({ data }) => data.map((value) => value / 2)), model: { id: 'halving', version: '1.0.0', sha256: '0'.repeat(64) }, ms: 0,
  }) };
  const strengths = { accelerations: [2], denoisePercents: [0, 40, 100], overrides: { onRed: 'deliver', onAmber: 'deliver' } };

  it('compares each with the same reference, and the conventional image is what it is without a denoiser', async () => {
    const open = streamOf(smallScan);
    const { results } = await sweep({ calibrationLines: [16], methods: ['grappa'], limits: {}, ...strengths }, { open, reconstructions: pool, denoisers: halving });
    const [alone] = (await swept(open, { accelerations: [2] })).results;
    expect(results.map(({ setting }) => setting?.denoisePercent)).toEqual([0, 40, 100]);
    expect(results[0]!.figures).toEqual(alone!.figures);
    // A strength s leaves 1 - s / 2 of the image.
    const errors = figure(results, 'nRmse') as number[];
    expect(errors[1]).toBeCloseTo(0.2, 1);
    expect(errors[2]).toBeCloseTo(0.5, 1);
    // The g-factor is that of the acquisition; the noise of what the network made is not known.
    expect(results[2]!.figures!.gMean).toBe(results[0]!.figures!.gMean);
    expect(results[2]!.figures!.snr).toBeUndefined();
  });

  it('has no figures where not every image was denoised, and says how many were', async () => {
    const failing = { denoiser: () => async (): Promise<DenoiseOutcome> => ({ failure: { code: 'MODEL_ERR_RUN', message: 'a test' } }) };
    const { results } = await sweep({ calibrationLines: [16], methods: ['grappa'], limits: {}, ...strengths }, { open: streamOf(smallScan), reconstructions: pool, denoisers: failing });
    expect(results[0]!.figures).toBeDefined();
    expect(results[1]!.figures).toBeUndefined();
    expect(results[1]!.violations).toEqual(['0 of 2 images denoised']);
  });

  it('is told on the page and in the file', async () => {
    const outcome = await sweep({ calibrationLines: [16], methods: ['grappa'], limits: {}, ...strengths }, { open: streamOf(smallScan), reconstructions: pool, denoisers: halving });
    expect(sweepPage(outcome)).toContain('denoised at 40 %');
    expect(sweepFileSchema.parse(sweepFile(outcome)).rows.map(({ setting }) => setting?.denoisePercent)).toEqual([undefined, 0, 40, 100]);
  });
});
