/** `conus analyse IN… -o OUT`: structures, measures, grades and a report, from files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { writeNifti } from '../../imaging/index.js';
import { ModelHost } from '../../models/index.js';
import { performAnalysis, segmentationModel, usableSegmentation } from '../analysis/index.js';
import type { FullAnalysis } from '../analysis/index.js';
import { modalityOfResult, readIdentity } from '../dicom/index.js';
import { VERSION } from '../version.js';
import { namedInput, readStudies } from './analyseInput.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { modelsOf } from './models.js';
import type { ModelFlags } from './models.js';

export interface AnalyseFlags extends ModelFlags {
  readonly output: string;
  /** Of pictures, [between rows, between columns]. */
  readonly spacing?: readonly [number, number];
  readonly model?: string;
  readonly pictures: boolean;
  readonly json: boolean;
}

/** @throws CodedError ANALYSIS_ERR_*, CONUS_ERR_ANALYSIS_*, CONUS_ERR_INPUT, CONUS_ERR_OUTPUT, DICOM_ERR_*, MODEL_ERR_* */
export async function analyseFiles(inputs: readonly string[], flags: AnalyseFlags, io: CliIo): Promise<ExitCode> {
  const sources = [];
  for (const input of inputs) sources.push(...(await readStudies(namedInput(input), flags.spacing, io)));
  for (const { message } of sources.flatMap(({ notices }) => notices)) io.stderr.write(`${message}\n`);
  const host = new ModelHost(await modelsOf(flags), { ...flags, notice: ({ code, message }) => io.stderr.write(`${code}: ${message}\n`) });
  try {
    const model = usableSegmentation(segmentationModel(host.entries, flags.model));
    const performed = await performAnalysis({ sources, model, softwareVersion: VERSION, pictures: flags.pictures ? 'all' : 'none' }, (tensors) => host.run(model.id, tensors));
    const files = await write(flags.output, performed).catch((cause: Error) => {
      throw cliError('CONUS_ERR_OUTPUT', `${flags.output} (${cause.message})`, { cause });
    });
    if (flags.json) printJson(io.stdout, performed.report);
    else tell(performed, files.length, flags.output, io);
    return ExitCode.ok;
  } finally {
    host.close();
  }
}

async function write(folder: string, { report, objects, summaryPng, evidence, spine }: FullAnalysis): Promise<string[]> {
  await mkdir(join(folder, 'evidence'), { recursive: true });
  const labels = spine.stacks.map(async ({ seriesIndex, codes }) => ({
    name: `labels-${seriesIndex + 1}-${spine.series[seriesIndex]!.contrast}-${spine.series[seriesIndex]!.orientation}.nii.gz`,
    // On threads of zlib, several at once.
    bytes: await promisify(gzip)(writeNifti({ geometry: codes.geometry, data: Float32Array.from(codes.data) }, { description: 'Conus structures, codes in docs/analysis.md' })),
  }));
  const files: { readonly name: string; readonly bytes: Uint8Array | string }[] = [
    { name: 'report.json', bytes: `${JSON.stringify(report, undefined, 2)}\n` },
    ...(summaryPng === undefined ? [] : [{ name: 'summary.png', bytes: summaryPng }]),
    ...evidence.map(({ findingId, png }) => ({ name: join('evidence', `${findingId.replaceAll('/', '-')}.png`), bytes: png })),
    ...objects.map((bytes, index) => ({ name: `${String(index + 1).padStart(2, '0')}-${modalityOfResult(readIdentity(bytes).sopClassUid)}.dcm`, bytes })),
    ...(await Promise.all(labels)),
  ];
  for (const { name, bytes } of files) await writeFile(join(folder, name), bytes);
  return files.map(({ name }) => name);
}

function tell({ report }: FullAnalysis, nFiles: number, folder: string, io: CliIo): void {
  const say = (text: string) => io.stdout.write(`${text}\n`);
  say(report.statement);
  for (const note of report.notes) say(`note: ${note}`);
  say(`numbering ${report.numbering.certain ? 'certain' : 'UNCERTAIN'}: ${report.numbering.reasons.join('; ')}`);
  say(`priority ${report.priority.level}: ${report.priority.reason}`);
  for (const { draft } of report.sentences) say(draft);
  say(`${report.findings.length} findings, ${report.notAssessed.length} not assessed, ${nFiles} files -> ${folder}`);
}
