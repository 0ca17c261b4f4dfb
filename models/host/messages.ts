/**
 * What the service and the process of its models say to each other: one question at a time, one answer each. Of a run that it is
 * over is said ahead of its outputs, which are megabytes.
 */
import type { Tensors } from '../tensors.js';

export type ToHost =
  | {
      readonly type: 'load';
      readonly id: string;
      readonly path: string;
      /** Other bytes than these are not loaded. */
      readonly sha256: string;
      readonly threads: number;
      /** Names of execution providers, the wanted ones first. */
      readonly providers: readonly string[];
    }
  | { readonly type: 'run'; readonly id: string; readonly inputs: Tensors };

/** An input or output as the graph declares it. */
export interface GraphPort {
  readonly name: string;
  readonly type: string;
  /** A text or nothing where the size may vary. */
  readonly shape: readonly (number | string | undefined)[];
}

export type FromHost =
  | { readonly type: 'up' }
  | {
      readonly type: 'loaded';
      readonly inputs: readonly GraphPort[];
      readonly outputs: readonly GraphPort[];
      /** The execution provider that runs it. */
      readonly provider: string;
      /** Why none of those before it does, which were wanted more. */
      readonly fallBack?: string;
    }
  /** Of a run: the next question may come, while the outputs are still on their way. */
  | { readonly type: 'finished' }
  | { readonly type: 'done'; readonly outputs: Tensors; readonly runMs: number; readonly residentBytes: number }
  | { readonly type: 'failed'; readonly code: 'MODEL_ERR_LOAD' | 'MODEL_ERR_SHA256' | 'MODEL_ERR_RUN'; readonly got: string };
