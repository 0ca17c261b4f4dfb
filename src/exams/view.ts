/** What follows from the record of an exam: states, roles, promises, actions. A pure function of record, protocols and time. */
import { examTimingOf, synthesisDescription, synthesisId } from '../../protocols/index.js';
import type { Protocol } from '../../protocols/index.js';
import { EXAM_ERRORS, EXAM_NOTES } from './errors.js';
import type { ReadingFacts } from './events.js';
import { withoutEmpty } from './facts.js';
import type { SourceFacts } from './facts.js';
import { chooseProtocol, recogniseSeries } from './protocolChoice.js';
import type { Recognition } from './protocolChoice.js';
import { inOrder, lastActivityOf } from './record.js';
import type { ExamRecord, RunRecord, SeriesRecord } from './record.js';
import { priorities } from './schema.js';
import type { ActionView, ExamSettings, ExamView, PromiseView, Reason, SeriesView } from './schema.js';
import { settingsOf, switchedOff } from './settings.js';
import { synthesisJobId, synthesisJobIdOf, wantedJobs, whatOf } from './wanted.js';
import type { JobRequest, WantedJob } from './wanted.js';

export interface ExamRules {
  /** With resolved inversion times. */
  readonly protocols: readonly Protocol[];
  /** The one that every exam is of, where a site has one only. */
  readonly protocol?: string;
  /** An exam without a protocol is over when nothing was heard for so long. */
  readonly quietMs: number;
}

/** A job whose series are complete and that nobody was asked for yet. */
export interface ReadyJob {
  readonly id: string;
  readonly request: JobRequest;
  /** Ids of series of the exam, in the order of the request. */
  readonly seriesIds: readonly string[];
}

export interface Derived {
  readonly view: ExamView;
  readonly ready: readonly ReadyJob[];
}

type ReasonCode = keyof typeof EXAM_NOTES | keyof typeof EXAM_ERRORS;
const because = (code: ReasonCode, text: string): Reason => ({ code, text: `${text}; ${({ ...EXAM_NOTES, ...EXAM_ERRORS })[code].action}` });
const minutes = (ms: number) => `${Math.round(ms / 60_000)} min`;

export function derive(exam: ExamRecord, rules: ExamRules, now: number): Derived {
  const records = inOrder(exam);
  const choice = chooseProtocol(exam, rules.protocols, rules.protocol);
  const { protocol } = choice;
  const settings = settingsOf(exam);
  const off = switchedOffJobs(protocol, exam, settings);
  const series = records.map((record) => seriesView(record, recogniseSeries(record, choice)));
  const openedAt = records[0]!.openedAt;
  const scanned = protocol === undefined ? [] : scannedPromises(protocol, series, openedAt, now);
  const synthesised = protocol === undefined ? [] : synthesisedPromises(protocol, exam, scanned, series, off);
  const promises = [...scanned, ...synthesised];
  const wanted = wantedJobs(protocol);
  const ready = wanted.flatMap((job) => (off.has(job.id) ? [] : readyJob(job, exam, promises)));
  const actions = actionViews(wanted, exam, promises, off);
  const head = {
    id: exam.id,
    formerIds: [...exam.formerIds],
    openedAt,
    lastActivityAt: lastActivityOf(exam),
    patient: mergedFacts(records, ({ patient }) => patient),
    study: mergedFacts(records, studyOf),
    ...(protocol !== undefined && { protocol: { name: protocol.name, title: protocol.title } }),
    protocolCandidates: protocol === undefined ? choice.candidates.map(({ name }) => name) : [],
    remarks: remarksOn(records),
    settings,
    ...analysesOf(exam),
  };
  const isWanted = ({ id }: PromiseView | ActionView) => !off.has(id) && !off.has(synthesisJobIdOf(id));
  const state = stateOf(series, promises.filter(isWanted), actions.filter(isWanted), protocol === undefined && now - head.lastActivityAt < rules.quietMs);
  return { view: { ...head, state, series, promises, actions }, ready };
}

/** Syntheses that the operator does without, by their jobs; what was begun before is not among them. */
function switchedOffJobs(protocol: Protocol | undefined, exam: ExamRecord, settings: ExamSettings): ReadonlyMap<string, Reason> {
  const off = (protocol?.synthesise ?? []).flatMap((synthesis): [string, Reason][] => {
    const id = synthesisJobId(synthesis);
    const change = exam.jobs[id] === undefined ? switchedOff(synthesis, settings) : undefined;
    return change === undefined ? [] : [[id, because('CONUS_INFO_EXAM_SWITCHED_OFF', `${change.by} switched it off`)]];
  });
  return new Map(off);
}

/** The latest last; the most pressing priority of those that propose one, as a reader left it. */
function analysesOf({ analyses = {}, readings = {} }: ExamRecord): Pick<ExamView, 'analyses' | 'priority' | 'reading'> {
  const inOrderOfTime = Object.values(analyses).sort((a, b) => a.at - b.at || (a.offerId < b.offerId ? -1 : 1));
  const proposed = inOrderOfTime.flatMap(({ offerId, priority }) => readings[offerId]?.priority ?? priority ?? []);
  const readable = inOrderOfTime.filter(({ results }) => results.includes('report'));
  const [reading, earlier] = readable.reverse().map(({ offerId, at }) => readings[offerId] ?? { state: 'draft' as const, revision: 0, at });
  const priority = priorities.flatMap((level) => proposed.findLast((one) => one.level === level) ?? [])[0];
  return {
    analyses: inOrderOfTime.map(({ priority: own, tasks, results, ...analysis }) => ({ ...analysis, tasks: [...tasks], results: [...results], ...(own !== undefined && { priority: { ...own } }) })),
    ...(priority !== undefined && { priority: { ...priority } }),
    ...(reading !== undefined && { reading: readingView(reading, earlier) }),
  };
}

type KnownReading = ReadingFacts | { readonly state: 'draft'; readonly revision: number; readonly at: number };

/** With what became of the one before, where the exam was analysed again. */
function readingView(reading: KnownReading, earlier: KnownReading | undefined): NonNullable<ExamView['reading']> {
  const told = (known: KnownReading) => ({ state: known.state, at: known.at, ...('by' in known && { by: known.by }) });
  return {
    ...told(reading), revision: reading.revision,
    ...('delivery' in reading && reading.delivery !== undefined && { delivery: reading.delivery }),
    ...(earlier !== undefined && { earlier: told(earlier) }),
  };
}

function seriesView(record: SeriesRecord, { role, series, candidates }: Recognition): SeriesView {
  const { facts, received, synthesised } = record;
  const run = decisiveRun(record);
  const progress: Progress = synthesised !== undefined ? { state: 'complete' } : run === undefined ? receivedProgress(received) : runProgress(run);
  const deliveries = Object.entries(record.deliveries)
    .map(([jobId, { destination, state, at, failure }]) => ({ jobId, destination, state, at, ...(failure !== undefined && { reason: { ...failure } }) }))
    .sort((a, b) => a.at - b.at || (a.jobId < b.jobId ? -1 : 1));
  const isDelivered = progress.state === 'complete' && deliveries.length > 0 && deliveries.every(({ state }) => state === 'delivered');
  const endedAt = synthesised?.at ?? (run === undefined ? received?.completeAt : run.endedAt);
  return {
    id: record.id,
    source: synthesised !== undefined ? 'synthesis' : received === undefined ? 'scan' : 'dicom',
    ...withoutEmpty({ number: facts.seriesNumber, description: facts.seriesDescription, role: synthesised?.contrast ?? role, protocolSeries: synthesised?.id ?? series?.id }),
    candidates: series === undefined ? [...candidates] : [],
    ...progress,
    ...(isDelivered && { state: 'delivered' as const }),
    openedAt: record.openedAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(run !== undefined && { lines: { nAcquired: run.nLines, ...(facts.nLines !== undefined && { nExpected: facts.nLines }) } }),
    outputs: synthesised !== undefined ? synthesisedOutputs(synthesised) : run === undefined ? receivedOutputs(received) : outputsOf(run, facts),
    nAttempts: Object.keys(record.runs).length,
    remarks: run === undefined ? [] : [...run.remarks],
    ...(run?.denoising !== undefined && { denoising: { ...run.denoising } }),
    ...(synthesised !== undefined && { reasons: synthesised.reasons.map(({ code, text }) => ({ code, text })) }),
    deliveries,
    facts: withoutEmpty({
      modality: facts.modality, orientation: facts.orientation ?? record.orientation, trMs: facts.trMs, teMs: facts.teMs, tiMs: facts.tiMs,
      acceleration: facts.acceleration, fieldStrengthT: facts.fieldStrengthT, isSimulated: facts.isSimulated,
    }),
  };
}

/** A series that was once complete stays so, whatever becomes of a later attempt; else the latest attempt counts. */
function decisiveRun({ runs }: SeriesRecord): RunRecord | undefined {
  const latestFirst = Object.values(runs).sort((a, b) => b.openedAt - a.openedAt || (a.sessionId < b.sessionId ? 1 : -1));
  return latestFirst.find((run) => runProgress(run).state === 'complete') ?? latestFirst[0];
}

type Progress = Pick<SeriesView, 'state' | 'reason'>;

function runProgress(run: RunRecord): Progress {
  if (run.failure !== undefined) return { state: 'failed', reason: { ...run.failure } };
  if (run.endedAt !== undefined) {
    const hasImages = Object.values(run.outputs).some(({ nImages }) => nImages > 0);
    return hasImages ? { state: 'complete' } : { state: 'failed', reason: because('CONUS_ERR_EXAM_NO_IMAGES', `no image came of ${run.nLines} lines`) };
  }
  return { state: run.inputEndedAt === undefined ? 'scanning' : 'reconstructing' };
}

function receivedProgress(received: SeriesRecord['received']): Progress {
  return { state: received?.completeAt === undefined ? 'receiving' : 'complete' };
}

function outputsOf({ outputs }: RunRecord, { nImages: nExpected }: SourceFacts): SeriesView['outputs'] {
  return Object.entries(outputs)
    .map(([kind, { nImages, light }]) => {
      const isCounted = nExpected !== undefined && kind !== 'coilMap' && kind !== 'psf';
      return { kind, nImages, ...(isCounted && { nExpected }), ...(light !== undefined && { light }) };
    })
    .sort((a, b) => (a.kind < b.kind ? -1 : 1));
}

const receivedOutputs = (received: SeriesRecord['received']): SeriesView['outputs'] => [{ kind: 'image', nImages: received?.sopInstanceUids.length ?? 0 }];

/** All of them are as good as the pair that they are from. */
const synthesisedOutputs = ({ outputs, light }: NonNullable<SeriesRecord['synthesised']>): SeriesView['outputs'] =>
  Object.entries(outputs).map(([kind, nImages]) => ({ kind, nImages, light })).sort((a, b) => (a.kind < b.kind ? -1 : 1));

const turns = new WeakMap<Protocol, readonly number[]>();

/** When the turn of each series is over, ms after the begin of the exam. Computed once a protocol: it counts lines. */
function turnsOf(protocol: Protocol): readonly number[] {
  let known = turns.get(protocol);
  if (known === undefined) {
    let end = 0;
    known = examTimingOf(protocol).series.map(({ totalMs }) => (end += totalMs));
    turns.set(protocol, known);
  }
  return known;
}

const isThere = ({ state }: Pick<SeriesView, 'state'>) => state === 'complete' || state === 'delivered';

function scannedPromises(protocol: Protocol, series: readonly SeriesView[], openedAt: number, now: number): PromiseView[] {
  const { lateAfterMin, missingAfterMin } = protocol.deadlines;
  const overAfterMs = turnsOf(protocol);
  return protocol.series.map(({ id, role, seriesDescription }, index) => {
    const dueAt = openedAt + overAfterMs[index]!;
    const times = { dueAt, lateAt: dueAt + lateAfterMin * 60_000, missingAt: dueAt + missingAfterMin * 60_000 };
    const base = { id, origin: 'scanned' as const, role, description: seriesDescription, ...times };
    const own = series.filter(({ protocolSeries }) => protocolSeries === id);
    const kept = own.find(isThere) ?? own.at(-1);
    if (kept !== undefined) return { ...base, seriesId: kept.id, ...keptPromise(kept) };
    const doubtful = series.filter(({ candidates }) => candidates.length > 1 && candidates.includes(id));
    return { ...base, ...openPromise(times, openedAt, doubtful, now) };
  });
}

function keptPromise(series: SeriesView): Pick<PromiseView, 'state' | 'reason'> {
  if (isThere(series)) return { state: 'came', reason: { code: 'CONUS_INFO_EXAM_AWAITED', text: 'it came' } };
  if (series.state === 'failed') return { state: 'failed', reason: series.reason ?? because('CONUS_ERR_EXAM_ACTION', 'it failed') };
  return { state: 'underway', reason: { code: 'CONUS_INFO_EXAM_AWAITED', text: series.state } };
}

function openPromise(
  { dueAt, lateAt, missingAt }: { dueAt: number; lateAt: number; missingAt: number }, openedAt: number, doubtful: readonly SeriesView[], now: number,
): Pick<PromiseView, 'state' | 'reason'> {
  const state = now >= missingAt ? 'missing' : now >= lateAt ? 'late' : 'awaited';
  if (doubtful.length > 0) {
    const numbers = doubtful.map(({ id, description }) => description ?? id).join(', ');
    return { state, reason: because('CONUS_WARN_EXAM_NOT_TOLD', `it may be ${numbers}, which could be ${doubtful[0]!.candidates.join(' or ')} as well`) };
  }
  if (state === 'awaited') return { state, reason: because('CONUS_INFO_EXAM_AWAITED', `its turn is over ${minutes(dueAt - openedAt)} after the begin of the exam`) };
  const since = `${minutes(now - dueAt)} after its turn was over, no such series has come`;
  return { state, reason: state === 'late' ? because('CONUS_WARN_EXAM_LATE', since) : because('CONUS_WARN_EXAM_MISSING', since) };
}

function synthesisedPromises(
  protocol: Protocol, exam: ExamRecord, scanned: readonly PromiseView[], series: readonly SeriesView[], off: ReadonlyMap<string, Reason>,
): PromiseView[] {
  return protocol.synthesise.map((synthesis) => {
    const base = { id: synthesisId(synthesis), origin: 'synthesised' as const, role: synthesis.contrast, description: synthesisDescription(synthesis) };
    const jobId = synthesisJobId(synthesis);
    const job = exam.jobs[jobId];
    const isOff = off.get(jobId);
    if (isOff !== undefined) return { ...base, state: 'notAvailable' as const, reason: isOff };
    if (job === undefined) return { ...base, ...waitingFor(synthesis.fromSeries, scanned) };
    const reason = job.failure ?? { code: 'CONUS_INFO_EXAM_AWAITED', text: job.state === 'done' ? 'it came' : 'it is being computed' };
    const state = job.state === 'done' ? 'came' : job.state === 'failed' || job.state === 'notAvailable' ? job.state : 'underway';
    const made = series.find(({ source, protocolSeries }) => source === 'synthesis' && protocolSeries === base.id);
    return { ...base, state, ...(made !== undefined && { seriesId: made.id }), reason: { ...reason } };
  });
}

/** What is not there is as late as the latest of what it waits for. */
function waitingFor(needs: readonly string[], promises: readonly PromiseView[]): { state: 'awaited' | 'late' | 'missing'; reason: Reason } {
  const open = needs.flatMap((id) => promises.filter((promise) => promise.id === id && promise.state !== 'came'));
  const isAny = (...states: PromiseView['state'][]) => open.some(({ state }) => states.includes(state));
  const state = isAny('missing', 'failed', 'notAvailable') ? 'missing' : isAny('late') ? 'late' : 'awaited';
  const told = open.map(({ id, state: itsState }) => `${id}, which is ${stateWords[itsState]}`).join('; for ');
  return { state, reason: because('CONUS_WARN_EXAM_INPUT', `it waits for ${told}`) };
}

const stateWords: Readonly<Record<PromiseView['state'], string>> = {
  awaited: 'still to come', late: 'late', missing: 'missing', underway: 'underway', came: 'there', failed: 'failed', notAvailable: 'not available here',
};

function readyJob({ id, request, needs, takesAlong = [] }: WantedJob, exam: ExamRecord, promises: readonly PromiseView[]): ReadyJob[] {
  if (exam.jobs[id] !== undefined) return [];
  const [kept, along] = [needs, takesAlong].map((ids) => ids.map((one) => promises.find((promise) => promise.id === one))) as [Found[], Found[]];
  if (!kept.every((promise) => promise?.state === 'came') || along.some((promise) => promise !== undefined && openStates.has(promise.state))) return [];
  const there = along.filter((promise) => promise?.state === 'came');
  return [{ id, request, seriesIds: [...kept, ...there].flatMap((promise) => promise?.seriesId ?? []) }];
}

type Found = PromiseView | undefined;
/** Of promises that may still be kept. */
const openStates: ReadonlySet<PromiseView['state']> = new Set<PromiseView['state']>(['awaited', 'late', 'underway']);

function actionViews(wanted: readonly WantedJob[], exam: ExamRecord, promises: readonly PromiseView[], off: ReadonlyMap<string, Reason>): ActionView[] {
  return wanted.map(({ id, request, needs }) => {
    const job = exam.jobs[id];
    const base = { id, kind: request.kind, what: whatOf(request), series: [...needs] };
    const isOff = off.get(id);
    if (isOff !== undefined) return { ...base, state: 'notAvailable', reason: isOff };
    if (job === undefined) return { ...base, state: 'waiting', reason: waitingFor(needs, promises).reason };
    return { ...base, state: job.state, ...(job.failure !== undefined && { reason: { ...job.failure } }) };
  });
}

function stateOf(series: readonly SeriesView[], promises: readonly PromiseView[], actions: readonly ActionView[], mayGoOn: boolean): ExamView['state'] {
  const isBusy = series.some(({ state }) => state === 'scanning' || state === 'reconstructing' || state === 'receiving');
  const isAwaited = promises.some(({ state }) => state === 'awaited' || state === 'late' || state === 'underway');
  const isWorking = actions.some(({ state }) => state === 'offered' || state === 'running');
  if (mayGoOn || isBusy || isAwaited || isWorking) return 'active';
  const isWhole = series.every(isThere) && promises.every(({ state }) => state === 'came') && actions.every(({ state }) => state === 'done');
  return isWhole ? 'complete' : 'incomplete';
}

function studyOf(facts: SourceFacts): ExamView['study'] {
  return withoutEmpty({
    instanceUid: facts.studyInstanceUid, id: facts.studyId, description: facts.studyDescription,
    accessionNumber: facts.accessionNumber, bodyPart: facts.bodyPart, station: facts.station,
  });
}

/** Of every fact, what the earliest series tells. */
function mergedFacts<Facts extends object>(records: readonly SeriesRecord[], of: (facts: SourceFacts) => Facts): Facts {
  return records.reduceRight<Facts>((sum, { facts }) => ({ ...sum, ...of(facts) }), {} as Facts);
}

function remarksOn(records: readonly SeriesRecord[]): Reason[] {
  const ids = new Set(records.flatMap(({ facts }) => facts.patient.id ?? []));
  return ids.size > 1 ? [because('CONUS_WARN_EXAM_PATIENT', `${ids.size} patients in one study`)] : [];
}
