/** What the service and the thread of a synthesis say to each other. */
import type { MrdImage } from 'ismrmrd';
import type { Tensors } from '../../models/index.js';
import type { SyntheticKind, SyntheticObject } from '../delivery/index.js';
import type { FailureRecord, SynthesisReport } from './perform.js';

export interface EncodedSeries {
  readonly kind: SyntheticKind;
  /** As in the archive. */
  readonly description: string;
  readonly objects: readonly SyntheticObject[];
  /** The same for an MRD connection. */
  readonly images: readonly MrdImage[];
}

export interface EncodedSynthesis extends SynthesisReport {
  /** Of each wanted series, by its place among them: its images, then its maps. None of one that is red and not wanted so. */
  readonly series: readonly (readonly EncodedSeries[])[];
}

export type FromThread =
  | { readonly type: 'run'; readonly inputs: Tensors }
  | { readonly type: 'done'; readonly synthesis: EncodedSynthesis }
  /** Without a record: a fault, told by where it was. */
  | { readonly type: 'failed'; readonly failure: FailureRecord | undefined; readonly stack: string };

/** The answer to a run. */
export type ToThread = { readonly outputs: Tensors } | { readonly failure: FailureRecord };
