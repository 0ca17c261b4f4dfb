/** A field of view that is smaller than the object: every second line of a scan makes it half as large. */
import { describe, expect, it } from 'vitest';
import { fitScale, nRmse } from '../../../imaging/index.js';
import type { ReconParameters } from '../../../recon/index.js';
import { GridScan, magnitudeOf, noiseRatioOf, reconstructGrid, type GridScanOptions, type PlayedScan, type SentReadout } from './gridScan.js';

/** The object covers 0.8 of the rows, and so 1.6 of the half: the outer 0.3 on either side lie over the middle. */
const whole: Partial<GridScanOptions> = { matrix: [64, 112, 1], nCoils: 12, readoutOversampling: 1 };
const calibrationLines = 24;

/** Lines of the half field of view, of which every R-th is acquired and the central ones calibrate. */
function halved(options: Partial<GridScanOptions>, acceleration: number): PlayedScan {
  const full = new GridScan({ ...whole, ...options });
  const nLines = full.nLines / 2;
  const small = new GridScan({ ...whole, ...options, matrix: [64, nLines, 1], acceleration, calibrationLines });
  // Both are the same scan but for the field of view: the header's limits, matrix and acceleration are the small one's.
  return {
    header: small.header, options: full.options, nSamples: full.nSamples,
    *readouts(replica?: number): Generator<SentReadout> {
      const flagsOfLine = new Map<number, bigint>();
      for (const { header } of small.readouts()) if (header.idx.kspaceEncodeStep1 >= 0) flagsOfLine.set(header.idx.kspaceEncodeStep1, header.flags);
      for (const { header, samples } of full.readouts(replica)) {
        if ((header.flags & (1n << 18n)) !== 0n) {
          yield { header, samples };
          continue;
        }
        const line = header.idx.kspaceEncodeStep1 / 2;
        const isKept = Number.isInteger(line) && (acceleration === 1 || flagsOfLine.has(line));
        if (isKept) yield { header: { ...header, flags: acceleration === 1 ? 0n : flagsOfLine.get(line)!, idx: { ...header.idx, kspaceEncodeStep1: line } }, samples };
      }
    },
  };
}

const truth = magnitudeOf(reconstructGrid(halved({}, 1), { combine: 'rss' }).images[0]!);
const largest = truth.reduce((most, value) => Math.max(most, value), 0);
const body = Uint8Array.from(truth, (value) => (value > 0.1 * largest ? 1 : 0));

/** In the unit of the samples: with a noise scan images are in units of the noise. */
function errorOf(scan: PlayedScan, parameters: Partial<ReconParameters>): number {
  const image = magnitudeOf(reconstructGrid(scan, parameters).images[0]!);
  const scale = fitScale(image, truth, body);
  return nRmse(image.map((value) => value * scale), truth, body);
}

describe('a field of view smaller than the object', () => {
  it.each([
    ['sense', 2, 0, 0.01], ['l1', 2, 0, 0.01], ['sense', 2, 0.01, 0.05], ['l1', 2, 0.01, 0.05],
  ] as const)('by %s, R = %d, noise %d: one set of maps fails, two do not', (unalias, R, noiseStd, bound) => {
    const scan = halved({ noiseStd }, R);
    expect(errorOf(scan, { unalias, espiritSets: 1 })).toBeGreaterThan(0.2);
    expect(errorOf(scan, { unalias })).toBeLessThan(bound);
  });

  it('is found by its eigenvalues, and said', () => {
    const { images, notices } = reconstructGrid(halved({}, 2), { unalias: 'sense' });
    expect(images[0]).toMatchObject({ nMapSets: 2, method: 'sense' });
    expect(notices.map(({ code }) => code)).toContain('RECON_INFO_MAP_SETS');
  });

  it.each(['sense', 'l1'] as const)('has a noise map that holds, by %s', (unalias) => {
    const ratio = noiseRatioOf(halved({ noiseStd: 0.003 }, 2), truth, { unalias }, 6);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.1);
  });

  it('is none where the object fits: one set', () => {
    for (const noiseStd of [0, 0.01, 0.05]) {
      const scan = new GridScan({ matrix: [64, 64, 1], acceleration: 2, noiseStd });
      expect(reconstructGrid(scan, { unalias: 'sense' }).images[0]).toMatchObject({ nMapSets: 1 });
    }
  });

  it('with two sets where one would do has the same image, but for a little noise', () => {
    const scan = new GridScan({ matrix: [64, 64, 1], acceleration: 2 });
    const [one, two] = [1, 2].map((espiritSets) => reconstructGrid(scan, { unalias: 'sense', espiritSets }).images[0]!);
    expect(two).toMatchObject({ nMapSets: 2 });
    expect(nRmse(magnitudeOf(two!), magnitudeOf(one!))).toBeLessThan(0.02);
  });
});
