import { describe, expect, it } from 'vitest';
import { endplatesOf, measureListhesis } from '../../../simulator/truth/alignment.js';
import { canalSection, measureCanal, measureRecesses } from '../../../simulator/truth/canal.js';
import { brightT2Ms, discSection, greyAndDarkT2Ms, measureDegeneration, measureDiscHeights, pfirrmannOf } from '../../../simulator/truth/disc.js';
import { measureDisplacement } from '../../../simulator/truth/displacement.js';
import { foramenSection, measureFacet, measureForamen } from '../../../simulator/truth/foramen.js';
import { bodySection, gradeFractures, outlineBody } from '../../../simulator/truth/vertebra.js';
import { blockSpine, plainBlocks } from './blocks.js';

const pixel = 0.25;

describe('measuring a spine of blocks, in a tilted frame', () => {
  it.each([[13, 17], [9.5, 14], [6, 11]])('finds the area and the diameters of a sac of %d x %d mm', (sacApMm, sacTransverseMm) => {
    const { anatomy, site } = blockSpine({ ...plainBlocks, sacApMm, sacTransverseMm });
    const canal = measureCanal(canalSection(anatomy, site))!;
    expect(Math.abs(canal.sacAreaMm2 - (Math.PI / 4) * sacApMm * sacTransverseMm)).toBeLessThan(1);
    expect(Math.abs(canal.sacApMm - sacApMm)).toBeLessThanOrEqual(pixel);
    expect(Math.abs(canal.sacTransverseMm - sacTransverseMm)).toBeLessThanOrEqual(pixel);
    expect(Math.abs(canal.canalApMm - sacApMm - 2 * plainBlocks.epiduralMm)).toBeLessThanOrEqual(pixel);
  });

  it('finds recesses, foramina and joints', () => {
    const { anatomy, site } = blockSpine({ ...plainBlocks, recessMm: 3.5, foramenMm: 5.25, jointMm: 1.5 });
    const section = canalSection(anatomy, site);
    for (const side of ['left', 'right'] as const) {
      expect(Math.abs(measureRecesses(section, 'L4-L5')[side]!.heightMm - 3.5)).toBeLessThanOrEqual(2 * pixel);
      const foramen = measureForamen(foramenSection(anatomy, site, side), 'L4-L5', side)!;
      expect(Math.abs(foramen.widthMm - 5.25)).toBeLessThanOrEqual(2 * pixel);
      expect(measureFacet(anatomy, site, side)!.jointSpaceMm).toBeCloseTo(1.5, 0);
    }
  });

  it.each([9, 5])('finds a disc of %d mm', (discMm) => {
    const { anatomy, site } = blockSpine({ ...plainBlocks, discMm });
    const heights = measureDiscHeights(discSection(anatomy, site), 'L4-L5')!;
    for (const height of [heights.anteriorMm, heights.middleMm, heights.posteriorMm]) expect(Math.abs(height - discMm)).toBeLessThanOrEqual(pixel);
    expect(heights.heightIndex).toBeCloseTo(discMm / plainBlocks.depthMm, 1);
  });

  it('finds bodies and their slip', () => {
    const { anatomy, upper, lower } = blockSpine({ ...plainBlocks, upperMm: 20, slipMm: 7 });
    const [above, below] = [['L4', upper], ['L5', lower]].map(([name, frame]) => {
      const outline = outlineBody(bodySection(anatomy, frame as typeof upper), name as string)!;
      return { outline, endplates: endplatesOf(frame as typeof upper, outline) };
    }) as [{ outline: NonNullable<ReturnType<typeof outlineBody>>; endplates: ReturnType<typeof endplatesOf> }, { outline: NonNullable<ReturnType<typeof outlineBody>>; endplates: ReturnType<typeof endplatesOf> }];
    expect(Math.abs(above.outline.heights.middleMm - 20)).toBeLessThanOrEqual(pixel);
    expect(Math.abs(above.outline.heights.depthMm - plainBlocks.depthMm)).toBeLessThanOrEqual(2 * pixel);
    const slip = measureListhesis(above.endplates, below.endplates);
    expect(Math.abs(slip.slipMm - 7)).toBeLessThanOrEqual(2 * pixel);
    expect(slip).toMatchObject({ direction: 'anterior', meyerding: '1' });
    expect(slip.share).toBeCloseTo(7 / plainBlocks.depthMm, 1);
  });

  it('tells bulge, protrusion and extrusion apart', () => {
    const typeOf = (change: Partial<typeof plainBlocks>) => {
      const { anatomy, site } = blockSpine({ ...plainBlocks, ...change });
      return measureDisplacement(anatomy, site)!;
    };
    expect(typeOf({}).type).toBe('none');
    const bulge = typeOf({ bulgeMm: 3 });
    expect(bulge.type).toBe('bulge');
    // At the corners of the block it is farthest out.
    expect(Math.abs(bulge.depthMm - 3 * Math.SQRT2)).toBeLessThanOrEqual(0.5);
    const protrusion = typeOf({ herniaMm: [10, 5, 8] });
    expect(protrusion.type).toBe('protrusion');
    expect(Math.abs(protrusion.depthMm - 5)).toBeLessThanOrEqual(0.75);
    expect(Math.abs(protrusion.herniation!.baseMm - 10)).toBeLessThanOrEqual(1);
    expect(protrusion.herniation!.zone).toBe('central');
    expect(typeOf({ herniaMm: [10, 5, 22] }).type).toBe('extrusion');
  });

  it('grades the nucleus by its signal', () => {
    const gradeOf = (nucleus: 'nucleus' | 'degeneratedNucleus', discMm = 9) => {
      const { anatomy, site } = blockSpine({ ...plainBlocks, nucleus, discMm });
      return measureDegeneration(anatomy, site, discSection(anatomy, site), 1.5)!;
    };
    expect(gradeOf('nucleus')).toMatchObject({ pfirrmann: '1' });
    expect(gradeOf('nucleus').nucleusT2Ms).toBeCloseTo(130, 3);
    expect(gradeOf('degeneratedNucleus').pfirrmann).toBe('4');
    expect(gradeOf('degeneratedNucleus', 3).pfirrmann).toBe('5');
  });
});

describe('grades of degeneration', () => {
  it('fall with T2 and height, at both field strengths', () => {
    for (const field of [1.5, 3] as const) {
      const [grey, dark] = greyAndDarkT2Ms(field);
      expect(pfirrmannOf('L4-L5', brightT2Ms(field), 0.01, 0.3, field)).toBe('1');
      expect(pfirrmannOf('L4-L5', grey + 1, 0.01, 0.3, field)).toBe('2');
      expect(pfirrmannOf('L4-L5', grey + 1, 0.2, 0.3, field)).toBe('2');
      expect(pfirrmannOf('L4-L5', grey - 1, 0.2, 0.3, field)).toBe('3');
      expect(pfirrmannOf('L4-L5', dark - 1, 0.2, 0.3, field)).toBe('4');
      expect(pfirrmannOf('L4-L5', grey + 1, 0.01, 0.1, field)).toBe('5');
    }
  });
});

describe('grades of fractures', () => {
  const column = (changed: Partial<{ anteriorMm: number; middleMm: number; posteriorMm: number }>) =>
    [24, 25, 26, 27, 27].map((mm, index) => ({ anteriorMm: mm, middleMm: mm - 3, posteriorMm: mm + 1, depthMm: 33, ...(index === 2 ? changed : {}) }));

  it.each([
    [{}, '0', 'none'],
    [{ anteriorMm: 26 * 0.78 }, '1', 'wedge'],
    [{ anteriorMm: 26 * 0.7 }, '2', 'wedge'],
    [{ anteriorMm: 26 * 0.5 }, '3', 'wedge'],
    [{ middleMm: 23 * 0.7 }, '2', 'biconcave'],
    [{ anteriorMm: 13, middleMm: 12, posteriorMm: 16 }, '3', 'crush'],
  ] as const)('%j is grade %s, %s', (changed, grade, type) => {
    expect(gradeFractures(column(changed))[2]).toMatchObject({ grade, type });
  });

  it('are not led astray by a fractured neighbour', () => {
    const heights = column({ anteriorMm: 13, middleMm: 12, posteriorMm: 14 });
    const grades = gradeFractures(heights).map(({ grade }) => grade);
    expect(grades).toEqual(['0', '0', '3', '0', '0']);
  });
});
