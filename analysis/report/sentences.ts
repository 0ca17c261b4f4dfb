/**
 * A draft a level, and one for the whole spine, from templates: what was found with its numbers, what rests on synthetic
 * images, what was not assessed and why, and whether the name of the level is certain.
 */
import type { FindingKind } from '../types.js';
import { findingKinds } from '../types.js';
import type { Report, ReportedFinding } from './schema.js';
import { findingText, isWorthWords, kindWords, measureWords, pairText, reasonWords } from './words.js';

type Facts = Pick<Report, 'findings' | 'notAssessed' | 'numbering' | 'series' | 'levels' | 'changes'>;

/** Levels of which there is something to say, from head to foot; undefined stands for the whole spine and comes first. */
export function levelsWithSentences({ findings, notAssessed, levels }: Pick<Facts, 'findings' | 'notAssessed' | 'levels'>): (string | undefined)[] {
  const named = new Set([...findings, ...notAssessed].flatMap(({ level }) => level ?? []));
  const others = [...named].filter((level) => !levels.includes(level));
  return [undefined, ...levels.filter((level) => named.has(level)), ...others];
}

/** @param level undefined for the whole spine */
export function draftOf(facts: Facts, level: string | undefined): string {
  const here = facts.findings.filter((finding) => finding.level === level);
  const parts = [
    ...(level === undefined ? [scopeText(facts)] : []),
    ...findingsText(here, readersOf(facts)),
    ...notAssessedText(facts.notAssessed.filter((missing) => missing.level === level)),
    ...syntheticText(here),
    ...(level === undefined ? numberingText(facts) : facts.numbering.certain ? [] : ['The name of this level is uncertain.']),
  ];
  const text = parts.join(' ');
  return level === undefined ? text : `${level}: ${text}`;
}

/** What a reader changed, behind the finding that he changed it of: nobody takes it for computed. */
function readersOf({ changes }: Pick<Facts, 'changes'>): ReadonlyMap<string, string> {
  const latest = new Map<string, Map<string, { computed: string }>>();
  for (const { findingId, scale, from } of changes) {
    const scales = latest.get(findingId) ?? new Map<string, { computed: string }>();
    latest.set(findingId, scales);
    // What was computed is what the first change took away.
    if (!scales.has(scale)) scales.set(scale, { computed: from });
  }
  return new Map([...latest].map(([id, scales]) =>
    [id, [...scales].map(([scale, { computed }]) => `graded by the reader; computed: ${scale === 'centralCanal' ? '' : `${measureWords(scale)} `}${computed}`).join('; ')]));
}

function findingsText(findings: readonly ReportedFinding[], readers: ReadonlyMap<string, string>): string[] {
  const order = (kind: FindingKind) => findingKinds.indexOf(kind);
  const sorted = findings.filter(isWorthWords).sort((a, b) => order(a.kind) - order(b.kind));
  const told = new Set<ReportedFinding>();
  return sorted.flatMap((finding) => {
    if (told.has(finding)) return [];
    told.add(finding);
    const partner = finding.side === undefined ? undefined : sorted.find((other) => other.kind === finding.kind && other.side !== undefined && other.side !== finding.side && !told.has(other));
    if (partner === undefined) return [capital(`${findingText(finding, readers)}.`)];
    told.add(partner);
    const [left, right] = finding.side === 'left' ? [finding, partner] : [partner, finding];
    return [capital(`${pairText(left, right, readers)}.`)];
  });
}

function notAssessedText(missing: Report['notAssessed']): string[] {
  if (missing.length === 0) return [];
  const byReason = new Map<string, string[]>();
  for (const { kind, side, code } of missing) {
    const what = side === undefined ? kindWords[kind] : `${side} ${kindWords[kind]}`;
    const reason = reasonWords[code];
    const known = byReason.get(reason) ?? [];
    if (!known.includes(what)) byReason.set(reason, [...known, what]);
  }
  return [`Not assessed: ${[...byReason].map(([reason, kinds]) => `${kinds.join(', ')} (${reason})`).join('; ')}.`];
}

function syntheticText(findings: readonly ReportedFinding[]): string[] {
  const kinds = new Set(findings.filter(({ basis }) => basis.synthetic).map(({ kind }) => kindWords[kind]));
  return kinds.size === 0 ? [] : [`From SYNTHETIC images, computed and not scanned: ${[...kinds].join(', ')}.`];
}

function scopeText({ series, levels }: Facts): string {
  const vertebrae = levels.filter((level) => !level.includes('-'));
  const range = vertebrae.length === 0 ? 'no vertebra was found' : vertebrae.length === 1 ? vertebrae[0]! : `${vertebrae[0]!} to ${vertebrae.at(-1)!}`;
  const used = series.map(({ contrast, orientation, synthetic, denoised }) =>
    `${contrastWords[contrast]} ${orientation}${synthetic && contrast !== 'syntheticCt' ? ' (SYNTHETIC)' : ''}${denoised ? ' (denoised)' : ''}`);
  return `Spine ${range}; images: ${used.join(', ')}.`;
}

function numberingText({ numbering }: Facts): string[] {
  const reasons = numbering.reasons.join('; ');
  if (numbering.certain) return reasons === '' ? [] : [`Levels are numbered by: ${reasons}.`];
  return [`The numbering of the levels is UNCERTAIN${reasons === '' ? '' : `: ${reasons}`}.`];
}

const contrastWords: Readonly<Record<Report['series'][number]['contrast'], string>> = {
  t1w: 'T1w', t2w: 'T2w', pdw: 'PDw', stir: 'STIR', t2fs: 'T2 fat-sat', t1fs: 'T1 fat-sat', pdfs: 'PD fat-sat', ct: 'CT', syntheticCt: 'SYNTHETIC CT',
};

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
