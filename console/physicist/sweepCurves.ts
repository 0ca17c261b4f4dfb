/** The figures of a sweep as curves over what was varied. */
import type { SweepRowView, SweepView } from '../api/index.js';

export const sweepAxes = {
  minutes: 'minutes of scan',
  nLines: 'lines an image',
  acceleration: 'acceleration R',
  calibrationLines: 'calibration lines',
  denoisePercent: 'strength of the denoiser, %',
} as const;
export type SweepAxis = keyof typeof sweepAxes;

interface FigureFacts {
  readonly title: string;
  readonly of: (row: SweepRowView) => number | undefined;
  readonly limit?: keyof SweepView['limits'];
  /** What the axis reaches at least. */
  readonly includes?: number;
  /** Better is higher. */
  readonly isBetterHigh: boolean;
}

export const sweepFigures = {
  nRmse: { title: 'nRMSE', of: ({ figures }) => figures?.nRmse, limit: 'maxNRmse', includes: 0, isBetterHigh: false },
  ssim: { title: 'SSIM', of: ({ figures }) => figures?.ssim, limit: 'minSsim', includes: 1, isBetterHigh: true },
  gMean: { title: 'g, mean', of: ({ figures }) => figures?.gMean, limit: 'maxGMean', includes: 1, isBetterHigh: false },
  g99: { title: 'g, 99th percentile', of: ({ figures }) => figures?.g99, limit: 'maxG99', includes: 1, isBetterHigh: false },
  snr: { title: 'SNR, median', of: ({ figures }) => figures?.snr, limit: 'minSnr', includes: 0, isBetterHigh: true },
  minutes: { title: 'Minutes of scan', of: ({ minutes }) => minutes, limit: 'maxMinutes', includes: 0, isBetterHigh: false },
} as const satisfies Record<string, FigureFacts>;
export type SweepFigure = keyof typeof sweepFigures;

/** Row of the data as they are. */
export const baselineRow = 0;

export interface SweepCurve {
  readonly label: string;
  /** Which colour, and which dash, from 0. */
  readonly hue: number;
  readonly dash: number;
  /** Rows of the sweep, in order of x; the data as they are among them, where they have a place on the axis. */
  readonly rows: readonly number[];
}

/** Axes along which the rows differ, the most telling first. */
export function axesOf({ rows, timing }: SweepView): SweepAxis[] {
  const counts = new Set(rows.flatMap(({ setting }) => setting?.calibrationLines ?? []));
  const strengths = new Set(rows.flatMap(({ setting }) => setting?.denoisePercent ?? []));
  return [
    ...(timing === undefined ? [] : (['minutes'] as const)), 'nLines', 'acceleration', ...(counts.size > 1 ? (['calibrationLines'] as const) : []),
    ...(strengths.size > 1 ? (['denoisePercent'] as const) : []),
  ];
}

export function xOf(sweep: SweepView, row: number, axis: SweepAxis): number | undefined {
  const { setting, minutes, nLines } = sweep.rows[row]!;
  switch (axis) {
    case 'minutes': return minutes;
    case 'nLines': return nLines;
    case 'acceleration': return setting?.acceleration ?? sweep.scan.acceleration;
    case 'calibrationLines': return setting?.calibrationLines;
    case 'denoisePercent': return setting?.denoisePercent;
  }
}

/** A curve for each combination of what the axis does not tell: colour the method and the strength (or the calibration lines), dash the other. */
export function curvesOf(sweep: SweepView, axis: SweepAxis): SweepCurve[] {
  const settings = sweep.rows.flatMap(({ setting }, row) => (setting === undefined ? [] : [{ setting, row }]));
  const other = axis === 'calibrationLines' || axis === 'denoisePercent' ? 'acceleration' : 'calibrationLines';
  const third = axis === 'denoisePercent' ? 'calibrationLines' : 'denoisePercent';
  const methods = [...new Set(settings.map(({ setting }) => setting.method))];
  const valuesOf = (key: 'acceleration' | 'calibrationLines' | 'denoisePercent') => [...new Set(settings.map(({ setting }) => setting[key]))].sort((a, b) => a - b);
  const [thirds, others] = [valuesOf(third), valuesOf(other)];
  return methods.flatMap((method, m) => thirds.flatMap((extra, e) => others.flatMap((value, dash) => {
    const own = settings.filter(({ setting }) => setting.method === method && setting[other] === value && setting[third] === extra).map(({ row }) => row);
    if (own.length === 0) return [];
    const all = xOf(sweep, baselineRow, axis) === undefined ? own : [baselineRow, ...own];
    const rows = all.filter((row) => xOf(sweep, row, axis) !== undefined).sort((a, b) => xOf(sweep, a, axis)! - xOf(sweep, b, axis)!);
    const label = [method, wordsOf(other, value), ...(thirds.length > 1 ? [wordsOf(third, extra)] : [])].filter((words) => words !== '').join(', ');
    return [{ label, hue: m * thirds.length + e, dash, rows }];
  })));
}

function wordsOf(key: 'acceleration' | 'calibrationLines' | 'denoisePercent', value: number): string {
  if (key === 'acceleration') return `R ${value}`;
  if (key === 'calibrationLines') return `${value} calibration lines`;
  return value === 0 ? 'conventional' : `denoised at ${value} %`;
}

export interface AlignedCurves {
  readonly x: readonly number[];
  /** A list a curve, as long as x; null where the curve has no point. */
  readonly y: readonly (readonly (number | null)[])[];
  /** The row of each point. */
  readonly rows: readonly (readonly (number | null)[])[];
}

/** On one row of x, as a plot takes them. A curve without this figure is nothing but nulls, not even a point of the data as they are. */
export function aligned(sweep: SweepView, curves: readonly SweepCurve[], axis: SweepAxis, figure: SweepFigure): AlignedCurves {
  const { of } = sweepFigures[figure];
  const x = [...new Set(curves.flatMap(({ rows }) => rows.map((row) => xOf(sweep, row, axis)!)))].sort((a, b) => a - b);
  const rows = curves.map((curve) => {
    const hasFigure = curve.rows.some((row) => row !== baselineRow && of(sweep.rows[row]!) !== undefined);
    return x.map((at) => (hasFigure ? (curve.rows.find((row) => xOf(sweep, row, axis) === at && of(sweep.rows[row]!) !== undefined) ?? null) : null));
  });
  return { x, rows, y: rows.map((curve) => curve.map((row) => (row === null ? null : of(sweep.rows[row]!)!))) };
}

export function settingText({ setting }: SweepRowView): string {
  return setting === undefined ? 'as acquired' : `R ${setting.acceleration}, ${setting.calibrationLines} calibration lines, ${setting.method}${setting.denoisePercent > 0 ? `, denoised at ${setting.denoisePercent} %` : ''}`;
}
