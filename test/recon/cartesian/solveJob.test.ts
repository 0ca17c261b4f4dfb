/** Iterations that another thread does: jobs that are answered late, in any order, or not at all. */
import { describe, expect, it } from 'vitest';
import { runSolve, type DenoiseRunner, type ReconParameters, type SolveJob, type SolveOutcome } from '../../../recon/index.js';
import { GridScan, reconstructGrid, type GridScanOptions } from './gridScan.js';

const small: Partial<GridScanOptions> = { matrix: [32, 40, 1], nCoils: 5, acceleration: 2, noiseStd: 0.01, nSlices: 2, calibrationLines: 16 };
const identity: DenoiseRunner = ({ images }, done) => done({ images: images.map(({ data }) => data), model: { id: 'same', version: '1', sha256: 'ab' }, ms: 0 });

interface Asked {
  readonly job: SolveJob;
  readonly done: (outcome: SolveOutcome) => void;
}

/** Plays a scan; `answer` gets the jobs once all readouts are in. The session's memory is that of the test's reconstruction. */
function played(options: Partial<GridScanOptions>, parameters: Partial<ReconParameters>, answer: (asked: Asked[], memory: WebAssembly.Memory) => void) {
  const asked: Asked[] = [];
  let atLastReadout = 0;
  const scan = new GridScan({ ...small, ...options });
  const result = reconstructGrid(
    scan, parameters, 0, identity,
    (memory) => {
      atLastReadout = asked.length;
      while (asked.length > 0) answer(asked, memory);
    },
    (job, done) => asked.push({ job, done }),
  );
  return { ...result, atLastReadout, here: reconstructGrid(scan, parameters, 0, identity) };
}

/** The last one first. */
const inReverse = (asked: Asked[], memory: WebAssembly.Memory) => {
  for (const { job, done } of asked.splice(0).reverse()) done(runSolve(memory, job));
};

describe('an image that another thread solves for', () => {
  it.each([
    ['sense', {}, {}],
    ['l1', { gFactorMap: true, noiseMap: true, snrMap: true, coilMaps: true }, {}],
    ['sense', { noiseMap: true, denoise: 50, residualMap: true }, {}],
    ['l1', { noiseMap: true, denoise: 50 }, { partialFourier: 6 / 8, nSlices: 3 }],
    ['sense', { psf: true }, {}],
  ] as const)('is the same, in the same order, by %s with %j, %j', (unalias, parameters, options) => {
    const { images, here, isFinished } = played(options, { unalias, ...parameters }, inReverse);
    expect(isFinished).toBe(true);
    expect(images.map(({ kind, counters, coil }) => [kind, counters.slice, coil])).toEqual(here.images.map(({ kind, counters, coil }) => [kind, counters.slice, coil]));
    images.forEach((image, i) => expect(image.data).toEqual(here.images[i]!.data));
  });

  it('keeps no readouts waiting', () => {
    expect(played({}, { unalias: 'sense' }, inReverse).atLastReadout).toBe(2);
  });

  it('is solved for here where the thread died', () => {
    const { images, here } = played({}, { unalias: 'sense' }, (asked) => {
      for (const { done } of asked.splice(0)) done({ ok: false, message: 'a thread that died' });
    });
    expect(images).toHaveLength(2);
    images.forEach((image, i) => expect(image.data).toEqual(here.images[i]!.data));
  });
});
