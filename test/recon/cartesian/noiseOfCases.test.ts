/**
 * The noise map of images that are solved for, in every acquisition variant, against replicas that differ in the noise of
 * their readouts alone. There is little noise: what more of it does to the phase of partial Fourier images, and to their
 * magnitude, is no part of the map.
 */
import { describe, expect, it } from 'vitest';
import { base, cases } from './caseTable.js';
import { noiseRatio } from './gridScan.js';

const nReplicas = 8;
const solvedFor = cases.filter(([, { acceleration = 1, matrix = base.matrix! }]) => acceleration > 1 && matrix[2] === 1);

describe.each(['sense', 'l1'] as const)('the noise map of %s', (unalias) => {
  it.each(solvedFor)('%s', (_, options) => {
    // Separate lines would move the maps from replica to replica, which is no noise of the image.
    const scan = { ...base, ...options, noiseStd: 0.005, noisyCalibration: options.calibration !== 'separate' };
    const ratio = noiseRatio(scan, { unalias }, nReplicas);
    expect(ratio).toBeGreaterThan(0.92);
    expect(ratio).toBeLessThan(1.08);
  });
});
