import { describe, expect, it } from 'vitest';
import type { Finding, Report, SliceGeometry } from '../../console/api/index.js';
import { toPixel } from '../../console/pictures/geometry.js';
import { about, sliceOf } from '../../console/reader/place.js';
import { byWeight, computedOf, firstLevel, levelsOf, measureText, signsOf, worstOf } from '../../console/reader/report.js';

function finding(id: string, more: Partial<Finding> = {}): Finding {
  return { id, kind: 'centralCanal', measures: [], grades: [], signs: [], basis: { seriesIndices: [0], synthetic: false }, confidence: 0.9, ...more };
}
const graded = (id: string, level: string, severity: 'normal' | 'mild' | 'moderate' | 'severe', more: Partial<Finding> = {}) =>
  finding(id, { level, grades: [{ scale: 'centralCanal', value: severity, severity }], ...more });

function report(findings: readonly Finding[], more: Partial<Report> = {}): Report {
  const levels = [...new Set(findings.flatMap(({ level }) => level ?? []))];
  return {
    statement: '', software: { name: 'Conus', version: '1' }, models: [], syntheticData: false, series: [], numbering: { certain: true, reasons: [] }, levels, notes: [],
    findings, notAssessed: [], sentences: [{ draft: 'whole' }, ...levels.map((level) => ({ level, draft: level }))], priority: { level: 'routine', reason: '' }, changes: [], ...more,
  };
}

describe('the levels of a report', () => {
  const findings = [
    graded('a', 'L3-L4', 'mild'), graded('b', 'L4-L5', 'severe'), graded('c', 'L4-L5', 'normal'), graded('d', 'L5-S1', 'severe', { kind: 'infectionSigns', signs: ['oedema', 'against infection: no fluid'] }),
    finding('e', { level: 'L5', basis: { seriesIndices: [0], synthetic: true } }),
  ];

  it('say how bad each is, what is synthetic, and where a reader spoke', () => {
    const changes = [{ findingId: 'a', scale: 'centralCanal', from: 'severe', to: 'mild', by: 'A', at: '' }];
    const sentences = [{ draft: 'whole', edited: { text: 'x', by: 'A', at: '' } }, ...['L3-L4', 'L4-L5', 'L5', 'L5-S1'].map((level) => ({ level, draft: level }))];
    const levels = levelsOf(report(findings, { changes, sentences, notAssessed: [{ kind: 'foramen', level: 'L4-L5', code: 'X', got: 'y' }] }));
    expect(levels.map(({ level, worst, nSigns, nNotAssessed, isChanged, isSynthetic }) => [level, worst, nSigns, nNotAssessed, isChanged, isSynthetic])).toEqual([
      [undefined, undefined, 0, 0, true, false], ['L3-L4', 'mild', 0, 0, true, false], ['L4-L5', 'severe', 0, 1, false, false],
      ['L5', undefined, 0, 0, false, true], ['L5-S1', 'severe', 1, 0, false, false],
    ]);
  });

  it('begin with the worst one; of equals with the one that has signs, else with the whole spine', () => {
    expect(firstLevel(levelsOf(report(findings)))).toBe('L5-S1');
    expect(firstLevel(levelsOf(report(findings.slice(0, 3))))).toBe('L4-L5');
    expect(firstLevel(levelsOf(report([])))).toBeUndefined();
  });

  it('have their findings in the order in which they matter', () => {
    const findings = [
      finding('measured', { measures: [{ name: 'x', value: 1, unit: 'mm' }] }), graded('normal', 'L1', 'normal'), graded('mild', 'L1', 'mild'),
      finding('signs', { kind: 'malignantSigns', signs: ['a', 'b', 'c', 'd'] }), finding('remark', { signs: ['seen on one slice'] }), graded('severe', 'L1', 'severe'), graded('drawn', 'L1', 'severe', { drawing: {} as never }),
    ];
    expect(byWeight(findings).map(({ id }) => id)).toEqual(['drawn', 'severe', 'signs', 'mild', 'normal', 'measured', 'remark']);
  });
});

it('what was computed of a grade is what the first change took away', () => {
  const change = (from: string, to: string) => ({ findingId: 'a', scale: 's', from, to, by: 'A', at: '' });
  const { changes } = report([], { changes: [change('severe', 'mild'), change('mild', 'normal')] });
  expect([computedOf({ ...report([]), changes }, 'a', 's'), computedOf({ ...report([]), changes }, 'a', 't')]).toEqual(['severe', undefined]);
});

it('measures are written as in the documents', () => {
  const text = (name: string, value: number, unit: string) => measureText({ name, value, unit });
  expect([text('sacArea', 71.4, 'mm2'), text('sacAp', 7.745, 'mm'), text('lordosis', 41.6, 'deg'), text('heightLoss', 0.314, '1'), text('heightIndex', 0.356, '1'), text('lesionCount', 2, '1'), text('posteriorConvexity', -0.04, 'mm')])
    .toEqual(['71 mm²', '7.7 mm', '42°', '31 %', '0.36', '2', '0.0 mm']);
  expect(signsOf({ kind: 'infectionSigns', signs: ['oedema', 'against infection: no fluid'] })).toEqual(['oedema']);
  expect(signsOf({ kind: 'cordSection', signs: ['seen on one sagittal slice'] })).toEqual([]);
  expect([worstOf([]), worstOf([{ severity: 'mild' }, { severity: 'severe' }, {}])]).toEqual([undefined, 'severe']);
});

describe('where a finding is looked at', () => {
  /** Sagittal slices of 100 x 50 pixels, 4 mm apart, and one tilted axial slice across them. */
  const sagittal = (place: number): SliceGeometry => ({ originMm: [4 * place, -20, 50], columnStepMm: [0, 0.5, 0], rowStepMm: [0, 0, -1], thicknessMm: 4 });
  const list = [0, 1, 2].map((place) => ({ rows: 50, columns: 100, geometry: sagittal(place) }));

  it('is the slice whose plane is nearest, where the place is within the picture', () => {
    const at = (centreMm: readonly [number, number, number], slices: Parameters<typeof sliceOf>[1] = list) => sliceOf({ centreMm, areas: [] }, slices);
    expect([at([4.9, 0, 20]), at([8, 0, 20]), at([4, 0, 200]), at([4, 0, 20], [{ rows: 50, columns: 100 }])]).toEqual([1, 2, undefined, undefined]);
  });

  it('is the slice that marked areas are in, wherever the middle of the drawing is', () => {
    expect(sliceOf({ centreMm: [4, 0, 20], areas: [{ pointsMm: [[8, 1, 21], [8, 2, 21], [8, 1, 22]], text: 'Modic 1' }] }, list)).toBe(2);
  });

  it('has the place in the middle, and as much around it as asked for', () => {
    const geometry = sagittal(1);
    const view = about({ centreMm: [4, 5, 20], extentMm: 10 }, list[1]!, geometry);
    const { column, row } = toPixel(geometry, [4, 5, 20]);
    // Of a picture that is as wide as the canvas: the middle of the canvas is at (0.5 - pan) of the picture.
    expect([(0.5 - view.panX) * 100 - 0.5, (0.5 - view.panY) * 50 - 0.5]).toEqual([column, row]);
    expect(view.zoom).toBeCloseTo(50 / 15, 6);
    expect(about({ centreMm: [4, 5, 20], extentMm: 500 }, list[1]!, geometry).zoom).toBe(1);
  });
});
