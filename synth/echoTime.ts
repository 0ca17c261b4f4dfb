/**
 * Whether T2w's echo time is the one that its header states, by all slices of a series together. The network learned, from series whose echo
 * time was told wrong, what tissues look like when their echo is not the one that it was told of:
 *
 *   e       ln(stated / true echo time): of a slice, the sum over its tissue of what the network says of each place, over the number of places
 *           and one more; of a series, the mean over its slices
 *   error = slope (stated (exp(-e) - 1) - offset)
 *
 * What cannot be told draws e towards none; the slope takes that back. What limits it are persons: their T2 differ by as much as ten milliseconds
 * do, which is the deviation. All three are of sound series and of some told wrong (models/training/synthesis/echo_time.py, this file in Python).
 * Only sagittal series were looked at.
 */
import type { EchoTimeCalibration } from './calibration.js';

export interface EchoTimeError {
  /** By which the echo time is longer than stated. */
  readonly errorMs: number;
  readonly deviationMs: number;
}

/**
 * e of a slice.
 * @param places what the network says of each, [pixels]; `tissue`: 1 where there is some, [pixels]
 */
export function lnStatedOverTrueOf(places: Float32Array, tissue: ArrayLike<number>): number {
  let [sum, n] = [0, 0];
  for (let pixel = 0; pixel < places.length; pixel++) {
    if (tissue[pixel] === 0) continue;
    sum += places[pixel]!;
    n++;
  }
  return sum / (n + 1);
}

/** @param lnStatedOverTrue of each slice of a series */
export function echoTimeError(lnStatedOverTrue: readonly number[], statedMs: number, { slope, offsetMs, deviationMs }: EchoTimeCalibration): EchoTimeError {
  const mean = lnStatedOverTrue.reduce((sum, value) => sum + value, 0) / lnStatedOverTrue.length;
  return { errorMs: slope * (statedMs * Math.expm1(-mean) - offsetMs), deviationMs };
}
