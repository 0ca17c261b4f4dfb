/** Findings in the words of a radiological report, with the numbers behind them. */
import type { NotAssessedCode } from '../errors.js';
import type { FindingKind, Measure, Unit } from '../types.js';
import { isLesion, lowConfidence } from './priority.js';
import type { ReportedFinding } from './schema.js';

/** Nearer to a cut-off than this share of it, a grade could as well be its neighbour. */
const nearMarginShare = 0.05;

export const kindWords: Readonly<Record<FindingKind, string>> = {
  centralCanal: 'central canal', lateralRecess: 'lateral recess', foramen: 'foramen', facetJoint: 'facet joint',
  discHeight: 'disc height', pfirrmann: 'disc degeneration', displacement: 'disc displacement', modic: 'Modic changes',
  vertebralHeights: 'vertebral height', fractureAge: 'age of the fracture', malignantSigns: 'signs of malignancy',
  infectionSigns: 'signs of infection', marrowSignal: 'marrow signal', lordosis: 'lordosis', sacralSlope: 'sacral slope',
  cobb: 'coronal curve', listhesis: 'listhesis', balance: 'balance', cordSection: 'cord section', cordLesion: 'cord lesion',
  marrowHu: 'marrow attenuation', cortex: 'cortex',
};

export const reasonWords: Readonly<Record<NotAssessedCode, string>> = {
  ANALYSIS_INFO_NO_SERIES: 'no suitable series',
  ANALYSIS_INFO_NOT_COVERED: 'not covered by the slices',
  ANALYSIS_INFO_UNSURE: 'not outlined with confidence',
  ANALYSIS_INFO_GEOMETRY: 'resolution does not support it',
  ANALYSIS_INFO_SYNTHETIC: 'not taken from synthetic images',
};

const unitWords: Readonly<Record<Unit, string>> = { mm: ' mm', mm2: ' mm²', mm3: ' mm³', deg: '°', '1': '', HU: ' HU', ms: ' ms' };
const decimals: Readonly<Record<Unit, number>> = { mm: 1, mm2: 0, mm3: 0, deg: 0, '1': 2, HU: 0, ms: 0 };

/** What a reader wants of a finding with many measures; the others stay in the report. Of the rest, the first three; of endplates the one that is changed most. */
const quoted: Partial<Record<FindingKind, readonly string[]>> = {
  centralCanal: ['sacArea', 'sacAp', 'canalAp'],
  foramen: ['foramenWidth', 'foramenArea'],
  discHeight: ['heightIndex', 'middleHeight'],
  pfirrmann: ['signalRatio', 'heightIndex'],
  vertebralHeights: ['heightLoss', 'anteriorHeight', 'middleHeight', 'posteriorHeight'],
};
const mostQuoted = 3;

/** Where nothing was found, what was looked for has no number that matters. */
const silent: ReadonlySet<FindingKind> = new Set<FindingKind>(['modic', 'displacement', 'listhesis', 'malignantSigns', 'infectionSigns', 'cordLesion']);

/** The foremost first; of what is normal, one at most. */
export function quotedMeasures(finding: ReportedFinding): Measure[] {
  const { kind, measures, grades } = finding;
  const named = (quoted[kind] ?? []).flatMap((name) => measures.filter((measure) => measure.name === name));
  const foremost = kind === 'modic' ? [...measures].sort((a, b) => b.value - a.value) : named.length === 0 ? measures.slice(0, mostQuoted) : named;
  if (silent.has(kind) && isNothing(finding)) return [];
  return grades.length > 0 && grades.every(({ severity }) => severity === undefined || severity === 'normal') ? foremost.slice(0, 1) : foremost;
}

/** Looked for and not seen. */
function isNothing(finding: ReportedFinding): boolean {
  if (finding.kind === 'cordLesion') return !isLesion(finding);
  if (finding.kind === 'malignantSigns' || finding.kind === 'infectionSigns') return finding.signs.length === 0;
  return finding.grades.length > 0 && finding.grades.every(({ value }) => value === 'none' || value === '0');
}

/** Ratios of a signal that nobody graded and that show no sign are for the report, not for its sentences. */
export function isWorthWords({ kind, grades, signs }: ReportedFinding): boolean {
  return kind !== 'marrowSignal' || grades.length > 0 || signs.length > 0;
}

/** `82 mm²`; shares and losses in per cent, counts whole. */
export function measureText({ name, value, unit }: Measure): string {
  if (unit === '1' && /share|loss/i.test(name)) return `${Math.round(100 * value)} %`;
  if (unit === '1' && name.endsWith('Count')) return String(Math.round(value));
  const text = value.toFixed(decimals[unit]);
  return `${Number(text) === 0 ? text.replace('-', '') : text}${unitWords[unit]}`;
}

/** `sacArea` as `sac area`; names and abbreviations as they are written. */
export function measureWords(name: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  return words.replace(/\b(ap|t1w|t2w|cobb|genant|meyerding|schizas|pfirrmann|modic)\b/g, (word) => properWords[word]!);
}

const properWords: Readonly<Record<string, string>> = {
  ap: 'AP', t1w: 'T1w', t2w: 'T2w', cobb: 'Cobb', genant: 'Genant', meyerding: 'Meyerding', schizas: 'Schizas', pfirrmann: 'Pfirrmann', modic: 'Modic',
};

/** What was found, without its level: `moderate central canal stenosis (sac area 82 mm²)`. */
export function findingText(finding: ReportedFinding, readers: ReadonlyMap<string, string>): string {
  return withNumbers(verdict(finding, place(finding)), [finding], readers);
}

/** A pair of findings, left and right, in one phrase where both say the same. */
export function pairText(left: ReportedFinding, right: ReportedFinding, readers: ReadonlyMap<string, string>): string {
  const both = verdict(left, plural[left.kind] ?? `${kindWords[left.kind]}, both sides`);
  const other = verdict(right, plural[right.kind] ?? `${kindWords[right.kind]}, both sides`);
  if (both !== other) return `${findingText(left, readers)}; ${findingText(right, readers)}`;
  return withNumbers(both, [left, right], readers);
}

const plural: Partial<Record<FindingKind, string>> = { lateralRecess: 'both lateral recesses', foramen: 'both foramina', facetJoint: 'both facet joints' };

function place({ kind, side }: ReportedFinding): string {
  const name = kindWords[kind];
  return side === undefined ? name : `the ${side} ${name}`;
}

function verdict(finding: ReportedFinding, where: string): string {
  const values = new Map(finding.grades.map((grade) => [grade.scale, grade]));
  const value = (scale: ReportedFinding['grades'][number]['scale']) => values.get(scale)?.value;
  const severityOf = (scale: ReportedFinding['grades'][number]['scale']) => values.get(scale)?.severity;
  const signs = finding.signs.join(', ');
  const withSigns = (words: string) => (signs === '' ? words : `${words}, ${signs}`);
  switch (finding.kind) {
    case 'centralCanal': {
      const grade = value('centralCanal');
      const diameter = value('canalDiameter');
      const parts = [
        ...(grade === undefined ? [] : [grade === 'normal' ? 'no central canal stenosis' : `${grade} central canal stenosis`]),
        ...(diameter === undefined ? [] : diameter === 'normal' ? (grade === undefined ? ['canal of normal diameter'] : []) : [`${diameter} stenosis by canal diameter`]),
        ...(value('schizas') === undefined ? [] : [`Schizas ${value('schizas')!}`]),
      ];
      return withSigns(parts.length === 0 ? 'central canal measured' : parts.join(', '));
    }
    case 'lateralRecess':
    case 'foramen': {
      const grade = value(finding.kind);
      return withSigns(grade === undefined ? `${where} measured` : grade === 'normal' ? `${where} not narrowed` : `${grade} narrowing of ${where}`);
    }
    case 'facetJoint': {
      const severity = severityOf('facetWidth');
      if (severity === undefined) return withSigns(`${where} measured`);
      return withSigns(severity === 'normal' ? `${where} of normal width` : `${severity} joint space narrowing of ${where}`);
    }
    case 'pfirrmann':
      return withSigns(value('pfirrmann') === undefined ? 'disc degeneration measured' : `Pfirrmann grade ${value('pfirrmann')!}`);
    case 'displacement': {
      const type = value('displacement');
      const size = value('herniationSize');
      if (type === undefined) return withSigns('disc displacement measured');
      return withSigns(type === 'none' ? 'no disc displacement' : `${size === undefined || type === 'bulge' ? '' : `${size} `}disc ${type}`);
    }
    case 'modic': {
      const type = value('modic');
      return withSigns(type === undefined ? 'endplate signal measured' : type === 'none' ? 'no Modic changes' : `Modic type ${type} changes`);
    }
    case 'vertebralHeights': {
      const [genant, type, severity] = [value('genant'), value('genantType'), severityOf('genant')];
      if (genant === undefined) return withSigns('vertebral heights measured');
      if (genant === '0') return withSigns('vertebral height preserved');
      return withSigns(`${severity ?? ''} ${type === undefined || type === 'none' ? '' : type} deformity, Genant grade ${genant}`.replace(/ +/g, ' ').trim());
    }
    case 'fractureAge': {
      const age = value('fractureAge');
      const words: Readonly<Record<string, string>> = {
        none: 'no fracture', acute: 'marrow as in an acute fracture', old: 'marrow as in an old fracture',
      };
      return withSigns(words[age ?? ''] ?? (age === undefined ? 'marrow of the fracture measured' : `age of the fracture: ${age}`));
    }
    case 'malignantSigns':
    case 'infectionSigns': {
      const what = finding.kind === 'malignantSigns' ? 'malignancy' : 'infection';
      return signs === '' ? `none of the signs of ${what} that are looked for` : `signs that go with ${what}: ${signs}`;
    }
    case 'listhesis': {
      const grade = value('meyerding');
      return withSigns(grade === undefined || grade === '0' ? 'no listhesis' : `listhesis, Meyerding grade ${grade}`);
    }
    case 'cordLesion':
      return withSigns(!isLesion(finding) ? 'no cord lesion seen' : ['cord lesion', ...finding.grades.map(gradeWords)].join(', '));
    case 'discHeight': case 'marrowSignal': case 'lordosis': case 'sacralSlope': case 'cobb': case 'balance':
    case 'cordSection': case 'marrowHu': case 'cortex':
      return withSigns([where, ...finding.grades.map(gradeWords)].join(', '));
  }
}

function gradeWords({ scale, value }: ReportedFinding['grades'][number]): string {
  const names: Partial<Record<ReportedFinding['grades'][number]['scale'], string>> = { imll: 'length', basic: 'BASIC score' };
  return `${names[scale] ?? measureWords(scale)} ${value}`;
}

/** With the numbers in brackets, and what makes them doubtful. */
function withNumbers(words: string, findings: readonly ReportedFinding[], readers: ReadonlyMap<string, string>): string {
  const isPair = findings.length > 1;
  const numbers = findings.map((finding) => {
    const { side } = finding;
    const list = quotedMeasures(finding).map((measure) => `${measureWords(measure.name)} ${measureText(measure)}`).join(', ');
    return isPair && list !== '' ? `${side ?? ''} ${list}`.trim() : list;
  });
  const margins = findings.flatMap(({ grades }) => grades.flatMap(({ marginShare }) => (marginShare === undefined ? [] : [marginShare])));
  const remarks = [
    ...numbers.filter((list) => list !== ''),
    ...(Math.min(...margins) < nearMarginShare ? ['near a cut-off'] : []),
    ...(findings.some(({ confidence }) => confidence < lowConfidence) ? ['low confidence'] : []),
    ...findings.flatMap(({ id }) => readers.get(id) ?? []),
  ];
  return remarks.length === 0 ? words : `${words} (${remarks.join('; ')})`;
}
