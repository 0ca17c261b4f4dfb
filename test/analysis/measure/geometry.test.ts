import { describe, expect, it } from 'vitest';
import type { Assessment, Finding } from '../../../analysis/index.js';
import {
  assessBalance, assessCobb, assessDiscHeight, assessListhesis, assessLordosis, assessSacralSlope, assessVertebralHeights, heightLosses,
} from '../../../analysis/measure/index.js';
import { paintedSpine, type Box } from '../paintedSpine.js';
import { perturbed } from '../perturbed.js';

const box = (name: string, more: Partial<Box> = {}): Box => ({ name, anteriorMm: 27, posteriorMm: 27, depthMm: 34, ...more });
const column = (changed: Readonly<Record<string, Partial<Box>>> = {}) => ['T12', 'L1', 'L2', 'L3', 'L4', 'L5'].map((name) => box(name, changed[name]));
const findingAt = ({ findings }: Assessment, level?: string) => findings.find((finding) => finding.level === level)!;
const valueOf = ({ measures }: Finding, name: string) => measures.find((measure) => measure.name === name)!.value;
const gradeOf = ({ grades }: Finding, scale: string) => grades.find((grade) => grade.scale === scale)!.value;

describe('boxes of known height', () => {
  const wedged = paintedSpine(column({ L2: { anteriorMm: 19 } }), { shiftMm: 1.7 });

  it('are measured finer than their pixels', () => {
    const heights = assessVertebralHeights(wedged);
    expect(heights.notAssessed).toEqual([]);
    expect(valueOf(findingAt(heights, 'L4'), 'anteriorHeight')).toBeCloseTo(27, 0);
    expect(Math.abs(valueOf(findingAt(heights, 'L2'), 'anteriorHeight') - (19 + 0.8))).toBeLessThan(0.25);
    expect(Math.abs(valueOf(findingAt(heights, 'L2'), 'middleHeight') - 23)).toBeLessThan(0.25);
    expect(Math.abs(valueOf(findingAt(heights, 'L2'), 'posteriorHeight') - (27 - 0.8))).toBeLessThan(0.25);
    expect(Math.abs(valueOf(findingAt(heights, 'L2'), 'depth') - 34)).toBeLessThan(0.5);
  });

  it('are graded against their neighbours', () => {
    const heights = assessVertebralHeights(wedged);
    expect(gradeOf(findingAt(heights, 'L2'), 'genant')).toBe('2');
    expect(gradeOf(findingAt(heights, 'L2'), 'genantType')).toBe('wedge');
    for (const level of ['T12', 'L1', 'L3', 'L4', 'L5']) expect(gradeOf(findingAt(heights, level), 'genant'), level).toBe('0');
  });

  it('keep their heights when labels are ragged', () => {
    const heights = assessVertebralHeights(perturbed(wedged, 3));
    const errors = heights.findings.flatMap((finding) => (['anterior', 'middle', 'posterior'] as const).map((place) => {
      const [anterior, posterior] = finding.level === 'L2' ? [19, 27] : [27, 27];
      const share = { anterior: 0.1, middle: 0.5, posterior: 0.9 }[place];
      return Math.abs(valueOf(finding, `${place}Height`) - (anterior + share * (posterior - anterior)));
    })).sort((a, b) => a - b);
    expect(errors[errors.length >> 1]).toBeLessThan(0.5);
    expect(gradeOf(findingAt(heights, 'L2'), 'genantType')).toBe('wedge');
  });

  // A label of 0.4 mm pixels has a gap to half a pixel at either end.
  it('stand apart by the discs between them', () => {
    const discs = assessDiscHeight(paintedSpine(column(), { gapMm: 8 }));
    for (const { level, measures } of discs.findings) {
      for (const { name, value } of measures) expect(Math.abs(value - (name === 'heightIndex' ? 16 / 68 : 8)), `${level} ${name}`).toBeLessThan(name === 'heightIndex' ? 0.01 : 0.41);
    }
    expect(discs.findings).toHaveLength(5);
  });

  it('are told to have slipped', () => {
    const slips = assessListhesis(paintedSpine(column({ L5: { slipMm: -7 } })));
    const slipped = findingAt(slips, 'L4-L5');
    expect(Math.abs(valueOf(slipped, 'slip') - 7)).toBeLessThan(0.4);
    expect(slipped.signs).toEqual(['anterolisthesis']);
    expect(gradeOf(slipped, 'meyerding')).toBe('1');
    expect(gradeOf(findingAt(slips, 'L3-L4'), 'meyerding')).toBe('0');
  });

  it('have slipped as far as their endplates have, whatever their walls do below these', () => {
    // The back of L5 slants away from its upper endplate; that of L4 is upright.
    const leaning = assessListhesis(paintedSpine(column({ L5: { leanMm: 5 } })));
    expect(Math.abs(valueOf(findingAt(leaning, 'L4-L5'), 'slip') + 5)).toBeLessThan(0.8);
    const alike = assessListhesis(paintedSpine(column({ L4: { leanMm: 5, slipMm: 5 }, L5: { leanMm: 5 } })));
    expect(Math.abs(valueOf(findingAt(alike, 'L4-L5'), 'slip'))).toBeLessThan(0.8);
  });

  it('are tilted in the coronal plane as sagittal slices show between them', () => {
    const { findings } = assessCobb(paintedSpine(column({ L1: { coronalDeg: 14 } }), { gapMm: 12 }));
    expect(Math.abs(valueOf(findings[0]!, 'cobbAngle') - 14)).toBeLessThan(1);
    expect(findings[0]!.signs[0]).toMatch(/^end vertebrae L1 and/);
    expect(findings[0]!.signs[1]).toMatch(/^convex to the left/);
  });

  it('are not measured where the image cuts them', () => {
    const whole = paintedSpine(column());
    const { geometry, data } = whole.stacks[0]!.codes;
    const [columns, rows, slices] = geometry.matrixSize;
    // T12's upper half and what is above is not imaged.
    const cutRows = Math.round(rows / 2 - whole.vertebrae[0]!.frame.originMm[2] / 0.4) - 10;
    const left = rows - cutRows;
    const cut = new Uint16Array(columns * left * slices);
    for (let slice = 0; slice < slices; slice++) cut.set(data.subarray((slice * rows + cutRows) * columns, (slice + 1) * rows * columns), slice * left * columns);
    const down = 0.4 * (cutRows + Math.floor(left / 2) - Math.floor(rows / 2));
    const centreMm = [geometry.centreMm[0], geometry.centreMm[1], geometry.centreMm[2] - down] as const;
    const stack = { ...whole.stacks[0]!, codes: { geometry: { ...geometry, centreMm, matrixSize: [columns, left, slices] as const, fovMm: [geometry.fovMm[0], left * 0.4, geometry.fovMm[2]] as const }, data: cut }, confidence: new Uint8Array(cut.length).fill(255) };
    const spine = { ...whole, stacks: [stack] };
    const heights = assessVertebralHeights(spine);
    expect(heights.notAssessed).toMatchObject([{ level: 'T12', code: 'ANALYSIS_INFO_NOT_COVERED' }]);
    // The disc below it is whole.
    expect(Math.abs(valueOf(findingAt(assessDiscHeight(spine), 'T12-L1'), 'middleHeight') - 9)).toBeLessThan(0.41);
  });

  it('are not measured where the labels are unsure', () => {
    const spine = paintedSpine(column());
    const unsure = { ...spine, stacks: spine.stacks.map((stack) => ({ ...stack, confidence: stack.confidence.map(() => 120) })) };
    const { findings, notAssessed } = assessVertebralHeights(unsure);
    expect(findings).toEqual([]);
    expect(notAssessed.every(({ code }) => code === 'ANALYSIS_INFO_UNSURE')).toBe(true);
  });

  it('have no lordosis, slope and balance without a sacrum or a neck', () => {
    const spine = paintedSpine(column());
    for (const assess of [assessLordosis, assessSacralSlope, assessBalance]) {
      expect(assess(spine)).toMatchObject({ findings: [], notAssessed: [{ code: 'ANALYSIS_INFO_NOT_COVERED' }] });
    }
  });
});

describe('loss of height', () => {
  const even = { anteriorMm: 27, middleMm: 26, posteriorMm: 28 };
  const broken = { anteriorMm: 15, middleMm: 18, posteriorMm: 27 };

  it('does not take a fractured neighbour for a reference', () => {
    const losses = heightLosses(['C3', 'C4', 'C5', 'C6'], [even, broken, broken, even]);
    for (const index of [1, 2]) expect(losses[index]).toMatchObject({ type: 'wedge', loss: expect.closeTo(1 - 15 / 27, 6) as number });
    for (const index of [0, 3]) expect(losses[index]!.type).toBe('none');
  });

  it('is none where vertebrae grow from level to level as they do in health, even at the end of what is seen', () => {
    const healthy = (mm: number) => ({ anteriorMm: mm, middleMm: mm, posteriorMm: mm });
    const losses = heightLosses(['T10', 'T11', 'T12', 'L1'], [20.2, 21.3, 22.7, 23.8].map(healthy));
    for (const one of losses) expect(one!.loss).toBeLessThan(1e-9);
    const [topmost] = heightLosses(['T12', 'L1', 'L2'], [0.79 * 22.7, 23.8, 24.3].map(healthy));
    expect(topmost!.loss).toBeCloseTo(0.21, 6);
    // The front of L5 is as high as that of L4, its back is not.
    const lowest = heightLosses(['L3', 'L4', 'L5'], [healthy(26), healthy(26.3), { anteriorMm: 26.3, middleMm: 25.9, posteriorMm: 24.9 }])[2]!;
    expect(lowest.loss).toBeLessThan(0.02);
  });

  it('is told from the own posterior height where there is no neighbour', () => {
    expect(heightLosses(['L1'], [broken])[0]).toMatchObject({ type: 'wedge', nNeighbours: 0 });
    expect(heightLosses(['T12', 'L1', 'L2'], [undefined, even, undefined])[1]).toMatchObject({ type: 'none', nNeighbours: 0 });
  });
});
