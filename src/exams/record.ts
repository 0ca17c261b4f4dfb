/**
 * What is known of an exam, as it is kept: what sources told and how far each came, nothing that follows from it.
 * Every change only adds, takes the earlier or the later of two times, or the further of two states: so the order in
 * which sources are heard does not matter, and telling something twice changes nothing.
 */
import { createHash } from 'node:crypto';
import type { Orientation } from '../../protocols/index.js';
import type { AnalysisFacts, DeliveryState, DenoisingFacts, ExamEvent, JobState, Light, OutputKind, ReadingFacts, SynthesisedFacts } from './events.js';
import type { EXAM_ERRORS } from './errors.js';
import type { SourceFacts } from './facts.js';
import type { SettingChange } from './settings.js';

export interface Failure {
  readonly code: string;
  readonly text: string;
}

/** One session that scanned the series; a measurement that is sent again has another one. */
export interface RunRecord {
  readonly sessionId: string;
  readonly openedAt: number;
  /** Not there in records of former versions, and of images that came by MRD. */
  readonly denoising?: DenoisingFacts;
  readonly nLines: number;
  readonly outputs: Readonly<Partial<Record<OutputKind, { readonly nImages: number; readonly light?: Light }>>>;
  readonly inputEndedAt?: number;
  readonly endedAt?: number;
  readonly failure?: Failure;
  readonly remarks: readonly string[];
}

export interface SeriesRecord {
  readonly id: string;
  readonly facts: SourceFacts;
  /** When it was first heard of. */
  readonly openedAt: number;
  readonly lastActivityAt: number;
  /** From the readouts, which alone tell it. */
  readonly orientation?: Orientation;
  readonly runs: Readonly<Record<string, RunRecord>>;
  /** Of a series that came by DICOM. */
  readonly received?: { readonly seriesInstanceUid: string; readonly sopInstanceUids: readonly string[]; readonly completeAt?: number };
  /** Of a series that was computed from others. */
  readonly synthesised?: SynthesisedFacts & { readonly at: number };
  /** By job. */
  readonly deliveries: Readonly<Record<string, { readonly destination: string; readonly state: DeliveryState; readonly at: number; readonly failure?: Failure }>>;
}

export interface JobRecord {
  readonly state: JobState;
  readonly at: number;
  readonly failure?: Failure;
}

export interface ExamRecord {
  readonly id: string;
  /** Of exams that turned out to be this one. */
  readonly formerIds: readonly string[];
  readonly series: Readonly<Record<string, SeriesRecord>>;
  readonly jobs: Readonly<Record<string, JobRecord>>;
  /** By offer; not there in records of former versions. */
  readonly analyses?: Readonly<Record<string, AnalysisFacts & { readonly at: number }>>;
  /** By offer: how far a reader is with the report of the analysis. */
  readonly readings?: Readonly<Record<string, ReadingFacts>>;
  /** By the operator, from the first to the last; not there in records of former versions. */
  readonly settingChanges?: readonly SettingChange[];
}

/** The same series whoever asks, and nothing of what it is made from. */
function seriesId(source: string): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 12);
}

/** A measurement that is sent again is the same series; a scan without a number of its own is its session's. */
export function seriesIdOf(sessionId: string, { measurementId }: SourceFacts): string {
  return seriesId(measurementId === undefined ? `session ${sessionId}` : `measurement ${measurementId}`);
}

export const receivedSeriesId = (seriesInstanceUid: string): string => seriesId(`dicom ${seriesInstanceUid}`);

/** Within its exam. */
export const synthesisedSeriesId = (synthesis: string): string => seriesId(`synthesis ${synthesis}`);

const earlier = (a: number | undefined, b: number): number => (a === undefined ? b : Math.min(a, b));
const later = (a: number | undefined, b: number): number => (a === undefined ? b : Math.max(a, b));

export const emptyExam = (id: string): ExamRecord => ({ id, formerIds: [], series: {}, jobs: {} });

export function openedAtOf({ series }: ExamRecord): number {
  return Math.min(...Object.values(series).map(({ openedAt }) => openedAt));
}

export function lastActivityOf({ series }: ExamRecord): number {
  return Math.max(...Object.values(series).map(({ lastActivityAt }) => lastActivityAt));
}

/** Series from the first to the last; of two at the same time, by their ids. */
export function inOrder({ series }: Pick<ExamRecord, 'series'>): SeriesRecord[] {
  return Object.values(series).sort((a, b) => a.openedAt - b.openedAt || (a.id < b.id ? -1 : 1));
}

type SessionEvent = Exclude<Extract<ExamEvent, { sessionId: string }>, { kind: 'sessionOpened' }>;
type SourceEvent = Extract<ExamEvent, { kind: 'sessionOpened' | 'dicomReceived' }>;

/** A series that a source tells of, in its exam. */
export function withSource(exam: ExamRecord, event: SourceEvent): ExamRecord {
  const isScan = event.kind === 'sessionOpened';
  const id = isScan ? seriesIdOf(event.sessionId, event.facts) : receivedSeriesId(event.seriesInstanceUid);
  const known = exam.series[id];
  const isFirst = known === undefined || event.at < known.openedAt;
  const base: SeriesRecord = {
    ...known,
    id,
    facts: isFirst ? event.facts : known.facts,
    openedAt: earlier(known?.openedAt, event.at),
    lastActivityAt: later(known?.lastActivityAt, event.at),
    runs: known?.runs ?? {},
    deliveries: known?.deliveries ?? {},
  };
  const series: SeriesRecord = isScan
    ? { ...base, runs: { ...base.runs, [event.sessionId]: base.runs[event.sessionId] ?? newRun(event) } }
    : { ...base, received: withInstance(base.received, event) };
  return withSeries(exam, series);
}

const newRun = ({ sessionId, at, denoising }: Extract<SourceEvent, { kind: 'sessionOpened' }>): RunRecord => ({
  sessionId, openedAt: at, ...(denoising !== undefined && { denoising }), nLines: 0, outputs: {}, remarks: [],
});

function withInstance(
  received: SeriesRecord['received'], { seriesInstanceUid, sopInstanceUid }: Extract<SourceEvent, { kind: 'dicomReceived' }>,
): NonNullable<SeriesRecord['received']> {
  const known = received?.sopInstanceUids ?? [];
  return { ...received, seriesInstanceUid, sopInstanceUids: known.includes(sopInstanceUid) ? known : [...known, sopInstanceUid].sort() };
}

/** How a session goes on. */
export function withSessionEvent(exam: ExamRecord, id: string, event: SessionEvent): ExamRecord {
  const series = exam.series[id];
  const run = series?.runs[event.sessionId];
  if (series === undefined || run === undefined) return exam;
  const orientation = event.kind === 'readoutProgress' ? (series.orientation ?? event.orientation) : series.orientation;
  return withSeries(exam, {
    ...series,
    ...(orientation !== undefined && { orientation }),
    lastActivityAt: later(series.lastActivityAt, event.at),
    runs: { ...series.runs, [run.sessionId]: nextRun(run, event) },
  });
}

const severity: Readonly<Record<Light, number>> = { green: 0, amber: 1, red: 2 };

const nodeGone = 'CONUS_ERR_EXAM_NODE_GONE' satisfies keyof typeof EXAM_ERRORS;

function nextRun(run: RunRecord, event: SessionEvent): RunRecord {
  switch (event.kind) {
    case 'readoutProgress':
      return { ...run, nLines: Math.max(run.nLines, event.nLines) };
    case 'inputEnded':
      return { ...run, inputEndedAt: earlier(run.inputEndedAt, event.at) };
    case 'seriesImage': {
      const known = run.outputs[event.output];
      const lights = [known?.light, event.light].filter((light) => light !== undefined);
      // A series is as good as its worst image.
      const light = lights.sort((a, b) => severity[b] - severity[a])[0];
      const output = { nImages: Math.max(known?.nImages ?? 0, event.nImages), ...(light !== undefined && { light }) };
      return { ...run, outputs: { ...run.outputs, [event.output]: output } };
    }
    case 'seriesEnded':
    case 'sessionFailed': {
      // Whose node was only taken for dead has an end of its own.
      if (run.endedAt !== undefined && !(run.failure?.code === nodeGone && event.kind === 'seriesEnded')) return run;
      const going: RunRecord = { sessionId: run.sessionId, openedAt: run.openedAt, nLines: run.nLines, outputs: run.outputs, remarks: [], ...(run.denoising !== undefined && { denoising: run.denoising }) };
      const ended = { ...going, inputEndedAt: earlier(run.inputEndedAt, event.at), endedAt: event.at, remarks: [...event.remarks] };
      return event.kind === 'sessionFailed' ? { ...ended, failure: { code: event.code, text: event.text } } : ended;
    }
  }
}

/** Computed again, it is the later one. */
export function withSynthesised(exam: ExamRecord, { at, series: facts }: Extract<ExamEvent, { kind: 'synthesised' }>): ExamRecord {
  const id = synthesisedSeriesId(facts.id);
  const known = exam.series[id];
  if (known?.synthesised !== undefined && known.synthesised.at > at) return exam;
  const { description, isSimulated } = facts;
  return withSeries(exam, {
    id,
    facts: { patient: {}, modality: 'MR', seriesDescription: description, ...(isSimulated && { isSimulated }) },
    openedAt: earlier(known?.openedAt, at),
    lastActivityAt: later(known?.lastActivityAt, at),
    runs: {},
    synthesised: { ...facts, at },
    deliveries: known?.deliveries ?? {},
  });
}

export function withReceivedComplete(exam: ExamRecord, id: string, at: number): ExamRecord {
  const series = exam.series[id];
  if (series?.received === undefined) return exam;
  const completeAt = later(series.received.completeAt, at);
  return withSeries(exam, { ...series, lastActivityAt: later(series.lastActivityAt, at), received: { ...series.received, completeAt } });
}

/** Of two reports, the later one; at the same time, the one that is further. */
const deliveryRank: Readonly<Record<DeliveryState, number>> = { queued: 0, dead: 1, delivered: 2 };

export function withDelivery(exam: ExamRecord, event: Extract<ExamEvent, { kind: 'delivered' }>): ExamRecord {
  const series = exam.series[event.seriesId];
  if (series === undefined) return exam;
  const known = series.deliveries[event.jobId];
  if (known !== undefined && (known.at > event.at || (known.at === event.at && deliveryRank[known.state] >= deliveryRank[event.state]))) return exam;
  const delivery = { destination: event.destination, state: event.state, at: event.at, ...failureOf(event) };
  return withSeries(exam, { ...series, deliveries: { ...series.deliveries, [event.jobId]: delivery } });
}

/** The first outcome of an offer stands. */
export function withAnalysis(exam: ExamRecord, { at, analysis }: Extract<ExamEvent, { kind: 'analysed' }>): ExamRecord {
  const known = exam.analyses?.[analysis.offerId];
  if (known !== undefined && known.at <= at) return exam;
  return { ...exam, analyses: { ...exam.analyses, [analysis.offerId]: { ...analysis, at } } };
}

/** The further one stands: a revision is confirmed after it was made, and its documents come where they go after that. */
export function withReading(exam: ExamRecord, { reading }: Extract<ExamEvent, { kind: 'read' }>): ExamRecord {
  const known = exam.readings?.[reading.offerId];
  if (known !== undefined && !isFurther(known, reading)) return exam;
  return { ...exam, readings: { ...exam.readings, [reading.offerId]: reading } };
}

function isFurther(known: ReadingFacts, next: ReadingFacts): boolean {
  const rankOf = ({ revision, state, delivery }: ReadingFacts) => [revision, state === 'confirmed' ? 1 : 0, delivery === undefined ? -1 : deliveryRank[delivery]];
  const [before, after] = [rankOf(known), rankOf(next)];
  const place = after.findIndex((rank, index) => rank !== before[index]);
  return place >= 0 && after[place]! > before[place]!;
}

export function withSettings(exam: ExamRecord, changes: readonly SettingChange[]): ExamRecord {
  const known = exam.settingChanges ?? [];
  const fresh = changes.filter(({ at, what, to }) => !known.some((one) => one.at === at && one.what === what && one.to === to));
  return fresh.length === 0 ? exam : { ...exam, settingChanges: [...known, ...fresh].sort((a, b) => a.at - b.at) };
}

export function withJob(exam: ExamRecord, jobId: string, job: JobRecord): ExamRecord {
  return { ...exam, jobs: { ...exam.jobs, [jobId]: job } };
}

export function failureOf({ code, text }: { readonly code?: string; readonly text?: string }): { failure?: Failure } {
  return code === undefined ? {} : { failure: { code, text: text ?? '' } };
}

/** Two that turned out to be one; what both know of a series is what either knows of it. */
export function merged(into: ExamRecord, other: ExamRecord): ExamRecord {
  const series = { ...into.series };
  for (const [id, theirs] of Object.entries(other.series)) {
    const ours = series[id];
    series[id] = ours === undefined ? theirs : mergedSeries(ours, theirs);
  }
  const both: ExamRecord = {
    ...into, formerIds: [...new Set([...into.formerIds, other.id, ...other.formerIds])].sort(), series, jobs: { ...other.jobs, ...into.jobs },
    ...((into.analyses ?? other.analyses) !== undefined && { analyses: { ...other.analyses, ...into.analyses } }),
    ...((into.readings ?? other.readings) !== undefined && { readings: { ...other.readings, ...into.readings } }),
  };
  return withSettings(both, other.settingChanges ?? []);
}

function mergedSeries(a: SeriesRecord, b: SeriesRecord): SeriesRecord {
  const [first, second] = a.openedAt <= b.openedAt ? [a, b] : [b, a];
  return { ...second, ...first, lastActivityAt: later(a.lastActivityAt, b.lastActivityAt), runs: { ...second.runs, ...first.runs }, deliveries: { ...second.deliveries, ...first.deliveries } };
}

function withSeries(exam: ExamRecord, series: SeriesRecord): ExamRecord {
  return { ...exam, series: { ...exam.series, [series.id]: series } };
}
