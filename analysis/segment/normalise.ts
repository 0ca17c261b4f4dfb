/**
 * Brightness as the network takes it, 0 to 6.
 *
 *   MR: value / mean of the foreground, foreground = above a tenth of the 99th percentile;   CT: (HU + 200) / 400
 *
 * A slice at a time, since the network learned it so.
 */
const brightest = 6;
/** The percentile is that of every fourth pixel: enough, and quicker. */
const sampledEvery = 4;

/** In place. @returns whether there is anything to be seen */
export function normalise(slice: Float32Array, isCt: boolean): boolean {
  if (isCt) {
    for (let pixel = 0; pixel < slice.length; pixel++) slice[pixel] = Math.min(brightest, Math.max(0, (slice[pixel]! + 200) / 400));
    return true;
  }
  const sample = new Float32Array(Math.ceil(slice.length / sampledEvery));
  for (let index = 0; index < sample.length; index++) sample[index] = slice[index * sampledEvery]!;
  sample.sort();
  const threshold = 0.1 * sample[Math.floor(0.99 * (sample.length - 1))]!;
  let [sum, count] = [0, 0];
  for (let pixel = 0; pixel < slice.length; pixel++) {
    if (slice[pixel]! > threshold) {
      sum += slice[pixel]!;
      count++;
    }
  }
  if (!(threshold > 0) || count === 0) {
    slice.fill(0);
    return false;
  }
  const gain = count / sum;
  for (let pixel = 0; pixel < slice.length; pixel++) slice[pixel] = Math.min(brightest, Math.max(0, slice[pixel]! * gain));
  return true;
}
