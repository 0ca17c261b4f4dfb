/** `conus dicom`: whether a destination answers, and sending files to one. */
import { dicomDestinationSchema } from '../config/dicom.js';
import { loadConfig } from '../config/index.js';
import { destinationOf, dicomFiles, instancesOfFiles, openSender } from '../dicom/index.js';
import type { Sender } from '../dicom/index.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';

export interface DicomFlags {
  /** File of the configuration, for names of destinations. */
  readonly config?: string;
  readonly aeTitle: string;
  readonly json: boolean;
}

/** @throws CodedError DICOM_ERR_* */
export async function dicomEcho(destination: string, flags: DicomFlags, io: CliIo): Promise<ExitCode> {
  const sender = await senderOf(destination, flags);
  const startedAt = performance.now();
  await sender.echo(io.stop);
  const ms = Math.round(performance.now() - startedAt);
  if (flags.json) printJson(io.stdout, { destination, answers: true, ms });
  else io.stdout.write(`${destination} answers (${ms} ms)\n`);
  return ExitCode.ok;
}

/** @throws CodedError DICOM_ERR_DESTINATION, CONUS_ERR_INPUT */
export async function dicomSend(input: string, destination: string, flags: DicomFlags, io: CliIo): Promise<ExitCode> {
  const sender = await senderOf(destination, flags);
  const paths = await dicomFiles(input).catch((cause: NodeJS.ErrnoException) => {
    throw cliError('CONUS_ERR_INPUT', `${input} (${cause.code ?? 'unreadable'})`, { cause });
  });
  const { series, refused } = await instancesOfFiles(paths);
  if (series.length === 0) throw cliError('CONUS_ERR_INPUT', `${input}, without a DICOM image`);
  const results = (await Promise.all(series.map((instances) => sender.send(instances, io.stop)))).flat();
  const failures = results.filter((result) => result.outcome === 'failed');
  const nStored = results.length - failures.length;
  if (flags.json) printJson(io.stdout, { destination, series: series.length, stored: nStored, failures, notRead: refused });
  else {
    io.stdout.write(`${nStored} of ${results.length} images in ${series.length} series stored\n`);
    for (const { sopInstanceUid, code, detail } of failures) io.stderr.write(`${sopInstanceUid}: ${code}: ${detail}\n`);
    for (const { path, code, got } of refused) io.stderr.write(`${path}: ${code}: ${got}\n`);
  }
  return failures.length > 0 ? ExitCode.output : refused.length > 0 ? ExitCode.input : ExitCode.ok;
}

async function senderOf(text: string, { config: path, aeTitle }: DicomFlags): Promise<Sender> {
  const { dicom } = await loadConfig(path);
  const destination = destinationOf(text, dicom, (given) => dicomDestinationSchema.parse(given));
  return openSender(text, destination, path === undefined ? aeTitle : dicom.receiver.aeTitles[0]!);
}
