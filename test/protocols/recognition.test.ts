import { describe, expect, it } from 'vitest';
import { recognise } from '../../protocols/index.js';
import type { SeriesFacts, SeriesSource } from '../../protocols/index.js';
import { protocolOf, stirSource, tseSource } from './examples.js';

const t2w: SeriesSource = { ...tseSource, recognise: { namePatterns: ['*t2*sag*', 'sag t2'], orientation: 'sagittal', trMs: [2000, 9000], inversion: false } };
const stir: SeriesSource = { ...stirSource, recognise: { namePatterns: ['*stir*'], tiMs: [120, 300], inversion: true } };
const exam = protocolOf(t2w, stir);
const ids = (facts: SeriesFacts) => recognise(exam, facts).map(({ id }) => id);

describe('recognise', () => {
  it.each<[string, SeriesFacts, string[]]>([
    ['a name', { seriesDescription: 'T2_TSE_SAG_384' }, ['sag-t2w']],
    ['a whole name', { seriesDescription: ' Sag T2 ' }, ['sag-t2w']],
    ['no longer name than the pattern', { seriesDescription: 'sag t2 fs' }, []],
    ['pieces in order', { seriesDescription: 'sag_t2' }, []],
    ['an inversion time', { tiMs: 160, trMs: 6000 }, ['sag-stir']],
    ['an inversion time out of range', { tiMs: 2500 }, []],
    ['a name that contradicts the times', { seriesDescription: 'stir', inversion: false }, []],
    ['a repetition time alone', { trMs: 3000 }, ['sag-t2w']],
    ['two candidates where names are missing', { trMs: 3000, seriesDescription: '' }, ['sag-t2w']],
    ['nothing known', {}, []],
  ])('%s', (_what, facts, expected) => {
    expect(ids(facts)).toEqual(expected);
  });

  it('gives every candidate where the rules cannot tell', () => {
    const twins = protocolOf(t2w, { ...t2w, id: 'twin' });
    expect(recognise(twins, { trMs: 3000 }).map(({ id }) => id)).toEqual(['sag-t2w', 'twin']);
  });

  it('takes * for any text, the empty one too, and never the same text twice', () => {
    const named = (pattern: string, seriesDescription: string) =>
      recognise(protocolOf({ ...tseSource, recognise: { namePatterns: [pattern] } }), { seriesDescription }).length === 1;
    expect(named('*', 'anything')).toBe(true);
    expect(named('t2*', 't2')).toBe(true);
    expect(named('ab*ba', 'aba')).toBe(false);
    expect(named('ab*ba', 'abba')).toBe(true);
    expect(named('a*b*c', 'a1b2b3c')).toBe(true);
    expect(named('t2.', 't2w')).toBe(false);
  });
});
