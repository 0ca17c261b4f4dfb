/** What the service and the thread of a job say to each other. */
import { CodedError } from 'ismrmrd';
import type { Tensors } from '../../models/index.js';

export type FromThread<Result> =
  /** Several may be underway; the answer has the same id. */
  | { readonly type: 'run'; readonly id: number; readonly inputs: Tensors; /** That of the job where it is absent. */ readonly modelId?: string | undefined }
  | { readonly type: 'done'; readonly result: Result }
  /** Without a record: a fault, told by where it was. */
  | { readonly type: 'failed'; readonly failure: FailureRecord | undefined; readonly stack: string };

export type ToThread<Job> =
  | { readonly type: 'job'; readonly job: Job }
  /** To a run. */
  | ({ readonly type: 'answer'; readonly id: number } & ({ readonly outputs: Tensors } | { readonly failure: FailureRecord }));

/** What went wrong, as it crosses threads. */
export interface FailureRecord {
  readonly code: string;
  readonly got: string;
  readonly expected: string;
  readonly action: string;
}

export const failureRecord = (error: unknown): FailureRecord | undefined =>
  error instanceof CodedError ? { code: error.code, got: error.got, expected: error.expected, action: error.action } : undefined;

export const errorOfRecord = ({ code, got, expected, action }: FailureRecord): CodedError => new CodedError(code, got, { expected, action });
