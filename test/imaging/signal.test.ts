import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dixonEchoes, ernstAngleDeg, fastSpinEcho, fatAt, fatSaturation, ImagingError, inversionRecoveryFastSpinEcho, longitudinalAtExcitation,
  nullingInversionTimeMs, saturationResidual, shiftHz, spoiledGradientEcho, tissueAt, voxelSignal, waterAndFat,
  type FastSpinEchoSequence, type SaturationPulse,
} from '../../imaging/index.js';
import { simulateSpoiledGradientEcho, simulateTrain } from './bloch.js';

const pools = fc.record({ t1Ms: fc.double({ min: 150, max: 4500, noNaN: true }), t2Ms: fc.double({ min: 10, max: 2000, noNaN: true }) });
const trains = fc
  .record({
    echoSpacingMs: fc.double({ min: 5, max: 20, noNaN: true }),
    echoTrainLength: fc.integer({ min: 1, max: 24 }),
    restMs: fc.double({ min: 500, max: 4000, noNaN: true }),
    echo: fc.integer({ min: 1, max: 24 }),
  })
  .map(({ echoSpacingMs, echoTrainLength, restMs, echo }): FastSpinEchoSequence => ({
    trMs: echoSpacingMs * echoTrainLength + restMs,
    teMs: Math.min(echo, echoTrainLength) * echoSpacingMs,
    echoSpacingMs,
    echoTrainLength,
  }));
const spinEcho = (trMs: number, teMs: number): FastSpinEchoSequence => ({ trMs, teMs, echoSpacingMs: teMs, echoTrainLength: 1 });

describe('the fast spin echo', () => {
  it('is what the Bloch equation gives, with any preparation', () => {
    const preparations = fc.record({ residual: fc.double({ min: -1, max: 1, noNaN: true }), delayMs: fc.double({ min: 0, max: 400, noNaN: true }) });
    fc.assert(
      fc.property(pools, trains, preparations, (pool, sequence, preparation) => {
        const simulated = simulateTrain(pool, { ...sequence, refocusingAngleDeg: 180, preparation });
        expect(longitudinalAtExcitation(pool.t1Ms, sequence, preparation)).toBeCloseTo(simulated.atExcitation, 10);
        const echo = Math.round(sequence.teMs / sequence.echoSpacingMs);
        expect(Math.abs(fastSpinEcho(pool, sequence, preparation))).toBeCloseTo(simulated.echoes[echo - 1]!, 10);
      }),
      { numRuns: 30 },
    );
  });

  it('follows the Bloch equation at 150 and 120 degrees within what the pseudo steady state leaves out', () => {
    const pool = { t1Ms: 1000, t2Ms: 100 };
    for (const [refocusingAngleDeg, tolerance] of [[150, 0.05], [120, 0.13]] as const) {
      const sequence = { trMs: 3000, echoSpacingMs: 10, echoTrainLength: 16, refocusingAngleDeg };
      const { echoes } = simulateTrain(pool, sequence);
      const errors = echoes.map((echo, i) => fastSpinEcho(pool, { ...sequence, teMs: 10 * (i + 1) }) / echo - 1);
      // Echoes 4 to 10: after the transient, where an effective echo time lies.
      for (const error of errors.slice(3, 10)) expect(Math.abs(error)).toBeLessThan(tolerance);
    }
  });

  it('is the textbook spin echo for one echo', () => {
    fc.assert(
      fc.property(pools, fc.double({ min: 300, max: 5000, noNaN: true }), fc.double({ min: 5, max: 200, noNaN: true }), (pool, trMs, teMs) => {
        const recovery = 1 - 2 * Math.exp(-(trMs - teMs / 2) / pool.t1Ms) + Math.exp(-trMs / pool.t1Ms);
        expect(fastSpinEcho(pool, spinEcho(trMs, teMs))).toBeCloseTo(recovery * Math.exp(-teMs / pool.t2Ms), 12);
      }),
    );
  });

  it('goes to 1 with a long TR and a short TE, and to 0 with a long TE', () => {
    expect(fastSpinEcho({ t1Ms: 500, t2Ms: 80 }, spinEcho(1e5, 1e-6))).toBeCloseTo(1, 6);
    expect(fastSpinEcho({ t1Ms: 500, t2Ms: 80 }, spinEcho(1e5, 5000))).toBeLessThan(1e-20);
  });

  it('does not change with a preparation that leaves everything', () => {
    fc.assert(
      fc.property(pools, trains, fc.double({ min: 0, max: 300, noNaN: true }), (pool, sequence, delayMs) => {
        expect(fastSpinEcho(pool, sequence, { residual: 1, delayMs })).toBeCloseTo(fastSpinEcho(pool, sequence), 12);
      }),
    );
  });
});

describe('inversion recovery', () => {
  it('is exactly zero at its null', () => {
    fc.assert(
      fc.property(pools, trains, fc.double({ min: 0.85, max: 1, noNaN: true }), (pool, train, inversionEfficiency) => {
        const sequence = { ...train, trMs: train.trMs + 4 * pool.t1Ms };
        const tiMs = nullingInversionTimeMs(pool.t1Ms, sequence, inversionEfficiency);
        const signal = (change: number) => inversionRecoveryFastSpinEcho(pool, sequence, { tiMs: tiMs + change, inversionEfficiency });
        expect(Math.abs(signal(0))).toBeLessThan(1e-13);
        expect(signal(-5)).toBeLessThan(0);
        expect(signal(5)).toBeGreaterThan(0);
      }),
    );
  });

  it('has its null at T1 ln 2 for a long TR, and at T1 ln(2 / (1 + exp(-TR/T1))) for a short train', () => {
    const short = { echoSpacingMs: 1e-6, echoTrainLength: 1 };
    expect(nullingInversionTimeMs(288, { trMs: 1e5, ...short })).toBeCloseTo(288 * Math.log(2), 6);
    expect(nullingInversionTimeMs(288, { trMs: 1500, ...short })).toBeCloseTo(288 * Math.log(2 / (1 + Math.exp(-1500 / 288))), 6);
  });

  it('is the textbook 1 - 2 exp(-TI/T1) + exp(-TR/T1) for a short train', () => {
    const sequence: FastSpinEchoSequence = { trMs: 2500, teMs: 1e-6, echoSpacingMs: 1e-6, echoTrainLength: 1 };
    const expected = 1 - 2 * Math.exp(-700 / 900) + Math.exp(-2500 / 900);
    expect(inversionRecoveryFastSpinEcho({ t1Ms: 900, t2Ms: 80 }, sequence, { tiMs: 700 })).toBeCloseTo(expected, 6);
  });
});

describe('spectral saturation', () => {
  const pulse: SaturationPulse = { centrePpm: -3.4, bandwidthPpm: 3, efficiency: 0.95, edgeOrder: 4 };

  it('leaves 1 - efficiency in the middle, half of the effect at the edges, everything far away', () => {
    expect(saturationResidual(-3.4, pulse)).toBeCloseTo(0.05, 12);
    expect(saturationResidual(-1.9, pulse)).toBeCloseTo(1 - 0.475, 12);
    expect(saturationResidual(-4.9, pulse)).toBeCloseTo(1 - 0.475, 12);
    expect(saturationResidual(3, pulse)).toBeCloseTo(1, 12);
    // A Gaussian of the same full width at half maximum.
    const sigma = 3 / (2 * Math.sqrt(2 * Math.log(2)));
    expect(saturationResidual(-2.5, { ...pulse, edgeOrder: 2 })).toBeCloseTo(1 - 0.95 * Math.exp(-(0.9 ** 2) / (2 * sigma ** 2)), 12);
  });

  it('takes fat and leaves water where the field is right, and fails both ways where it is not', () => {
    const share = (offset: number) => fatSaturation(fatAt(3), pulse, offset);
    expect(share(0).fat).toBeLessThan(0.2);
    // The olefinic and glycerol protons near water stay: no spectral pulse takes them.
    expect(share(0).fat).toBeGreaterThan(0.09);
    expect(share(0).water).toBeGreaterThan(0.99);
    expect(share(2.5).fat).toBeGreaterThan(0.7);
    expect(share(-3.2).water).toBeLessThan(0.1);
  });
});

describe('the spoiled gradient echo', () => {
  it('is the steady state of the Bloch equation, largest at the Ernst angle', () => {
    const [t1Ms, trMs] = [900, 30];
    const signal = (flipAngleDeg: number) => spoiledGradientEcho({ t1Ms, t2StarMs: 40 }, { trMs, teMs: 0, flipAngleDeg });
    for (const angle of [3, 15, 40, 90]) expect(signal(angle)).toBeCloseTo(simulateSpoiledGradientEcho(t1Ms, trMs, angle), 10);
    const best = ernstAngleDeg(t1Ms, trMs);
    expect(signal(best)).toBeGreaterThan(signal(best - 0.5));
    expect(signal(best)).toBeGreaterThan(signal(best + 0.5));
  });

  it('decays with T2*', () => {
    const at = (teMs: number) => spoiledGradientEcho({ t1Ms: 900, t2StarMs: 25 }, { trMs: 500, teMs, flipAngleDeg: 20 });
    expect(at(15) / at(5)).toBeCloseTo(Math.exp(-10 / 25), 12);
  });
});

describe('Dixon echoes', () => {
  const water = { t1Ms: 900, t2Ms: 40, t2StarMs: 20 };
  const sequence = { trMs: 200, flipAngleDeg: 10 };

  it('a single fat peak turns against water: opposed at half its period, in phase at the whole', () => {
    const onePeak = { peaks: [{ shiftPpm: -3.4, weight: 1 }] };
    const periodMs = 1e3 / Math.abs(shiftHz(-3.4, 1.5));
    expect(periodMs).toBeCloseTo(4.6, 1);
    const echoes = dixonEchoes({ water, fat: water }, onePeak, { ...sequence, teMs: [periodMs / 2, periodMs, periodMs / 4] }, { fieldStrengthT: 1.5 });
    expect(echoes.water[0]! + echoes.fat[0]!).toBeCloseTo(0, 12);
    expect(echoes.water[2]!).toBeCloseTo(echoes.fat[2]!, 12);
    // Fat has the lower frequency: a quarter of its period turns it to -i.
    expect(echoes.fat[5]! / echoes.water[4]!).toBeCloseTo(-1, 12);
  });

  it('a field offset turns both alike and changes no magnitude', () => {
    const teMs = [1.2, 2.4, 3.7];
    const fat = { ...water, t1Ms: 371 };
    const at = (fieldOffsetHz: number) => dixonEchoes({ water, fat }, fatAt(3), { ...sequence, teMs }, { fieldStrengthT: 3, fieldOffsetHz });
    const [on, off] = [at(0), at(80)];
    teMs.forEach((te, echo) => {
      const phase = 2 * Math.PI * 80 * te * 1e-3;
      for (const compartment of ['water', 'fat'] as const) {
        const [re, im] = [on[compartment][2 * echo]!, on[compartment][2 * echo + 1]!];
        expect(off[compartment][2 * echo]).toBeCloseTo(re * Math.cos(phase) - im * Math.sin(phase), 12);
        expect(off[compartment][2 * echo + 1]).toBeCloseTo(re * Math.sin(phase) + im * Math.cos(phase), 12);
      }
    });
  });

  it('all peaks are in phase at TE 0', () => {
    const echoes = dixonEchoes({ water, fat: water }, fatAt(1.5), { ...sequence, teMs: [0] }, { fieldStrengthT: 1.5 });
    expect(echoes.fat[0]).toBeCloseTo(echoes.water[0]!, 12);
    expect(echoes.fat[1]).toBeCloseTo(0, 12);
  });
});

it('a voxel is its water and its fat by proton density and fat fraction', () => {
  const tissue = tissueAt('cancellousBone', 3);
  const parts = waterAndFat(tissue, fatAt(3), ({ t1Ms }) => (t1Ms === tissue.t1Ms ? 1 : 10));
  expect(parts.water).toBeCloseTo(tissue.protonDensity * (1 - tissue.fatFraction), 12);
  expect(parts.fat).toBeCloseTo(10 * tissue.protonDensity * tissue.fatFraction, 12);
  expect(voxelSignal(parts)).toBe(parts.water + parts.fat);
});

describe('sequences that cannot be', () => {
  const good = spinEcho(500, 10);
  it.each([
    ['a train longer than TR', () => fastSpinEcho({ t1Ms: 900, t2Ms: 40 }, { ...good, echoTrainLength: 60 })],
    ['half an echo', () => fastSpinEcho({ t1Ms: 900, t2Ms: 40 }, { ...good, echoTrainLength: 1.5 })],
    ['no spacing', () => longitudinalAtExcitation(900, { ...good, echoSpacingMs: 0 })],
    ['NaN', () => longitudinalAtExcitation(900, { ...good, trMs: NaN })],
    ['an inversion without room', () => inversionRecoveryFastSpinEcho({ t1Ms: 900, t2Ms: 40 }, good, { tiMs: 495 })],
    ['a null before the inversion', () => nullingInversionTimeMs(288, good, -0.5)],
    ['an echo after TR', () => spoiledGradientEcho({ t1Ms: 900, t2StarMs: 40 }, { trMs: 10, teMs: 11, flipAngleDeg: 20 })],
  ])('%s', (_, action) => {
    expect(action).toThrow(ImagingError);
    expect(action).toThrow('IMG_ERR_SEQUENCE');
  });
});
