/** `conus serve`: the service, until the process is asked to stop. */
import { dicomSection } from '../config/dicom.js';
import { spoolSection } from '../config/spool.js';
import { rawFolderIn } from '../keeping/index.js';
import { createLog } from '../log.js';
import type { LogLevel } from '../log.js';
import { Metrics } from '../metrics.js';
import { deliveryOf, quotaOf, startService } from '../service/index.js';
import type { ServiceOptions } from '../service/index.js';
import { VERSION } from '../version.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';

export interface ServeOptions extends ServiceOptions {
  readonly logLevel: LogLevel;
  /** Prints the addresses as JSON on stdout once they are listened on. */
  readonly json: boolean;
}

/** @throws CodedError CONUS_ERR_LISTEN, CONUS_ERR_OPEN_DOOR, RECON_ERR_SELF_TEST */
export async function serve({ logLevel, json, ...options }: ServeOptions, io: CliIo): Promise<ExitCode> {
  const log = createLog(logLevel, { write: (line: string) => io.stderr.write(line) });
  const service = await startService(options, log, new Metrics());
  const { address, httpAddress } = service;
  const facts = { ...address, ...(httpAddress !== undefined && { http: httpAddress }) };
  log.info({ ...facts, version: VERSION }, 'listening');
  if (json) printJson(io.stdout, facts);
  await stopped(io.stop);
  log.info('stopping');
  await service.close();
  return ExitCode.ok;
}

/** Where raw data are saved: in the folder that was named, else in the data folder. @throws CodedError CONUS_ERR_RAW_FOLDER */
export function rawFolderOf(saveRaw: string | true | undefined, data: string | undefined): string | undefined {
  if (saveRaw !== true) return saveRaw;
  if (data === undefined) throw cliError('CONUS_ERR_RAW_FOLDER', '--save-raw without a folder and without --data');
  return rawFolderIn(data);
}

/** What is kept in the data folder, and where it is delivered. @throws CodedError CONUS_ERR_NO_DATA_FOLDER, DICOM_ERR_DESTINATION */
export async function keepingOf(folder: string | undefined, deliverTo: readonly string[]): Promise<Pick<ServeOptions, 'data' | 'delivery'>> {
  if (folder === undefined) {
    if (deliverTo.length > 0) throw cliError('CONUS_ERR_NO_DATA_FOLDER', '--deliver-to without --data');
    return {};
  }
  const spool = spoolSection.parse({});
  return { data: { folder, quota: quotaOf(spool) }, delivery: await deliveryOf(dicomSection.parse({}), spool, deliverTo) };
}

function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
}
