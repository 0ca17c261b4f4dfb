/** How a session ended. */
import { CodedError } from 'ismrmrd';
import { sessionError } from './errors.js';
import type { Lights } from './quality.js';

/** What a session was, for the log, the metrics and an exit code. No patient data. */
export interface SessionSummary {
  readonly id: string;
  /** `aborted`: the transport went away before the answer was complete. */
  readonly outcome: 'completed' | 'failed' | 'aborted';
  readonly errorCode: string | undefined;
  readonly error: Error | undefined;
  readonly chain: string;
  readonly nBytesIn: number;
  readonly nReadouts: number;
  readonly nWaveforms: number;
  readonly nImagesIn: number;
  readonly nImagesOut: number;
  readonly noticeCodes: readonly string[];
  /** Denoised images by their quality light. */
  readonly lights: Lights;
  readonly stageMs: Readonly<Record<string, number>>;
  readonly durationMs: number;
  /** From the last readout that was taken to the last image that was handed on. */
  readonly lastReadoutToLastImageMs: number | undefined;
}

export function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

/** What a client may read: a documented error, never a stack or a path of this machine. */
export function presentable(error: unknown): CodedError {
  return error instanceof CodedError ? error : sessionError('CONUS_ERR_INTERNAL', asError(error).name, { cause: error });
}
