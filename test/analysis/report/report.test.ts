import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ANALYSIS_NOTES, changeGrade, editSentence, gradeValues, makeReport, parseReport, priorityOf, reportJsonSchema, sentenceText, units,
  type Finding, type GradeScale, type NotAssessedCode, type Report, type ReportedFinding,
} from '../../../analysis/index.js';
import { assessment, finding, report, smallSpine } from './fixtures.js';

const options = { software: { name: 'Conus', version: '0.1.0' }, models: [], created: new Date(0) };
const draftAt = (made: Report, level?: string) => made.sentences.find((sentence) => sentence.level === level)!.draft;
const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};

describe('the report', () => {
  it('survives JSON, and is refused with anything added or missing', () => {
    for (const made of [report(), report(true), report(true, false)]) expect(parseReport(JSON.parse(JSON.stringify(made)))).toEqual(made);
    const made = report();
    expect(codeOf(() => parseReport({ ...made, more: 1 }))).toBe('ANALYSIS_ERR_REPORT');
    for (const key of Object.keys(made)) expect(codeOf(() => parseReport(Object.fromEntries(Object.entries(made).filter(([name]) => name !== key)))), key).toBe('ANALYSIS_ERR_REPORT');
    expect(codeOf(() => parseReport({ ...made, statement: 'for diagnosis' }))).toBe('ANALYSIS_ERR_REPORT');
  });

  it('has a JSON Schema that is as strict', () => {
    const schema = reportJsonSchema() as { additionalProperties: boolean; required: string[]; properties: Record<string, { const?: unknown }> };
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required.sort()).toEqual(Object.keys(report()).sort());
    expect(schema.properties.version?.const).toBe(1);
  });

  it('names a finding by kind, level and side, whatever else was found', () => {
    const { findings } = report();
    expect(findings.map(({ id }) => id)).toEqual(['centralCanal/L4-L5', 'foramen/L4-L5/left', 'foramen/L4-L5/right', 'modic/L4-L5', 'vertebralHeights/L4', 'lordosis']);
    const twice = { findings: [...assessment().findings].reverse().concat(assessment().findings[0]!), notAssessed: [] };
    const ids = makeReport(smallSpine(), twice, options).findings.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining([...findings.map(({ id }) => id), 'centralCanal/L4-L5/2']));
  });

  it('holds no measure that is no number', () => {
    const measures = [{ name: 'a', value: NaN, unit: 'mm' }, { name: 'b', value: 2, unit: 'mm' }, { name: 'c', value: Infinity, unit: 'mm' }] as const;
    const made = makeReport(smallSpine(), { findings: [finding('cobb', { measures })], notAssessed: [] }, options);
    expect(made.findings[0]!.measures).toEqual([measures[1]]);
    expect(parseReport(JSON.parse(JSON.stringify(made)))).toEqual(made);
  });

  it('carries the mark of synthetic images to where it belongs', () => {
    expect([report(false).syntheticData, report(true).syntheticData]).toEqual([false, true]);
    expect(JSON.stringify(report(false)).includes('SYNTHETIC')).toBe(false);
    const marked = report(true);
    expect(draftAt(marked, 'L4-L5')).toContain('From SYNTHETIC images, computed and not scanned: Modic changes.');
    expect(draftAt(marked, 'L4')).not.toContain('SYNTHETIC');
    expect(marked.notes.join()).toContain('SYNTHETIC');
  });
});

describe('sentences', () => {
  it('say what was found, with the numbers and their doubts', () => {
    const made = report();
    expect(draftAt(made, 'L4-L5')).toBe(
      'L4-L5: Severe central canal stenosis (sac area 71 mm²). Moderate narrowing of the left foramen (width 2.4 mm); the right foramen not narrowed (width 4.1 mm; near a cut-off). ' +
      'Modic type 1 changes (upper share 12 %). Not assessed: left lateral recess (no suitable series).');
    expect(draftAt(made, 'L4')).toBe('L4: Moderate wedge deformity, Genant grade 2 (height loss 31 %; low confidence).');
    expect(draftAt(made, 'L5')).toBe('L5: Not assessed: vertebral height (not covered by the slices).');
    expect(draftAt(made)).toContain('Lordosis (lumbar lordosis 42°).');
  });

  it('say of every level that its name is uncertain, where it is', () => {
    expect(report(false, true).sentences.some(({ draft }) => /uncertain/i.test(draft))).toBe(false);
    expect(report(false, false).sentences.every(({ draft }) => /uncertain/i.test(draft))).toBe(true);
  });

  it('name everything that was not assessed, with its reason', () => {
    const codes = Object.keys(ANALYSIS_NOTES) as NotAssessedCode[];
    const texts = codes.map((code) => draftAt(makeReport(smallSpine(), { findings: [], notAssessed: [{ kind: 'modic', level: 'L4-L5', code, got: 'x' }] }, options), 'L4-L5'));
    expect(new Set(texts).size).toBe(codes.length);
    for (const text of texts) expect(text).toMatch(/Not assessed: Modic changes \(.+\)/);
  });

  it('have words for every value of every scale, and every number of any finding', () => {
    for (const { findings } of [report()]) {
      for (const { kind } of findings) {
        for (const scale of Object.keys(gradeValues) as GradeScale[]) {
          for (const [value] of gradeValues[scale]) {
            const draft = draftAt(makeReport(smallSpine(), { findings: [finding(kind, { level: 'L4', grades: [{ scale, value }] })], notAssessed: [] }, options), 'L4');
            expect(draft).not.toMatch(/undefined|null|NaN/);
          }
        }
      }
    }
    fc.assert(fc.property(fc.constantFrom(...units), fc.double({ min: -500, max: 500, noNaN: true }), fc.constantFrom<Finding['kind']>('cobb', 'cordSection', 'discHeight', 'balance'), (unit, value, kind) => {
      const draft = draftAt(makeReport(smallSpine(), { findings: [finding(kind, { level: 'L4', measures: [{ name: 'someWidth', value, unit }] })], notAssessed: [] }, options), 'L4');
      const shown = Number(/some width (-?[\d.]+)/.exec(draft)?.[1]);
      expect(Math.abs(shown - value)).toBeLessThanOrEqual({ mm: 0.051, mm2: 0.51, mm3: 0.51, deg: 0.51, '1': 0.0051, HU: 0.51, ms: 0.51 }[unit]);
    }), { numRuns: 60 });
  });
});

describe('a change of a grade', () => {
  const signed = { by: 'Dr Reader', at: '2026-02-03T05:00:00Z' };

  it('makes that sentence and the priority anew, is on record, and leaves the rest and the old report alone', () => {
    const before = deepFrozen(report());
    expect(before.priority.level).toBe('soon');
    const after = changeGrade(before, { findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'mild', ...signed });
    expect(draftAt(after, 'L4-L5')).toContain('Mild central canal stenosis (sac area 71 mm²; graded by the reader; computed: severe).');
    expect(after.priority.level).toBe('routine');
    expect(after.changes).toEqual([{ findingId: 'centralCanal/L4-L5', scale: 'centralCanal', from: 'severe', to: 'mild', ...signed }]);
    expect(after.sentences.filter(({ level }) => level !== 'L4-L5')).toEqual(before.sentences.filter(({ level }) => level !== 'L4-L5'));
    expect(after.findings.slice(1)).toEqual(before.findings.slice(1));
    expect(after.findings[0]!.grades).toEqual([{ scale: 'centralCanal', value: 'mild', severity: 'mild' }]);
    expect(parseReport(JSON.parse(JSON.stringify(after)))).toEqual(after);
  });

  it('takes every value that its scale has, and keeps what was computed in sight', () => {
    for (const scale of Object.keys(gradeValues) as GradeScale[]) {
      const [[first]] = gradeValues[scale] as [[string]];
      let made = makeReport(smallSpine(), { findings: [finding('cordSection', { level: 'L4', grades: [{ scale, value: first }] })], notAssessed: [] }, options);
      for (const [value, severity] of gradeValues[scale]) {
        made = changeGrade(made, { findingId: 'cordSection/L4', scale, value, ...signed });
        expect(made.findings[0]!.grades[0]).toEqual({ scale, value, ...(severity !== undefined && { severity }) });
        expect(draftAt(made, 'L4')).toContain(`${first})`);
      }
      expect(made.changes).toHaveLength(gradeValues[scale].length);
    }
  });

  it('is refused with a code where it names nothing, says nothing or is by nobody', () => {
    const made = report();
    const change = { findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'mild', ...signed } as const;
    expect(codeOf(() => changeGrade(made, { ...change, findingId: 'centralCanal/L1-L2' }))).toBe('ANALYSIS_ERR_CHANGE_FINDING');
    expect(codeOf(() => changeGrade(made, { ...change, scale: 'foramen' }))).toBe('ANALYSIS_ERR_CHANGE_FINDING');
    for (const wrong of [{ value: 'awful' }, { value: '' }, { by: ' ' }, { by: 'x'.repeat(65) }, { at: 'yesterday' }]) {
      expect(codeOf(() => changeGrade(made, { ...change, ...wrong })), JSON.stringify(wrong)).toBe('ANALYSIS_ERR_CHANGE_VALUE');
    }
  });

  it("leaves the reader's own words as they are", () => {
    const edited = editSentence(report(), { level: 'L4-L5', text: 'As before.', ...signed });
    const after = changeGrade(edited, { findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'mild', ...signed });
    const sentence = after.sentences.find(({ level }) => level === 'L4-L5')!;
    expect([sentenceText(sentence), sentence.draft.includes('Mild central')]).toEqual(['As before.', true]);
    expect(codeOf(() => editSentence(report(), { level: 'C2', text: 'x', ...signed }))).toBe('ANALYSIS_ERR_CHANGE_FINDING');
  });
});

describe('the priority', () => {
  const of = (...findings: Finding[]) => priorityOf(findings.map((one, index): ReportedFinding => ({ id: String(index), ...one }))).level;
  const severe = [{ scale: 'centralCanal', value: 'severe', severity: 'severe' }] as const;

  it('is by the worst of what was found, in whatever order', () => {
    const cases: [string, Finding[]][] = [
      ['routine', []],
      ['routine', [finding('foramen', { level: 'L4-L5', side: 'left', grades: [{ scale: 'foramen', value: 'severe', severity: 'severe' }] })]],
      ['urgent', [finding('centralCanal', { level: 'C5-C6', grades: severe })]],
      ['urgent', [finding('centralCanal', { level: 'L1-L2', grades: severe })]],
      ['soon', [finding('centralCanal', { level: 'L2-L3', grades: severe })]],
      ['urgent', [finding('centralCanal', { level: 'L4-L5', grades: severe }), finding('displacement', { level: 'L4-L5', grades: [{ scale: 'herniationSize', value: 'severe' }] })]],
      ['soon', [finding('centralCanal', { level: 'L4-L5', grades: severe }), finding('displacement', { level: 'L3-L4', grades: [{ scale: 'herniationSize', value: 'severe' }] })]],
      ['urgent', [finding('centralCanal', { level: 'L4-L5', grades: [{ scale: 'schizas', value: 'D' }] })]],
      ['urgent', [finding('infectionSigns', { level: 'L2-L3', signs: ['oedema', 'bright disc', 'eroded endplates'] })]],
      ['soon', [finding('infectionSigns', { level: 'L2-L3', signs: ['oedema', 'bright disc'] })]],
      ['routine', [finding('infectionSigns', { level: 'L2-L3', signs: ['oedema'] })]],
      ['routine', [finding('infectionSigns', { level: 'L2-L3' })]],
      ['soon', [finding('fractureAge', { level: 'L1', grades: [{ scale: 'fractureAge', value: 'acute' }] })]],
      ['routine', [finding('fractureAge', { level: 'L1', grades: [{ scale: 'fractureAge', value: 'old' }] })]],
      ['soon', [finding('malignantSigns', { level: 'L1', signs: ['convex border', 'pedicle'] })]],
      ['routine', [finding('malignantSigns', { level: 'L1', signs: ['convex border', 'against: fluid'] })]],
      ['soon', [finding('cordLesion', { level: 'T8' })]],
      ['routine', [finding('cordLesion', { measures: [{ name: 'lesionCount', value: 0, unit: '1' }] })]],
    ];
    for (const [level, findings] of cases) {
      expect(of(...findings), JSON.stringify(findings)).toBe(level);
      expect(of(...[...findings].reverse())).toBe(level);
    }
  });

  it('says what it rests on, synthetic images as well', () => {
    const { reason } = priorityOf([{ id: 'a', ...finding('centralCanal', { level: 'T9-T10', grades: severe, basis: { seriesIndices: [1], synthetic: true } }) }]);
    expect(reason).toBe('suspected cord compression T9-T10 (from SYNTHETIC images)');
    const unsure = priorityOf([{ id: 'a', ...finding('centralCanal', { level: 'T9-T10', grades: severe, confidence: 0.5 }) }]);
    expect(unsure).toEqual({ level: 'urgent', reason: 'suspected cord compression T9-T10 (low confidence)' });
    expect(priorityOf([]).reason).toContain('NOTHING was measured');
  });
});

function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(deepFrozen);
  return value;
}
