import fc from 'fast-check';
import type { CodedError } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { gradeWordSchema, checkConfirmable, draftReading, scaleValues, stateOf, withConfirmation, withGrade, withSentence } from '../../../src/reading/index.js';
import type { ReadingRecord } from '../../../src/reading/index.js';
import { report } from '../../analysis/report/fixtures.js';

const draft = () => draftReading('offer', report());
const finding = 'centralCanal/L4-L5';
const grade = (reading: ReadingRecord, value: string, revision = reading.revision) => withGrade(reading, { by: 'A', at: 1_000, revision, findingId: finding, scale: 'centralCanal', value });
const confirm = (reading: ReadingRecord, revision = reading.revision) => withConfirmation(reading, { by: 'B', at: 2_000, revision, objects: [], jobs: [] });
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as CodedError).code;
  }
  return 'none';
};

describe('a reading', () => {
  it('goes from draft over changed to confirmed, and on', () => {
    const changed = grade(draft(), 'mild');
    const confirmed = confirm(changed);
    const again = withSentence(confirmed, { by: 'A', at: 3_000, revision: 1, level: 'L5', text: 'nothing' });
    expect([draft(), confirm(draft()), changed, confirmed, again, confirm(again)].map((one) => [one.revision, stateOf(one)])).toEqual(
      [[0, 'draft'], [0, 'confirmed'], [1, 'changed'], [1, 'confirmed'], [2, 'changed'], [2, 'confirmed']],
    );
    expect(again.confirmed).toMatchObject({ revision: 1, by: 'B' });
  });

  it('takes words on the latest revision only', () => {
    const changed = grade(draft(), 'mild');
    expect(codeOf(() => grade(changed, 'severe', 0))).toBe('CONUS_ERR_READING_REVISION');
    expect(codeOf(() => withSentence(changed, { by: 'A', at: 1, revision: 2, text: 'x' }))).toBe('CONUS_ERR_READING_REVISION');
    expect(codeOf(() => confirm(changed, 0))).toBe('CONUS_ERR_READING_REVISION');
    expect(codeOf(() => checkConfirmable(confirm(changed), 1))).toBe('CONUS_ERR_READING_CONFIRMED');
  });

  it('refuses what the report does not have, and is then as it was', () => {
    expect(codeOf(() => grade(draft(), 'dreadful'))).toBe('ANALYSIS_ERR_CHANGE_VALUE');
    expect(codeOf(() => withSentence(draft(), { by: 'A', at: 1, revision: 0, level: 'T1', text: 'x' }))).toBe('ANALYSIS_ERR_CHANGE_FINDING');
    expect(codeOf(() => withGrade(draft(), { by: 'A', at: 1, revision: 0, findingId: 'none', scale: 'modic', value: '1' }))).toBe('ANALYSIS_ERR_CHANGE_FINDING');
  });

  it('keeps every word: played from the draft, the steps give the report', () => {
    const word = fc.oneof(fc.record({ value: fc.constantFrom(...scaleValues.centralCanal!) }), fc.record({ text: fc.string({ minLength: 1, maxLength: 40 }), level: fc.constantFrom('L4-L5', 'L5', undefined) }));
    fc.assert(fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      let reading = draft();
      for (const one of words) {
        reading = 'value' in one ? grade(reading, one.value) : withSentence(reading, { by: 'A', at: 1_000, revision: reading.revision, level: one.level, text: one.text });
      }
      expect(reading.revision).toBe(words.length);
      expect(reading.steps.map(({ revision }) => revision)).toEqual(words.map((_, index) => index + 1));
      let replayed = draft();
      for (const step of reading.steps) {
        if (step.what === 'grade') replayed = withGrade(replayed, { ...step, revision: step.revision - 1, value: step.to });
        if (step.what === 'sentence') replayed = withSentence(replayed, { ...step, revision: step.revision - 1, text: step.to });
      }
      expect(replayed).toEqual(reading);
      // What was replaced is what was there.
      for (const [index, step] of reading.steps.entries()) {
        const before = reading.steps.slice(0, index).findLast((other) => other.what === step.what && (step.what === 'sentence' ? other.what === 'sentence' && other.level === step.level : true));
        if (before !== undefined && before.what !== 'confirmed' && step.what === before.what) expect(step.from).toBe(before.to);
      }
    }));
  });

  it('takes a name on one line, and nothing that would break a document', () => {
    const word = { revision: 0, findingId: finding, scale: 'centralCanal', value: 'mild' };
    for (const by of ['', '  ', 'a\nb', 'a\\b', 'A^B=C', 'x'.repeat(65)]) expect(gradeWordSchema.safeParse({ ...word, by }).success).toBe(false);
    expect(gradeWordSchema.parse({ ...word, by: ' Dr. Änne Müller ' }).by).toBe('Dr. Änne Müller');
    expect(gradeWordSchema.safeParse({ ...word, by: 'A', more: 1 }).success).toBe(false);
  });
});
