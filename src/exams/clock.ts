/**
 * The time of the wall, ms since 1970, finer than a millisecond: what passes between an image and whoever sees it is told
 * by such times. The monotonic clock is brought back to the wall's where somebody set that.
 */
const mostDriftMs = 5;
let offsetMs = performance.timeOrigin;

export function wallClockMs(): number {
  const wall = Date.now();
  const at = offsetMs + performance.now();
  if (Math.abs(at - wall) <= mostDriftMs) return at;
  offsetMs = wall - performance.now();
  return wall;
}
