/** `conus simulate`: a digital spine, or a picture, is scanned after a protocol. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { CodedError, createMrdFile, serializeHeader } from 'ismrmrd';
import { percentileWindow, volumeOf, writeNifti, type Vector3, type Volume } from '../../imaging/index.js';
import { directionsOf, type Protocol } from '../../protocols/index.js';
import {
  defaultPulsation, drawPatient, type CtOptions, type CtSlice, type MotionKind, type PatientOptions, type SeriesScan,
} from '../../simulator/index.js';
import { openCtOutput } from '../delivery/index.js';
import { loadUnresolvedProtocol } from '../protocols/index.js';
import { ReconstructionPool } from '../reconstruction/index.js';
import { Session } from '../session/index.js';
import {
  paced, readPicture, seriesGrids, simulationError, SimulatedExam, writeGrades, writePictureLabels, writeTruthVolumes,
  type ExamSpec, type PictureOptions, type SimulatedSeries, type SubjectSpec,
} from '../simulation/index.js';
import { VERSION } from '../version.js';
import { playSession, type ServerAddress } from './client.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { FileAnswer } from './fileAnswer.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { Progress } from './progress.js';
import { answerExitCode } from './send.js';

/** What may be written into a folder. */
export const simulationKinds = ['raw', 'h5', 'truth', 'images', 'dicom', 'ct'] as const;
export type SimulationKind = (typeof simulationKinds)[number];

export interface SimulateOptions {
  /** Name of a protocol, or a .json file. */
  readonly protocol: string;
  /** Ids; all of the protocol where absent. */
  readonly series?: readonly string[];
  readonly patient: PatientOptions;
  readonly picture?: PictureOptions & { readonly path: string; readonly labels?: string };
  readonly scan: {
    readonly config: string;
    readonly nCoils?: number;
    readonly snr: number;
    readonly brokenCoils: readonly number[];
    readonly motion: MotionKind;
    readonly motionAmplitudeMm?: number;
    readonly pulsation: boolean;
  };
  readonly ct: Partial<CtOptions>;
  readonly to?: ServerAddress;
  /** Scanner time over real time; as fast as the stream is taken where absent. */
  readonly speed?: number;
  /** `.mrd`, `.h5` or `-` for one series, else a folder; with `to` alone, what is simulated is not kept. */
  readonly output?: string;
  readonly write: readonly SimulationKind[];
  readonly threads?: number;
  readonly json: boolean;
}

/** What became of one series. */
interface SeriesReport {
  readonly id: string;
  readonly scanS: number;
  readonly simulationS: number;
  readonly nReadouts: number;
  readonly nImages?: number;
  readonly files: readonly string[];
}

/** @throws CodedError PROTOCOL_ERR_*, SIM_ERR_*, CONUS_ERR_PICTURE, CONUS_ERR_SERIES, CONUS_ERR_SIMULATION, CONUS_ERR_OUTPUT, CONUS_ERR_CONNECTION */
export async function simulate(options: SimulateOptions, io: CliIo): Promise<ExitCode> {
  const written = await loadUnresolvedProtocol(options.protocol);
  const ids = chosenSeries(written, options);
  const subject = await subjectOf(written, options);
  const spec: ExamSpec = {
    protocol: subject.kind === 'picture' ? fittedTo(subject.volume, written) : written,
    subject,
    scan: {
      ...options.scan,
      nCoils: options.scan.nCoils,
      motionAmplitudeMm: options.scan.motionAmplitudeMm,
      pulsation: options.scan.pulsation ? defaultPulsation : undefined,
      seed: options.patient.seed,
    },
    ct: { ...options.ct, seed: options.patient.seed },
  };
  const exam = new SimulatedExam(spec, options.threads);
  const run = new SimulationRun(exam, options, io);
  try {
    return await run.all(ids);
  } finally {
    await exam.close();
    await run.close();
  }
}

function chosenSeries(protocol: Protocol, { series, output, to, write }: SimulateOptions): readonly string[] {
  const all = protocol.series.map(({ id }) => id);
  const ids = series ?? all;
  const unknown = ids.filter((id) => !all.includes(id));
  if (unknown.length > 0) throw simulationError('CONUS_ERR_SERIES', `${unknown.join(', ')}; ${protocol.name} has ${all.join(', ')}`);
  if (output === undefined && to === undefined) {
    throw cliError('CONUS_ERR_SIMULATION_OUTPUT', 'neither --output nor --to');
  }
  if (isSingle(output) && ids.length !== 1) {
    throw cliError('CONUS_ERR_SIMULATION_OUTPUT', `${output}, which holds one series, for ${ids.length} (${ids.join(', ')})`);
  }
  return write.includes('ct') && write.length === 1 ? [] : ids;
}

/** Whether an output is one stream or file, of one series. */
function isSingle(output: string | undefined): boolean {
  return output === '-' || (output !== undefined && ['.mrd', '.h5'].includes(extname(output).toLowerCase()));
}

async function subjectOf(protocol: Protocol, { patient, picture }: SimulateOptions): Promise<SubjectSpec> {
  if (picture === undefined) {
    return { kind: 'patient', record: drawPatient({ ...patient, region: protocol.region }, protocol.fieldStrengthT) };
  }
  const volume = await readPicture(picture.path, picture);
  // The brightest pixels are as bright as fluid: the noise is made for that.
  const { centre, width } = percentileWindow(volume.data, 0, 99.5);
  return { kind: 'picture', volume, gain: 1 / Math.max(centre + width / 2, Number.MIN_VALUE) };
}

/** As many slices as there are of the picture: beyond it there is nothing to scan. */
function fittedTo({ geometry }: Volume, protocol: Protocol): Protocol {
  const axes = [geometry.rowDirection, geometry.columnDirection, geometry.sliceDirection];
  const extentMm = (direction: Vector3) =>
    axes.reduce((sum, axis, index) => sum + Math.abs(axis[0] * direction[0] + axis[1] * direction[1] + axis[2] * direction[2]) * geometry.fovMm[index]!, 0);
  return {
    ...protocol,
    series: protocol.series.map((series) => {
      const { thicknessMm, gapMm, count } = series.geometry.slices;
      const fits = Math.floor((extentMm(directionsOf(series.geometry).slice) + gapMm) / (thicknessMm + gapMm));
      return { ...series, geometry: { ...series.geometry, slices: { ...series.geometry.slices, count: Math.max(1, Math.min(count, fits)) } } };
    }),
  };
}

/** One run of the command: what is simulated, played, reconstructed and written. */
class SimulationRun {
  readonly #exam: SimulatedExam;
  readonly #options: SimulateOptions;
  readonly #io: CliIo;
  #pool: ReconstructionPool | undefined;

  constructor(exam: SimulatedExam, options: SimulateOptions, io: CliIo) {
    this.#exam = exam;
    this.#options = options;
    this.#io = io;
  }

  async all(ids: readonly string[]): Promise<ExitCode> {
    const { output, write, json } = this.#options;
    const { protocol } = this.#exam.prepared.spec;
    const { patient } = this.#exam.prepared;
    const folder = output !== undefined && !isSingle(output) ? output : undefined;
    const reports: SeriesReport[] = [];
    const files: string[] = [];
    let exitCode: ExitCode = ExitCode.ok;
    for (const id of ids) {
      const { report, code } = await this.#series(id, folder);
      reports.push(report);
      if (code !== ExitCode.ok) exitCode = code;
      this.#narrate(`${id}: ${report.nReadouts} readouts, ${report.scanS.toFixed(0)} s of scan in ${report.simulationS.toFixed(1)} s`);
    }
    if (folder !== undefined) {
      await this.#writing(folder, async () => {
        await mkdir(folder, { recursive: true });
        if (write.includes('truth') && patient !== undefined) files.push(...(await writeGrades(folder, patient, protocol.fieldStrengthT)));
        if (write.includes('ct')) files.push(...(await this.#ct(folder)));
        files.push(await this.#record(folder, reports));
      });
    }
    const all = [...reports.flatMap((report) => report.files), ...files];
    if (json) printJson(output === '-' ? this.#io.stderr : this.#io.stdout, { series: reports, files: all, findings: patient?.record.findings ?? [] });
    else this.#narrate(all.length === 0 ? 'done' : `${all.length} files -> ${output}`);
    return exitCode;
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  async #series(id: string, folder: string | undefined): Promise<{ report: SeriesReport; code: ExitCode }> {
    const { output, to, write } = this.#options;
    const scan = this.#exam.prepared.scan(id);
    const progress = new Progress(this.#io);
    const startedAt = performance.now();
    const series = await this.#exam.simulate(id, (nDone) => progress.update(() => `${id}: slice ${nDone} of ${scan.nSlices}`));
    progress.end();
    const simulationS = (performance.now() - startedAt) / 1000;
    const files: string[] = [];
    let [nImages, code]: [number | undefined, ExitCode] = [undefined, ExitCode.ok];
    if (isSingle(output)) files.push(...(await this.#writing(output!, () => this.#single(series, scan, output!))));
    if (folder !== undefined) {
      const own = join(folder, id);
      await this.#writing(own, async () => {
        await mkdir(own, { recursive: true });
        if (write.includes('raw')) files.push(...(await this.#single(series, scan, join(own, 'raw.mrd'))));
        if (write.includes('h5')) files.push(...(await this.#single(series, scan, join(own, 'raw.h5'))));
        if (write.includes('truth')) files.push(...(await this.#truth(own, scan)));
        if (write.includes('images')) files.push(...(await this.#reconstructed(series, join(own, 'images.nii.gz'))));
        if (write.includes('dicom')) files.push(...(await this.#reconstructed(series, join(own, 'dicom/'))));
      });
    }
    if (to !== undefined) {
      const kept = folder === undefined ? undefined : join(folder, id, 'answer.mrd');
      if (folder !== undefined) await mkdir(join(folder, id), { recursive: true });
      const played = await playSession(paced(series.timed(), this.#options.speed), to, kept, this.#io);
      for (const text of played.texts) this.#narrate(text);
      files.push(...played.files);
      [nImages, code] = [played.images.length, answerExitCode(played.texts, played.images.length)];
    }
    const report = { id, scanS: series.durationMs / 1000, simulationS, nReadouts: series.nReadouts, ...(nImages === undefined ? {} : { nImages }), files };
    return { report, code };
  }

  /** A stream, or the file of a stream. */
  async #single(series: SimulatedSeries, scan: SeriesScan, path: string): Promise<string[]> {
    if (extname(path).toLowerCase() === '.h5') {
      const file = await createMrdFile(path);
      file.writeHeaderXml(serializeHeader(scan.header));
      for (const message of series.messages) if (message.kind === 'acquisition') file.appendAcquisition(message.acquisition);
      await file.close();
      return [path];
    }
    const stream = path === '-' ? this.#io.stdout : createWriteStream(path, { highWaterMark: 1 << 22 });
    for await (const piece of paced(series.timed(), this.#options.speed)) {
      if (!stream.write(piece)) await once(stream, 'drain');
    }
    if (path === '-') return [];
    stream.end();
    await finished(stream);
    return [path];
  }

  async #truth(folder: string, scan: SeriesScan): Promise<string[]> {
    const { patient } = this.#exam.prepared;
    const grids = seriesGrids(scan);
    if (patient !== undefined) return writeTruthVolumes(folder, patient, grids);
    const { picture } = this.#options;
    return picture?.labels === undefined ? [] : writePictureLabels(folder, await readPicture(picture.labels, picture), grids);
  }

  /** The images that Conus itself makes of the stream. */
  async #reconstructed(series: SimulatedSeries, path: string): Promise<readonly string[]> {
    this.#pool ??= new ReconstructionPool(this.#options.threads === undefined ? {} : { threads: this.#options.threads });
    const answer = new FileAnswer(path, (text) => this.#narrate(text));
    const session = new Session({ id: 'simulate', overrides: {}, reconstructions: this.#pool, answer, savesRaw: false });
    for (const { parts } of series.timed()) for (const part of parts) await session.write(part);
    const { error } = await session.end();
    if (answer.failure !== undefined) throw answer.failure;
    if (error !== undefined) throw error;
    return answer.files;
  }

  /** DICOM slices, and a NIfTI volume of each dose and kernel. */
  async #ct(folder: string): Promise<string[]> {
    const { spec, ct } = this.#exam.prepared;
    const directory = join(folder, 'ct');
    const subject = { key: String(this.#options.patient.seed), description: 'digital spine', bodyPart: spec.protocol.bodyPart };
    const output = await openCtOutput(directory, ct.options, subject, VERSION);
    const progress = new Progress(this.#io);
    const files: string[] = [];
    const volumes = new Map<string, CtSlice[]>();
    for await (const slices of this.#exam.ctSlices()) {
      for (const slice of slices) {
        files.push(await output.write(slice));
        const name = `dose-${slice.doseFraction}-${slice.kernel}`;
        volumes.set(name, [...(volumes.get(name) ?? []), slice]);
      }
      progress.update(() => `CT: slice ${slices[0]!.sliceIndex + 1} of ${ct.options.nSlices}`);
    }
    progress.end();
    for (const [name, slices] of volumes) {
      const file = join(directory, `${name}.nii.gz`);
      await writeFile(file, ctVolume(slices));
      files.push(file);
    }
    return files;
  }

  /** What was simulated and how, to do it again. */
  async #record(folder: string, reports: readonly SeriesReport[]): Promise<string> {
    const { protocol, scan, subject } = this.#exam.prepared.spec;
    const path = join(folder, 'exam.json');
    const record = {
      simulated: true,
      softwareVersion: VERSION,
      protocol,
      scan,
      ...(subject.kind === 'patient' ? { patient: this.#options.patient, findings: subject.record.findings } : { picture: this.#options.picture }),
      series: reports.map(({ id, scanS, nReadouts }) => ({ id, scanS, nReadouts })),
    };
    await writeFile(path, `${JSON.stringify(record, null, 2)}\n`);
    return path;
  }

  async #writing<T>(path: string, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (cause) {
      if (cause instanceof CodedError || !(cause instanceof Error) || !('code' in cause)) throw cause;
      throw cliError('CONUS_ERR_OUTPUT', `${path} (${cause.message})`, { cause });
    }
  }

  #narrate(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }
}

function ctVolume(slices: readonly CtSlice[]): Uint8Array {
  const middle = slices[Math.floor(slices.length / 2)]!.geometry;
  const [columns, rows] = middle.matrixSize;
  const data = new Float32Array(columns * rows * slices.length);
  slices.forEach(({ hounsfield }, slice) => data.set(hounsfield, slice * columns * rows));
  const spacingMm = slices.length < 2 ? middle.fovMm[2] : Math.abs(slices[1]!.geometry.centreMm[2] - slices[0]!.geometry.centreMm[2]);
  const geometry = { ...middle, matrixSize: [columns, rows, slices.length] as const, fovMm: [middle.fovMm[0], middle.fovMm[1], spacingMm * slices.length] as const };
  return writeNifti(volumeOf(geometry, data), { gzip: true, dataType: 'int16', description: 'Simulated CT, HU' });
}
