/** The action `deliver` of exam protocols: series that are complete go to a destination that the protocol names. */
import { dicomError } from '../dicom/index.js';
import type { Spool } from '../spool/index.js';
import { keptSeriesOf } from './keptSeries.js';
import type { KeptImages } from './keptSeries.js';

/**
 * Puts what is wanted into the outbox; the action is done when it is there, and the series tell how it goes on. What is
 * in the outbox already, of an action that the end of the last process cut, is not put there twice.
 */
export function deliverByProtocol(kept: KeptImages & { readonly spool: Spool }, isDestination: (name: string) => boolean): void {
  const { exams, spool } = kept;
  exams.handle('deliver', async ({ examId, request, seriesIds }) => {
    if (request.kind !== 'deliver') return;
    const { destination } = request;
    if (!isDestination(destination)) throw dicomError('DICOM_ERR_DESTINATION', `${destination}, which the protocol names`);
    const series = exams.exam(examId).series.filter(({ id }) => seriesIds.includes(id));
    await spool.transaction(() => {
      const there = new Set(spool.outbox.list().filter((job) => job.destination === destination).flatMap(({ instances }) => instances.map(({ ref }) => ref)));
      for (const view of series) {
        for (const { instances } of keptSeriesOf(examId, view, kept)) {
          if (instances.some(({ ref }) => !there.has(ref))) spool.outbox.add({ destination, examId: `${examId}/${view.id}`, isIncomplete: false, instances });
        }
      }
    });
  });
}
