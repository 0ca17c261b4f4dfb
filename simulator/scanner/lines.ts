/** Which lines are acquired, and what for. */
import type { AcquisitionFlagName } from 'ismrmrd';
import type { ScanOptions } from './options.js';

export interface PlannedLine {
  /** kspaceEncodeStep1 */
  readonly line: number;
  /** What the line is for; none of them: imaging. */
  readonly use: readonly AcquisitionFlagName[];
}

type LineOptions = Pick<ScanOptions, 'matrix' | 'acceleration' | 'calibration' | 'calibrationLines'>;

/** The imaging lines of one slice, with the embedded calibration lines, in ascending order. */
export function imagingLines({ matrix, acceleration, calibration, calibrationLines }: LineOptions): PlannedLine[] {
  const embedded = acceleration > 1 && calibration === 'embedded' ? calibrationLines : 0;
  const planned: PlannedLine[] = [];
  for (let line = 0; line < matrix[1]; line++) {
    const regular = (line - Math.floor(matrix[1] / 2)) % acceleration === 0;
    if (isCentral(line, matrix[1], embedded)) {
      planned.push({ line, use: [regular ? 'parallelCalibrationAndImaging' : 'parallelCalibration'] });
    } else if (regular) {
      planned.push({ line, use: [] });
    }
  }
  return planned;
}

/** The lines of a separate calibration scan, in ascending order. */
export function separateCalibrationLines({ matrix, acceleration, calibration, calibrationLines }: LineOptions): PlannedLine[] {
  if (acceleration === 1 || calibration !== 'separate') return [];
  return Array.from({ length: matrix[1] }, (_, line) => line)
    .filter((line) => isCentral(line, matrix[1], calibrationLines))
    .map((line) => ({ line, use: ['parallelCalibration'] }));
}

function isCentral(line: number, rows: number, count: number): boolean {
  const first = Math.floor(rows / 2) - Math.floor(count / 2);
  return line >= first && line < first + count;
}
