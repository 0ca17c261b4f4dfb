/**
 * A stage that is a DICOM node: the images are stored there, and what it makes of them comes back to this server's
 * own node as objects of the same study. The offer itself has no form in DICOM: all instances stored is `accepted`,
 * a failed association is no answer, and objects that come back are the outcome.
 */
import type { OfferAnswer } from '../contract.js';
import { handoffError } from '../errors.js';
import type { Material, SeriesForHandoff, Transport } from '../transport.js';

/** Stores one series at the stage; resolves to the instances that it did not take. */
export type StoreSeries = (series: SeriesForHandoff, material: Material, signal: AbortSignal) => Promise<readonly string[]>;

export function dicomNodeTransport(store: StoreSeries): Transport {
  return {
    locations: () => ({ dicom: [] }),
    callback: () => undefined,
    async offer(_offer, exam, material, signal): Promise<OfferAnswer> {
      for (const series of exam.series) {
        const refused = await store(series, material, signal);
        if (refused.length > 0) {
          throw handoffError('HANDOFF_ERR_ANSWER', `${series.instances.length - refused.length} of ${series.instances.length} instances of a series stored`);
        }
      }
      return { answer: 'accepted' };
    },
  };
}
