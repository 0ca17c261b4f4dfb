/**
 * The signals of the tissues as images that are painted once and weights that change from echo to echo.
 *
 *   s(r, n) = Σ_parts map_part(r) Σ_p c_part,p(n) Σ_tissues coverage(r) b_part,p(tissue)
 *
 * Parts are water, fat and flowing fluid. Where magnetisation is prepared (inversion, saturation of
 * fat), the signal is linear in what the preparation leaves (imaging/signal.ts), so each splits into a
 * part that does not know it and one that is multiplied by a map of it. The decay along the train is
 * expanded in a few curves (decay.ts).
 */
import {
  fastSpinEcho,
  spoiledGradientEcho,
  waterAndFat,
  type Fat,
  type FastSpinEchoSequence,
  type Relaxation,
  type Tissue,
} from '../../imaging/index.js';
import { expandDecay } from './decay.js';

export type SignalGroup = 'water' | 'fat' | 'flow';
/** What the longitudinal magnetisation's preparation does to a part. */
export type PreparedBy = 'none' | 'inversion' | 'waterSaturation' | 'fatSaturation';

/** Tissues and their signals at the echoes, [n]. */
type Signals = ReadonlyMap<string, readonly number[]>;

export interface SignalPart {
  readonly group: SignalGroup;
  readonly preparedBy: PreparedBy;
  /** b of every tissue, [p] */
  readonly coefficients: ReadonlyMap<string, readonly number[]>;
  /** c, [p][n] */
  readonly curves: readonly (readonly number[])[];
}

export interface SignalOptions {
  readonly tissues: ReadonlyMap<string, Tissue>;
  readonly fat: Fat;
  /** Share of the fluid that flows, in a part of its own. */
  readonly flowingShare: number;
}

/** Flowing blood leaves the slice between excitation and echo; what stays. */
const bloodInSpinEcho = 0.05;
/** Fresh blood enters the slice between excitations (both: Bradley 1988, AJR 150:983). */
const bloodInGradientEcho = 1.5;
export const bloodTissue = 'blood';
export const fluidTissue = 'csf';

export interface PreparedSequence {
  readonly kind: 'none' | 'inversion' | 'saturation';
  /** From the preparation to the excitation. */
  readonly delayMs: number;
}

/** One n an echo of the train. */
export function fastSpinEchoParts(sequence: FastSpinEchoSequence, preparation: PreparedSequence, options: SignalOptions): SignalPart[] {
  const echoes = Array.from({ length: sequence.echoTrainLength }, (_, n) => ({ ...sequence, teMs: (n + 1) * sequence.echoSpacingMs }));
  const { kind, delayMs } = preparation;
  const signal = (relaxation: Relaxation, n: number, residual: number) =>
    fastSpinEcho(relaxation, echoes[n]!, kind === 'none' ? undefined : { residual, delayMs });
  return partsOf(options, echoes.length, signal, kind, bloodInSpinEcho);
}

/** One n an echo time. */
export function gradientEchoParts(
  sequence: { readonly trMs: number; readonly teMs: readonly number[]; readonly flipAngleDeg: number },
  isSaturated: boolean,
  options: SignalOptions,
): SignalPart[] {
  // A saturation just before the excitation scales what is excited.
  const signal = (relaxation: Relaxation, n: number, residual: number) =>
    residual * spoiledGradientEcho(relaxation, { ...sequence, teMs: sequence.teMs[n]! });
  return partsOf(options, sequence.teMs.length, signal, isSaturated ? 'saturation' : 'none', bloodInGradientEcho);
}

function partsOf(
  { tissues, fat, flowingShare }: SignalOptions,
  nEchoes: number,
  signal: (relaxation: Relaxation, n: number, residual: number) => number,
  kind: PreparedSequence['kind'],
  bloodGain: number,
): SignalPart[] {
  const of = (group: SignalGroup, ofRelaxation: (relaxation: Relaxation, n: number) => number): Signals =>
    new Map(
      [...tissues].flatMap(([name, tissue]) => {
        if (group === 'flow' && name !== fluidTissue) return [];
        const share = name !== fluidTissue ? 1 : group === 'flow' ? flowingShare : 1 - flowingShare;
        const gain = share * (name === bloodTissue ? bloodGain : 1);
        const compartment = group === 'fat' ? 'fat' : 'water';
        const values = Array.from({ length: nEchoes }, (_, n) =>
          gain * waterAndFat(tissue, fat, (relaxation) => ofRelaxation(relaxation, n))[compartment]);
        return values.some((value) => value !== 0) ? [[name, values] as const] : [];
      }),
    );
  const groups: readonly SignalGroup[] = flowingShare > 0 ? ['water', 'fat', 'flow'] : ['water', 'fat'];
  return groups.flatMap((group): SignalPart[] => {
    const always = of(group, (relaxation, n) => signal(relaxation, n, kind === 'none' ? 1 : 0));
    if (kind === 'none') return [expanded(group, 'none', always)];
    const prepared = of(group, (relaxation, n) => signal(relaxation, n, 1) - signal(relaxation, n, 0));
    const preparedBy = kind === 'inversion' ? 'inversion' : group === 'fat' ? 'fatSaturation' : 'waterSaturation';
    return [expanded(group, 'none', always), expanded(group, preparedBy, prepared)];
  }).filter(({ curves }) => curves.length > 0);
}

function expanded(group: SignalGroup, preparedBy: PreparedBy, signals: Signals): SignalPart {
  const names = [...signals.keys()];
  const { coefficients, curves } = expandDecay([...signals.values()]);
  return { group, preparedBy, curves, coefficients: new Map(names.map((name, t) => [name, coefficients[t]!])) };
}
