/**
 * Raw filters: k-space times a window of the distance from its centre, u = |k| / k_max along each axis,
 *
 *   Hann:      w(u) = cos^2(pi u / 2)
 *   Gaussian:  w(u) = exp(-u^2 / (2 * 0.4^2)),   4 per cent at the edge
 *
 * mixed with no filter by the strength s: 1 - s + s w(u). They trade resolution for less noise and ringing.
 * Harris FJ. On the use of windows for harmonic analysis with the discrete Fourier transform. Proc IEEE
 * 1978;66:51-83. doi:10.1109/PROC.1978.10837
 */

export type RawFilter = 'none' | 'hann' | 'gaussian';

const gaussianWidth = 0.4;

/**
 * @param n samples, zero frequency at floor(n / 2)
 * @param edge samples from the centre to the edge of what was encoded: u is 1 there
 * @returns float64 [n]
 */
export function filterWindow(filter: RawFilter, strength: number, n: number, edge: number): Float64Array {
  const centre = Math.floor(n / 2);
  return Float64Array.from({ length: n }, (_, i) => {
    const u = Math.min(1, Math.abs(i - centre) / edge);
    return 1 - strength + strength * windowAt(filter, u);
  });
}

function windowAt(filter: RawFilter, u: number): number {
  switch (filter) {
    case 'none':
      return 1;
    case 'hann':
      return Math.cos((Math.PI * u) / 2) ** 2;
    case 'gaussian':
      return Math.exp(-(u * u) / (2 * gaussianWidth * gaussianWidth));
  }
}
