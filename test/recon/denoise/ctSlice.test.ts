import { describe, expect, it } from 'vitest';
import { concludeCtSlice, ctRequest, mostOfEstimatedPercent, prepareCtSlice } from '../../../recon/index.js';
import type { CtSliceImage, DenoiseOutcome, PreparedCtSlice } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';

const size = 128;
const noiseHu = 15;
const random = new Random(8);
/** Muscle with fat about it, a spine and air. */
const truth = Float32Array.from({ length: size * size }, (_, p) => {
  const radius = Math.hypot((p % size) - 64, Math.floor(p / size) - 64);
  return radius < 8 ? 300 : radius < 40 ? 50 : radius < 55 ? -100 : -1000;
});
const hounsfield = truth.map((value) => value + noiseHu * random.normal());
const image: CtSliceImage = { rows: size, columns: size, pixelMm: 0.8, hounsfield };
const model = { id: 'test', version: '1.2.3', sha256: 'ab' };

const given = (data: Float32Array): DenoiseOutcome => ({ images: [data], model, ms: 1 });
function prepared(noise?: Float32Array): PreparedCtSlice {
  const slice = prepareCtSlice(image, noise);
  if ('refused' in slice) throw new Error(slice.refused);
  return slice;
}
const known = () => prepared(new Float32Array(size * size).fill(noiseHu));

function concluded(slice: PreparedCtSlice, outcome: DenoiseOutcome, strengthPercent: number) {
  const conclusion = concludeCtSlice(slice, outcome, strengthPercent);
  if ('failure' in conclusion) throw new Error(conclusion.failure);
  return conclusion;
}

describe('a CT slice for a denoiser', () => {
  it('brings its noise map: that of dose and kernel, or an estimate that says so', () => {
    expect(known().noiseSource).toBe('dose');
    const slice = prepared();
    expect(slice.noiseSource).toBe('estimated');
    expect(slice.noise[64 * size + 40]! / noiseHu).toBeGreaterThan(0.85);
    expect(slice.noise[64 * size + 40]! / noiseHu).toBeLessThan(1.15);
  });

  it('is copied into the request, so that it is still there when its buffers are given away', () => {
    const slice = known();
    const { images, slice: index } = ctRequest(slice, 7);
    expect(index).toBe(7);
    images[0]!.data.fill(0);
    images[0]!.noise.fill(0);
    expect(slice.hounsfield[0]).toBe(hounsfield[0]);
    expect(slice.noise[0]).toBe(noiseHu);
  });

  it('is refused, with the reason, where it is no CT image', () => {
    const magnitudes = Float32Array.from({ length: size * size }, (_, p) => 500 + (p % 300));
    expect(prepareCtSlice({ ...image, hounsfield: magnitudes })).toEqual({ refused: expect.stringContaining('Hounsfield') });
  });
});

describe('the answer of a denoiser', () => {
  it('is the slice bit for bit at strength 0, the denoised one at 100, and what lies between', () => {
    const at = (strengthPercent: number) => concluded(known(), given(truth), strengthPercent).hounsfield;
    expect(at(0)).toEqual(hounsfield);
    expect(at(100)).toEqual(truth);
    expect(at(50)[700]).toBeCloseTo((hounsfield[700]! + truth[700]!) / 2, 3);
  });

  it('is mixed with the slice where the noise is an estimate, and the record says how far', () => {
    const { record, hounsfield: shown } = concluded(prepared(), given(truth), 100);
    expect(record.strengthPercent).toBe(mostOfEstimatedPercent);
    expect(record.noiseSource).toBe('estimated');
    expect(shown[700]).toBeCloseTo(hounsfield[700]! + (mostOfEstimatedPercent / 100) * (truth[700]! - hounsfield[700]!), 3);
    expect(record).toMatchObject({ modelId: 'test', modelVersion: '1.2.3', modelSha256: 'ab' });
  });

  it('has a green light where it took the noise, and a red one where it took edges, or a level', () => {
    expect(concluded(known(), given(truth), 75).record).toMatchObject({ light: 'green', reasons: [] });
    const blurred = truth.map((_, p) => {
      let sum = 0;
      for (let dr = -3; dr <= 3; dr++) for (let dc = -3; dc <= 3; dc++) sum += hounsfield[Math.min(size * size - 1, Math.max(0, p + dr * size + dc))]!;
      return sum / 49;
    });
    expect(concluded(known(), given(blurred), 75).record.light).toBe('red');
    expect(concluded(known(), given(truth.map((value) => value + 30)), 75).record.light).toBe('red');
  });

  it('has a light that is not green where a spot is gone that stood out of the noise', () => {
    const without = truth.map((value, p) => (Math.hypot((p % size) - 64, Math.floor(p / size) - 90) < 5 ? value - 60 : value));
    const { record } = concluded(known(), given(without), 75);
    expect(record.light).not.toBe('green');
    expect(record.reasons.join()).toMatch(/structure/);
  });

  it('is a failure, in words, where there is none, or none that can be shown', () => {
    const failed = concludeCtSlice(known(), { failure: { code: 'MODEL_ERR_TIMEOUT', message: 'no answer after 10 ms' } }, 75);
    expect(failed).toEqual({ failure: 'no answer after 10 ms' });
    expect(concludeCtSlice(known(), given(new Float32Array(3)), 75)).toHaveProperty('failure');
    expect(concludeCtSlice(known(), given(truth.slice().fill(NaN, 5, 6)), 75)).toHaveProperty('failure');
  });
});
