/** The ismrmrd package for Python as a client: it sends a scan over TCP, reads to CLOSE and judges what it got. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/demo/conus.js';
import { runPython } from './peers.js';
import { startService } from './service.js';

let service: RunningServer;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

/** What python/client.py prints. */
interface Verdict {
  readonly bytesAfterClose: number;
  readonly texts: readonly string[];
  readonly images: readonly {
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly imageType: number;
    readonly seriesIndex: number;
    readonly slice: number;
    readonly measurementUid: number;
    readonly acquisitionTimeStamp: number;
    readonly fieldOfView: readonly number[];
    readonly errors: { readonly position: number; readonly directions: number; readonly nrmse: number; readonly zeroFilled: number };
    /** Of numpy's image over ours, after RescaleSlope. */
    readonly scale: number;
    readonly phaseSpread: number;
    readonly meta: Readonly<Record<string, string | readonly string[]>>;
  }[];
}

async function play(config: string, parameters: object, sampling: 'full' | 'accelerated'): Promise<Verdict> {
  const printed = await runPython('client.py', '127.0.0.1', String(service.port), config, JSON.stringify(parameters), sampling);
  const verdict = JSON.parse(printed.toString()) as Verdict;
  expect(verdict.bytesAfterClose).toBe(0);
  expect(verdict.texts.filter((text) => /^(ERR|WRN)/.test(text))).toEqual([]);
  expect(verdict.images.map(({ slice }) => slice).sort()).toEqual([0, 1]);
  for (const image of verdict.images) {
    expect(image.shape).toEqual([1, 1, 96, 96]);
    expect(image.fieldOfView).toEqual([240, 240, 5]);
    expect([image.seriesIndex, image.measurementUid]).toEqual([1, 4711]);
    // The first imaging readouts of the slices follow 60 noise readouts.
    expect(image.acquisitionTimeStamp).toBe(1061 + image.slice);
    expect(image.errors.position).toBeLessThan(1e-4);
    expect(image.errors.directions).toBeLessThan(1e-6);
    expect(image.meta).toMatchObject({ DataRole: 'Image', SeriesDescription: 't2_oblique', EchoTime: '95', Keep_image_geometry: '1' });
  }
  return verdict;
}

const pixelTypes = [
  { pixelType: 'uint16', dtype: 'uint16', imageType: 1 },
  { pixelType: 'float32', dtype: 'float32', imageType: 1 },
  { pixelType: 'complex64', dtype: 'complex64', imageType: 5 },
];

describe('the ismrmrd package for Python', () => {
  for (const { pixelType, dtype, imageType } of pixelTypes) {
    it(`gets ${pixelType} images of an accelerated scan, which are as numpy's SENSE with the true sensitivities`, async () => {
      const { images } = await play('default', { pixelType }, 'accelerated');
      for (const image of images) {
        expect([image.dtype, image.imageType]).toEqual([dtype, imageType]);
        expect(image.meta).toMatchObject({ ConusMethod: 'grappa', ConusAcceleration: '2', ConusCalibrationLines: '24' });
        expect(image.errors.nrmse).toBeLessThan(0.015);
        // Without unaliasing the same data are far from it.
        expect(image.errors.zeroFilled).toBeGreaterThan(0.5);
        // Both in units of the noise: nothing is fitted.
        expect(image.scale).toBeCloseTo(1, 2);
        // Magnitudes have no phase; a complex image keeps that of the coils.
        expect(image.phaseSpread > 0.01).toBe(pixelType === 'complex64');
      }
    });
  }

  it("gets images of a fully sampled scan that are numpy's own to the last digits, in units of the noise", async () => {
    const { images } = await play('grappa', { pixelType: 'float32', combine: 'rss' }, 'full');
    for (const image of images) {
      expect(image.meta).toMatchObject({ ConusMethod: 'full', ConusNoiseUnits: 'true' });
      expect(image.errors.nrmse).toBeLessThan(1e-5);
      expect(image.scale).toBeCloseTo(1, 4);
    }
  });
});
