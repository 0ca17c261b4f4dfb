/**
 * What a physicist wants to know of a noise scan: the noise of each coil by name, how the coils
 * correlate, and which coil is broken.
 *
 *   sigma[c] = sqrt(Psi[c, c] / 2)                         per real channel
 *   rho[a, b] = |Psi[a, b]| / sqrt(Psi[a, a] Psi[b, b])
 */
import type { NoiseCovariance } from './covariance.js';

/** Below this many samples a covariance of many coils is known to worse than about a per cent. */
export const wantedNoiseSamples = 10_000;

/**
 * Elements of one array differ in loading and gain by a factor of a few; a detached or dead element
 * lies orders of magnitude off. Standard deviations beyond this factor from the median are suspect.
 */
const suspectFactor = 8;

export interface CoilNoise {
  readonly coil: number;
  readonly name: string;
  /** Standard deviation of the real (and of the imaginary) part, in raw data units. */
  readonly standardDeviation: number;
  /** Why the coil is taken for broken; undefined where it is not. */
  readonly fault: string | undefined;
}

export interface NoiseStatistics {
  readonly nSamples: number;
  readonly enoughSamples: boolean;
  readonly coils: readonly CoilNoise[];
  readonly medianStandardDeviation: number;
  /** Magnitude of the correlation coefficients, [nCoils, nCoils]; NaN where a coil has no noise. */
  readonly correlation: Float64Array;
  /** The largest correlation between two different coils; NaN where there is none. */
  readonly largestCorrelation: number;
}

/** @param coilNames by coil; `coil 3` where there is none */
export function noiseStatistics(covariance: NoiseCovariance, coilNames: readonly string[] = []): NoiseStatistics {
  const { nCoils, matrix } = covariance;
  const deviations = Array.from({ length: nCoils }, (_, c) => Math.sqrt(matrix[2 * (c * nCoils + c)]! / 2));
  const alive = deviations.filter((deviation) => Number.isFinite(deviation) && deviation > 0).sort((a, b) => a - b);
  const median = alive.length === 0 ? NaN : (alive[(alive.length - 1) >> 1]! + alive[alive.length >> 1]!) / 2;

  const coils = deviations.map((standardDeviation, coil) => ({
    coil,
    name: coilName(coilNames, coil),
    standardDeviation,
    fault: fault(standardDeviation, median),
  }));

  const correlation = new Float64Array(nCoils * nCoils);
  let largest = NaN;
  for (let a = 0; a < nCoils; a++) {
    for (let b = 0; b < nCoils; b++) {
      const at = a * nCoils + b;
      const rho = Math.hypot(matrix[2 * at]!, matrix[2 * at + 1]!) / (2 * deviations[a]! * deviations[b]!);
      correlation[at] = rho;
      if (a !== b && !(rho <= largest) && !Number.isNaN(rho)) largest = rho;
    }
  }
  return {
    nSamples: covariance.nSamples,
    enoughSamples: covariance.nSamples >= wantedNoiseSamples,
    coils,
    medianStandardDeviation: median,
    correlation,
    largestCorrelation: largest,
  };
}

/** Name for people: the header's, else the number. */
export function coilName(coilNames: readonly string[], coil: number): string {
  return coilNames[coil] ?? `coil ${coil}`;
}

function fault(deviation: number, median: number): string | undefined {
  if (!Number.isFinite(deviation)) return 'samples that are not finite numbers';
  if (deviation === 0) return 'no noise at all';
  if (deviation > suspectFactor * median) return `noise ${(deviation / median).toFixed(0)} times the median coil's`;
  if (deviation < median / suspectFactor) return `noise ${(median / deviation).toFixed(0)} times below the median coil's`;
  return undefined;
}
