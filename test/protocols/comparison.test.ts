import { expect, it } from 'vitest';
import type { ProtocolSource, SeriesSource } from '../../protocols/index.js';
import { compareProtocols, protocolSchema } from '../../protocols/index.js';
import { protocolOf, protocolSource, stirSource, tseSource } from './examples.js';

const dixon = {
  ...tseSource, id: 'dixon', role: 'dixon', sequence: { kind: 'dixonGre', trMs: 500, teMs: [4.8, 9.6], flipAngleDeg: 30, bandwidthHzPerPixel: 250 },
} satisfies SeriesSource;
const full = protocolOf({ ...tseSource, averages: 2 }, stirSource, { ...stirSource, id: 'second-stir' });

it('tells what became of every series, and adds up', () => {
  const fast: ProtocolSource = { ...protocolSource(tseSource, dixon), synthesise: [{ contrast: 'stir', fromSeries: ['sag-t2w'] }] };
  const { series, total, bothScanned } = compareProtocols(protocolSchema.parse(fast), full);
  expect(series.map(({ id, fate, againstMs, ms }) => [id, fate, againstMs, ms])).toEqual([
    ['sag-t2w', 'scanned', 131_000, 71_000],
    ['sag-stir', 'synthesised', 131_000, 0],
    ['second-stir', 'leftOut', 131_000, 0],
    // 320 lines of 500 ms.
    ['dixon', 'added', 0, 171_000],
  ]);
  expect(series.map(({ snrRatio }) => snrRatio)).toEqual([expect.closeTo(Math.SQRT1_2, 12), undefined, undefined, undefined]);
  expect(series[1]?.synthesis?.fromSeries).toEqual(['sag-t2w']);
  expect(total).toEqual({ againstMs: 393_000, ms: 242_000 });
  expect(bothScanned).toEqual({ againstMs: 131_000, ms: 71_000 });
});

it('compares no SNR across field strengths', () => {
  const other = protocolSchema.parse({ ...protocolSource(), fieldStrengthT: 3 });
  expect(compareProtocols(other, full).series[0]).toMatchObject({ fate: 'scanned', snrRatio: undefined });
});
