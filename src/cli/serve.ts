/** `conus serve`: the service, until the process is asked to stop. */
import { hostname } from 'node:os';
import { CodedError } from 'ismrmrd';
import type { ChoiceOptions } from '../chain/index.js';
import { clusterError } from '../cluster/index.js';
import type { Config } from '../config/index.js';
import { CommitmentReports } from '../dicom/index.js';
import { rawFolderIn } from '../keeping/index.js';
import { createLog } from '../log.js';
import type { Logger, LogLevel } from '../log.js';
import { LogRing } from '../logRing.js';
import { Metrics } from '../metrics.js';
import { deliveryOf, quotaOf, startService, startWorker, urlOf } from '../service/index.js';
import type { ClusterOptions, ServiceOptions, Worker } from '../service/index.js';
import { VERSION } from '../version.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { defined } from './optionValues.js';

export interface ServeOptions extends ServiceOptions {
  readonly logLevel: LogLevel;
  /** How long it goes on when it is asked to stop, until the balancer has noticed. */
  readonly drainS: number;
  /** How long sessions may go on after that. */
  readonly graceS: number;
  /** Prints the addresses as JSON on stdout once they are listened on. */
  readonly json: boolean;
}

/** What stands on the command line of `conus serve`, beside chain and pool. */
export interface ServeFlags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly data?: string;
  readonly deliverTo: readonly string[];
  readonly saveRaw?: string | true;
  readonly noiseStore?: string;
  readonly maxSessions?: number;
  readonly idleTimeout?: number;
  readonly stallTimeout?: number;
  readonly http?: number;
  readonly httpHost?: string;
  readonly dicomPort?: number;
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

/** Flags win over the configuration. @throws CodedError CONUS_ERR_RAW_FOLDER, CONUS_ERR_NO_DATA_FOLDER, DICOM_ERR_DESTINATION */
export async function serveOptionsOf(flags: ServeFlags, config: Config): Promise<Omit<ServeOptions, keyof ChoiceOptions>> {
  const { mrd, http, doors, spool } = config;
  const dicom = flags.dicomPort === undefined ? config.dicom : { ...config.dicom, receiver: { ...config.dicom.receiver, port: flags.dicomPort } };
  const httpPort = flags.http ?? http.port;
  const dataFolder = flags.data ?? spool.data;
  return {
    host: flags.host ?? mrd.host,
    port: flags.port ?? mrd.port,
    maxSessions: flags.maxSessions ?? mrd.maxSessions,
    idleTimeoutS: flags.idleTimeout ?? mrd.idleTimeoutS,
    stallTimeoutS: flags.stallTimeout ?? mrd.stallTimeoutS,
    drainS: mrd.drainS,
    graceS: mrd.graceS,
    ...defined({
      saveRaw: rawFolderOf(flags.saveRaw, dataFolder) ?? mrd.saveRaw,
      noiseStoreFolder: flags.noiseStore ?? mrd.noiseStore,
      http: httpPort === undefined ? undefined : { host: flags.httpHost ?? http.host, port: httpPort },
    }),
    ...(await keepingOf(dataFolder, flags.deliverTo, { ...config, dicom })),
    doors,
    exams: config.exams,
    ctScanners: config.ct.scanners,
    synthesis: config.synthesis,
    analysis: config.analysis,
    logLevel: flags.logLevel,
    json: flags.json,
  };
}

/** @throws CodedError CONUS_ERR_LISTEN, CONUS_ERR_DOOR_*, RECON_ERR_SELF_TEST */
export function serve(options: ServeOptions, io: CliIo): Promise<ExitCode> {
  return run(options, io, async (service, log, metrics) => {
    const { address, ...started } = await startService(service, log, metrics);
    return { ...started, facts: { ...address } };
  });
}

/** Jobs only. @throws CodedError as serve, CONUS_ERR_NO_DATA_FOLDER */
export async function work(options: ServeOptions, io: CliIo): Promise<ExitCode> {
  if (options.data?.cluster === undefined) throw cliError('CONUS_ERR_WORKER_ALONE', 'a worker without cluster.redisUrl');
  return run(options, io, async (service, log, metrics) => ({ ...(await startWorker(service, log, metrics)), facts: {} }));
}

type Start = (options: ServiceOptions, log: Logger, metrics: Metrics) => Promise<Worker & { readonly facts: Readonly<Record<string, unknown>> }>;

async function run({ logLevel, json, drainS, graceS, ...options }: ServeOptions, io: CliIo, start: Start): Promise<ExitCode> {
  const logRing = new LogRing();
  const write = (line: string) => {
    io.stderr.write(line);
    logRing.write(line);
  };
  const log = createLog(logLevel, { write });
  const service = await start({ ...options, logRing }, log, new Metrics(options.data?.node ?? hostname()));
  const { httpAddress, dicomAddress } = service;
  const { doors } = options;
  const facts = { ...service.facts, ...(httpAddress !== undefined && { http: httpAddress }), ...(dicomAddress !== undefined && { dicom: dicomAddress }) };
  log.info({ ...facts, version: VERSION }, 'listening');
  // The token once, and not in the log, which is kept; behind the # of an address, which browsers send to nobody.
  if (httpAddress !== undefined) {
    const token = service.madeToken === undefined ? '' : `#token=${service.madeToken}`;
    io.stderr.write(`console: ${urlOf(httpAddress, doors?.tls !== undefined)}/${token}\n`);
  }
  if (service.madeToken !== undefined) io.stderr.write(`token of this service, until it stops: ${service.madeToken}\n`);
  if (json) printJson(io.stdout, facts);
  const { readiness } = service;
  io.onDrainRequest?.(() => {
    if (io.stop.aborted) return;
    if (readiness.phase === 'draining') readiness.resume();
    else readiness.drain();
    log.info(readiness.phase);
  });
  const loss = await Promise.race([stopped(io.stop), service.lost]);
  if (loss instanceof CodedError) {
    // Whoever watches over processes starts it anew.
    log.fatal({ code: loss.code }, loss.message);
    await service.close(1000 * graceS);
    return ExitCode.internal;
  }
  log.info('draining');
  await readiness.drained(1000 * drainS);
  log.info('stopping');
  await service.close(1000 * graceS);
  return ExitCode.ok;
}

/** Where raw data are saved: in the folder that was named, else in the data folder. @throws CodedError CONUS_ERR_RAW_FOLDER */
function rawFolderOf(saveRaw: string | true | undefined, data: string | undefined): string | undefined {
  if (saveRaw !== true) return saveRaw;
  if (data === undefined) throw cliError('CONUS_ERR_RAW_FOLDER', '--save-raw without a folder and without --data');
  return rawFolderIn(data);
}

/** What is kept in the data folder, where it is delivered, and what is received. @throws CodedError CONUS_ERR_NO_DATA_FOLDER, DICOM_ERR_DESTINATION */
async function keepingOf(
  folder: string | undefined, deliverTo: readonly string[], config: Config,
): Promise<Pick<ServeOptions, 'data' | 'delivery' | 'dicom' | 'handoff'>> {
  const { spool, dicom, handoff, jobs, cluster } = config;
  const reports = new CommitmentReports();
  if (folder !== undefined) {
    return { data: { folder, quota: quotaOf(spool), jobs, node: cluster.node, cluster: clusterOf(config) }, delivery: await deliveryOf(dicom, spool, deliverTo, reports), dicom: { config: dicom, reports }, handoff };
  }
  if (cluster.redisUrl !== undefined) throw clusterError('CLUSTER_ERR_INCOMPLETE', 'cluster.redisUrl without a data folder');
  if (deliverTo.length > 0 || Object.keys(dicom.destinations).length > 0) throw cliError('CONUS_ERR_NO_DATA_FOLDER', 'destinations without a data folder');
  if (dicom.receiver.port !== undefined) throw cliError('CONUS_ERR_NO_DATA_FOLDER', 'a receiver of DICOM images without a data folder');
  if (Object.keys(handoff.stages).length > 0) throw cliError('CONUS_ERR_NO_DATA_FOLDER', 'stages of a hand-off without a data folder');
  return {};
}

/** What a node shares; undefined where it is alone. */
function clusterOf(config: Config): ClusterOptions | undefined {
  const { cluster, storage, exams, dicom, handoff, synthesis, analysis } = config;
  if (cluster.redisUrl === undefined) return undefined;
  const { destinations, enhanced } = dicom;
  return { config: cluster, storage, alike: { exams, destinations, enhanced, handoff, synthesis, analysis } };
}

function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
}
