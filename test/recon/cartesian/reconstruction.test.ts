import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import {
  Arena,
  bindKernels,
  CartesianReconstruction,
  createSessionMemory,
  defaultReconParameters,
  planCartesian,
  runCalibration,
  type CalibrationJob,
  type CalibrationOutcome,
  type Readout,
  type ReconImage,
  type ReconNotice,
  type ReconParameters,
} from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import {
  acceleratedLines, lineSamples, nCoils, nColumns, nLines, nSamples, readoutOf, smallHeader, type SmallHeaderOptions,
} from './smallScan.js';

const limitBytes = 256 * 2 ** 20;

class Bench {
  readonly images: ReconImage[] = [];
  readonly notices: ReconNotice[] = [];
  readonly arena: Arena;
  readonly reconstruction: CartesianReconstruction;
  readonly #deferred: (() => void)[] = [];
  readonly #samples: number;

  constructor(header: SmallHeaderOptions, parameters: Partial<ReconParameters> = {}, deferJobs = false) {
    const memory = createSessionMemory(limitBytes);
    this.arena = new Arena(memory, { startByte: 64, limitBytes });
    const { plan } = planCartesian(smallHeader(header), { ...defaultReconParameters, ...parameters });
    this.#samples = this.arena.allocate(8 * 8 * nSamples * 8);
    const runner = (job: CalibrationJob, done: (outcome: CalibrationOutcome) => void) => {
      const run = () => done(runCalibration(memory, job));
      if (deferJobs) this.#deferred.push(run);
      else run();
    };
    this.reconstruction = new CartesianReconstruction(
      plan,
      bindKernels(memory, this.arena),
      { image: (image) => this.images.push(image), notice: (notice) => this.notices.push(notice) },
      runner,
    );
  }

  push(readout: Readout, samples: Float32Array): void {
    this.arena.f32(this.#samples, samples.length).set(samples);
    this.reconstruction.push(readout, this.#samples);
  }

  line(options: Parameters<typeof readoutOf>[0], samples = lineSamples(options.line ?? 0)): void {
    this.push(readoutOf(options), samples);
  }

  runDeferred(): void {
    for (let run = this.#deferred.shift(); run !== undefined; run = this.#deferred.shift()) run();
  }

  runDeferredIn(order: readonly number[]): void {
    const jobs = this.#deferred.splice(0);
    for (const job of order) jobs[job]!();
  }

  finish(): boolean {
    let finished = false;
    this.reconstruction.finish(() => (finished = true));
    this.runDeferred();
    return finished;
  }

  get codes(): string[] {
    return this.notices.map(({ code }) => code);
  }
}

function magnitude(image: ReconImage): Float32Array {
  return Float32Array.from({ length: image.rows * image.columns }, (_, p) => Math.hypot(image.data[2 * p]!, image.data[2 * p + 1]!));
}

const allLines = Array.from({ length: nLines }, (_, line) => line);

function fullImage(parameters: Partial<ReconParameters> = {}): Float32Array {
  const bench = new Bench({}, parameters);
  for (const line of allLines) bench.line({ line });
  return magnitude(bench.images[0]!);
}

describe('a Cartesian scan', () => {
  it('gives the image with its last line, in any order of lines', () => {
    const reference = fullImage({ combine: 'rss' });
    fc.assert(
      fc.property(fc.shuffledSubarray(allLines, { minLength: nLines }), (order) => {
        const bench = new Bench({}, { combine: 'rss' });
        for (const [i, line] of order.entries()) {
          expect(bench.images).toHaveLength(0);
          bench.line({ line });
          if (i === nLines - 1) expect(bench.images).toHaveLength(1);
        }
        expect(nRmse(magnitude(bench.images[0]!), reference)).toBeLessThan(1e-6);
      }),
      { numRuns: 10 },
    );
  });

  it('combined with coil maps looks like the root-sum-of-squares', () => {
    expect(nRmse(fullImage(), fullImage({ combine: 'rss' }))).toBeLessThan(0.01);
  });

  it('carries geometry, counters and time stamps of its first readout', () => {
    const bench = new Bench({});
    for (const line of allLines) bench.line({ line });
    expect(bench.images[0]).toMatchObject({
      kind: 'image', rows: nLines, columns: nColumns, method: 'full', hasPhase: true, snrUnits: false, acquisitionTimeStamp: 1000,
      geometry: { centreMm: [1, 2, 3], fovMm: [200, 240, 4], matrixSize: [nColumns, nLines, 1] },
    });
  });

  it('keeps slices apart that arrive interleaved', () => {
    const bench = new Bench({ slices: 3 });
    for (const line of allLines) for (const slice of [2, 0, 1]) bench.line({ line, slice }, lineSamples(line).map((value) => value * (slice + 1)));
    const reference = fullImage();
    expect(bench.images.map(({ counters }) => counters.slice)).toEqual([2, 0, 1]);
    for (const image of bench.images) {
      expect(nRmse(magnitude(image), reference.map((value) => value * (image.counters.slice + 1)))).toBeLessThan(1e-5);
    }
  });

  it('averages', () => {
    const bench = new Bench({ averages: 3 });
    for (const average of [0, 1, 2]) {
      for (const line of allLines) bench.line({ line, average }, lineSamples(line).map((value) => value * (1 + 0.5 * (average - 1))));
    }
    expect(bench.images).toHaveLength(1);
    expect(nRmse(magnitude(bench.images[0]!), fullImage())).toBeLessThan(1e-5);
  });

  it('waits for LAST_IN_SLICE where FIRST_IN_SLICE came, and for missing lines beyond it', () => {
    const bench = new Bench({});
    bench.line({ line: 0, flags: ['firstInSlice'] });
    for (const line of allLines.slice(2)) bench.line({ line });
    bench.line({ line: 2, flags: ['lastInSlice'] }, lineSamples(2).map(() => 0));
    expect(bench.images).toHaveLength(0);
    bench.line({ line: 1 });
    expect(bench.images).toHaveLength(1);
  });

  it('delivers what came, marked, when lines are missing at the end', () => {
    const bench = new Bench({});
    for (const line of allLines) if (line !== 20 && line !== 31) bench.line({ line });
    expect(bench.images).toHaveLength(0);
    expect(bench.finish()).toBe(true);
    expect(bench.images[0]).toMatchObject({ method: 'zeroFilled', nMissingLines: 2 });
    expect(bench.codes).toContain('RECON_WARN_MISSING_LINES');
  });

  it('delivers again when a line comes after the delivery', () => {
    const bench = new Bench({});
    for (const line of allLines) bench.line({ line });
    bench.line({ line: 24 }, lineSamples(24).map((value) => 3 * value));
    bench.finish();
    expect(bench.codes).toContain('RECON_WARN_LATE_LINE');
    expect(bench.images).toHaveLength(2);
    const difference = nRmse(magnitude(bench.images[1]!), magnitude(bench.images[0]!));
    expect(difference).toBeGreaterThan(0.01);
  });

  it.each([true, false])('delivers averages that the header did not announce once more, not once a line (slice flags: %s)', (flagged) => {
    const bench = new Bench({});
    for (const average of [0, 1]) {
      for (const line of allLines) {
        const flags = !flagged ? [] : line === 0 ? (['firstInSlice'] as const) : line === nLines - 1 ? (['lastInSlice'] as const) : [];
        bench.line({ line, average, flags }, lineSamples(line).map((value) => value * (1 + average)));
      }
    }
    bench.finish();
    expect(bench.images).toHaveLength(2);
    const [first, second] = bench.images.map(magnitude);
    expect(nRmse(second!, first!.map((value) => 1.5 * value))).toBeLessThan(1e-5);
  });

  it('turns reversed readouts round', () => {
    const bench = new Bench({});
    for (const line of allLines) {
      const samples = lineSamples(line);
      const reversed = new Float32Array(samples.length);
      for (let coil = 0; coil < nCoils; coil++) {
        for (let s = 0; s < nSamples; s++) {
          const from = 2 * (coil * nSamples + s);
          const to = 2 * (coil * nSamples + nSamples - 1 - s);
          reversed[to] = samples[from]!;
          reversed[to + 1] = samples[from + 1]!;
        }
      }
      if (line % 2 === 0) bench.line({ line });
      else bench.push({ ...readoutOf({ line, flags: ['reverse'] }), centerSample: nSamples / 2 - 1 }, reversed);
    }
    expect(nRmse(magnitude(bench.images[0]!), fullImage())).toBeLessThan(1e-5);
  });

  it('leaves out navigators and other encodings, and says so', () => {
    const bench = new Bench({});
    const rubbish = lineSamples(24).map(() => 1e6);
    for (const line of allLines) {
      bench.line({ line });
      bench.line({ line, flags: ['navigation'] }, rubbish);
      bench.line({ line, flags: ['phaseCorrection'] }, rubbish);
      bench.push({ ...readoutOf({ line }), encodingSpaceRef: 1 }, rubbish);
    }
    bench.finish();
    expect(bench.codes).toEqual(expect.arrayContaining(['RECON_WARN_UNUSED_READOUTS', 'RECON_WARN_OTHER_ENCODING']));
    expect(nRmse(magnitude(bench.images[0]!), fullImage())).toBeLessThan(1e-6);
  });
});

describe('an accelerated scan', () => {
  for (const [acceleration, offset, bound] of [[2, 0, 0.02], [2, 1, 0.02], [3, 0, 0.05], [3, 2, 0.05], [4, 1, 0.12]] as const) {
    it(`is unaliased with embedded calibration lines, R = ${acceleration}, first line ${offset}`, () => {
      const bench = new Bench({ acceleration });
      for (const sampled of acceleratedLines(acceleration, 20, offset)) bench.line(sampled);
      expect(bench.images).toHaveLength(1);
      expect(bench.images[0]).toMatchObject({ method: 'grappa', accelerationPhase: acceleration, nCalibrationLines: 20, nMissingLines: 0 });
      expect(nRmse(magnitude(bench.images[0]!), fullImage())).toBeLessThan(bound);
    });
  }

  it('gives the same image whether calibration runs at once or at the very end', () => {
    const atOnce = new Bench({ acceleration: 2 });
    const late = new Bench({ acceleration: 2 }, {}, true);
    for (const sampled of acceleratedLines(2, 20)) {
      atOnce.line(sampled);
      late.line(sampled);
    }
    expect(late.images).toHaveLength(0);
    expect(late.finish()).toBe(true);
    expect(nRmse(magnitude(late.images[0]!), magnitude(atOnce.images[0]!))).toBeLessThan(1e-6);
  });

  it('gives the same image in any order of lines', () => {
    const sampled = acceleratedLines(2, 20);
    const inOrder = new Bench({ acceleration: 2 });
    for (const line of sampled) inOrder.line(line);
    fc.assert(
      fc.property(fc.shuffledSubarray(sampled, { minLength: sampled.length }), (order) => {
        const bench = new Bench({ acceleration: 2 });
        for (const line of order) bench.line(line);
        expect(bench.finish()).toBe(true);
        expect(nRmse(magnitude(bench.images.at(-1)!), magnitude(inOrder.images[0]!))).toBeLessThan(1e-5);
      }),
      { numRuns: 10 },
    );
  });

  it.each(['line by line', 'one after the other'])('averages what the header did not announce, averages %s', (order) => {
    const bench = new Bench({ acceleration: 2 });
    const lines = acceleratedLines(2, 20);
    const send = (sampled: (typeof lines)[number], average: number) =>
      bench.line({ ...sampled, average }, lineSamples(sampled.line).map((value) => value * (1 + average)));
    if (order === 'line by line') for (const sampled of lines) for (const average of [0, 1]) send(sampled, average);
    else for (const average of [0, 1]) for (const sampled of lines) send(sampled, average);
    bench.finish();
    const once = new Bench({ acceleration: 2 });
    for (const sampled of lines) once.line(sampled);
    const expected = magnitude(once.images[0]!).map((value) => 1.5 * value);
    expect(nRmse(magnitude(bench.images.at(-1)!), expected)).toBeLessThan(1e-4);
  });

  it('uses separate calibration lines for every repetition, and never as imaging lines', () => {
    const bench = new Bench({ acceleration: 2, calibrationMode: 'separate', repetitions: 2 });
    for (const line of allLines.slice(14, 34)) bench.line({ line, flags: ['parallelCalibration'] }, lineSamples(line).map((value) => 5 * value));
    for (const repetition of [0, 1]) for (let line = 0; line < nLines; line += 2) bench.line({ line, repetition });
    expect(bench.images).toHaveLength(2);
    for (const image of bench.images) expect(nRmse(magnitude(image), fullImage())).toBeLessThan(0.02);
  });

  it('borrows the calibration of an earlier image of the slice, and says so', () => {
    const bench = new Bench({ acceleration: 2, repetitions: 2 });
    for (const sampled of acceleratedLines(2, 20)) bench.line(sampled);
    for (let line = 0; line < nLines; line += 2) bench.line({ line, repetition: 1 });
    expect(bench.codes).toContain('RECON_WARN_BORROWED_CALIBRATION');
    expect(nRmse(magnitude(bench.images[1]!), fullImage())).toBeLessThan(0.02);
  });

  it('is delivered zero-filled, and says so, when calibration is missing', () => {
    const bench = new Bench({ acceleration: 2 });
    for (let line = 0; line < nLines; line += 2) bench.line({ line });
    expect(bench.images[0]).toMatchObject({ method: 'zeroFilled', hasPhase: false });
    expect(bench.codes).toEqual(expect.arrayContaining(['RECON_WARN_NO_CALIBRATION', 'RECON_WARN_NO_COIL_MAPS']));
    expect(nRmse(magnitude(bench.images[0]!), fullImage())).toBeGreaterThan(0.2);
  });

  it.each([1, 3])('fits many slices into a memory that could not hold all their calibrations, %i repetitions', (repetitions) => {
    const bench = new Bench({ acceleration: 2, slices: 20, repetitions });
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (let slice = 0; slice < 20; slice++) {
        for (const sampled of acceleratedLines(2, 20)) bench.line({ ...sampled, slice, repetition });
      }
    }
    expect(bench.images).toHaveLength(20 * repetitions);
    for (const image of bench.images) expect(image.method).toBe('grappa');
  });

  it('needs no more memory for the hundredth repetition than for the fortieth', () => {
    const bench = new Bench({ acceleration: 2, repetitions: 100 });
    const used: number[] = [];
    for (let repetition = 0; repetition < 100; repetition++) {
      for (const sampled of acceleratedLines(2, 20)) bench.line({ ...sampled, repetition });
      used.push(bench.arena.usedBytes);
    }
    expect(bench.images).toHaveLength(100);
    expect(used[99]).toBeLessThan(limitBytes);
  });
});

describe('noise', () => {
  const noisy = (random: Random, std: number, samples: Float32Array) => samples.map((value) => value + std * random.normal());

  it('is 1 in the real part of a whitened, fully sampled image; the noise map says so', () => {
    // Separate calibration lines, so that the coil maps do not follow the noise of the image.
    const random = new Random(11);
    const bench = new Bench({ acceleration: 2, calibrationMode: 'separate' }, { noiseMap: true, gFactorMap: true });
    const silence = new Float32Array(2 * nCoils * nSamples);
    for (let n = 0; n < 150; n++) bench.push(readoutOf({ flags: ['noiseMeasurement'] }), noisy(random, 7, silence));
    for (const line of allLines.slice(14, 34)) bench.line({ line, flags: ['parallelCalibration'] });
    for (const line of allLines) {
      const flags = line === 0 ? (['firstInSlice'] as const) : line === nLines - 1 ? (['lastInSlice'] as const) : [];
      bench.line({ line, flags }, noisy(random, 7, silence));
    }
    const [image, gFactor, noise] = bench.images;
    expect(bench.images.map(({ kind }) => kind)).toEqual(['image', 'gFactor', 'noise']);
    expect(image!).toMatchObject({ snrUnits: true, method: 'full' });
    const std = Math.sqrt(image!.data.reduce((sum, value) => sum + value * value, 0) / image!.data.length);
    // 3,840 values give their standard deviation to 1.2 %, 12,000 noise samples the whitener to 1 %.
    expect(std).toBeGreaterThan(0.96);
    expect(std).toBeLessThan(1.04);
    expect(noise!.data.every((value) => Math.abs(value - 1) < 1e-5)).toBe(true);
    expect(gFactor!.data.every((value) => Math.abs(value - 1) < 1e-5)).toBe(true);
    expect(bench.codes).toContain('RECON_INFO_NOISE');
  });

  it('that comes late is left out, and said to be', () => {
    const bench = new Bench({});
    bench.line({ line: 0 });
    bench.line({ flags: ['noiseMeasurement'] });
    expect(bench.codes).toContain('RECON_WARN_LATE_NOISE');
  });
});

describe('bad readouts end the scan with a code', () => {
  it.each([
    ['RECON_ERR_COIL_COUNT', readoutOf({ line: 1, nChannels: 5 }), lineSamples(1)],
    ['RECON_ERR_LINE', { ...readoutOf({ line: nLines }) }, lineSamples(1)],
    ['RECON_ERR_NOT_FINITE', readoutOf({ line: 1 }), lineSamples(1).map((value, i) => (i === 77 ? NaN : value))],
    ['RECON_ERR_NOT_FINITE', readoutOf({ line: 1 }), lineSamples(1).map((value, i) => (i === 500 ? Infinity : value))],
  ])('%s', (code, readout, samples) => {
    const bench = new Bench({});
    bench.line({ line: 0 });
    expect(() => bench.push(readout, samples)).toThrowError(expect.objectContaining({ code }));
  });

  it('RECON_ERR_LINE for a partition counter of a 2D scan', () => {
    const bench = new Bench({});
    const readout = readoutOf({ line: 1 });
    expect(() => bench.push({ ...readout, idx: { ...readout.idx, kspaceEncodeStep2: 1 } }, lineSamples(1))).toThrowError(
      expect.objectContaining({ code: 'RECON_ERR_LINE' }),
    );
  });
});

describe('the place of an image', () => {
  it.each([
    ['no directions', { readDir: [0, 0, 0], phaseDir: [0, 0, 0], sliceDir: [0, 0, 0] }],
    ['directions that are not orthogonal', { readDir: [1, 0, 0], phaseDir: [0.6, 0.8, 0], sliceDir: [0, 0, 1] }],
    ['directions that are not numbers', { readDir: [NaN, 0, 0], phaseDir: [0, 1, 0], sliceDir: [0, 0, 1] }],
  ] as const)('is unknown, and said to be, with %s', (_, directions) => {
    const bench = new Bench({});
    for (const line of allLines) bench.push({ ...readoutOf({ line }), ...directions }, lineSamples(line));
    expect(bench.images[0]!.geometry).toBeUndefined();
    expect(bench.codes).toContain('RECON_WARN_NO_GEOMETRY');
  });
});

describe('a lattice that ends before the last line of the matrix', () => {
  it('is complete with its last flag', () => {
    const bench = new Bench({ acceleration: 2, calibrationMode: 'separate' });
    for (const line of allLines.slice(14, 34)) bench.line({ line, flags: ['parallelCalibration'] });
    for (let line = 1; line < nLines - 1; line += 2) {
      bench.line({ line, flags: line === 1 ? ['firstInSlice'] : line === nLines - 3 ? ['lastInSlice'] : [] });
    }
    expect(bench.images[0]).toMatchObject({ method: 'grappa', nMissingLines: 0 });
  });

  it('is not when a line within is missing', () => {
    const bench = new Bench({ acceleration: 2, calibrationMode: 'separate' });
    for (const line of allLines.slice(14, 34)) bench.line({ line, flags: ['parallelCalibration'] });
    for (let line = 1; line < nLines; line += 2) if (line !== 21) bench.line({ line });
    expect(bench.images).toHaveLength(0);
    bench.finish();
    expect(bench.images[0]).toMatchObject({ method: 'zeroFilled', nMissingLines: 1 });
  });
});

describe('several images whose calibrations end in any order', () => {
  const threeSlices = (bench: Bench) => {
    for (const slice of [0, 1, 2]) for (const sampled of acceleratedLines(2, 20)) bench.line({ ...sampled, slice });
  };

  it('come out in the order in which they became complete', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }), (order) => {
        const bench = new Bench({ acceleration: 2, slices: 3 }, {}, true);
        threeSlices(bench);
        bench.runDeferredIn(order);
        expect(bench.images.map(({ counters }) => counters.slice)).toEqual([0, 1, 2]);
      }),
      { numRuns: 20 },
    );
  });

  it('still come out when the scan breaks off, but no incomplete one does', () => {
    const bench = new Bench({ acceleration: 2, slices: 4 }, {}, true);
    threeSlices(bench);
    bench.line({ line: 0, slice: 3 });
    let stopped = false;
    bench.reconstruction.stop(() => (stopped = true));
    expect(stopped).toBe(false);
    bench.runDeferredIn([0, 1, 2, 3, 4, 5]);
    expect(stopped).toBe(true);
    expect(bench.images.map(({ counters }) => counters.slice)).toEqual([0, 1, 2]);
  });
});
