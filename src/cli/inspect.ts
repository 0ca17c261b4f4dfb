/** `conus inspect IN`: what an input holds. Nothing that names the patient is shown. */
import { flagNames, MrdParser, parseHeader } from 'ismrmrd';
import type { Acquisition, MrdHeader, MrdImage } from 'ismrmrd';
import { dicomFiles } from '../dicom/index.js';
import { presentable } from '../session/index.js';
import { ExitCode } from './exitCodes.js';
import { inspectDicom } from './inspectDicom.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { Progress } from './progress.js';
import { openSource } from './source.js';

const counterNames = [
  'kspaceEncodeStep1', 'kspaceEncodeStep2', 'average', 'slice', 'contrast', 'phase', 'repetition', 'set', 'segment',
] as const;
type CounterName = (typeof counterNames)[number];
/** Readouts that are no part of an image say nothing of its counters. */
const outsideFlags = ['noiseMeasurement', 'navigation', 'phaseCorrection', 'dummyScan'] as const;

class Census {
  readonly messages: Record<string, number> = {};
  config: string | undefined;
  header: Record<string, unknown> | undefined;
  headerError: string | undefined;
  readonly texts: string[] = [];
  readonly sizes: Record<string, number> = {};
  readonly flags: Record<string, number> = {};
  readonly counters: Partial<Record<CounterName, [minimum: number, maximum: number]>> = {};
  readonly imageSeries: Record<string, number> = {};
  readonly waveforms: Record<string, number> = {};
  nNoiseSamples = 0;
  hasGeometry = false;
  hasTimeStamps = false;
  hasTrajectory = false;
  nNotFinite = 0;

  count(kind: string): void {
    tally(this.messages, kind);
  }

  readHeader(xml: string): void {
    try {
      this.header = summaryOf(parseHeader(xml));
    } catch (error) {
      this.headerError = presentable(error).message;
    }
  }

  acquisition({ header, data }: Acquisition): void {
    tally(this.sizes, `${header.nChannels} channels x ${header.nSamples} samples`);
    const names = flagNames(header.flags);
    for (const name of names) tally(this.flags, name);
    if (names.includes('noiseMeasurement')) this.nNoiseSamples += header.nSamples;
    if (!outsideFlags.some((name) => names.includes(name))) {
      for (const name of counterNames) {
        const value = header.idx[name];
        const [minimum, maximum] = this.counters[name] ?? [value, value];
        this.counters[name] = [Math.min(minimum, value), Math.max(maximum, value)];
      }
    }
    this.hasGeometry ||= header.readDir.some((component) => component !== 0);
    this.hasTimeStamps ||= header.acquisitionTimeStamp !== 0;
    this.hasTrajectory ||= header.trajectoryDimensions > 0;
    for (const value of data) if (!Number.isFinite(value)) this.nNotFinite++;
  }

  image({ header }: MrdImage): void {
    const { imageSeriesIndex, dataType, matrixSize, nChannels } = header;
    tally(this.imageSeries, `series ${imageSeriesIndex}: ${dataType} ${matrixSize.join(' x ')}, ${nChannels} channel`);
  }
}

function tally(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function summaryOf(header: MrdHeader): Record<string, unknown> {
  return {
    vendor: header.acquisitionSystemInformation?.systemVendor,
    fieldStrengthT: header.acquisitionSystemInformation?.systemFieldStrength_T,
    receiverChannels: header.acquisitionSystemInformation?.receiverChannels,
    protocol: header.measurementInformation?.protocolName,
    encodings: header.encoding.map(({ encodedSpace, reconSpace, trajectory, parallelImaging }) => ({
      trajectory,
      encodedMatrix: sizeOf(encodedSpace.matrixSize),
      encodedFovMm: sizeOf(encodedSpace.fieldOfView_mm),
      reconMatrix: sizeOf(reconSpace.matrixSize),
      reconFovMm: sizeOf(reconSpace.fieldOfView_mm),
      acceleration: [
        parallelImaging?.accelerationFactor.kspace_encoding_step_1 ?? 1,
        parallelImaging?.accelerationFactor.kspace_encoding_step_2 ?? 1,
      ],
      calibrationMode: parallelImaging?.calibrationMode,
    })),
  };
}

function sizeOf({ x, y, z }: { x: number; y: number; z: number }): number[] {
  return [x, y, z];
}

export async function inspect(input: string, options: { readonly json: boolean }, io: CliIo): Promise<ExitCode> {
  const dicom = input === '-' ? [] : await dicomFiles(input).catch(() => []);
  if (dicom.length > 0) {
    const result = await inspectDicom(dicom);
    if (options.json) printJson(io.stdout, result);
    else printOutline(io, result);
    return ExitCode.ok;
  }
  const source = await openSource(input, io);
  const census = new Census();
  const parser = new MrdParser({
    configFile: (name) => {
      census.count('CONFIG_FILE');
      census.config = name;
    },
    configText: (text) => {
      census.count('CONFIG_TEXT');
      census.config = text;
    },
    header: (xml) => {
      census.count('HEADER');
      census.readHeader(xml);
    },
    text: (text) => {
      census.count('TEXT');
      census.texts.push(text);
    },
    acquisition: (acquisition) => {
      census.count('ACQUISITION');
      census.acquisition(acquisition);
    },
    image: (image) => {
      census.count('IMAGE');
      census.image(image);
    },
    waveform: ({ header }) => {
      census.count('WAVEFORM');
      tally(census.waveforms, `id ${header.waveformId}: ${header.nChannels} channels x ${header.nSamples} samples`);
    },
    close: () => census.count('CLOSE'),
    query: () => census.count('QUERY'),
    response: () => census.count('RESPONSE'),
    dicom: () => census.count('DICOM_WITHNAME'),
    dependency: () => census.count('DEPENDENCY_QUERY'),
    ndarray: () => census.count('NDARRAY'),
  });

  const progress = new Progress(io);
  let nBytes = 0;
  let failure: string | undefined;
  for await (const chunk of source.bytes) {
    try {
      nBytes += parser.write(chunk);
    } catch (error) {
      failure = presentable(error).message;
      break;
    }
    progress.update(() => `${(nBytes / 2 ** 20).toFixed(1)} MiB`);
  }
  progress.end();
  if (failure === undefined) {
    try {
      parser.end();
    } catch (error) {
      failure = presentable(error).message;
    }
  }
  const result = { bytes: parser.position, error: failure, ...census };
  if (options.json) printJson(io.stdout, result);
  else printOutline(io, result);
  return failure === undefined ? ExitCode.ok : ExitCode.input;
}

/** One fact a line, nested ones indented, nothing for what is not there. */
function printOutline(io: CliIo, value: object, indent = ''): void {
  for (const [name, fact] of Object.entries(value) as [string, unknown][]) {
    if (fact === undefined || (typeof fact === 'object' && fact !== null && Object.keys(fact).length === 0)) continue;
    if (Array.isArray(fact) && fact.every((item) => typeof item !== 'object')) {
      io.stdout.write(`${indent}${name}: ${fact.join(', ')}\n`);
    } else if (typeof fact === 'object' && fact !== null) {
      io.stdout.write(`${indent}${name}\n`);
      printOutline(io, fact, `${indent}  `);
    } else {
      io.stdout.write(`${indent}${name}: ${String(fact)}\n`);
    }
  }
}
