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

/** The memory of a value that can be given away instead of being copied, when nobody needs it any more. Not what others may have a part of. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const look = (inside: unknown): void => {
    if (ArrayBuffer.isView(inside)) {
      if (inside.buffer instanceof ArrayBuffer && inside.byteLength === inside.buffer.byteLength) found.add(inside.buffer);
    } else if (typeof inside === 'object' && inside !== null) {
      for (const part of Object.values(inside)) look(part);
    }
  };
  look(value);
  return [...found];
}
