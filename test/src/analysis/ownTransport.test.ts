/** What the stage of the house is given of an offer, with an analyst who only reads. */
import { expect, it } from 'vitest';
import { ownTransport, readSeriesForAnalysis } from '../../../src/analysis/index.js';
import type { AnalysisSource } from '../../../src/analysis/index.js';
import { sourcedSeriesOf } from '../../../src/analysis/series.js';
import { syntheticDicom } from '../../../src/delivery/index.js';
import type { ExamForHandoff, Material, Offer, SeriesForHandoff } from '../../../src/handoff/index.js';
import { subjects, syntheticSeries } from '../delivery/fixtures.js';

/** A synthetic CT of these HU everywhere, as it is kept. */
function keptCt(kind: 'image' | 'low' | 'high', hu: number) {
  const plain = syntheticSeries('low', subjects[0]!);
  const series = { ...plain, kind, modality: 'CT' as const, description: 'CT', volume: { ...plain.volume, data: plain.volume.data.map(() => hu) } };
  return syntheticDicom(series, new Date(0)).map(({ instance, bytes }) => ({ instance: { ...instance, ref: instance.sopInstanceUid, nBytes: bytes.length }, bytes }));
}

it('has the interval of a synthetic CT, so that its HU are told with how sure they are', async () => {
  const [image, low, high] = [keptCt('image', 200), keptCt('low', 120), keptCt('high', 300)];
  const bytes = new Map([...image, ...low, ...high].map((one) => [one.instance.ref, one.bytes]));
  const instances = (kept: typeof image) => kept.map(({ instance }) => instance);
  const ct: SeriesForHandoff = {
    seriesInstanceUid: image[0]!.instance.seriesInstanceUid, role: 'ct', description: 'SYN CT', modality: 'CT', synthetic: true, denoised: false, qualityLight: 'green',
    instances: instances(image), interval: { low: instances(low), high: instances(high) },
  };
  let given: readonly AnalysisSource[] = [];
  const transport = ownTransport({ isBusy: false, perform: (sources) => (given = sources, Promise.reject(new Error('only looked at'))) });
  const material: Material = { dicom: ({ ref }) => Promise.resolve(bytes.get(ref)!), nifti: () => Promise.reject(new Error('not asked for')) };
  const exam: ExamForHandoff = { examId: 'exam', studyInstanceUid: '1.2.3.4', tasks: [], series: [ct] };
  expect(await transport.offer({ offerId: 'a', tasks: [] } as unknown as Offer, exam, material, new AbortController().signal)).toEqual({ answer: 'accepted' });
  const studies = await Promise.all(given.map((source) => ('files' in source ? readSeriesForAnalysis(source.files, source.hints) : source)));
  const [sourced, ...others] = sourcedSeriesOf(studies);
  expect(others).toEqual([]);
  expect(sourced!.series).toMatchObject({ contrast: 'syntheticCt', synthetic: true });
  expect([sourced!.series.volume.data[0], sourced!.series.interval?.low.data[0], sourced!.series.interval?.high.data[0]]).toEqual([200, 120, 300]);
});
