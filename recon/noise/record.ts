/**
 * A noise measurement to be kept and found again: its covariance with what it takes to apply it to another
 * scan, as text. Coils are known by their names, so that a scan may have fewer of them, in any order.
 */
import { reconError } from '../errors.js';
import type { NoiseCovariance } from './covariance.js';

export interface NoiseRecord {
  /** The header's measurementID of the noise scan. */
  readonly measurementId: string;
  /** By channel. */
  readonly coilNames: readonly string[];
  readonly dwellTimeUs: number;
  readonly covariance: NoiseCovariance;
}

const version = 1;
const mostCoils = 1024;

export function serializeNoise({ measurementId, coilNames, dwellTimeUs, covariance }: NoiseRecord): string {
  const { nSamples, matrix } = covariance;
  return JSON.stringify({ version, measurementId, coilNames, dwellTimeUs, nSamples, covariance: Array.from(matrix) });
}

/** @throws CodedError RECON_ERR_NOISE_RECORD */
export function parseNoise(text: string): NoiseRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw reconError('RECON_ERR_NOISE_RECORD', 'text that is not JSON', { cause });
  }
  const record = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { measurementId, coilNames, dwellTimeUs, nSamples, covariance } = record;
  const isNumber = (number: unknown): number is number => typeof number === 'number' && Number.isFinite(number);
  const isSound =
    record['version'] === version && typeof measurementId === 'string' && Array.isArray(coilNames) && coilNames.length > 0 &&
    coilNames.length <= mostCoils && coilNames.every((name) => typeof name === 'string') && isNumber(dwellTimeUs) && isNumber(nSamples) &&
    nSamples > 0 && Array.isArray(covariance) && covariance.length === 2 * coilNames.length ** 2 && covariance.every(isNumber);
  if (!isSound) throw reconError('RECON_ERR_NOISE_RECORD', `JSON with the keys ${Object.keys(record).slice(0, 8).join(', ').slice(0, 80)}`);
  const names = coilNames as string[];
  return {
    measurementId, coilNames: names, dwellTimeUs,
    covariance: { nCoils: names.length, nSamples, matrix: Float64Array.from(covariance as number[]) },
  };
}

/** The covariance of a scan's coils, by their names; undefined where one of them was not measured. */
export function covarianceFor({ coilNames: measured, covariance }: NoiseRecord, coilNames: readonly string[]): NoiseCovariance | undefined {
  const channels = coilNames.map((name) => measured.indexOf(name));
  if (channels.length === 0 || channels.includes(-1)) return undefined;
  const n = channels.length;
  const matrix = new Float64Array(2 * n * n);
  channels.forEach((a, row) => {
    channels.forEach((b, column) => {
      matrix[2 * (row * n + column)] = covariance.matrix[2 * (a * covariance.nCoils + b)]!;
      matrix[2 * (row * n + column) + 1] = covariance.matrix[2 * (a * covariance.nCoils + b) + 1]!;
    });
  });
  return { nCoils: n, nSamples: covariance.nSamples, matrix };
}
