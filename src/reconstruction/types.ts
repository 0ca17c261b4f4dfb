/** The face that reconstruction turns to a session: synchronous per readout, events for what comes back. */
import type { AcquisitionHeader } from 'ismrmrd';
import type { DenoiseOutcome, DenoiseRequest, ReconImage, ReconNotice, ReconSummary } from '../../recon/index.js';

export interface ReconstructionEvents {
  /** A slice image or a map is ready. Called in order of delivery. */
  image(image: ReconImage): void;
  notice(notice: ReconNotice): void;
  /** There is room again after `allocate` returned undefined. */
  room(): void;
  /** The reconstruction cannot go on; images that were emitted before stay valid. Called at most once. */
  failed(error: Error): void;
}

/** Denoises the images of scans somewhere else. Never rejects: a failure is an outcome. The signal says that nobody waits any more. */
export type Denoiser = (request: DenoiseRequest, signal: AbortSignal) => Promise<DenoiseOutcome>;

/** One scan being reconstructed. One readout costs no promise: allocate, fill, commit. */
export interface SessionReconstruction {
  /**
   * Where the next readout's samples go, [nChannels, nSamples] complex64, in the session's shared
   * memory; undefined when there is no room now (`room` is called when there is).
   * @throws CodedError when the readout cannot belong to this scan
   */
  allocate(header: AcquisitionHeader): Float32Array | undefined;
  /** The slot that `allocate` returned last is filled. */
  commit(header: AcquisitionHeader): void;
  /** No more readouts: resolves when every image and map was emitted, rejects after `failed`. */
  finish(): Promise<ReconSummary>;
  /** Drops everything that is not emitted yet and frees the session's memory. */
  abort(): Promise<void>;
}
