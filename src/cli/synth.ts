/** `conus synth --t1 A --t2 B --to stir -o OUT`: contrasts that were not scanned, from files. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createMrdFile, encodeClose, encodeImage } from 'ismrmrd';
import { captioned, encodePng, greyPicture, heatPicture, montage, percentileWindow, writeNifti } from '../../imaging/index.js';
import { ModelHost } from '../../models/index.js';
import { synthesisSequence } from '../../protocols/index.js';
import type { Synthesis } from '../../protocols/index.js';
import { boneWindow, syntheticDescription, syntheticDicom, syntheticMrd } from '../delivery/index.js';
import type { SyntheticSeries } from '../delivery/index.js';
import { errorOfRecord } from '../networkJobs/index.js';
import { ctModel, levelModel, performSynthesis, synthesisModel, usableModel } from '../synthesis/index.js';
import type { KnownSequence, PerformedSynthesis, ReadSeries, SourceSeries, WantedSeries } from '../synthesis/index.js';
import { VERSION } from '../version.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { modelsOf } from './models.js';
import type { ModelFlags } from './models.js';
import { readFatFraction, readSeries } from './synthInput.js';

export type SynthContrast = Synthesis['contrast'];
export const synthContrasts: readonly SynthContrast[] = ['stir', 't2fs', 'pdfs', 't1fs', 'ct'];
const outputKinds = ['.mrd', '.h5', '.png', '.nii', '.gz'];

export interface SynthFlags extends ModelFlags {
  readonly t1?: string;
  readonly t2?: string;
  readonly dixon?: string;
  readonly fatsat?: string;
  readonly to: readonly SynthContrast[];
  readonly output: string;
  readonly ti: number | 'auto';
  readonly tr?: number;
  readonly te?: number;
  readonly real: boolean;
  readonly trustMaps: boolean;
  readonly deliverRed: boolean;
  readonly enhanced: boolean;
  /** Of the acquired series, where their files do not tell. */
  readonly tr1?: number;
  readonly te1?: number;
  readonly tr2?: number;
  readonly te2?: number;
  readonly fieldStrength?: number;
  readonly model?: string;
  readonly ctModel?: string;
  readonly json: boolean;
}

/** @throws CodedError SYNTH_ERR_*, CONUS_ERR_SYNTHESIS_*, CONUS_ERR_INPUT, CONUS_ERR_OUTPUT, CONUS_ERR_OUTPUT_KIND */
export async function synth(flags: SynthFlags, io: CliIo): Promise<ExitCode> {
  const isFolder = flags.output.endsWith('/') || extname(flags.output) === '' || (await stat(flags.output).then((entry) => entry.isDirectory(), () => false));
  if (!isFolder && !outputKinds.includes(extname(flags.output).toLowerCase())) throw cliError('CONUS_ERR_OUTPUT', `${flags.output}, which is no folder, .nii.gz, .png, .mrd or .h5`);
  const read = (path: string | undefined, role: string) => (path === undefined ? undefined : readSeries(path, role, io));
  const [t1w, t2w, t2fs] = [await read(flags.t1, 't1w'), await read(flags.t2, 't2w'), await read(flags.fatsat, 't2fs')];
  const fatFraction = flags.dixon === undefined ? undefined : await readFatFraction(flags.dixon);

  const host = new ModelHost(await modelsOf(flags), { ...flags, notice: ({ code, message }) => io.stderr.write(`${code}: ${message}\n`) });
  try {
    const model = usableModel(synthesisModel(host.entries, flags.model));
    const levels = levelModel(host.entries);
    const performed = await performSynthesis(
      {
        sources: {
          t1w: t1w && sourceOf(t1w, { trMs: flags.tr1, teMs: flags.te1 }, flags.fieldStrength),
          t2w: t2w && sourceOf(t2w, { trMs: flags.tr2, teMs: flags.te2 }, flags.fieldStrength),
          ...(t2fs !== undefined && { t2fs: sourceOf(t2fs, {}, flags.fieldStrength) }),
          ...(fatFraction !== undefined && { dixon: { fatFraction } }),
        },
        wanted: flags.to.map((contrast, index) => wantedOf(contrast, index, flags)),
        maps: flags.trustMaps ? ['low', 'high', 'fatFraction', 'pairResidual'] : [],
        model,
        ...(levels !== undefined && { levelModel: levels }),
        ...(flags.to.includes('ct') && { ctModel: usableModel(ctModel(host.entries, flags.ctModel)) }),
        deliverRed: flags.deliverRed,
        softwareVersion: VERSION,
      },
      (inputs, modelId) => host.run(modelId, inputs),
    );
    const { ctRefusal } = performed;
    if (ctRefusal !== undefined && flags.to.every((contrast) => contrast === 'ct')) throw errorOfRecord(ctRefusal);
    const series = performed.series.flat();
    const files = series.length === 0 ? [] : await write(flags, isFolder, series).catch((cause: Error) => {
      throw cliError('CONUS_ERR_OUTPUT', `${flags.output} (${cause.message})`, { cause });
    });
    report(performed, files, flags, io);
    return series.length === 0 ? ExitCode.input : ExitCode.ok;
  } finally {
    host.close();
  }
}

function sourceOf(images: ReadSeries, given: KnownSequence, fieldStrengthT: number | undefined): SourceSeries {
  return { images, variant: 'received', knownBefore: [{ by: 'given', known: given }], ...(fieldStrengthT !== undefined && { fieldStrengthT }) };
}

function wantedOf(contrast: SynthContrast, index: number, { tr, te, ti, real }: SynthFlags): WantedSeries {
  const sequence = contrast === 'ct' ? undefined : synthesisSequence({ contrast, refocusingAngleDeg: 180, trMs: tr, teMs: te });
  return {
    contrast: contrast === 'ct' || sequence === undefined ? { contrast: 'ct' } : { contrast, sequence, ...(contrast === 'stir' && { tiMs: ti, output: real ? 'real' : 'magnitude' }) },
    description: contrast.toUpperCase(),
    number: 1 + 10 * index,
  };
}

/** @returns the files that were written */
async function write({ output: path, enhanced }: Pick<SynthFlags, 'output' | 'enhanced'>, isFolder: boolean, series: readonly SyntheticSeries[]): Promise<string[]> {
  if (isFolder) return writeDicom(path, series, enhanced);
  switch (extname(path).toLowerCase()) {
    case '.mrd':
      await writeFile(path, Buffer.concat([...series.flatMap(syntheticMrd).flatMap((image) => [...encodeImage(image)]), ...encodeClose()]));
      return [path];
    case '.h5': {
      const file = await createMrdFile(path);
      for (const image of series.flatMap(syntheticMrd)) file.appendImage(image);
      await file.close();
      return [path];
    }
    default: {
      const extension = /(\.nii)?\.[^.]+$/i.exec(path)![0];
      const files: string[] = [];
      for (const one of series) {
        const file = series.length === 1 ? path : `${path.slice(0, -extension.length)}-${nameOf(one)}${extension}`;
        await writeFile(file, extension.toLowerCase() === '.png' ? pictureOf(one) : writeNifti(one.volume, { gzip: extension.toLowerCase().endsWith('.gz'), description: syntheticDescription(one) }));
        files.push(file);
      }
      return files;
    }
  }
}

async function writeDicom(folder: string, series: readonly SyntheticSeries[], enhanced: boolean): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const created = new Date();
  const files: string[] = [];
  for (const one of series) {
    for (const [index, { bytes }] of syntheticDicom(one, created, { enhanced }).entries()) {
      const file = join(folder, `IM-${String(one.number).padStart(4, '0')}-${String(index + 1).padStart(4, '0')}.dcm`);
      await writeFile(file, bytes);
      files.push(file);
    }
  }
  return files;
}

/** Of a file: what the series is, without the mark of all of them. */
const nameOf = (series: SyntheticSeries) => syntheticDescription(series).replace(/^SYN /, '').toLowerCase().replaceAll(' ', '-');

/** All slices beside each other, in one window; maps in colours, so that nobody takes one for an image. */
function pictureOf(series: SyntheticSeries): Uint8Array {
  const { volume: { geometry, data }, kind } = series;
  const [columns, rows, nSlices] = geometry.matrixSize;
  const window = series.modality === 'CT' ? boneWindow : percentileWindow(data);
  const paint = kind === 'image' ? greyPicture : heatPicture;
  const slices = Array.from({ length: nSlices }, (_, slice) => paint(data.subarray(slice * rows * columns, (slice + 1) * rows * columns), rows, columns, window));
  return encodePng(captioned(montage(slices), `${syntheticDescription(series)} ${series.derivation.quality?.light ?? ''}`));
}

function report({ light, reasons, inputs, registration, echoTime, ctRefusal }: PerformedSynthesis, files: readonly string[], { json, output }: SynthFlags, io: CliIo): void {
  if (json) {
    printJson(io.stdout, { light, reasons, inputs, registration, ...(echoTime !== undefined && { echoTime }), files, ...(ctRefusal !== undefined && { ctRefusal }) });
    return;
  }
  for (const input of inputs) io.stdout.write(`${input}\n`);
  io.stdout.write(`registration: ${registration.residualMm.toFixed(2)} mm left of a shift of ${registration.shiftMm.map((mm) => mm.toFixed(1)).join(', ')} mm\n`);
  if (echoTime !== undefined) io.stdout.write(`echo time of T2w: ${echoTime.errorMs.toFixed(0)} ms from the stated one, give or take ${echoTime.deviationMs.toFixed(0)} ms\n`);
  io.stdout.write(`quality light: ${light.toUpperCase()}\n`);
  for (const reason of reasons) io.stdout.write(`  ${reason.light} ${reason.code}: ${reason.text}\n`);
  if (ctRefusal !== undefined) io.stdout.write(`no CT: ${ctRefusal.code}: got ${ctRefusal.got}; ${ctRefusal.action}\n`);
  io.stdout.write(files.length === 0 ? 'nothing was written; --deliver-red writes it all the same\n' : `${files.length === 1 ? files[0]! : `${files.length} files`} -> ${output}\n`);
}
