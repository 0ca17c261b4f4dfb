/** What the main thread and the reconstruction workers say to each other. Readouts do not travel this way: see ring.ts. */
import type {
  CalibrationJob,
  CalibrationOutcome,
  CartesianPlan,
  DenoiseOutcome,
  DenoiseRequest,
  NoiseRecord,
  ReconImage,
  ReconNotice,
  ReconSummary,
  SharedWork,
  SolveJob,
  SolveOutcome,
} from '../../recon/index.js';
import type { RingLayout } from './ring.js';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly warmUpMs: number;
}

export type ToWorker =
  | {
      readonly type: 'open';
      readonly session: number;
      readonly memory: WebAssembly.Memory;
      readonly ring: RingLayout;
      /** The worker's arena: from here to the limit. */
      readonly arenaStartByte: number;
      readonly memoryLimitBytes: number;
      readonly plan: CartesianPlan;
      readonly storedNoise: NoiseRecord | undefined;
      /** Whether there is somebody to denoise. */
      readonly hasDenoiser: boolean;
    }
  /** Readouts are in the ring and the worker slept. */
  | { readonly type: 'readouts'; readonly session: number }
  | { readonly type: 'finish'; readonly session: number }
  | { readonly type: 'abort'; readonly session: number }
  /** Scans are over: let go of their memories. */
  | { readonly type: 'collect' }
  /** A calibration, or the iterations of an image, of a session that lives on another worker. */
  | { readonly type: 'job'; readonly session: number; readonly jobId: number; readonly memory: WebAssembly.Memory; readonly job: CalibrationJob | SolveJob }
  | { readonly type: 'jobDone'; readonly session: number; readonly jobId: number; readonly outcome: CalibrationOutcome | SolveOutcome }
  /** Of a session that lives on another worker. */
  | { readonly type: 'help'; readonly session: number; readonly memory: WebAssembly.Memory; readonly work: SharedWork }
  | { readonly type: 'denoised'; readonly session: number; readonly requestId: number; readonly outcome: DenoiseOutcome };

export type FromWorker =
  /** The self-test passed, or did not. */
  | { readonly type: 'ready'; readonly failure: string | undefined }
  | { readonly type: 'image'; readonly session: number; readonly image: ReconImage }
  | { readonly type: 'notice'; readonly session: number; readonly notice: ReconNotice }
  | { readonly type: 'room'; readonly session: number }
  | { readonly type: 'failed'; readonly session: number; readonly code: string; readonly got: string }
  | { readonly type: 'finished'; readonly session: number; readonly summary: ReconSummary }
  | { readonly type: 'job'; readonly session: number; readonly jobId: number; readonly job: CalibrationJob | SolveJob }
  | { readonly type: 'jobDone'; readonly session: number; readonly jobId: number; readonly outcome: CalibrationOutcome | SolveOutcome }
  /** A fellow that has nothing to do may take part. */
  | { readonly type: 'help'; readonly session: number; readonly work: SharedWork }
  /** Images for the denoiser, whose buffers come with it. */
  | { readonly type: 'denoise'; readonly session: number; readonly requestId: number; readonly request: DenoiseRequest };
