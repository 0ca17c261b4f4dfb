import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vertebraNumber } from '../../../analysis/index.js';
import { namesOf, type LevelSigns } from '../../../analysis/structures/levels.js';
import type { Disc } from '../../../analysis/structures/discs.js';
import type { Body, Vertebrae } from '../../../analysis/structures/vertebrae.js';

const frame = { originMm: [0, 0, 0], x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] } as const;
const body: Body = { frame, heightMm: 26, halfWidthMm: 22, halfDepthMm: 17, volumeMm3: 30_000, confidence: 0.95, isMissing: false };
const disc: Disc = { frame, halfWidthMm: 22, halfDepthMm: 17, heightMm: 9, volumeMm3: 9000, confidence: 0.95, isMissing: false };

const column = (n: number, about: Partial<Vertebrae> = {}): Vertebrae => ({
  bodies: Array.from({ length: n }, () => body), discs: Array.from({ length: n - 1 }, () => disc), hasSacrum: true, sacrumShare: 1, hasDens: false, ...about,
});
/** Ribs down to this place, and none below. */
const ribsDownTo = (last: number, n: number, strength = 7): LevelSigns['ribs'] => Array.from({ length: n }, (_, place) => ({ logRatio: place <= last ? strength : -strength, drawn: 0.99 }));
const silent = (n: number): LevelSigns['ribs'] => Array.from({ length: n }, () => ({ logRatio: 0, drawn: 0 }));

describe('names of levels', () => {
  it('follow one another without a gap or a duplicate, whatever the signs say', () => {
    const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    const sign = fc.record({ logRatio: between(-15, 15), drawn: between(0, 1) });
    const about = fc.record({ hasSacrum: fc.boolean(), hasDens: fc.boolean(), sacrumShare: between(0, 1) });
    fc.assert(fc.property(fc.array(sign, { minLength: 2, maxLength: 26 }), about, fc.option(between(0, 25), { nil: undefined }), (ribs, found, conus) => {
      const { names, numbering } = namesOf(column(ribs.length, found), { ribs, conus });
      expect(names).toHaveLength(ribs.length);
      const told = names.flatMap((name, place) => (name === '' ? [] : [{ place, number: vertebraNumber(name) }]));
      const presacral = told.filter(({ place }) => !found.hasSacrum || place < names.length - 1);
      for (const { place, number } of presacral) expect(number - place).toBe(presacral[0]!.number - presacral[0]!.place);
      if (presacral.length > 0) expect(presacral.at(-1)!.place - presacral[0]!.place).toBe(presacral.length - 1);
      if (found.hasSacrum) {
        expect(names.at(-1)).toBe('S1');
        expect(names.at(-2)).toMatch(/^L[456]$/);
      }
      expect(numbering.certain && numbering.probability! < 0.98).toBe(false);
      expect(numbering.reasons.length).toBeGreaterThan(0);
    }), { numRuns: 500 });
  });

  it.each([4, 5, 6])('are certain where ribs end %d vertebrae above the sacrum', (nLumbar) => {
    const n = nLumbar + 3;
    const { names, numbering } = namesOf(column(n), { ribs: ribsDownTo(1, n), conus: undefined });
    expect(names).toEqual(['T11', 'T12', ...Array.from({ length: nLumbar }, (_, index) => `L${index + 1}`), 'S1']);
    expect(numbering.certain).toBe(true);
  });

  it('are not certain from one end alone, and the reasons tell which landmark is missing', () => {
    const withoutRibs = namesOf(column(7), { ribs: silent(7), conus: undefined });
    expect(withoutRibs.numbering.certain).toBe(false);
    expect(withoutRibs.numbering.reasons.join()).toMatch(/landmark missing: no ribs .* slices end beside the bodies/);
    const above = namesOf(column(6), { ribs: ribsDownTo(-1, 6), conus: undefined });
    expect(above.numbering.certain).toBe(false);
    expect(above.numbering.reasons.join()).toMatch(/landmark missing: no ribs .* above the image/);
    const withoutSacrum = namesOf(column(7, { hasSacrum: false, sacrumShare: 0 }), { ribs: ribsDownTo(2, 7), conus: undefined });
    expect(withoutSacrum.names.slice(0, 4)).toEqual(['T10', 'T11', 'T12', 'L1']);
    expect(withoutSacrum.numbering.certain).toBe(false);
    expect(withoutSacrum.numbering.reasons.join()).toMatch(/landmark missing: no sacrum/);
  });

  it('are less certain the weaker the signs, and never from ribs that leave room for three or seven lumbar vertebrae', () => {
    const probabilities = [0.5, 1, 2, 4, 8].map((strength) => namesOf(column(8), { ribs: ribsDownTo(1, 8, strength), conus: undefined }).numbering.probability!);
    expect(probabilities).toEqual([...probabilities].sort((a, b) => a - b));
    for (const last of [0, 4]) expect(namesOf(column(9), { ribs: ribsDownTo(last, 9), conus: undefined }).numbering.certain).toBe(false);
  });

  it('lean on the end of the cord where nothing else tells', () => {
    const conusAt = (conus: number) => namesOf(column(8, { hasSacrum: false, sacrumShare: 0 }), { ribs: silent(8), conus }).names.indexOf('L1');
    expect(conusAt(4.3)).toBeGreaterThan(conusAt(1.3));
    // Six lumbar vertebrae or five: the cord ends at L1 or L2.
    const of = (conus: number) => namesOf(column(8), { ribs: silent(8), conus }).numbering.probability!;
    expect(of(2.3)).toBeGreaterThan(of(0.8));
  });

  it('are less certain where a disc is missing or the sacrum is half a vertebra', () => {
    const signs = { ribs: ribsDownTo(1, 8), conus: undefined };
    const discs = Array.from({ length: 7 }, (_, place) => ({ ...disc, isMissing: place === 3 }));
    expect(namesOf(column(8, { discs }), signs).numbering.certain).toBe(false);
    expect(namesOf(column(8, { sacrumShare: 0.5 }), signs).numbering.certain).toBe(false);
  });

  it('are those of a neck where bodies are small, though pillars look like ribs and the cord leaves the slices', () => {
    const small = { ...body, heightMm: 14, halfWidthMm: 10, halfDepthMm: 9 };
    const found = column(7, { hasSacrum: false, sacrumShare: 0, bodies: Array.from({ length: 7 }, () => small) });
    for (const conus of [undefined, 3]) {
      const { names, numbering } = namesOf(found, { ribs: ribsDownTo(4, 7, 10), conus });
      expect(names[0]).toMatch(/^C/);
      expect(numbering.certain).toBe(false);
      expect(numbering.reasons.join()).toMatch(/guess.*landmark missing: no dens/);
    }
  });

  it('count from the axis, whose dens may stand alone but not against the ribs', () => {
    const whole = { hasDens: true, hasSacrum: false, sacrumShare: 0 };
    const neck = namesOf(column(8, whole), { ribs: silent(8), conus: undefined });
    expect(neck.names[0]).toBe('C2');
    expect(neck.numbering.certain).toBe(true);
    // Articular pillars look like ribs.
    const pillars = namesOf(column(8, whole), { ribs: ribsDownTo(6, 8, 10), conus: undefined });
    expect(pillars).toEqual(neck);
    const against = namesOf(column(24, { hasDens: true }), { ribs: ribsDownTo(14, 24), conus: undefined });
    expect(against.numbering.certain).toBe(false);
  });
});
