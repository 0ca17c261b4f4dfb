/** What readouts a scan has, in the order of acquisition, without their samples. */
import type { AcquisitionHeader } from 'ismrmrd';
import { useOf, type ReadoutUse } from '../../recon/index.js';

export interface ReadoutFacts {
  readonly flags: bigint;
  readonly use: ReadoutUse;
  readonly encodingSpaceRef: number;
  /** The counters that tell images apart: slice, contrast, phase, repetition, set. */
  readonly image: string;
  /** Those of them that excitations of their own go with: phase, repetition, set. */
  readonly round: string;
  readonly slice: number;
  readonly line: number;
  readonly partition: number;
  readonly average: number;
}

export class ReadoutCensus {
  readonly readouts: ReadoutFacts[] = [];

  add(header: AcquisitionHeader): void {
    this.readouts.push(readoutFacts(header));
  }
}

export function readoutFacts({ flags, encodingSpaceRef, idx }: AcquisitionHeader): ReadoutFacts {
  const { slice, contrast, phase, repetition, set } = idx;
  return {
    flags,
    use: useOf(flags),
    encodingSpaceRef,
    image: [slice, contrast, phase, repetition, set].join(),
    round: [phase, repetition, set].join(),
    slice,
    line: idx.kspaceEncodeStep1,
    partition: idx.kspaceEncodeStep2,
    average: idx.average,
  };
}

/** A line of k-space, and not noise, a navigator or the like. */
export function isLine({ use }: ReadoutFacts): boolean {
  return use === 'imaging' || use === 'calibration' || use === 'calibrationAndImaging';
}
