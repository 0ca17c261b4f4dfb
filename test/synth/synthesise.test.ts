import { describe, expect, it } from 'vitest';
import { fatAt, inversionRecoveryFastSpinEcho, nullingInversionTimeMs, tissueAt, voxelSignal, waterAndFat } from '../../imaging/index.js';
import type { Tensors } from '../../models/index.js';
import { synthesise, uncalibrated, type AcquiredSeries, type SynthesisInput, type WantedContrast } from '../../synth/index.js';
import { columns, fatT1Ms, geometry, knowing, nPixels, rows, scan, sequences, slices, tissueOf } from './phantom.js';

const stir: WantedContrast = { contrast: 'stir', sequence: sequences.stir };
const t2fs: WantedContrast = { contrast: 't2fs', sequence: sequences.t2w };
const strict = { ...uncalibrated, gate: { ...uncalibrated.gate, red: 1.9 } };
const fat = 40 * columns + 70;

describe('with a network that is right', () => {
  it('STIR is that of the signal equation, whatever the shading and the gains', async () => {
    const result = await synthesise(scan({ lnShading: (u, v) => 0.8 * u - 0.3 * v * v }), [stir], knowing(1.5), { deliverRed: true });
    const [series] = result.series;
    const tiMs = nullingInversionTimeMs(fatT1Ms(1.5), sequences.stir);
    expect(series!.tiMs).toBeCloseTo(tiMs, 6);
    for (let pixel = 0; pixel < nPixels; pixel += 7) {
      const name = tissueOf(Math.floor(pixel / columns), pixel % columns);
      if (name === 'air' || tissueOf(Math.floor(pixel / columns), (pixel % columns) + 2) === 'air' || tissueOf(Math.floor(pixel / columns), (pixel % columns) - 2) === 'air') continue;
      const truth = Math.abs(voxelSignal(waterAndFat(tissueAt(name, 1.5), fatAt(1.5), (relaxation) =>
        inversionRecoveryFastSpinEcho(relaxation, sequences.stir, { tiMs }))));
      expect(Math.abs(series!.volume.data[nPixels + pixel]! - truth)).toBeLessThan(2e-3);
      expect(series!.low[nPixels + pixel]!).toBeLessThanOrEqual(truth);
      expect(series!.high[nPixels + pixel]!).toBeGreaterThanOrEqual(truth);
    }
  });

  it('a good pair is green, and the estimated gain is said', async () => {
    const result = await synthesise(scan(), [stir, t2fs], knowing(1.5, { explains: true, own: 0.12 }));
    expect(result.light).toBe('green');
    expect(result.reasons.map(({ code }) => code)).toEqual(['SYNTH_WARN_GAIN']);
    expect(result.series.map(({ contrast, volume }) => [contrast, volume.data.length])).toEqual([['stir', slices * nPixels], ['t2fs', slices * nPixels]]);
    expect(result.fatFraction.data[fat]).toBeCloseTo(0.92, 2);
    expect(result.fatFraction.geometry).toEqual(geometry);
  });

  it('shows nothing where there is air', async () => {
    const { series, fatFraction } = await synthesise(scan(), [stir], knowing(1.5));
    for (const data of [series[0]!.volume.data, series[0]!.high, fatFraction.data]) expect(data[50 * columns + 2]).toBe(0);
  });

  for (const name of ['t1w', 't2w'] as const) {
    it(`a blob in ${name} only is found where it is, and nothing is delivered silently`, async () => {
      const pair = scan({ change: (series, slice, row, column) => (series === name && slice === 1 && Math.hypot(row - 40, column - 32) < 7 ? 0.3 : 1) });
      const network = knowing(1.5, { explains: true, own: 0.12 });
      const refused = await synthesise(pair, [stir], network, { calibration: strict });
      expect(refused.light).toBe('red');
      expect(refused.series).toEqual([]);
      expect(refused.reasons.at(-1)!.code).toBe('SYNTH_WARN_NOT_DELIVERED');
      // Row 40 of 96 from the head, column 32 of 80 from the front.
      expect(refused.reasons[0]).toMatchObject({ code: 'SYNTH_WARN_PAIR', where: 'slice 2, middle third, centre' });
      const residual = refused.pairResidual.data;
      const far = residual.reduce((best, value, voxel) => (Math.abs(value) > Math.abs(residual[best]!) ? voxel : best), 0);
      expect(Math.floor(far / nPixels)).toBe(1);
      expect(Math.hypot(Math.floor((far % nPixels) / columns) - 40, (far % columns) - 32)).toBeLessThan(8);
      const delivered = await synthesise(pair, [stir], network, { calibration: strict, deliverRed: true });
      expect([delivered.light, delivered.series.length]).toEqual(['red', 1]);
    });
  }

  it('a place that the network doubts is named, and its slice has the feature', async () => {
    const network = knowing(1.5, { explains: true, own: 0.12, doubt: (row, column) => (Math.hypot(row - 40, column - 33) < 3 ? 5 : -20) });
    const heard = { ...uncalibrated, gate: { ...uncalibrated.gate, doubt: { bias: 0, weights: { doubt: 2 } } } };
    const { light, reasons, gate } = await synthesise(scan(), [stir], network, { calibration: heard, deliverRed: true });
    expect(light).toBe('red');
    expect(reasons[0]).toMatchObject({ code: 'SYNTH_WARN_PAIR', where: expect.stringMatching(/^slice \d, lower third, posterior$/) as string });
    expect(gate.every(({ features }) => features.doubt > 4)).toBe(true);
    expect((await synthesise(scan(), [stir], knowing(1.5, { explains: true, own: 0.12 }), { calibration: heard })).light).toBe('green');
  });

  it('a blob is named by its region', async () => {
    const codes = Float32Array.from({ length: slices * nPixels }, (_, voxel) => (tissueOf(Math.floor((voxel % nPixels) / columns), voxel % columns) === 'cancellousBone' ? 22 : 0));
    const pair = scan({ change: (series, slice, row, column) => (series === 't1w' && slice === 1 && Math.hypot(row - 40, column - 32) < 7 ? 0.3 : 1) });
    const result = await synthesise(pair, [stir], knowing(1.5, { explains: true, own: 0.12 }), {
      findRegions: () => Promise.resolve({ volume: { geometry, data: codes }, names: new Map([[22, 'L3']]) }),
    });
    expect(result.reasons[0]).toMatchObject({ where: 'L3', message: expect.stringMatching(/^L3: T1w and T2w disagree/) as string });
  });

  it('regions are looked for where there is a place to name, and not else; without any it is named by where it lies', async () => {
    let nAsked = 0;
    const findRegions = () => { nAsked++; return Promise.resolve(undefined); };
    const green = await synthesise(scan(), [stir], knowing(1.5, { explains: true, own: 0.12 }), { findRegions });
    expect([green.light, nAsked]).toEqual(['green', 0]);
    const amber = await synthesise(scan(), [stir], knowing(1.5, { explains: true, own: 0.9 }), { findRegions });
    expect([amber.light, nAsked]).toEqual(['amber', 1]);
    expect(amber.reasons[0]!.where).toMatch(/^slice \d/);
  });

  it('marrow that cannot be told is amber', async () => {
    const result = await synthesise(scan(), [stir], knowing(1.5, { explains: true, own: 0.9 }));
    expect(result.light).toBe('amber');
    expect(result.reasons[0]!.code).toBe('SYNTH_WARN_CANNOT_TELL');
  });

  it('a TI that is more than 20 ms off the null is amber, and fat is then not dark', async () => {
    const null_ = nullingInversionTimeMs(fatT1Ms(3), sequences.stir);
    const pair = scan({ fieldStrengthT: 3 });
    const network = knowing(3, { explains: true, own: 0.1 });
    const near = await synthesise(pair, [{ ...stir, tiMs: null_ + 15 }], network);
    const far = await synthesise(pair, [{ ...stir, tiMs: null_ + 60 }], network);
    expect(near.light).toBe('green');
    expect(far.reasons.map(({ code }) => code)).toContain('SYNTH_WARN_TI');
    expect(far.light).toBe('amber');
    expect(far.series[0]!.volume.data[fat]!).toBeGreaterThan(2 * near.series[0]!.volume.data[fat]!);
  });

  it('the real part keeps its sign', async () => {
    const { series } = await synthesise(scan(), [{ ...stir, tiMs: 300, output: 'real' }], knowing(1.5));
    const canal = nPixels + 40 * columns + 49;
    expect(series[0]!.volume.data[canal]!).toBeLessThan(0);
    expect(series[0]!.low[canal]!).toBeLessThan(series[0]!.volume.data[canal]!);
  });
});

describe('what the network is asked', () => {
  it('has images over their means, of 16 times so many pixels; before them, coarser, each image by itself', async () => {
    const network = knowing(1.5);
    const { t1w, t2w, ...rest } = scan();
    await synthesise({ ...rest, t1w: { ...t1w, relativeScale: 2 }, t2w: { ...t2w, relativeScale: 1 } }, [stir], network, { slicesPerRun: 2 });
    const shapes = network.asked.map(({ images, exam }) => [images!.dims, exam!.dims]);
    expect(shapes).toEqual([
      [[3, 4, 48, 48], [3, 18]], [[3, 4, 48, 48], [3, 18]], [[2, 4, 96, 80], [2, 18]], [[1, 4, 96, 80], [1, 18]],
    ]);
    const flags = network.asked.map(({ exam }) => Array.from(exam!.data.subarray(0, 18)));
    expect(flags.map((numbers) => [numbers[7], numbers[16], numbers[17]])).toEqual([[0, 1, 0], [0, 0, 1], [1, 1, 1], [1, 1, 1]]);
    expect(flags[0]![14]! - flags[2]![14]!).toBeCloseTo(Math.LN2, 5);
    expect(flags[2]![8]).toBeGreaterThan(-2);
    const [withoutT2w, withoutT1w, both] = network.asked.map(({ images }) => images!) as [Tensors[string], Tensors[string], Tensors[string], ...Tensors[string][]];
    const planeMean = (data: Float32Array, plane: number, n: number) => data.subarray(plane * n, (plane + 1) * n).reduce((a, b) => a + b, 0) / n;
    expect(planeMean(both.data, 0, rows * columns)).toBeGreaterThan(0.4);
    expect(planeMean(both.data, 2, rows * columns)).toBe(0);
    expect(planeMean(withoutT2w.data, 1, 48 * 48)).toBe(0);
    expect(planeMean(withoutT1w.data, 0, 48 * 48)).toBe(0);
  });
});

describe('what is no pair is refused', () => {
  const good = scan();
  const refusal = async (input: SynthesisInput) => synthesise(input, [stir], knowing(1.5)).then(() => 'taken', (error: { code: string }) => error.code);
  const withT1w = (change: Partial<AcquiredSeries>): SynthesisInput => ({ ...good, t1w: { ...good.t1w, ...change } });
  const volumeOf = (data: Float32Array) => ({ geometry, data });

  it('one series missing', async () => {
    expect(await refusal({ t2w: good.t2w, fieldStrengthT: 1.5 } as SynthesisInput)).toBe('SYNTH_ERR_SERIES_MISSING');
  });
  it('two patients', async () => {
    expect(await refusal({ ...good, t1w: { ...good.t1w, patient: 'A' }, t2w: { ...good.t2w, patient: 'B' } })).toBe('SYNTH_ERR_PATIENTS');
  });
  it('exchanged, by their headers', async () => {
    expect(await refusal({ ...good, t1w: good.t2w, t2w: good.t1w })).toBe('SYNTH_ERR_CONTRAST');
  });
  it('exchanged, by their images', async () => {
    expect(await refusal({ ...good, t1w: { ...good.t1w, volume: good.t2w.volume }, t2w: { ...good.t2w, volume: good.t1w.volume } })).toBe('SYNTH_ERR_CONTRAST');
  });
  it('the same image twice', async () => {
    expect(await refusal(withT1w({ volume: good.t2w.volume }))).toBe('SYNTH_ERR_CONTRAST');
  });
  it('gradient echoes', async () => {
    expect(await refusal(withT1w({ isGradientEcho: true }))).toBe('SYNTH_ERR_GRADIENT_ECHO');
    expect(await refusal(withT1w({ sequence: { trMs: 12, teMs: 5, echoTrainLength: 1, echoSpacingMs: 5 } }))).toBe('SYNTH_ERR_GRADIENT_ECHO');
  });
  it('a sequence that cannot be', async () => {
    expect(await refusal(withT1w({ sequence: { ...sequences.t1w, echoTrainLength: 80 } }))).toBe('SYNTH_ERR_SEQUENCE');
    expect(await refusal(withT1w({ sequence: { ...sequences.t1w, teMs: NaN } }))).toBe('SYNTH_ERR_SEQUENCE');
  });
  it('values that are not finite', async () => {
    expect(await refusal(withT1w({ volume: volumeOf(good.t1w.volume.data.map((value, k) => (k === 5 ? NaN : value))) }))).toBe('SYNTH_ERR_NOT_FINITE');
  });
  it('a volume that does not fill its geometry', async () => {
    expect(await refusal(withT1w({ volume: volumeOf(good.t1w.volume.data.subarray(1)) }))).toBe('SYNTH_ERR_GEOMETRY');
  });
  it('too few pixels, and empty images', async () => {
    const small = { ...geometry, matrixSize: [32, 32, 3] as const, fovMm: [32, 32, 12] as const };
    expect(await refusal(withT1w({ volume: { geometry: small, data: new Float32Array(32 * 32 * 3) } }))).toBe('SYNTH_ERR_TOO_SMALL');
    expect(await refusal({ ...withT1w({ volume: volumeOf(new Float32Array(slices * nPixels)) }) })).toBe('SYNTH_ERR_TOO_SMALL');
  });
  it('an inversion that does not fit', async () => {
    await expect(synthesise(good, [{ ...stir, tiMs: 4490 }], knowing(1.5))).rejects.toMatchObject({ code: 'SYNTH_ERR_WANTED' });
  });
});
