/**
 * Contrasts of parameter maps, by the signal equations of imaging/signal.ts, fast enough for whole volumes:
 *
 *   S = PD [(1 - FF) M(ln T1) D(ln T2) + FF F]
 *
 * M: what the sequence, its preparation and its refocusing leave of water's magnetisation at the excitation; D: the decay
 * until the echo time; F: the signal of fat. The equation is the product of M and D, so each is asked of it once for 1024
 * values and interpolated linearly in between (to 1e-4 of the equilibrium magnetisation; test/synth/contrasts.test.ts).
 *
 * No chemical shift: water and fat of a voxel lie where they are, not where a readout would have put the fat.
 */
import {
  fastSpinEcho, fatAt, fatSaturation, nullingInversionTimeMs,
  type FastSpinEchoSequence, type FieldStrengthT, type Preparation, type SaturationPulse,
} from '../imaging/index.js';
import { synthesisError } from './errors.js';
import type { WantedContrast } from './types.js';

/** A band from -4.7 to -2.1 ppm, with steep edges: what spectral saturation in the training data was, too. */
export const fatSaturationPulse: SaturationPulse = { centrePpm: -3.4, bandwidthPpm: 2.6, efficiency: 0.97, edgeOrder: 8 };

/** Parameters of any number of voxels, in one order. */
export interface TissueMaps {
  /** Water at 37 °C is 1. */
  readonly protonDensity: Float32Array;
  /** Of the water: natural logarithms of ms. */
  readonly lnT1Ms: Float32Array;
  readonly lnT2Ms: Float32Array;
  /** 0 to 1. */
  readonly fatFraction: Float32Array;
}

/** A signal and its standard deviation, voxel by voxel. */
export interface Predicted {
  readonly signal: Float32Array;
  readonly deviation: Float32Array;
}

/** A function at equal steps, linear in between and constant beyond. */
class Table {
  readonly values: Float64Array;
  readonly perStep: number;
  readonly #from: number;
  readonly #last: number;

  constructor(of: (x: number) => number, from: number, to: number, n = 1024) {
    const step = (to - from) / (n - 1);
    this.values = Float64Array.from({ length: n }, (_, index) => of(from + step * index));
    this.perStep = 1 / step;
    this.#from = from;
    this.#last = n - 1.000001;
  }

  at(x: number): number {
    const place = this.placeOf(x);
    const index = Math.floor(place);
    const low = this.values[index]!;
    return low + (place - index) * (this.values[index + 1]! - low);
  }

  /** Index and fraction, before the last value. */
  placeOf(x: number): number {
    const place = (x - this.#from) * this.perStep;
    return place > 0 ? (place < this.#last ? place : this.#last) : 0;
  }
}

const t1RangeMs = [40, 8000] as const;
const t2RangeMs = [1, 6000] as const;
/** Deviation of a signal whose maps are certain: what the training assumed, too. */
const leastDeviation = 0.003;
const unprepared: Preparation = { residual: 1, delayMs: 0 };

/** One sequence with what was done to water and to fat before it. */
export class SignalEquation {
  readonly #water: Table;
  readonly #decay: Table;
  readonly #fat: number;

  /** @throws IMG_ERR_SEQUENCE */
  constructor(sequence: FastSpinEchoSequence, fieldStrengthT: FieldStrengthT, water: Preparation = unprepared, fat: Preparation = unprepared) {
    const anyT1Ms = 1000;
    const withoutDecay = fastSpinEcho({ t1Ms: anyT1Ms, t2Ms: Infinity }, sequence);
    this.#water = new Table((lnT1) => fastSpinEcho({ t1Ms: Math.exp(lnT1), t2Ms: Infinity }, sequence, water), Math.log(t1RangeMs[0]), Math.log(t1RangeMs[1]));
    this.#decay = new Table((lnT2) => fastSpinEcho({ t1Ms: anyT1Ms, t2Ms: Math.exp(lnT2) }, sequence) / withoutDecay, Math.log(t2RangeMs[0]), Math.log(t2RangeMs[1]));
    this.#fat = fastSpinEcho(fatAt(fieldStrengthT), sequence, fat);
  }

  /** Signal with its sign, in units of the equilibrium magnetisation of one proton density. */
  signal({ protonDensity, lnT1Ms, lnT2Ms, fatFraction }: TissueMaps): Float32Array {
    const signal = new Float32Array(protonDensity.length);
    for (let voxel = 0; voxel < signal.length; voxel++) {
      const fat = fatFraction[voxel]!;
      const water = this.#water.at(lnT1Ms[voxel]!) * this.#decay.at(lnT2Ms[voxel]!);
      signal[voxel] = protonDensity[voxel]! * ((1 - fat) * water + fat * this.#fat);
    }
    return signal;
  }

  /**
   * The signal and its standard deviation, to first order. `spread`: eight maps, of ln PD, ln T1, ln T2 and logit FF the deviation
   * of its own, then its share of the one deviation that they have in common. 0 both where `where`, if given, is 0.
   * @param into where they are written, of the same length; new arrays unless given
   */
  predict({ protonDensity, lnT1Ms, lnT2Ms, fatFraction }: TissueMaps, spread: readonly Float32Array[], where?: Uint8Array, into?: Predicted): Predicted {
    const { signal, deviation } = into ?? { signal: new Float32Array(protonDensity.length), deviation: new Float32Array(protonDensity.length) };
    const [ownPd, ownT1, ownT2, ownFat, sharePd, shareT1, shareT2, shareFat] = spread as readonly [
      Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array,
    ];
    const [water, decay, fatSignal] = [this.#water, this.#decay, this.#fat];
    for (let voxel = 0; voxel < deviation.length; voxel++) {
      if (where !== undefined && where[voxel] === 0) {
        signal[voxel] = deviation[voxel] = 0;
        continue;
      }
      const density = protonDensity[voxel]!;
      const fat = fatFraction[voxel]!;
      // Each table is asked once for its value and its slope.
      const placeOfT1 = water.placeOf(lnT1Ms[voxel]!);
      const placeOfT2 = decay.placeOf(lnT2Ms[voxel]!);
      const t1 = Math.floor(placeOfT1);
      const t2 = Math.floor(placeOfT2);
      const stepOfT1 = water.values[t1 + 1]! - water.values[t1]!;
      const stepOfT2 = decay.values[t2 + 1]! - decay.values[t2]!;
      const recovered = water.values[t1]! + (placeOfT1 - t1) * stepOfT1;
      const decayed = decay.values[t2]! + (placeOfT2 - t2) * stepOfT2;
      const ofWater = recovered * decayed;
      const byPd = density * ((1 - fat) * ofWater + fat * fatSignal);
      signal[voxel] = byPd;
      const byT1 = density * (1 - fat) * decayed * stepOfT1 * water.perStep;
      const byT2 = density * (1 - fat) * recovered * stepOfT2 * decay.perStep;
      const byFat = density * fat * (1 - fat) * (fatSignal - ofWater);
      const common = byPd * sharePd[voxel]! + byT1 * shareT1[voxel]! + byT2 * shareT2[voxel]! + byFat * shareFat[voxel]!;
      const ofPd = byPd * ownPd[voxel]!;
      const ofT1 = byT1 * ownT1[voxel]!;
      const ofT2 = byT2 * ownT2[voxel]!;
      const ofFat = byFat * ownFat[voxel]!;
      deviation[voxel] = Math.sqrt(ofPd * ofPd + ofT1 * ofT1 + ofT2 * ofT2 + ofFat * ofFat + common * common + leastDeviation * leastDeviation);
    }
    return { signal, deviation };
  }
}

export interface ContrastEquation {
  readonly equation: SignalEquation;
  /** The magnitude of the signal is shown, not its sign. */
  readonly isMagnitude: boolean;
  readonly tiMs?: number;
  readonly fatNullTiMs?: number;
}

/** @throws CodedError SYNTH_ERR_WANTED where the times do not fit into TR */
export function contrastEquation({ contrast, sequence, tiMs = 'auto', output = 'magnitude' }: WantedContrast, fieldStrengthT: FieldStrengthT): ContrastEquation {
  const fat = fatAt(fieldStrengthT);
  try {
    if (contrast !== 'stir') {
      const left = fatSaturation(fat, fatSaturationPulse);
      const saturated = (residual: number): Preparation => ({ residual, delayMs: 0 });
      return { equation: new SignalEquation(sequence, fieldStrengthT, saturated(left.water), saturated(left.fat)), isMagnitude: true };
    }
    const fatNullTiMs = nullingInversionTimeMs(fat.t1Ms, sequence);
    const chosen = tiMs === 'auto' ? fatNullTiMs : tiMs;
    const inverted: Preparation = { residual: -1, delayMs: chosen };
    return { equation: new SignalEquation(sequence, fieldStrengthT, inverted, inverted), isMagnitude: output === 'magnitude', tiMs: chosen, fatNullTiMs };
  } catch (error) {
    throw synthesisError('SYNTH_ERR_WANTED', `${contrast}: ${(error as Error).message}`);
  }
}
