/**
 * The one place that wires the service. Parts are started in the order in which they need one another and closed in
 * reverse; each has its slot below. A part that is missing (no data folder, no HTTP port) is simply not there.
 *
 *   data folder -> spool, queue -> models -> exams -> outbox, synthesis, DICOM, hand-off -> HTTP and live channel -> MRD
 *
 * MRD comes last, so that no scan is taken before whoever looks on is there, and is closed first, so that what the
 * last sessions bring still finds everybody in place.
 */
import type { ChoiceOptions } from '../chain/index.js';
import type { DicomConfig } from '../config/dicom.js';
import { analysisSection } from '../config/analysis.js';
import type { AnalysisConfig } from '../config/analysis.js';
import { handoffSection } from '../config/handoff.js';
import type { HandoffConfig } from '../config/handoff.js';
import { synthesisSection } from '../config/synthesis.js';
import type { SynthesisConfig } from '../config/synthesis.js';
import type { CommitmentReports } from '../dicom/index.js';
import { Doors } from '../doors/index.js';
import type { DoorOptions } from '../doors/index.js';
import { meaningOf } from '../errors.js';
import type { ExamKeeper } from '../exams/index.js';
import { controlRoutes, examRoutes, pictureRoutes, readPage } from '../http/index.js';
import { LIVE_PATH, LIVE_PROTOCOL, LiveChannel } from '../live/index.js';
import { Denoising } from '../denoising/index.js';
import type { CtScanner, DenoisingOptions } from '../denoising/index.js';
import type { SessionKeeper } from '../keeping/index.js';
import type { Logger } from '../log.js';
import type { LogRing } from '../logRing.js';
import type { Metrics } from '../metrics.js';
import { NoiseStore } from '../noise/index.js';
import { defaultPolicy } from '../outbox/index.js';
import { ReconstructionPool } from '../reconstruction/index.js';
import type { ReconstructionPoolOptions } from '../reconstruction/index.js';
import { defaultConnectionOptions, listening, MrdServer } from '../server/index.js';
import type { Address } from '../server/index.js';
import { joinObservers, warmUpAnswers } from '../session/index.js';
import type { SessionObserver } from '../session/index.js';
import { fixedStrength, guideOf, standardStrength } from './control.js';
import type { ClusterNode } from './cluster.js';
import { startData } from './data.js';
import type { DataOptions } from './data.js';
import { startDelivery } from './delivery.js';
import type { DeliveryOptions } from './delivery.js';
import { ExamJobs } from './examJobs.js';
import { openExams } from './exams.js';
import type { ExamOptions } from './exams.js';
import { startDicom } from './dicom.js';
import type { DicomPart } from './dicom.js';
import { openAnalysis } from './analysis.js';
import { openHandoff } from './handoff.js';
import type { HandoffPart } from './handoff.js';
import { startHttp } from './http.js';
import { Parts } from './parts.js';
import { openOperations } from './operations.js';
import { openPhysics } from './physics.js';
import { SeriesPictures } from './pictures.js';
import { deliverByProtocol } from './protocolDelivery.js';
import { openReconstruct } from './reconstruct.js';
import { openReadings } from './reading.js';
import type { ReadingPart } from './reading.js';
import { Readiness } from './readiness.js';
import { keptSyntheses, openSynthesis } from './synthesis.js';
import type { SynthesisPart } from './synthesis.js';

export interface ServiceOptions extends ChoiceOptions, ReconstructionPoolOptions {
  readonly host: string;
  readonly port: number;
  readonly denoising?: Omit<DenoisingOptions, 'notice'>;
  /** CT scanners whose noise is known by dose and kernel. */
  readonly ctScanners?: readonly CtScanner[];
  readonly saveRaw?: string;
  /** Folder of noise measurements that are kept between sessions. */
  readonly noiseStoreFolder?: string;
  readonly maxSessions: number;
  readonly idleTimeoutS: number;
  readonly stallTimeoutS: number;
  /** Exams, live channel, health and metrics; none of them where it is absent. */
  readonly http?: Address;
  /** What must survive the process is kept there; nothing is where it is absent. */
  readonly data?: DataOptions;
  /** Where images go beside the wire; needs a data folder. */
  readonly delivery?: DeliveryOptions;
  /** The receiver of DICOM images, which needs a data folder, and the reports that senders wait for. */
  readonly dicom?: { readonly config: DicomConfig; readonly reports: CommitmentReports };
  /** What stands before whoever comes from elsewhere; nothing may where it is absent. */
  readonly doors?: DoorOptions;
  readonly exams?: ExamOptions;
  /** Downstream stages; they need a data folder. */
  readonly handoff?: HandoffConfig;
  /** Contrasts that are computed; they need a data folder. */
  readonly synthesis?: SynthesisConfig;
  /** The stage of the house; it needs a data folder. */
  readonly analysis?: AnalysisConfig;
  /** What was logged lately, for whoever looks after the service. */
  readonly logRing?: LogRing;
}

const noDelivery: DeliveryOptions = { destinations: new Map(), destinationsFor: () => [], policy: defaultPolicy };

/** What it takes until the optimised machine code of everything a scan needs is there. */
const WARM_UP_MS = 500;

/** How long sessions may go on after the process was asked to stop. */
const GRACE_MS = 10_000;

export interface Service {
  readonly address: Address;
  readonly httpAddress: Address | undefined;
  readonly dicomAddress: Address | undefined;
  /** Of a token that was made, to be shown once. */
  readonly madeToken: string | undefined;
  /** Whether it wants work; an operator may have it drain, and think better of it. */
  readonly readiness: Readiness;
  /** Resolves with why it cannot go on, where that comes to pass; it is to be closed and started anew. */
  readonly lost: Promise<unknown>;
  /** Takes no more, lets open sessions end within the grace, and closes every part. */
  close(graceMs?: number): Promise<void>;
}

/** @throws CodedError SPOOL_ERR_*, CLUSTER_ERR_*, RECON_ERR_SELF_TEST, CONUS_ERR_DOOR_*, CONUS_ERR_LISTEN */
export function startService(options: ServiceOptions, log: Logger, metrics: Metrics): Promise<Service> {
  return start(options, true, log, metrics) as Promise<Service>;
}

/** Does jobs only: no door for scans or DICOM, of HTTP what watches it and what stages answer. @throws as startService */
export function startWorker(options: ServiceOptions, log: Logger, metrics: Metrics): Promise<Worker> {
  return start(options, false, log, metrics);
}

/** A service without an address for scans. */
export type Worker = Omit<Service, 'address'>;

async function start(options: ServiceOptions, takesScans: boolean, log: Logger, metrics: Metrics): Promise<Worker & { readonly address: Address | undefined }> {
  const parts = new Parts();
  const readiness = new Readiness();
  metrics.watchReadiness(() => readiness.phase === 'ready' && parts.isFine);
  const doors = await Doors.open(options.doors);
  if (takesScans) doors.check('mrd', options.host);
  try {
    // Those who look on at every session; each part adds its own.
    const lookOn: ((sessionId: string) => SessionObserver)[] = [];

    const data = options.data === undefined ? undefined : await startData(options.data, log, metrics);
    const isCommon = data?.cluster !== undefined;
    if (data !== undefined) parts.add(data.part, isCommon);
    const denoising = await Denoising.open({ ...options.denoising, notice: ({ code, message }) => log.warn({ code }, message) });
    parts.add({ name: 'models', trouble: () => denoising.trouble, close: () => Promise.resolve(denoising.close()) });
    metrics.watchModels(() => denoising.host.health());
    void warmUp(denoising, log);

    const pool = new ReconstructionPool({ warmUpMs: WARM_UP_MS, ...options });
    parts.add({ name: 'reconstruction', close: () => pool.close() });

    // Nobody could look at exams that are neither kept nor shown.
    const exams = options.http === undefined && data === undefined ? undefined : parts.add(await openExams(options.exams ?? {}, data?.spool, log, fixedStrength(options), data?.cluster?.exams), isCommon);
    if (exams !== undefined) {
      lookOn.push((sessionId) => exams.observe(sessionId));
      metrics.watchExams(() => exams.book.exams.map(({ state }) => state));
    }
    const physics = exams === undefined ? undefined : openPhysics(exams, data?.spool);
    if (physics !== undefined) lookOn.unshift(physics.observe);

    const delivery = data === undefined ? undefined : await startDelivery(data, options.delivery ?? noDelivery, exams, log, metrics);
    if (delivery !== undefined) parts.add(delivery.part, isCommon);
    let httpAddress: Address | undefined;
    let dicom: DicomPart | undefined;
    let handoff: HandoffPart | undefined;
    let readings: ReadingPart | undefined;
    let synthesis: SynthesisPart | undefined;
    let pictures = exams === undefined ? undefined : new SeriesPictures(exams, undefined);
    if (data !== undefined && exams !== undefined && delivery !== undefined) {
      const syntheses = keptSyntheses(data.spool);
      const kept = {
        spool: data.spool, exams, keeper: delivery.keeper,
        received: (seriesInstanceUid: string) => dicom?.instancesOf(seriesInstanceUid) ?? [],
        // An exam that turned out to be another one has the syntheses of both.
        synthesised: (examId: string, seriesId: string) => [examId, ...exams.exam(examId).formerIds].map((id) => syntheses.get([id, seriesId])).find((found) => found !== undefined),
      };
      const shown = new SeriesPictures(exams, kept);
      pictures = shown;
      const { destinations, destinationsFor, enhanced = false } = options.delivery ?? noDelivery;
      const jobs = new ExamJobs({ exams, queue: data.queue, caughtUp: data.caughtUp, log });
      deliverByProtocol(kept, (name) => destinations.has(name));
      synthesis = openSynthesis(options.synthesis ?? synthesisSection.parse({}), { ...kept, jobs, host: denoising.host, destinationsFor, enhanced, log, pictures: shown, isShared: data.cluster !== undefined });
      if (synthesis !== undefined) {
        const { observe } = parts.add(synthesis);
        lookOn.unshift(observe);
      }
      const analyst = openAnalysis(options.analysis ?? analysisSection.parse({}), denoising.host, log);
      if (analyst !== undefined) parts.add(analyst.part);
      if (options.handoff !== undefined || analyst !== undefined) {
        const ownUrl = () => (httpAddress === undefined ? undefined : urlOf(httpAddress, doors.tls !== undefined));
        handoff = parts.add(await openHandoff(options.handoff ?? handoffSection.parse({}), { ...kept, jobs, boot: data.cluster?.boot, destinations, destinationsFor, ownUrl, log, own: analyst?.stage }));
        readings = parts.add(openReadings({ ...kept, handoff, destinationsFor, log }));
      }
    }
    if (data !== undefined) {
      // Closed before those who do its jobs.
      const { queue } = data;
      parts.add({ name: 'jobs', trouble: () => queue.trouble(), close: () => queue.close() }, isCommon);
    }
    if (options.dicom !== undefined && takesScans) {
      const { config, reports } = options.dicom;
      dicom = await startDicom(config, { spool: data?.spool, exams, reports, results: handoff?.results, metrics, log });
      if (dicom !== undefined) parts.add(dicom);
    }

    let http: Awaited<ReturnType<typeof startHttp>> | undefined;
    if (options.http !== undefined && exams !== undefined && pictures !== undefined) {
      const live = new LiveChannel({ exams, doors, log, host: options.http.host });
      const liveInfo = () => ({ path: LIVE_PATH, protocol: LIVE_PROTOCOL, epoch: live.epoch, latestSequence: live.latestSequence });
      const control = controlRoutes({ exams, standardOf: standardStrength(options, denoising.standards), meaningOf });
      const { destinations } = options.delivery ?? noDelivery;
      const operations = openOperations({
        health: () => parts.health(), spool: data?.spool, queue: data?.queue, cluster: data?.cluster, destinations, models: denoising.host, picturesBytes: () => exams.pictureBytes,
        sessionsOpen: () => metrics.nSessionsOpen, logRing: options.logRing, log,
      });
      const plugins = [
        examRoutes(exams, liveInfo, handoff?.resultOf), control, pictureRoutes(pictures), physics?.routes, handoff?.routes, readings?.routes, operations,
      ].filter((plugin) => plugin !== undefined);
      http = await startHttp(options.http, { doors, metrics, log, health: () => parts.health(), isFine: () => parts.isFine, phase: () => readiness.phase, ...(takesScans ? { page: readPage(), plugins } : { plugins: handoff === undefined ? [] : [handoff.routes] }) }, (server) => live.attach(server));
      parts.add(http.part);
      httpAddress = http.address;
      // Closed before HTTP, which waits for every connection.
      parts.add(live);
    }
    // Of every session, be it of a scan or of raw data that are reconstructed again.
    const sessions = {
      ...choiceOf(options),
      reconstructions: pool,
      denoisers: denoising,
      ctScanners: options.ctScanners ?? [],
      standards: denoising.standards,
      ...(options.noiseStoreFolder === undefined ? {} : { noiseStore: new NoiseStore(options.noiseStoreFolder) }),
      ...(exams !== undefined && { guide: guideOf(exams, log) }),
      onlookerMaps: exams === undefined ? [] : (options.exams?.maps ?? []),
    };
    const observe = (id: string) => joinObservers(lookOn.map((observerOf) => observerOf(id)), (error) => lookingOnFailed(error, id, log));
    if (data !== undefined && delivery !== undefined) openReconstruct({ queue: data.queue, keeper: delivery.keeper, session: sessions, observe, log });
    handoff?.start();
    data?.queue.start();
    exams?.start();
    if (data?.cluster !== undefined) await joinOthers(data.cluster, { exams, keeper: delivery?.keeper, handoff });
    readings?.start();

    // A machine that computes wrongly must not take a scan, and the first scan must not wait for compilers.
    if (takesScans) warmUpAnswers(choiceOf(options), WARM_UP_MS / 2);
    await pool.ready();
    const server = !takesScans ? undefined : new MrdServer({
      ...defaultConnectionOptions,
      ...options,
      idleTimeoutMs: options.idleTimeoutS * 1000,
      stallTimeoutMs: options.stallTimeoutS * 1000,
      ...sessions,
      admits: (remoteAddress) => doors.admitsMrd(remoteAddress),
      ...(delivery !== undefined && { keeper: delivery.keeper }),
      ...(synthesis !== undefined && { epilogueOf: synthesis.epilogueOf }),
      observe,
      log,
      metrics,
    });
    const address = server === undefined ? undefined : await listening(options, () => server.listen(options.port, options.host));
    readiness.started();
    return {
      address,
      readiness,
      lost: data?.cluster?.lost ?? new Promise(() => undefined),
      httpAddress,
      dicomAddress: dicom?.address,
      madeToken: doors.madeToken,
      close: async (graceMs = GRACE_MS) => {
        readiness.drain();
        await server?.close(graceMs);
        await parts.close();
      },
    };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** What a node that is no more had begun is seen to. */
async function joinOthers({ onTakeOver, start }: ClusterNode, { exams, keeper, handoff }: { exams: ExamKeeper | undefined; keeper: SessionKeeper | undefined; handoff: HandoffPart | undefined }): Promise<void> {
  onTakeOver(async (boot) => {
    const session = (id: string) => keeper?.session(id);
    await exams?.takeOver((id) => session(id)?.boot === boot, (id) => session(id)?.state === 'acknowledged' && session(id)?.errorCode === undefined);
    await keeper?.takeOver(boot);
    await handoff?.takeOver(boot);
  });
  await start(exams?.protocols ?? []);
}

/** Beside the start: a scan that comes before it is done waits for it like for any run. */
async function warmUp(denoising: Denoising, log: Logger): Promise<void> {
  await denoising.warmUp();
  for (const { id, state, reason } of denoising.host.entries) {
    if (state === 'ready') log.info({ model: id }, 'model ready');
    else log.warn({ model: id, code: reason?.code }, reason?.message ?? state);
  }
}

/** What was asked of the service for all sessions. */
const choiceOf = ({ overrides, implied, chain }: ChoiceOptions): ChoiceOptions => ({
  ...(overrides !== undefined && { overrides }), ...(implied !== undefined && { implied }), ...(chain !== undefined && { chain }),
});

/** Where a browser finds it. */
export const urlOf = ({ host, port }: Address, isSecure: boolean) => `${isSecure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** The session goes on; what is thrown may quote a header, so only where it came from is kept. */
function lookingOnFailed(error: unknown, session: string, log: Logger): void {
  const stack = error instanceof Error ? error.stack?.split('\n').filter((line) => line.startsWith('    at ')) : undefined;
  log.error({ session, stack }, 'an observer of the session failed');
}
