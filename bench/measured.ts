/** Painted series as a scanner would have them. */
import type { AnalysisSeries } from '../analysis/index.js';
import type { Random } from '../simulator/index.js';

/** Complex noise at this SNR of the median of what is bright, and a coil array's fall-off towards the front. */
export function asMeasured(series: AnalysisSeries, snr: number, random: Random): AnalysisSeries {
  const { geometry, data } = series.volume;
  const bright = [...data.filter((value, index) => index % 97 === 0 && value > 0)].sort((a, b) => a - b);
  const std = bright[bright.length >> 1]! / snr;
  const [columns, rows] = geometry.matrixSize;
  const noisy = data.map((value, index) => {
    const [column, row] = [index % columns, Math.floor(index / columns) % rows];
    const depth = series.orientation === 'sagittal' ? column / columns : row / rows;
    return Math.hypot(value * (0.4 + depth ** 2) + std * random.normal(), std * random.normal());
  });
  return { ...series, volume: { geometry, data: noisy } };
}
