/**
 * How soon somebody should look, with every reason: a proposal for the work list, from grades and signs alone.
 *
 * | sign | proposal |
 * |---|---|
 * | severe stenosis of the canal down to L1-L2, where the cord is; cord section graded severe | urgent: suspected cord compression |
 * | below: Schizas D, or severe stenosis with a disc that takes more than two thirds of the canal | urgent: suspected cauda equina compression |
 * | three signs of infection or more | urgent |
 * | two signs of infection (one alone, oedema on both sides of a disc, goes with Modic 1 as well) | soon |
 * | acute fracture; two signs of malignancy or more; cord lesion; severe stenosis; slip of grade 3 or more | soon |
 *
 * The cord ends at L1-L2 (Saifuddin 1998, Spine 23:1452). The table itself is ours: departments have their own.
 * What rests on synthetic images or on outlines that are not sure says so in the reason. Signs that begin with `against` speak against it and do not count.
 */
import { vertebraNumber } from '../anatomy.js';
import type { Severity } from '../types.js';
import type { GradeScale } from '../gradeValues.js';
import type { Priority, ReportedFinding } from './schema.js';

const mostReasonCharacters = 1000;
/** Of a finding: below, its words say so. */
export const lowConfidence = 0.7;

interface Reason {
  readonly level: 'urgent' | 'soon';
  readonly text: string;
}

export function priorityOf(findings: readonly ReportedFinding[]): Priority {
  if (findings.length === 0) return { level: 'routine', reason: 'NOTHING was measured or graded: the images say nothing about how soon somebody should look' };
  const reasons = findings.flatMap((finding) => reasonsOf(finding, findings));
  const level = (['urgent', 'soon'] as const).find((candidate) => reasons.some((reason) => reason.level === candidate));
  if (level === undefined) return { level: 'routine', reason: 'none of the findings that would be looked at sooner' };
  // All of them, the pressing ones first.
  const texts = [...reasons.filter((reason) => reason.level === level), ...reasons.filter((reason) => reason.level !== level)].map(({ text }) => text);
  return { level, reason: [...new Set(texts)].join('; ').slice(0, mostReasonCharacters) };
}

function reasonsOf(finding: ReportedFinding, all: readonly ReportedFinding[]): Reason[] {
  const { kind, grades } = finding;
  const signs = finding.signs.filter((sign) => !sign.startsWith('against'));
  const reason = (level: Reason['level'], text: string): Reason[] => {
    const where = finding.level === undefined ? '' : ` ${finding.level}`;
    const doubts = [...(finding.basis.synthetic ? ['from SYNTHETIC images'] : []), ...(finding.confidence < lowConfidence ? ['low confidence'] : [])];
    return [{ level, text: `${text}${where}${doubts.length === 0 ? '' : ` (${doubts.join(', ')})`}` }];
  };
  const value = (scale: GradeScale) => grades.find((grade) => grade.scale === scale)?.value;
  const worst = worstSeverity(finding);
  switch (kind) {
    case 'centralCanal': {
      if (hasCord(finding.level)) return worst === 'severe' ? reason('urgent', 'suspected cord compression') : [];
      const isFilledByDisc = all.some(({ kind: other, level, grades: others }) =>
        other === 'displacement' && level === finding.level && others.some(({ scale, value: size }) => scale === 'herniationSize' && size === 'severe'));
      if (value('schizas') === 'D' || (value('centralCanal') === 'severe' && isFilledByDisc)) return reason('urgent', 'suspected cauda equina compression');
      return value('centralCanal') === 'severe' ? reason('soon', 'severe central canal stenosis') : [];
    }
    case 'cordSection':
      return worst === 'severe' ? reason('urgent', 'suspected cord compression') : [];
    case 'cordLesion':
      return isLesion(finding) ? reason('soon', 'cord lesion') : [];
    case 'infectionSigns':
      return signs.length < 2 ? [] : reason(signs.length > 2 ? 'urgent' : 'soon', `suspected infection (${signs.join(', ')})`);
    case 'malignantSigns':
      return signs.length > 1 ? reason('soon', `signs that go with malignancy (${signs.join(', ')})`) : [];
    case 'fractureAge':
      return value('fractureAge') === 'acute' ? reason('soon', 'acute fracture') : [];
    case 'listhesis':
      return ['3', '4', '5'].includes(value('meyerding') ?? '') ? reason('soon', 'listhesis of grade 3 or more') : [];
    case 'lateralRecess': case 'foramen': case 'facetJoint': case 'discHeight': case 'pfirrmann': case 'displacement': case 'modic':
    case 'vertebralHeights': case 'marrowSignal': case 'lordosis': case 'sacralSlope': case 'cobb': case 'balance': case 'marrowHu': case 'cortex':
      return [];
  }
}

/** The worst of what its grades say; undefined where none says. */
export function worstSeverity({ grades }: Pick<ReportedFinding, 'grades'>): Severity | undefined {
  return (['severe', 'moderate', 'mild', 'normal'] as const).find((severity) => grades.some((grade) => grade.severity === severity));
}

/** One that was seen, rather than looked for in vain. */
export function isLesion(finding: ReportedFinding): boolean {
  return worstSeverity(finding) !== 'normal' && !finding.measures.some(({ name, value }) => name === 'lesionCount' && value === 0);
}

/** Down to the segment L1-L2. */
function hasCord(level: string | undefined): boolean {
  if (level === undefined) return false;
  return vertebraNumber(level.split('-')[0]!) <= vertebraNumber('L1');
}
