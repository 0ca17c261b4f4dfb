/** `conus stage`: the analysis as a stage of the hand-off contract, on a machine of its own. */
import { readFile } from 'node:fs/promises';
import { ModelHost } from '../../models/index.js';
import { Analyst, analysisFlowError, StageServer, usableSegmentation } from '../analysis/index.js';
import { isLoopback } from '../doors/index.js';
import { createLog } from '../log.js';
import type { LogLevel } from '../log.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { modelsOf } from './models.js';
import type { ModelFlags } from './models.js';

export interface StageFlags extends ModelFlags {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly model?: string;
  readonly longest: number;
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

/** @throws CodedError CONUS_ERR_ANALYSIS_MODEL, CONUS_ERR_ANALYSIS_STAGE, CONUS_ERR_INPUT */
export async function serveStage(flags: StageFlags, io: CliIo): Promise<ExitCode> {
  const { host, port, tokenFile } = flags;
  const token = tokenFile === undefined ? undefined : await readFile(tokenFile, 'utf8').then((text) => text.trim(), (cause: Error) => {
    throw cliError('CONUS_ERR_INPUT', `${tokenFile} (${cause.message})`, { cause });
  });
  if (token === undefined && !isLoopback(host)) throw analysisFlowError('CONUS_ERR_ANALYSIS_STAGE', `a stage at ${host} without --token-file`);
  const log = createLog(flags.logLevel, { write: (line: string) => io.stderr.write(line) });
  const models = new ModelHost(await modelsOf(flags), { ...flags, notice: ({ code, message }) => log.warn({ code }, message) });
  const analyst = new Analyst({ host: models, model: flags.model, longestMs: 1000 * flags.longest, log });
  const server = new StageServer({ analyst, ...(token !== undefined && { token }), log });
  try {
    usableSegmentation(analyst.model);
    const address = await server.listen(port, host);
    log.info({ address }, 'listening');
    if (flags.json) printJson(io.stdout, { offers: `${address}/offers` });
    else io.stdout.write(`offers are taken at ${address}/offers; research use only\n`);
    if (!io.stop.aborted) await new Promise<void>((resolve) => io.stop.addEventListener('abort', () => resolve(), { once: true }));
    return ExitCode.ok;
  } finally {
    await server.close();
    models.close();
  }
}
