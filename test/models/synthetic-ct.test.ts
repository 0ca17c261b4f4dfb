/** The shipped network on a simulated spine that it never saw: what must be where, in Hounsfield units. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fastSpinEcho, waterAndFat, type FastSpinEchoSequence } from '../../imaging/index.js';
import { ModelHost, readModels } from '../../models/index.js';
import { buildPatient, drawPatient, outOfFrame, paintChannels, paintLabels, type Plane } from '../../simulator/index.js';
import { syntheticCt, type SyntheticCt } from '../../synth/index.js';

const matrix = 192;
const pixelMm = 1;
const nPixels = matrix * matrix;
const t1w: FastSpinEchoSequence = { trMs: 600, teMs: 10, echoTrainLength: 3, echoSpacingMs: 10, refocusingAngleDeg: 150 };
const t2w: FastSpinEchoSequence = { trMs: 3500, teMs: 100, echoTrainLength: 17, echoSpacingMs: 10, refocusingAngleDeg: 150 };

/** A sagittal slice through the middle: signals and parameters as in models/training/synthesis/paint.ts, without noise. */
function slice() {
  const { anatomy, discs, fat } = buildPatient(drawPatient({ seed: 20260, region: 'lumbar', pathology: '' }, 1.5), 1.5);
  const [x, y, z] = outOfFrame([...discs.values()][2]!, [0, 0, 0]);
  const half = (matrix / 2 - 0.5) * pixelMm;
  const plane: Plane = { originMm: [x, y + 20 - half, z + half], columnStepMm: [0, pixelMm, 0], rowStepMm: [0, 0, -pixelMm], nColumns: matrix, nRows: matrix };
  const coefficients = new Map([...anatomy.tissues].map(([name, tissue]) => {
    const [first, second] = [t1w, t2w].map((sequence) => waterAndFat(tissue, fat, (relaxation) => fastSpinEcho(relaxation, sequence)));
    const water = tissue.protonDensity * (1 - tissue.fatFraction);
    return [name, [first!.water + first!.fat, second!.water + second!.fat, tissue.protonDensity, water, water * tissue.t1Ms, water * tissue.t2Ms, tissue.hounsfield, 1]];
  }));
  const channels = Array.from({ length: 8 }, () => new Float32Array(nPixels));
  paintChannels(anatomy, plane, coefficients, channels, 1);
  const [one, two, pd, water, t1, t2, hu, covered] = channels as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  const overMean = (image: Float32Array) => {
    const tissue = [...image].filter((_, pixel) => one[pixel]! > 0.03 && two[pixel]! > 0.03);
    const mean = tissue.reduce((sum, value) => sum + value, 0) / tissue.length;
    return image.map((value) => value / mean);
  };
  const ratio = (a: Float32Array, pixel: number, least: number) => Math.log(Math.max(least, a[pixel]! / Math.max(1e-3, water[pixel]!)));
  return {
    truth: hu.map((value, pixel) => value - 1000 * (1 - covered[pixel]!)),
    labels: paintLabels(anatomy, plane).labels,
    images: { slices: 1, rows: matrix, columns: matrix, t1w: overMean(one), t2w: overMean(two), fatFraction: undefined, fatSuppressed: undefined },
    maps: {
      protonDensity: pd.map((value) => Math.max(0.02, value)),
      lnT1Ms: t1.map((_, pixel) => ratio(t1, pixel, 100)), lnT2Ms: t2.map((_, pixel) => ratio(t2, pixel, 4)),
      fatFraction: pd.map((value, pixel) => (value > 1e-3 ? Math.min(0.98, Math.max(0.004, 1 - water[pixel]! / value)) : 0.004)),
    },
  };
}

const { truth, labels, images, maps } = slice();
const where = (of: (label: number, hu: number, pixel: number) => boolean) => Array.from({ length: nPixels }, (_, pixel) => pixel).filter((pixel) => of(labels[pixel]!, truth[pixel]!, pixel));
const isBody = (label: number) => label >= 100 && label < 132;

let host: ModelHost;
let ct: SyntheticCt;
beforeAll(async () => {
  host = new ModelHost((await readModels()).filter(({ id }) => id === 'synthetic-ct'), { threads: 1 });
  const geometry = {
    centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [1, 0, 0],
    fovMm: [matrix * pixelMm, matrix * pixelMm, 4], matrixSize: [matrix, matrix, 1],
  } as const;
  ct = await syntheticCt(geometry, images, maps, (inputs) => host.run('synthetic-ct', inputs));
}, 120_000);
afterAll(() => host.close());

const mean = (pixels: readonly number[]) => pixels.reduce((sum, pixel) => sum + ct.volume.data[pixel]!, 0) / pixels.length;
const error = (pixels: readonly number[]) => pixels.reduce((sum, pixel) => sum + Math.abs(ct.volume.data[pixel]! - truth[pixel]!), 0) / pixels.length;

describe('the synthetic CT', () => {
  it('is air outside the body and soft tissue in the canal', () => {
    expect(Math.abs(mean(where((_, hu, pixel) => hu === -1000 && pixel % matrix > matrix - 10)) + 1000)).toBeLessThan(60);
    expect(Math.abs(mean(where((label, hu) => label === 1 && hu < 60)))).toBeLessThan(80);
  });

  it('shows the cortex of vertebral bodies brighter than their marrow, and marrow brighter than discs', () => {
    const cortex = mean(where((label, hu) => isBody(label) && hu > 400));
    const marrow = mean(where((label, hu) => isBody(label) && hu > 100 && hu < 250));
    const disc = mean(where((label) => label >= 300 && label < 332));
    expect(cortex).toBeGreaterThan(marrow + 100);
    expect(marrow).toBeGreaterThan(disc);
  });

  it('knows bone to 150 HU on the mean, and soft tissue better than that', () => {
    expect(error(where((_, hu) => hu > 150))).toBeLessThan(150);
    expect(error(where((_, hu) => hu > -900 && hu < 150))).toBeLessThan(75);
  });

  it('is less sure of bone than of muscle', () => {
    const width = (pixels: readonly number[]) => pixels.reduce((sum, pixel) => sum + ct.uncertainty.data[pixel]!, 0) / pixels.length;
    expect(width(where((_, hu) => hu > 400))).toBeGreaterThan(2 * width(where((label, hu) => label > 19 && hu > 30 && hu < 70)));
  });
});
