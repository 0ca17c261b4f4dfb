/**
 * Heights of a vertebral body in its midsagittal section, and its fracture by Genant 1993, doi 10.1002/jbmr.5650080915.
 *
 *   Ha, Hm, Hp   at a tenth, the half and nine tenths of the depth
 *   loss         1 - min over the three of H / expected H; grade 1 from 20, 2 from 25, 3 from 40 %
 *   type         crush where the posterior wall has lost 20 %, else wedge or biconcave as the front or the middle lost more
 *
 * What is expected is the mean of the nearest unfractured neighbours on either side, at most two away (the reference of
 * vertebral morphometry where there are no earlier images: Eastell 1991, doi 10.1002/jbmr.5650060302, McCloskey 1993,
 * doi 10.1007/BF01623275, both of whom predict from the other vertebrae), as much higher or lower as vertebrae are from level to level: at
 * the end of what is seen there are neighbours on one side only. Posterior heights of cadavers: Panjabi 1991 and 1992, Spine 16:888 and
 * 17:299; the front of L5 is as high as that of L4, its wedge is healthy. Whether a neighbour is fractured is asked twice,
 * as its own expectation may have come from a fractured one. Without any, the body's own posterior height is expected
 * everywhere, which tells wedge and biconcave but no crush; the finding then says so.
 */
import { bodyCode, vertebraNumber } from '../anatomy.js';
import { scales } from '../scales.js';
import type { Assess, Finding, NotAssessed, Spine } from '../types.js';
import { drawingOf, isMissing, wholeBody, type OutlinedBody } from './bodies.js';
import { assessmentOf, basisOf, graded, notAssessed } from './finding.js';
import { depthMm, endplatePoint, heightAt, placeAt, shares } from './outline.js';

export interface BodyHeights {
  readonly anteriorMm: number;
  readonly middleMm: number;
  readonly posteriorMm: number;
}

export interface HeightLoss {
  /** 0 to 1. */
  readonly loss: number;
  readonly type: 'none' | 'wedge' | 'biconcave' | 'crush';
  /** How many neighbours the expected heights are from. */
  readonly nNeighbours: number;
}

/** From T1 to L5, mm. */
const usualMm = [14.1, 15.6, 15.7, 16.2, 16.2, 17.4, 18.2, 18.7, 19.3, 20.2, 21.3, 22.7, 23.8, 24.3, 23.8, 24.1, 22.9];
const [t1, l4] = [vertebraNumber('T1'), vertebraNumber('L4')];

const places = ['anteriorMm', 'middleMm', 'posteriorMm'] as const;
const leastLoss = scales.genant.cutoffs[0];

export const assessVertebralHeights: Assess = (spine) => {
  const names = spine.vertebrae.map(({ name }) => name).filter((name) => name !== 'C2' && name !== 'S1');
  const bodies = names.map((name) => wholeBody(spine, name));
  const heights = bodies.map((body) => (isMissing(body) ? undefined : heightsOf(body)));
  const losses = heightLosses(names, heights);
  return assessmentOf(bodies.map((body, index): Finding | NotAssessed =>
    isMissing(body)
      ? notAssessed('vertebralHeights', body.code, body.got, { level: names[index]! })
      : findingOf(spine, body, heights[index]!, losses[index]!)));
};

export function heightsOf({ outline }: OutlinedBody): BodyHeights {
  const at = (place: keyof typeof shares) => heightAt(outline, placeAt(outline, shares[place]));
  return { anteriorMm: at('anterior'), middleMm: at('middle'), posteriorMm: at('posterior') };
}

/** Of neighbouring vertebrae from the head down; undefined where one was not measured. */
export function heightLosses(names: readonly string[], heights: readonly (BodyHeights | undefined)[]): (HeightLoss | undefined)[] {
  let fractured = heights.map(() => false);
  for (let pass = 0; pass < 2; pass++) fractured = heights.map((own, index) => own !== undefined && lossOf(own, expectedOf(names, heights, fractured, index)).loss >= leastLoss);
  return heights.map((own, index) => own && lossOf(own, expectedOf(names, heights, fractured, index)));
}

/** What each of the neighbours lets expect. */
function expectedOf(names: readonly string[], heights: readonly (BodyHeights | undefined)[], fractured: readonly boolean[], index: number): BodyHeights[] {
  return [-1, 1].flatMap((way) => {
    const nearest = [index + way, index + 2 * way].find((other) => heights[other] !== undefined && !fractured[other]);
    if (nearest === undefined) return [];
    const [neighbour, own, other] = [heights[nearest]!, names[index]!, names[nearest]!];
    const at = (place: (typeof places)[number]) => (neighbour[place] * usual(own, place)) / usual(other, place);
    return [{ anteriorMm: at('anteriorMm'), middleMm: at('middleMm'), posteriorMm: at('posteriorMm') }];
  });
}

/** In the neck all are about alike. */
function usual(name: string, place: (typeof places)[number]): number {
  const number = vertebraNumber(name);
  const last = place === 'posteriorMm' ? usualMm.length - 1 : l4 - t1;
  return usualMm[Math.max(0, Math.min(last, number - t1))]!;
}

function lossOf(own: BodyHeights, neighbours: readonly BodyHeights[]): HeightLoss {
  const expected = (place: (typeof places)[number]) =>
    neighbours.length === 0 ? own.posteriorMm : neighbours.reduce((sum, other) => sum + other[place], 0) / neighbours.length;
  const [anterior, middle, posterior] = places.map((place) => 1 - own[place] / expected(place)) as [number, number, number];
  const loss = Math.max(0, anterior, middle, posterior);
  const type = loss < leastLoss ? 'none' : posterior >= leastLoss ? 'crush' : anterior >= middle ? 'wedge' : 'biconcave';
  return { loss, type, nNeighbours: neighbours.length };
}

function findingOf(spine: Spine, body: OutlinedBody, heights: BodyHeights, { loss, type, nNeighbours }: HeightLoss): Finding {
  const { vertebra: { name, frame }, stack, outline, confidence } = body;
  const { anteriorMm, middleMm, posteriorMm } = heights;
  const lines = (['anterior', 'middle', 'posterior'] as const).map((place) => [
    endplatePoint(outline, 'upper', shares[place]), endplatePoint(outline, 'lower', shares[place]), `${heights[`${place}Mm`].toFixed(1)} mm`,
  ] as const);
  const drawing = drawingOf(stack, frame, 70, [bodyCode(name)], lines);
  return {
    kind: 'vertebralHeights', level: name,
    measures: [
      { name: 'anteriorHeight', value: anteriorMm, unit: 'mm' },
      { name: 'middleHeight', value: middleMm, unit: 'mm' },
      { name: 'posteriorHeight', value: posteriorMm, unit: 'mm' },
      { name: 'depth', value: depthMm(outline), unit: 'mm' },
      { name: 'wedgeRatio', value: anteriorMm / posteriorMm, unit: '1' },
      { name: 'biconcavityRatio', value: middleMm / posteriorMm, unit: '1' },
      { name: 'heightLoss', value: loss, unit: '1' },
    ],
    grades: [graded('genant', loss), { scale: 'genantType', value: type }],
    signs: nNeighbours === 0 ? ['no unfractured neighbour was seen: graded against its own posterior height, which shows no crush'] : [],
    basis: basisOf(spine, [stack]),
    confidence,
    ...(drawing === undefined ? {} : { drawing }),
  };
}
