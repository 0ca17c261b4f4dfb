/** `conus serve`: the MRD service on TCP, until the process is asked to stop. */
import type { ChoiceOptions } from '../chain/index.js';
import { createLog } from '../log.js';
import type { LogLevel } from '../log.js';
import { Metrics } from '../metrics.js';
import { NoiseStore } from '../noise/index.js';
import { ReconstructionPool } from '../reconstruction/index.js';
import type { ReconstructionPoolOptions } from '../reconstruction/index.js';
import { defaultConnectionOptions, MrdServer, serveMetrics } from '../server/index.js';
import { VERSION } from '../version.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';

export interface ServeOptions extends ChoiceOptions, ReconstructionPoolOptions {
  readonly host: string;
  readonly port: number;
  readonly saveRaw?: string;
  /** Folder of noise measurements that are kept between sessions. */
  readonly noiseStoreFolder?: string;
  readonly maxSessions: number;
  readonly idleTimeoutS: number;
  readonly stallTimeoutS: number;
  /** On loopback; none where it is absent. */
  readonly metricsPort?: number;
  readonly logLevel: LogLevel;
  /** Prints the address as JSON on stdout once it listens. */
  readonly json: boolean;
}

/** What it takes until the optimised machine code of everything a scan needs is there. */
const WARM_UP_MS = 500;

/** How long sessions may go on after the process was asked to stop. */
const GRACE_MS = 10_000;

/** @throws CodedError CONUS_ERR_LISTEN, RECON_ERR_SELF_TEST */
export async function serve(options: ServeOptions, io: CliIo): Promise<ExitCode> {
  const log = createLog(options.logLevel, { write: (line: string) => io.stderr.write(line) });
  const metrics = new Metrics();
  const pool = new ReconstructionPool({ warmUpMs: WARM_UP_MS, ...options });
  const server = new MrdServer({
    ...defaultConnectionOptions,
    ...options,
    idleTimeoutMs: options.idleTimeoutS * 1000,
    stallTimeoutMs: options.stallTimeoutS * 1000,
    reconstructions: pool,
    ...(options.noiseStoreFolder === undefined ? {} : { noiseStore: new NoiseStore(options.noiseStoreFolder) }),
    log,
    metrics,
  });
  try {
    // A machine that computes wrongly must not take a scan, and the first scan must not wait for compilers.
    await pool.ready();
    const address = await listening(options.host, options.port, () => server.listen(options.port, options.host));
    const { metricsPort } = options;
    const http = metricsPort === undefined ? undefined : await listening('127.0.0.1', metricsPort, () => serveMetrics(metrics, metricsPort));
    const facts = { ...address, ...(http === undefined ? {} : { metricsPort: http.port }) };
    log.info({ ...facts, version: VERSION }, 'listening');
    if (options.json) printJson(io.stdout, facts);
    await stopped(io.stop);
    log.info('stopping');
    http?.server.close();
    http?.server.closeAllConnections();
    await server.close(GRACE_MS);
  } finally {
    await pool.close();
  }
  return ExitCode.ok;
}

async function listening<Result>(host: string, port: number, listen: () => Promise<Result>): Promise<Result> {
  try {
    return await listen();
  } catch (cause) {
    throw cliError('CONUS_ERR_LISTEN', `${host}:${port} (${(cause as Error).message})`, { cause });
  }
}

function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
}
