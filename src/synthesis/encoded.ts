/** What comes of a synthesis, as it leaves its thread: encoded. */
import type { MrdImage } from 'ismrmrd';
import type { SyntheticKind, SyntheticObject } from '../delivery/index.js';
import type { SynthesisReport } from './perform.js';

export interface EncodedSeries {
  readonly kind: SyntheticKind;
  /** As in the archive. */
  readonly description: string;
  /** One a slice, or one of all of them. */
  readonly objects: readonly SyntheticObject[];
  /** The same for an MRD connection, one a slice. */
  readonly images: readonly MrdImage[];
}

export interface EncodedSynthesis extends SynthesisReport {
  /** Of each wanted series, by its place among them: its images, then its maps. None of one that is red and not wanted so. */
  readonly series: readonly (readonly EncodedSeries[])[];
}
