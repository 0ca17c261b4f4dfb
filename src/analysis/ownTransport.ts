/**
 * The stage of the house, reached without a network: offers are analysed while they are being made, one at a time, and the
 * outcome lies ready when they are answered. An offer that a restart interrupted was not answered, and is made again.
 */
import type { Material, Offer, OfferAnswer, Outcome, SeriesForHandoff, Transport } from '../handoff/index.js';
import type { Analyst } from './analyst.js';
import { analysable, failureOf, outcomeOf, sourceOf } from './outcome.js';
import type { FilesOfSeries } from './perform.js';

const retryAfterS = 5;

export function ownTransport(analyst: Pick<Analyst, 'perform' | 'isBusy'>): Transport {
  const outcomes = new Map<string, Outcome>();
  return {
    locations: (_offerId, { instances }) => ({ dicom: instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, location: sopInstanceUid })) }),
    callback: () => undefined,
    async offer({ offerId, tasks }: Offer, exam, material: Material, signal): Promise<OfferAnswer> {
      if (outcomes.has(offerId)) return { answer: 'accepted' };
      if (analyst.isBusy) return { answer: 'busy', retryAfterS };
      const sources: FilesOfSeries[] = [];
      const filesOf = async (instances: SeriesForHandoff['instances']) => {
        const files = [];
        for (const instance of instances) files.push(await material.dicom(instance));
        return files;
      };
      for (const series of analysable(exam.series)) {
        sources.push(sourceOf(series, await filesOf(series.instances)));
        for (const end of [series.interval?.low ?? [], series.interval?.high ?? []]) if (end.length > 0) sources.push(sourceOf(series, await filesOf(end)));
      }
      const outcome = await analyst.perform(sources, signal).then((performed) => outcomeOf(offerId, tasks, performed), (error: unknown) => failureOf(offerId, error));
      // Nobody hears the answer any more: the offer comes again.
      signal.throwIfAborted();
      outcomes.set(offerId, outcome);
      return { answer: 'accepted' };
    },
    outcome: (offerId) => Promise.resolve(outcomes.get(offerId)),
    settled: (offerId) => Promise.resolve(void outcomes.delete(offerId)),
  };
}
