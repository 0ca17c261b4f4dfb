import { describe, expect, it } from 'vitest';
import { fastSpinEcho, fatAt, fatSaturation, inversionRecoveryFastSpinEcho, tissueAt, tissueNames, voxelSignal, waterAndFat } from '../../imaging/index.js';
import { contrastEquation, fatSaturationPulse, SignalEquation, type TissueMaps } from '../../synth/contrasts.js';

const t2w = { trMs: 3500, teMs: 95, echoTrainLength: 17, echoSpacingMs: 10, refocusingAngleDeg: 150 };
const stir = { trMs: 4500, teMs: 45, echoTrainLength: 11, echoSpacingMs: 9, refocusingAngleDeg: 160 };
const fields = [1.5, 3] as const;

/** Parameters evenly drawn over what tissues have, in logarithms. */
function mapsOf(parameters: readonly { pd: number; t1: number; t2: number; ff: number }[]): TissueMaps {
  return {
    protonDensity: Float32Array.from(parameters, ({ pd }) => pd),
    lnT1Ms: Float32Array.from(parameters, ({ t1 }) => Math.log(t1)),
    lnT2Ms: Float32Array.from(parameters, ({ t2 }) => Math.log(t2)),
    fatFraction: Float32Array.from(parameters, ({ ff }) => ff),
  };
}
const drawn = Array.from({ length: 2000 }, (_, k) => ({
  pd: 1, t1: 60 * (7000 / 60) ** ((k * 0.618034) % 1), t2: 2 * 2000 ** ((k * 0.754878) % 1), ff: (k * 0.569840) % 1,
}));

describe('signals by table', () => {
  for (const field of fields) {
    it(`agree with the equation to 1e-4 at ${field} T`, () => {
      const fat = fatAt(field);
      const left = fatSaturation(fat, fatSaturationPulse);
      const signalOf = { water: (t1Ms: number, t2Ms: number) => fastSpinEcho({ t1Ms, t2Ms }, t2w, { residual: left.water, delayMs: 0 }), fat: fastSpinEcho(fat, t2w, { residual: left.fat, delayMs: 0 }) };
      const saturated = contrastEquation({ contrast: 't2fs', sequence: t2w }, field).equation.signal(mapsOf(drawn));
      const inverted = contrastEquation({ contrast: 'stir', sequence: stir, tiMs: 210 }, field).equation.signal(mapsOf(drawn));
      const plain = new SignalEquation(t2w, field).signal(mapsOf(drawn));
      drawn.forEach(({ t1, t2, ff }, k) => {
        const mix = (water: number, fatty: number) => (1 - ff) * water + ff * fatty;
        const times = { t1Ms: t1, t2Ms: t2 };
        expect(Math.abs(saturated[k]! - mix(signalOf.water(t1, t2), signalOf.fat))).toBeLessThan(1e-4);
        expect(Math.abs(plain[k]! - mix(fastSpinEcho(times, t2w), fastSpinEcho(fat, t2w)))).toBeLessThan(1e-4);
        const truth = mix(inversionRecoveryFastSpinEcho(times, stir, { tiMs: 210 }), inversionRecoveryFastSpinEcho(fat, stir, { tiMs: 210 }));
        expect(Math.abs(inverted[k]! - truth)).toBeLessThan(1e-4);
      });
    });

    it(`are those of the simulator's tissues at ${field} T`, () => {
      const tissues = tissueNames.map((name) => tissueAt(name, field));
      const maps = mapsOf(tissues.map(({ protonDensity, t1Ms, t2Ms, fatFraction }) => ({ pd: protonDensity, t1: t1Ms, t2: t2Ms, ff: fatFraction })));
      const signal = new SignalEquation(t2w, field).signal(maps);
      tissues.forEach((tissue, k) => {
        const truth = voxelSignal(waterAndFat(tissue, fatAt(field), (relaxation) => fastSpinEcho(relaxation, t2w)));
        expect(Math.abs(signal[k]! - truth)).toBeLessThan(1e-4);
      });
    });
  }

  it('have no fat at the null, which is the TI that auto means', () => {
    const { equation, tiMs, fatNullTiMs } = contrastEquation({ contrast: 'stir', sequence: stir }, 1.5);
    expect(tiMs).toBe(fatNullTiMs);
    expect(Math.abs(equation.signal(mapsOf([{ pd: 1, t1: 800, t2: 50, ff: 1 }]))[0]!)).toBeLessThan(1e-6);
  });

  it('keep the sign of what has not recovered', () => {
    const { equation } = contrastEquation({ contrast: 'stir', sequence: stir, tiMs: 300, output: 'real' }, 1.5);
    expect(equation.signal(mapsOf([{ pd: 1, t1: 4300, t2: 2000, ff: 0 }]))[0]).toBeLessThan(0);
  });

  it('are refused where the inversion does not fit', () => {
    expect(() => contrastEquation({ contrast: 'stir', sequence: stir, tiMs: 4480 }, 3)).toThrow(expect.objectContaining({ code: 'SYNTH_ERR_WANTED' }) as Error);
  });
});

describe('the deviation of a signal', () => {
  const maps = mapsOf(drawn);
  const equation = new SignalEquation(t2w, 1.5);
  const size = 0.01;

  /** The change of the signal as the parameters of one index grow by `size` in their own scale. */
  function changed(which: readonly number[]): Float32Array {
    const logit = (ff: number) => Math.log(ff / (1 - ff));
    const moved = drawn.map(({ pd, t1, t2, ff }) => {
      const by = (index: number) => (which.includes(index) ? size / 2 : 0);
      return [1, -1].map((sign) => ({
        pd: pd * Math.exp(sign * by(0)), t1: t1 * Math.exp(sign * by(1)), t2: t2 * Math.exp(sign * by(2)),
        ff: which.includes(3) ? 1 / (1 + Math.exp(-logit(ff) - sign * by(3))) : ff,
      }));
    });
    const [up, down] = [0, 1].map((index) => equation.signal(mapsOf(moved.map((pair) => pair[index]!)))) as [Float32Array, Float32Array];
    return up.map((value, k) => value - down[k]!);
  }
  const spreadOf = (values: readonly number[]) => values.map((value) => new Float32Array(drawn.length).fill(value));

  it('is that of finite differences, for each map by itself', () => {
    for (const index of [0, 1, 2, 3]) {
      const { deviation } = equation.predict(maps, spreadOf(Array.from({ length: 8 }, (_, k) => (k === index ? size : 0))));
      const difference = changed([index]);
      deviation.forEach((value, k) => {
        expect(Math.abs(Math.sqrt(Math.max(0, value ** 2 - 0.003 ** 2)) - Math.abs(difference[k]!))).toBeLessThan(2e-4);
      });
    }
  });

  it('lets common deviations add up or cancel, and own ones never cancel', () => {
    const { deviation: common } = equation.predict(maps, spreadOf([0, 0, 0, 0, size, 0, 0, size]));
    const { deviation: opposed } = equation.predict(maps, spreadOf([0, 0, 0, 0, size, 0, 0, -size]));
    const { deviation: own } = equation.predict(maps, spreadOf([size, 0, 0, size, 0, 0, 0, 0]));
    drawn.forEach((_, k) => {
      const mean = (common[k]! ** 2 + opposed[k]! ** 2) / 2;
      expect(own[k]! ** 2 / mean).toBeCloseTo(1, 3);
    });
  });
});
