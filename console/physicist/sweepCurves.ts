/** The figures of a sweep as curves over what was varied. */
import type { SweepRowView, SweepView } from '../api/index.js';

export const sweepAxes = {
  minutes: 'minutes of scan',
  nLines: 'lines an image',
  acceleration: 'acceleration R',
  calibrationLines: 'calibration lines',
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
  return [...(timing === undefined ? [] : (['minutes'] as const)), 'nLines', 'acceleration', ...(counts.size > 1 ? (['calibrationLines'] as const) : [])];
}

export function xOf(sweep: SweepView, row: number, axis: SweepAxis): number | undefined {
  const { setting, minutes, nLines } = sweep.rows[row]!;
  switch (axis) {
    case 'minutes': return minutes;
    case 'nLines': return nLines;
    case 'acceleration': return setting?.acceleration ?? sweep.scan.acceleration;
    case 'calibrationLines': return setting?.calibrationLines;
  }
}

/** A curve for each method and each value of what the axis does not tell: colour the method, dash the other. */
export function curvesOf(sweep: SweepView, axis: SweepAxis): SweepCurve[] {
  const other = axis === 'calibrationLines' ? 'acceleration' : 'calibrationLines';
  const settings = sweep.rows.flatMap(({ setting }, row) => (setting === undefined ? [] : [{ setting, row }]));
  const methods = [...new Set(settings.map(({ setting }) => setting.method))];
  const values = [...new Set(settings.map(({ setting }) => setting[other]))].sort((a, b) => a - b);
  return methods.flatMap((method, hue) => values.flatMap((value, dash) => {
    const own = settings.filter(({ setting }) => setting.method === method && setting[other] === value).map(({ row }) => row);
    if (own.length === 0) return [];
    const all = xOf(sweep, baselineRow, axis) === undefined ? own : [baselineRow, ...own];
    const rows = all.filter((row) => xOf(sweep, row, axis) !== undefined).sort((a, b) => xOf(sweep, a, axis)! - xOf(sweep, b, axis)!);
    return [{ label: other === 'acceleration' ? `${method}, R ${value}` : `${method}, ${value} calibration lines`, hue, dash, rows }];
  }));
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
  return setting === undefined ? 'as acquired' : `R ${setting.acceleration}, ${setting.calibrationLines} calibration lines, ${setting.method}`;
}
