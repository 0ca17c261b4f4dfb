/** Green, amber or red, from what was found; every reason names its place where it has one. */
import type { Calibration, EchoTimeCalibration } from './calibration.js';
import type { EchoTimeError } from './echoTime.js';
import { relativeWidth } from './interval.js';
import type { Places } from './places.js';
import { gateLight, gateScore, type PairEvidence } from './trust.js';
import type { SynthesisedSeries, SynthesisReason, TrafficLight } from './types.js';

/** Amber from so far off the null of fat on. */
const mostOffNullMs = 20;
/** Pixels that registration may leave. */
const mostMisregistered = 1;
/** Places that are named one by one. */
const mostNamed = 3;
/** Pixels that a place must have to be asked whether it can be told. */
const fewestPixels = 120;
/** Fat fractions of marrow, where nothing else tells where marrow is. */
const marrowFat = [0.15, 0.8] as const;
const lights: readonly TrafficLight[] = ['green', 'amber', 'red'];

export function worstOf(reasons: readonly SynthesisReason[]): TrafficLight {
  return lights[Math.max(0, ...reasons.map(({ light }) => lights.indexOf(light)))]!;
}

export function worstFirst(reasons: readonly SynthesisReason[]): SynthesisReason[] {
  return [...reasons].sort((a, b) => lights.indexOf(b.light) - lights.indexOf(a.light));
}

/**
 * Whether the pair can be trusted, and where not.
 * @param size of the evidence: averaged over 2 x 2 pixels of what `places` names
 */
export function judgePair(
  { slices, z, isDoubted }: PairEvidence,
  size: { readonly rows: number; readonly columns: number },
  places: Places,
  calibration: Calibration['gate'],
): SynthesisReason[] {
  const scores = slices.map((features) => gateScore(features, calibration));
  const light = gateLight(scores, calibration);
  if (light === 'green') return [];
  const largest = new Map<number, number>();
  for (let pixel = 0; pixel < z.length; pixel++) {
    const far = Math.abs(z[pixel]!);
    if ((far < calibration.localZ && isDoubted[pixel] === 0) || scores[Math.floor(pixel / (size.rows * size.columns))]! < calibration.amber) continue;
    const [column, row] = [pixel % size.columns, Math.floor(pixel / size.columns) % size.rows];
    const place = places.placeOf(Math.floor(pixel / (size.rows * size.columns)), 2 * row, 2 * column);
    if (far > (largest.get(place) ?? 0)) largest.set(place, far);
  }
  const found = [...largest].sort(([, a], [, b]) => b - a);
  if (found.length === 0) return [{ code: 'SYNTH_WARN_PAIR', light, message: 'T1w and T2w disagree a little everywhere' }];
  const reasons = found.slice(0, mostNamed).map(([place, far]): SynthesisReason => {
    const where = places.nameOf(place);
    return { code: 'SYNTH_WARN_PAIR', light, message: `${where}: T1w and T2w disagree (by ${far.toFixed(1)} standard deviations)`, where };
  });
  return [...reasons, ...others(found.length, 'SYNTH_WARN_PAIR', light, 'T1w and T2w disagree')];
}

/** Whether T2w looks like another echo time than the stated one. */
export function judgeEchoTime({ errorMs, deviationMs }: EchoTimeError, statedMs: number, { amber }: EchoTimeCalibration): SynthesisReason[] {
  if (Math.abs(errorMs) < amber * deviationMs) return [];
  const message = `T2w looks like an echo time of ${(statedMs + errorMs).toFixed(0)} ms, give or take ${deviationMs.toFixed(0)} ms: ${statedMs.toFixed(0)} ms is stated`;
  return [{ code: 'SYNTH_WARN_ECHO_TIME', light: 'amber', message }];
}

/** Where the interval of a contrast is so wide that it says little: in regions with names, else in what has the fat of marrow. */
export function judgeIntervals(
  { volume, low, high }: SynthesisedSeries,
  fatFraction: Float32Array,
  places: Places,
  { relativeWidth: limit }: Calibration['cannotTell'],
): SynthesisReason[] {
  const [columns, rows] = volume.geometry.matrixSize;
  const sums = new Map<number, { sum: number; n: number }>();
  for (let line = 0; line * columns < low.length; line++) {
    const [slice, row] = [Math.floor(line / rows), line % rows];
    let [place, entry]: [number, { sum: number; n: number } | undefined] = [NaN, undefined];
    for (let column = 0; column < columns; column++) {
      const pixel = line * columns + column;
      if (high[pixel] === 0 && low[pixel] === 0) continue;
      const its = places.placeOf(slice, row, column);
      const fat = fatFraction[pixel]!;
      if (!places.isRegion(its) && (fat < marrowFat[0] || fat > marrowFat[1])) continue;
      if (its !== place || entry === undefined) {
        [place, entry] = [its, sums.get(its) ?? { sum: 0, n: 0 }];
        sums.set(place, entry);
      }
      entry.sum += relativeWidth(Math.abs(volume.data[pixel]!), (high[pixel]! - low[pixel]!) / 2);
      entry.n++;
    }
  }
  const wide = [...sums].filter(([, { n }]) => n >= fewestPixels).map(([place, { sum, n }]) => ({ place, width: sum / n }))
    .filter(({ width }) => width > limit).sort((a, b) => b.width - a.width);
  const reasons = wide.slice(0, mostNamed).map(({ place, width }): SynthesisReason => {
    const where = places.nameOf(place);
    return { code: 'SYNTH_WARN_CANNOT_TELL', light: 'amber', message: `${where}: cannot tell (the interval is ± ${(100 * width).toFixed(0)} %)`, where };
  });
  return [...reasons, ...others(wide.length, 'SYNTH_WARN_CANNOT_TELL', 'amber', 'cannot tell')];
}

/** What needs no look at pixels. */
export function judgeExam(
  series: readonly SynthesisedSeries[],
  isScaleKnown: boolean,
  { residualMm, pixelMm }: { readonly residualMm: number; readonly pixelMm: number },
): SynthesisReason[] {
  const reasons: SynthesisReason[] = [];
  for (const { contrast, tiMs, fatNullTiMs } of series) {
    if (tiMs === undefined || fatNullTiMs === undefined || Math.abs(tiMs - fatNullTiMs) <= mostOffNullMs) continue;
    reasons.push({ code: 'SYNTH_WARN_TI', light: 'amber', message: `${contrast}: TI ${tiMs.toFixed(0)} ms, fat is dark at ${fatNullTiMs.toFixed(0)} ms` });
  }
  if (residualMm > mostMisregistered * pixelMm) {
    reasons.push({ code: 'SYNTH_WARN_MISREGISTERED', light: 'amber', message: `T1w and T2w are ${residualMm.toFixed(1)} mm apart in places after registration` });
  }
  if (!isScaleKnown) reasons.push({ code: 'SYNTH_WARN_GAIN', light: 'green', message: 'the relative scale of T1w and T2w was estimated from the images' });
  return reasons;
}

function others(n: number, code: SynthesisReason['code'], light: TrafficLight, message: string): SynthesisReason[] {
  return n > mostNamed ? [{ code, light, message: `${message} at ${n - mostNamed} more places` }] : [];
}
