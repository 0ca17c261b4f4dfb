import { describe, expect, it } from 'vitest';
import type { ImageGeometry } from '../../imaging/index.js';
import type { Tensors } from '../../models/index.js';
import { measurementPlanes, syntheticCt, synthesise, uncalibrated } from '../../synth/index.js';
import { geometry, knowing, nPixels, scan, sequences, slices } from './phantom.js';

const sagittal = (slices: number, sliceMm: number, size: readonly [number, number] = [64, 48]): ImageGeometry => ({
  matrixSize: [size[0], size[1], slices],
  fovMm: [0.9 * size[0], 0.9 * size[1], sliceMm * slices],
  centreMm: [0, 0, 0],
  rowDirection: [0, 1, 0],
  columnDirection: [0, 0, -1],
  sliceDirection: [1, 0, 0],
});

const ramp = (n: number, at: (index: number) => number) => Float32Array.from({ length: n }, (_, index) => at(index));

/** As the network's: one plane of HU and one of ln HU, here of the first image and the first map. */
const fake = (calls: Tensors[] = []) => (inputs: Tensors): Promise<Tensors> => {
  calls.push(inputs);
  const { images, maps } = inputs as { images: Tensors[string]; maps: Tensors[string] };
  const [n, nImages, rows, columns] = images.dims as [number, number, number, number];
  const plane = rows * columns;
  const dims = [n, 1, rows, columns];
  const of = (source: Float32Array, channels: number, value: (x: number) => number) =>
    ramp(n * plane, (index) => value(source[Math.floor(index / plane) * channels * plane + (index % plane)]!));
  return Promise.resolve({
    hounsfield: { dims, data: of(images.data, nImages, (x) => x) },
    spread: { dims, data: of(maps.data, 4, (x) => x) },
  });
};

function subject(slices: number, rows: number, columns: number) {
  const n = slices * rows * columns;
  const images = { slices, rows, columns, t1w: ramp(n, (index) => index % 97), t2w: ramp(n, () => 1), fatFraction: undefined, fatSuppressed: undefined };
  const maps = { protonDensity: ramp(n, () => 0.5), lnT1Ms: ramp(n, () => 6.9), lnT2Ms: ramp(n, () => 4), fatFraction: ramp(n, (index) => (index % 11) / 10) };
  return { images, maps, n };
}

describe('syntheticCt', () => {
  it('puts each slice where it was, whatever its size and how many go at once', async () => {
    const { images, maps } = subject(3, 48, 64);
    const one = await syntheticCt(sagittal(3, 4), images, maps, fake());
    const all = await syntheticCt(sagittal(3, 4), images, maps, fake(), 2);
    expect(one.volume.data).toEqual(images.t1w);
    expect(all.volume.data).toEqual(images.t1w);
    expect(one.volume.geometry).toEqual(sagittal(3, 4));
  });

  it('asks in multiples of 32 and in the maps of the network: logarithms and log odds, finite where maps end', async () => {
    const { images, maps } = subject(1, 48, 64);
    const calls: Tensors[] = [];
    await syntheticCt(sagittal(1, 4), images, maps, fake(calls));
    expect(calls[0]!.images!.dims).toEqual([1, 2, 64, 64]);
    const asked = calls[0]!.maps!;
    expect(asked.dims).toEqual([1, 4, 64, 64]);
    expect(asked.data[0]).toBeCloseTo(Math.log(0.5), 5);
    expect(asked.data[3 * 64 * 64 + 5]).toBeCloseTo(0, 5);
    expect(asked.data.every(Number.isFinite)).toBe(true);
  });

  it('gives whole Hounsfield units within 12 bits, and the half width of the interval in HU', async () => {
    const { images, maps, n } = subject(1, 48, 64);
    const loud = { ...images, t1w: ramp(n, (index) => (index % 2 === 0 ? -5000.4 : 5000.4)) };
    const { volume, uncertainty } = await syntheticCt(sagittal(1, 4), loud, { ...maps, protonDensity: ramp(n, () => Math.E) }, fake());
    expect([...new Set(volume.data)].sort((a, b) => a - b)).toEqual([-1024, 3071]);
    expect(new Set(uncertainty.data)).toEqual(new Set([Math.round(Math.E)]));
  });

  it('refuses what is not one value a pixel', async () => {
    const { images, maps } = subject(1, 48, 64);
    const run = () => Promise.resolve({ hounsfield: { dims: [1, 1, 64, 64], data: new Float32Array(64 * 64) } });
    await expect(syntheticCt(sagittal(1, 4), images, maps, run)).rejects.toThrow(/SYNTH_ERR_NETWORK/);
  });
});

describe('measurementPlanes', () => {
  it('allows every plane where slices lie no further apart than 1.5 pixels, else the acquired one', () => {
    expect(measurementPlanes(sagittal(15, 1.3))).toMatchObject({ acquired: 'sagittal', isVolumetric: true });
    expect(measurementPlanes(sagittal(15, 1.4))).toMatchObject({ acquired: 'sagittal', isVolumetric: false });
    expect(measurementPlanes({ ...sagittal(20, 3), sliceDirection: [0.1, 0.2, -0.97] })).toMatchObject({ acquired: 'axial', isVolumetric: false });
    // A single slice has no planes across it.
    expect(measurementPlanes(sagittal(1, 0.9)).isVolumetric).toBe(false);
  });

  it('is a note that goes with the images and no reason against them', async () => {
    const { images, maps } = subject(2, 48, 64);
    const thick = await syntheticCt(sagittal(2, 4.4), images, maps, fake());
    expect(thick.reasons).toEqual([expect.objectContaining({ code: 'SYNTH_WARN_CT_PLANES', light: 'green', message: expect.stringContaining('sagittal planes only') as string })]);
    expect((await syntheticCt(sagittal(2, 0.9), images, maps, fake())).reasons).toEqual([]);
  });
});

describe('synthesise', () => {
  it('gives a synthetic CT of the same voxels where it is asked for, without another light', async () => {
    const network = knowing(1.5, { explains: true, own: 0.12 });
    const without = await synthesise(scan(), [], network);
    const { ct, light, reasons } = await synthesise(scan(), [], network, { runCt: fake() });
    expect(without.ct).toBeUndefined();
    expect(ct!.volume.geometry).toEqual(geometry);
    expect(ct!.volume.data.length).toBe(slices * nPixels);
    expect(light).toBe(without.light);
    expect(reasons.map(({ code }) => code)).toContain('SYNTH_WARN_CT_PLANES');
  });

  it('gives none of coronal slices, which the network was not made for, and says so; all else is given', async () => {
    const coronal = (input: ReturnType<typeof scan>) => {
      const turned = { ...geometry, rowDirection: [1, 0, 0], sliceDirection: [0, 1, 0] } as const;
      const of = (series: typeof input.t1w) => ({ ...series, volume: { ...series.volume, geometry: turned } });
      return { ...input, t1w: of(input.t1w), t2w: of(input.t2w) };
    };
    const stir = { contrast: 'stir' as const, sequence: sequences.stir };
    const { ct, ctRefusal, series } = await synthesise(coronal(scan()), [stir], knowing(1.5, { explains: true, own: 0.12 }), { runCt: fake() });
    expect([ct, ctRefusal?.code, series.length]).toEqual([undefined, 'SYNTH_ERR_CT_INPUT', 1]);
  });

  it('gives none of a pair that is not to be trusted', async () => {
    const pair = scan({ change: (series, slice, row, column) => (series === 't1w' && slice === 1 && Math.hypot(row - 40, column - 32) < 7 ? 0.3 : 1) });
    const calibration = { ...uncalibrated, gate: { ...uncalibrated.gate, red: 1.9 } };
    const network = knowing(1.5, { explains: true, own: 0.12 });
    expect((await synthesise(pair, [], network, { calibration, runCt: fake() })).ct).toBeUndefined();
    expect((await synthesise(pair, [], network, { calibration, runCt: fake(), deliverRed: true })).ct).toBeDefined();
  });
});
