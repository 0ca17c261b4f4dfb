/** How an offer reaches a stage, and what of the exam it can take along. */
import type { StoredInstance } from '../spool/index.js';
import type { Offer, OfferAnswer, Outcome } from './contract.js';

/** One series of a finished exam that is offered. */
export interface SeriesForHandoff {
  readonly seriesInstanceUid: string;
  readonly role: string;
  /** Series that came of one scan have the same. */
  readonly scan?: string;
  readonly description: string;
  readonly modality: 'MR' | 'CT';
  readonly synthetic: boolean;
  readonly denoised: boolean;
  readonly qualityLight?: 'green' | 'amber' | 'red';
  readonly instances: readonly StoredInstance[];
  /** Of a computed CT, where it is kept: HU that each voxel is not below, and not above, in nine of ten. No part of an offer: for stages of the house. */
  readonly interval?: { readonly low: readonly StoredInstance[]; readonly high: readonly StoredInstance[] };
}

/** All that is needed of a series until its offer is settled. */
export function instancesOfSeries({ instances, interval }: SeriesForHandoff): StoredInstance[] {
  return [...instances, ...(interval?.low ?? []), ...(interval?.high ?? [])];
}

export interface ExamForHandoff {
  readonly examId: string;
  readonly studyInstanceUid: string;
  readonly protocol?: string;
  readonly bodyPart?: string;
  readonly tasks: readonly string[];
  readonly series: readonly SeriesForHandoff[];
}

/** The images of an exam, read when they are needed. @throws CodedError HANDOFF_ERR_MATERIAL where they are gone */
export interface Material {
  /** A whole Part 10 file. */
  dicom(instance: StoredInstance): Promise<Uint8Array>;
  /** A .nii.gz file. @throws CodedError HANDOFF_ERR_NO_VOLUME where the slices are no single stack */
  nifti(series: SeriesForHandoff): Promise<Uint8Array>;
}

export interface Transport {
  /** How the images are named in the offer. */
  locations(offerId: string, series: SeriesForHandoff): Pick<Offer['series'][number], 'dicom' | 'nifti'>;
  /** Where the outcome is sent to; absent where the stage has another way. */
  callback(offerId: string): Offer['callback'];
  /**
   * Makes the offer. The signal ends it.
   * @returns the answer, unchecked values already refused
   * @throws CodedError HANDOFF_ERR_ANSWER, HANDOFF_ERR_MATERIAL, or the system's error
   */
  offer(offer: Offer, exam: ExamForHandoff, material: Material, signal: AbortSignal): Promise<OfferAnswer>;
  /** Looks for an outcome that the stage left; undefined where there is none yet, or where outcomes come by themselves. */
  outcome?(offerId: string): Promise<Outcome | undefined>;
  /** The offer is settled: what was laid out for it may go. */
  settled?(offerId: string): Promise<void>;
}
