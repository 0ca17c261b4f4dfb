/** A sweep from a file that was picked: whatever it holds, it is shown as numbers and pictures or refused. */
import type { SweepRowView, SweepView } from '../api/index.js';
import { ApiError } from '../api/index.js';

const pictureRule = /^data:image\/png;base64,[A-Za-z0-9+/=]+$/;

/** @throws ApiError where it is no sweep */
export function sweepOfFile(text: string): SweepView {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused('a file that is no JSON');
  }
  const { version, rows, scan, limits, pictures } = record(value);
  if (version !== 1 || !Array.isArray(rows) || rows.length === 0 || rows.length > 1000 || !isScan(scan) || !isRecord(limits)) throw refused('JSON that is no sweep of version 1');
  if (pictures !== undefined && !(['image', 'error', 'gFactor'] as const).every((kind) => isScale(record(record(pictures)['scales'])[kind]))) throw refused('a sweep without the scales of its pictures');
  if (!rows.every(isRow)) throw refused('a sweep with a setting that cannot be read');
  return value as SweepView;
}

const refused = (got: string) => new ApiError(0, { code: 'no sweep', message: `got ${got}`, expected: 'a file that conus sweep -o NAME.json wrote', action: 'write it again with this version' });

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isAbsentOr = (test: (value: unknown) => boolean) => (value: unknown) => value === undefined || test(value);
const isPicture = (value: unknown) => typeof value === 'string' && pictureRule.test(value);
const isTexts = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string');

function isScan(value: unknown): boolean {
  const { acceleration, matrix, nSlices, name } = record(value);
  return isNumber(acceleration) && isNumber(nSlices) && Array.isArray(matrix) && matrix.length === 2 && matrix.every(isNumber) && isAbsentOr((one) => typeof one === 'string')(name);
}

function isScale(value: unknown): boolean {
  const { low, high, ramp, unit } = record(value);
  return isNumber(low) && isNumber(high) && isPicture(ramp) && isAbsentOr((one) => typeof one === 'string')(unit);
}

function isRow(value: unknown): value is SweepRowView {
  const { setting, nLines, minutes, figures, relativeSnr, violations, remarks, pictures } = record(value);
  const isSetting = isAbsentOr((one) => isNumber(record(one)['acceleration']) && isNumber(record(one)['calibrationLines']) && typeof record(one)['method'] === 'string');
  const isFigures = isAbsentOr((one) => {
    const { nRmse, ssim, gMean, g99, snr } = record(one);
    return isNumber(nRmse) && isNumber(ssim) && [gMean, g99, snr].every(isAbsentOr(isNumber));
  });
  const isPictures = isAbsentOr((one) => {
    const { image, error, gFactor } = record(one);
    return isPicture(image) && [error, gFactor].every(isAbsentOr(isPicture));
  });
  return isNumber(nLines) && isAbsentOr(isNumber)(minutes) && isAbsentOr(isNumber)(relativeSnr) && isTexts(violations) && isTexts(remarks) && isSetting(setting) && isFigures(figures) && isPictures(pictures);
}
