/**
 * Random counts, P(k) = exp(-mean) mean^k / k!, exact for every mean.
 *
 * Below a mean of 10 by inversion: the distribution is summed up until it passes a uniform number. From
 * 10 on by transformed rejection with a squeeze, PTRS of Hörmann 1993, doi 10.1016/0167-6687(93)90997-4:
 * a quotient of uniform numbers is shaped like the distribution and accepted where it lies below it.
 * ln k! is Stirling's series, whose error from k = 10 on is below 1e-12.
 */
import type { Random } from '../random.js';

/** A count of the given mean, 0 or more. */
export function poisson(mean: number, random: Random): number {
  return mean < 10 ? byInversion(mean, random) : byRejection(mean, random);
}

function byInversion(mean: number, random: Random): number {
  let probability = Math.exp(-mean);
  let rest = random.uniform() - probability;
  let count = 0;
  // The distribution sums up to 1 less a rounding error, which a uniform number may fall into.
  while (rest >= 0 && probability > 0) {
    count++;
    probability *= mean / count;
    rest -= probability;
  }
  return count;
}

function byRejection(mean: number, random: Random): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const squeeze = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = random.uniform() - 0.5;
    const v = 1 - random.uniform();
    const us = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= squeeze) return count;
    if (count < 0 || (us < 0.013 && v > us)) continue;
    const bound = count * Math.log(mean) - mean - logFactorial(count);
    if (Math.log((v * inverseAlpha) / (a / (us * us) + b)) <= bound) return count;
  }
}

const smallFactorials = Float64Array.from({ length: 10 }, (_, n) => {
  let logarithm = 0;
  for (let factor = 2; factor <= n; factor++) logarithm += Math.log(factor);
  return logarithm;
});

function logFactorial(n: number): number {
  if (n < 10) return smallFactorials[n]!;
  const x = n + 1;
  const inverse = 1 / (x * x);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}
