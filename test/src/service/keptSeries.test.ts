import { describe, expect, it } from 'vitest';
import type { SeriesView } from '../../../src/exams/index.js';
import { instancesOfSeries } from '../../../src/handoff/index.js';
import { keptSeriesOf } from '../../../src/service/keptSeries.js';
import type { KeptImages, KeptSynthesis } from '../../../src/service/keptSeries.js';

const [MR, CT] = ['1.2.840.10008.5.1.4.1.1.4', '1.2.840.10008.5.1.4.1.1.2'];

/** What is handed on of a synthesis whose objects are of one class. */
function handedOn(role: string, sopClassUid: string) {
  const instance = (uid: string) => ({ sopInstanceUid: uid, sopClassUid, seriesInstanceUid: '2.25.1', studyInstanceUid: '2.25.9', transferSyntaxUid: '1.2.840.10008.1.2.1', ref: uid, nBytes: 1 });
  const kept: KeptSynthesis = {
    light: 'amber',
    series: ['image', 'low', 'high', 'fatFraction'].map((kind, k) => ({ kind, description: `SYN ${kind}`, seriesInstanceUid: `2.25.1${k}`, instances: [instance(`2.25.2${k}`)] })),
  };
  const world = { spool: { objects: { has: () => true } }, exams: { book: { record: () => undefined } }, synthesised: () => kept } as unknown as KeptImages;
  return keptSeriesOf('exam', { id: 'series', source: 'synthesis', role, facts: {} } as unknown as SeriesView, world);
}

describe('a synthesis as it is handed on', () => {
  it('is its images without their maps, CT as CT and marked as computed', () => {
    expect(handedOn('ct', CT)).toMatchObject([{ role: 'ct', modality: 'CT', synthetic: true, qualityLight: 'amber', description: 'SYN image' }]);
    expect(handedOn('stir', MR)).toMatchObject([{ role: 'stir', modality: 'MR', synthetic: true }]);
  });
});

describe('a synthetic CT as it is handed on', () => {
  it('has its interval beside it, which MR has no use for', () => {
    const uidsOf = (instances: readonly { readonly sopInstanceUid: string }[] | undefined) => instances?.map(({ sopInstanceUid }) => sopInstanceUid);
    const [ct] = handedOn('ct', CT);
    expect([uidsOf(ct!.instances), uidsOf(ct!.interval?.low), uidsOf(ct!.interval?.high)]).toEqual([['2.25.20'], ['2.25.21'], ['2.25.22']]);
    // Nothing of it may go while the offer is open.
    expect(uidsOf(instancesOfSeries(ct!))).toEqual(['2.25.20', '2.25.21', '2.25.22']);
    expect(handedOn('stir', MR)[0]).not.toHaveProperty('interval');
  });
});

describe('a scan as it is handed on', () => {
  /** Of so many images a series. */
  function handedOnOf(...series: readonly (readonly [output: 'image' | 'denoised' | 'noise', nImages: number])[]) {
    const made = series.map(([output, nImages], k) => ({
      output, description: output, seriesInstanceUid: `2.25.1${k}`, sopInstanceUids: Array.from({ length: nImages }, (_, n) => `2.25.2${k}${n}`),
    }));
    const world = {
      spool: { objects: { has: () => true } },
      exams: { book: { record: () => ({ series: { series: { runs: { a: { sessionId: 'a', openedAt: 1 } } } } }) } },
      keeper: { session: () => ({ series: made }), instance: (uid: string) => ({ sopInstanceUid: uid, ref: uid }) },
    } as unknown as KeptImages;
    return keptSeriesOf('exam', { id: 'series', source: 'scanner', role: 't2w', facts: {} } as unknown as SeriesView, world).map(({ denoised, instances }) => [denoised, instances.length]);
  }

  it('is its conventional images, and the denoised ones where there is one for each in one series', () => {
    expect(handedOnOf(['image', 3], ['denoised', 3], ['noise', 3])).toEqual([[false, 3], [true, 3]]);
    expect(handedOnOf(['image', 3], ['denoised', 1])).toEqual([[false, 3]]);
    expect(handedOnOf(['image', 3], ['denoised', 1], ['denoised', 2])).toEqual([[false, 3]]);
    expect(handedOnOf(['denoised', 2])).toEqual([[true, 2]]);
  });
});
