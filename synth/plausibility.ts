/**
 * Whether two series are what their places ask for, before the network is: T1w and T2w spin echoes of one patient. Asked of the
 * headers, and of the images without shading, over their means:
 *
 *   the same contrast twice   ln(T2w / T1w) hardly varies between tissues
 *   exchanged                 what is brightest in T2w, fluid, is dark in T1w; what is brightest in T1w, fat, is not dark in T2w
 *   fat-suppressed T2w        what is brightest in T1w is not bright in T2w
 *
 * The limits are from 25 simulated patients with shading and noise, lumbar and cervical, sagittal and axial: ln(T2w / T1w)
 * spread over 2.5 or more (the same contrast twice: 0.5 at most); fluid and fat told exchanged series with 1.3 in the middle, and
 * with -0.03 at least where no fluid was in the slices; fat was 1.06 to 1.35 of the 75th percentile of T2w, and 0.44 to
 * 0.78 with fat saturation, half of them below 0.65. A good pair that is refused is worse than a bad one that the gate finds.
 */
import { percentileAmong, voxelSizeMm, type FastSpinEchoSequence, type ImageGeometry } from '../imaging/index.js';
import { synthesisError } from './errors.js';
import type { AcquiredSeries, SynthesisInput, SynthesisReason } from './types.js';

const leastSide = 48;
const leastForegroundShare = 0.05;
const pixelRangeMm = [0.25, 2.5] as const;
/** Below these an image is hardly of spin echoes. */
const leastSpinEcho = { trMs: 200, teMs: 4 } as const;
/** Beyond the first range an image has another contrast, beyond the second one the network was not trained for it. */
const t1wRanges = { trMs: [200, 1500], teMs: [4, 40], trained: { trMs: [320, 1060], teMs: [5.5, 19] } } as const;
const t2wRanges = { trMs: [1500, 20_000], teMs: [50, 250], trained: { trMs: [2000, 7500], teMs: [60, 156] } } as const;
const tissueFrom = 0.3;
const leastVariation = 1;
const mostExchanged = -0.3;
const leastFat = 0.65;

/** What can be told without looking at the images. @throws CodedError SYNTH_ERR_* */
export function checkInput({ t1w, t2w, fieldStrengthT, fatFraction, fatSuppressed }: Partial<SynthesisInput>): SynthesisReason[] {
  if (t1w === undefined || t2w === undefined) {
    throw synthesisError('SYNTH_ERR_SERIES_MISSING', t1w === undefined ? (t2w === undefined ? 'neither series' : 'no T1w series') : 'no T2w series');
  }
  if (t1w.patient !== undefined && t2w.patient !== undefined && t1w.patient !== t2w.patient) throw synthesisError('SYNTH_ERR_PATIENTS', 'two patients');
  if (fieldStrengthT !== 1.5 && fieldStrengthT !== 3) throw synthesisError('SYNTH_ERR_CONTRAST', `${fieldStrengthT} T`);
  const named = { T1w: t1w, T2w: t2w, ...(fatSuppressed && { 'fat-suppressed T2w': fatSuppressed }) };
  for (const [name, series] of Object.entries(named)) checkSeries(name, series);
  if (fatFraction !== undefined) checkVolume('fat fraction', fatFraction.data, fatFraction.geometry);
  return [
    ...checkContrast('T1w', t1w.sequence, t1wRanges),
    ...checkContrast('T2w', t2w.sequence, t2wRanges),
  ];
}

/**
 * What the images tell of their contrasts.
 * @param t1w, t2w on one grid, without shading, over their means
 * @throws CodedError SYNTH_ERR_TOO_SMALL, SYNTH_ERR_CONTRAST
 */
export function checkImages(t1w: Float32Array, t2w: Float32Array, foregroundShare: number): void {
  if (foregroundShare < leastForegroundShare) {
    throw synthesisError('SYNTH_ERR_TOO_SMALL', `tissue in both series in ${(100 * foregroundShare).toFixed(1)} % of the pixels`);
  }
  const most = Math.ceil(t1w.length / 4);
  const kept = [new Float32Array(most), new Float32Array(most), new Float64Array(most)] as const;
  let n = 0;
  // One pixel in four tells as much.
  for (let pixel = 0; pixel < t1w.length; pixel += 4) {
    if (Math.max(t1w[pixel]!, t2w[pixel]!) < tissueFrom) continue;
    kept[0][n] = t1w[pixel]!;
    kept[1][n] = t2w[pixel]!;
    kept[2][n++] = Math.log(Math.max(0.05, t2w[pixel]!) / Math.max(0.05, t1w[pixel]!));
  }
  const [first, second, ratios] = [kept[0].subarray(0, n), kept[1].subarray(0, n), kept[2].subarray(0, n)];
  const variation = percentileAmong(ratios, 99) - percentileAmong(ratios, 1);
  if (variation < leastVariation) {
    throw synthesisError('SYNTH_ERR_CONTRAST', `two images of one contrast (ln(T2w / T1w) varies by ${variation.toFixed(2)})`);
  }
  const exchanged = Math.log(shownOf(second, first, 98) / shownOf(first, second, 98));
  if (exchanged < mostExchanged) throw synthesisError('SYNTH_ERR_CONTRAST', 'what is brightest in T1w dark in T2w, as where both are exchanged');
  const fat = shownOf(second, first, 90) / percentileAmong(second.slice(), 75);
  if (fat < leastFat) throw synthesisError('SYNTH_ERR_CONTRAST', `T2w in which fat is dark (${fat.toFixed(2)} of the 75th percentile), as with fat suppression`);
}

function checkSeries(name: string, { volume, sequence, noise, isGradientEcho }: AcquiredSeries): void {
  checkVolume(name, volume.data, volume.geometry);
  if (noise !== undefined && noise.length !== volume.data.length) throw synthesisError('SYNTH_ERR_GEOMETRY', `${name}: noise of ${noise.length} pixels for ${volume.data.length}`);
  const { trMs, teMs, echoTrainLength, echoSpacingMs } = sequence;
  const isWhole = [trMs, teMs, echoTrainLength, echoSpacingMs].every((value) => Number.isFinite(value) && value > 0);
  if (!isWhole || !Number.isInteger(echoTrainLength) || echoTrainLength * echoSpacingMs > trMs || teMs > trMs) {
    throw synthesisError('SYNTH_ERR_SEQUENCE', `${name}: TR ${trMs} ms, TE ${teMs} ms, ${echoTrainLength} echoes of ${echoSpacingMs} ms`);
  }
  if (isGradientEcho === true || trMs < leastSpinEcho.trMs || teMs < leastSpinEcho.teMs) {
    throw synthesisError('SYNTH_ERR_GRADIENT_ECHO', `${name}: ${isGradientEcho === true ? 'gradient echoes' : `TR ${trMs} ms, TE ${teMs} ms`}`);
  }
}

function checkVolume(name: string, data: Float32Array, geometry: ImageGeometry): void {
  const [columns, rows, slices] = geometry.matrixSize;
  if (columns * rows * slices !== data.length) throw synthesisError('SYNTH_ERR_GEOMETRY', `${name}: ${data.length} values for ${columns} x ${rows} x ${slices} voxels`);
  let sizesMm: readonly number[];
  try {
    sizesMm = voxelSizeMm(geometry);
  } catch (error) {
    throw synthesisError('SYNTH_ERR_GEOMETRY', `${name}: ${(error as Error).message}`);
  }
  if (sizesMm.slice(0, 2).some((size) => size < pixelRangeMm[0] || size > pixelRangeMm[1])) {
    throw synthesisError('SYNTH_ERR_GEOMETRY', `${name}: pixels of ${sizesMm[0]!.toFixed(2)} x ${sizesMm[1]!.toFixed(2)} mm`);
  }
  if (Math.min(columns, rows) < leastSide) throw synthesisError('SYNTH_ERR_TOO_SMALL', `${name}: ${columns} x ${rows} pixels`);
  let nBad = 0;
  for (let voxel = 0; voxel < data.length; voxel++) if (!Number.isFinite(data[voxel])) nBad++;
  if (nBad > 0) throw synthesisError('SYNTH_ERR_NOT_FINITE', `${name}: ${nBad} values that are not finite`);
}

type Range = readonly [least: number, most: number];
interface SequenceRanges {
  readonly trMs: Range;
  readonly teMs: Range;
  readonly trained: { readonly trMs: Range; readonly teMs: Range };
}

function checkContrast(name: string, { trMs, teMs }: FastSpinEchoSequence, ranges: SequenceRanges): SynthesisReason[] {
  const within = (value: number, [least, most]: Range) => value >= least && value <= most;
  if (!within(trMs, ranges.trMs) || !within(teMs, ranges.teMs)) throw synthesisError('SYNTH_ERR_CONTRAST', `TR ${trMs} ms and TE ${teMs} ms in the place of ${name}`);
  if (within(trMs, ranges.trained.trMs) && within(teMs, ranges.trained.teMs)) return [];
  return [{ code: 'SYNTH_WARN_SEQUENCE', light: 'amber', message: `TR ${trMs} ms and TE ${teMs} ms of ${name} are beyond what the network was trained for` }];
}

/** What one image shows, in the middle, where the other is above a percentile. */
function shownOf(shown: Float32Array, where: Float32Array, percent: number): number {
  const limit = percentileAmong(where.slice(), percent);
  return Math.max(0.05, percentileAmong(shown.filter((_, k) => where[k]! > limit), 50));
}
