/**
 * Cerebrospinal fluid that moves with the heart.
 *
 * A share of the fluid flows. At each excitation its signal is multiplied by
 *
 *   m(t) = (1 - loss · p(φ)) exp(i phase · p(φ)),     φ the phase of the heart at t
 *
 * p is the velocity's pulse, large in systole: spins in motion along gradients lose coherence and gain
 * phase (Rubin, Enzmann 1987, AJNR 8:297). As the heart does not beat in step with the repetition,
 * successive trains see different m, and the fluid repeats itself along the phase encoding.
 */
import type { Random } from '../random.js';

export interface Pulsation {
  /** Of the fluid, 0 to 1. */
  readonly flowingShare: number;
  /** Complex, [re, im] */
  at(timeS: number): readonly [number, number];
}

export interface PulsationOptions {
  readonly flowingShare: number;
  /** Of the flowing fluid's signal, in systole. */
  readonly loss: number;
  readonly phaseRad: number;
  readonly heartRatePerMin: number;
}

export const defaultPulsation: PulsationOptions = { flowingShare: 0.3, loss: 0.5, phaseRad: 1, heartRatePerMin: 68 };

/** @param durationS beats are drawn up to here; rates vary by 4 per cent from beat to beat */
export function pulsationOf(options: PulsationOptions, durationS: number, random: Random): Pulsation {
  const { flowingShare, loss, phaseRad, heartRatePerMin } = options;
  const beats = [-random.uniform() * (60 / heartRatePerMin)];
  while (beats.at(-1)! <= durationS) beats.push(beats.at(-1)! + (60 / heartRatePerMin) * Math.max(0.6, 1 + 0.04 * random.normal()));
  const phaseAt = (timeS: number) => {
    let [low, high] = [0, beats.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (beats[middle]! <= timeS) low = middle;
      else high = middle;
    }
    return (timeS - beats[low]!) / (beats[high]! - beats[low]!);
  };
  return {
    flowingShare,
    at(timeS) {
      // Systolic flow to the feet for a third of the beat, a slow return in the rest.
      const phase = phaseAt(timeS);
      const pulse = phase < 0.35 ? Math.sin((Math.PI * phase) / 0.35) : -0.35 * Math.sin((Math.PI * (phase - 0.35)) / 0.65);
      const amplitude = 1 - loss * Math.abs(pulse);
      return [amplitude * Math.cos(phaseRad * pulse), amplitude * Math.sin(phaseRad * pulse)];
    },
  };
}
