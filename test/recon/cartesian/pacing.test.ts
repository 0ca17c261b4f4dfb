import { describe, expect, it } from 'vitest';
import {
  Arena, bindKernels, CartesianReconstruction, ColumnHelper, createSessionMemory, defaultReconParameters, planCartesian, runCalibration,
  type CalibrationRunner, type CartesianOutput, type DenoiseRunner, type ReconImage,
} from '../../../recon/index.js';
import { SimulatedScan } from '../../../simulator/index.js';
import { played } from './simulated.js';

const scan = played(new SimulatedScan({ matrix: [96, 96], nCoils: 6, acceleration: 3, calibrationLines: 18, nSlices: 2 }));

interface Pacing {
  /** Whether lines come one by one, with time in between. */
  readonly pauses: boolean;
  /** Whether a second thread does all that it can. */
  readonly helps: boolean;
  /** Readouts that come before a calibration is done. */
  readonly calibrationReadouts: number;
}

/** Takes half of the image out. */
const halving: DenoiseRunner = ({ images }, done) =>
  done({ images: images.map(({ data }) => data.map((value) => value / 2)), model: { id: 'half', version: '1', sha256: '' }, ms: 1 });

interface Played {
  readonly images: ReconImage[];
  readonly wasBehind: boolean;
  /** Whether the noise was known before the last line came. */
  readonly knewNoise: boolean;
}

function imagesOf({ pauses, helps, calibrationReadouts }: Pacing): Played {
  const images: ReconImage[] = [];
  const limitBytes = 256 * 2 ** 20;
  const memory = createSessionMemory(limitBytes);
  const arena = new Arena(memory, { startByte: 64, limitBytes });
  const helper = new ColumnHelper(memory);
  const output: CartesianOutput = {
    image: (image) => images.push(image),
    notice: () => undefined,
    ...(helps && { help: (work) => helper.help(work) }),
  };
  const jobs: { readonly due: number; run(): void }[] = [];
  let nReadouts = 0;
  const { plan } = planCartesian(scan.header, { ...defaultReconParameters, denoise: 60 });
  const runner: CalibrationRunner = (job, done) => {
    jobs.push({ due: nReadouts + calibrationReadouts, run: () => done(runCalibration(memory, job)) });
  };
  const reconstruction = new CartesianReconstruction(plan, bindKernels(memory, arena), output, runner, undefined, halving);
  const pointer = arena.allocate(8 * scan.options.nCoils * scan.nSamples);
  let wasBehind = false;
  let knewNoise = false;
  for (const { header, samples } of scan.readouts(0)) {
    arena.f32(pointer, samples.length).set(samples);
    reconstruction.push(header, pointer);
    nReadouts++;
    if (pauses) reconstruction.pause();
    wasBehind ||= reconstruction.isBehind;
    knewNoise ||= images.length === 0 && 'noise maps' in reconstruction.summary.stageMs;
    while (jobs[0] !== undefined && jobs[0].due <= nReadouts) jobs.shift()!.run();
  }
  reconstruction.finish(() => undefined);
  for (const { run } of jobs.splice(0)) run();
  return { images, wasBehind, knewNoise };
}

describe('an image', () => {
  const { images: expected, wasBehind } = imagesOf({ pauses: false, helps: false, calibrationReadouts: 0 });

  it('comes of every slice, and is denoised', () => {
    expect(expected.map(({ kind }) => kind).sort()).toEqual(['denoised', 'denoised', 'image', 'image']);
    expect(wasBehind).toBe(false);
  });

  it.each([
    { pauses: true, helps: false, calibrationReadouts: 0 },
    { pauses: true, helps: false, calibrationReadouts: 9 },
    { pauses: false, helps: true, calibrationReadouts: 0 },
    { pauses: false, helps: true, calibrationReadouts: 1000 },
    { pauses: false, helps: false, calibrationReadouts: 1000 },
  ])('is the same, bit by bit, whatever the pace of lines, calibrations and threads: %o', (pacing) => {
    const { images, wasBehind: isBehind, knewNoise } = imagesOf(pacing);
    expect(images.map(({ data }) => data)).toEqual(expected.map(({ data }) => data));
    expect(knewNoise).toBe(pacing.pauses);
    expect(isBehind).toBe(pacing.calibrationReadouts === 1000);
  });
});
