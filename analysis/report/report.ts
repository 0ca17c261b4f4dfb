/** From a spine and what was assessed on it to the report. */
import { analysisError } from '../errors.js';
import type { AnalysisSeries, Assessment, Finding, Spine } from '../types.js';
import { vertebraNumber } from '../anatomy.js';
import { priorityOf } from './priority.js';
import { REPORT_VERSION, reportSchema, researchStatement, type Report, type ReportedFinding } from './schema.js';
import { draftOf, levelsWithSentences } from './sentences.js';

export interface ReportOptions {
  readonly software: Report['software'];
  /** The networks that took part. */
  readonly models: Report['models'];
  readonly created: Date;
  /** What else a reader should know first. */
  readonly notes?: readonly string[];
}

export function makeReport(spine: Spine, assessment: Assessment, { software, models, created, notes = [] }: ReportOptions): Report {
  const { numbering } = spine;
  const findings = withIds(assessment.findings);
  const facts = {
    findings, numbering, notAssessed: assessment.notAssessed, series: spine.series.map(seriesFacts), levels: levelsOf(spine), changes: [],
  };
  return {
    version: REPORT_VERSION,
    statement: researchStatement,
    created: created.toISOString(),
    software, models,
    syntheticData: findings.some(({ basis }) => basis.synthetic),
    ...facts,
    notes: [...notes, ...notesOf(spine)],
    sentences: levelsWithSentences(facts).map((level) => ({ ...(level !== undefined && { level }), draft: draftOf(facts, level) })),
    priority: priorityOf(findings),
  };
}

/** @throws ANALYSIS_ERR_REPORT for what is none */
export function parseReport(value: unknown): Report {
  const parsed = reportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw analysisError('ANALYSIS_ERR_REPORT', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Kind, level and side name a finding; where a measure tells of two at one place, the second has a number. */
function withIds(findings: readonly Finding[]): ReportedFinding[] {
  const taken = new Map<string, number>();
  return findings.map((finding) => {
    const name = [finding.kind, ...(finding.level === undefined ? [] : [finding.level]), ...(finding.side === undefined ? [] : [finding.side])].join('/');
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    // A measure that is no number was not found.
    const measures = finding.measures.filter(({ value }) => Number.isFinite(value));
    return { id: count === 1 ? name : `${name}/${count}`, ...finding, measures };
  });
}

function seriesFacts({ description, contrast, orientation, synthetic, denoised, qualityLight, seriesInstanceUid }: AnalysisSeries): Report['series'][number] {
  return {
    description, contrast, orientation, synthetic, denoised,
    ...(qualityLight !== undefined && { qualityLight }),
    ...(seriesInstanceUid !== undefined && { seriesInstanceUid }),
  };
}

/** Each vertebra, then the segment below it. */
function levelsOf({ vertebrae, segments }: Spine): string[] {
  const place = (level: string) => vertebraNumber(level.split('-')[0]!) + (level.includes('-') ? 0.5 : 0);
  return [...vertebrae, ...segments].map(({ name }) => name).sort((a, b) => place(a) - place(b));
}

function notesOf({ series, numbering }: Spine): string[] {
  const computed = series.filter(({ synthetic }) => synthetic);
  const doubtful = series.filter(({ qualityLight }) => qualityLight === 'amber' || qualityLight === 'red');
  const denoised = series.filter((one) => one.denoised);
  const names = (list: readonly AnalysisSeries[]) => list.map(({ description, contrast }) => (description === '' ? contrast : description)).join(', ');
  return [
    ...(computed.length === 0 ? [] : [`SYNTHETIC series were used, computed and not scanned: ${names(computed)}`]),
    ...(doubtful.length === 0 ? [] : [`series of limited quality: ${names(doubtful)}`]),
    ...(denoised.length === 0 ? [] : [`denoised series were used: ${names(denoised)}`]),
    ...(numbering.certain ? [] : ['the numbering of the levels is uncertain']),
  ];
}
