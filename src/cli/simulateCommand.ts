/** The options of `conus simulate`. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { MotionKind, ReconstructionKernel } from '../../simulator/index.js';
import type { ServerAddress } from './client.js';
import type { ExitCode } from './exitCodes.js';
import type { CliIo } from './io.js';
import { defined, finite, list, namesOf, notNegative, positive, positives, wholeNumber, wholeNumbers } from './optionValues.js';
import { simulate, simulationKinds } from './simulate.js';
import type { SimulateOptions, SimulationKind } from './simulate.js';

const kernelNames: readonly ReconstructionKernel[] = ['soft', 'bone', 'ramLak'];

export function addSimulate(simulateCommand: Command, io: CliIo, done: (code: ExitCode) => void): void {
  simulateCommand
    .description('scan a digital spine, or a picture, after a protocol: raw data, images, truth')
    .option('--protocol <name>', 'name of a protocol, or a .json file', 'lumbar-standard')
    .option('--series <ids>', 'series of the protocol, joined by commas; all by default', list)
    .option('--seed <number>', 'the same seed gives the same bytes', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--pathology <items>', 'what ails the spine, e.g. stenosis:L4-L5:severe,modic1:L5-S1,fracture:L1:2; or random')
    .option('--age <years>', 'of the person; drawn by default', wholeNumber(18, 90))
    .addOption(new Option('--sex <sex>', 'of the person; drawn by default').choices(['female', 'male']))
    .option('--stature <factor>', 'size over the mean of the sex, 0.85 to 1.15; drawn by default', positive)
    .addOption(new Option('--lumbar-vertebrae <number>', 'transitional vertebrae; drawn by default').choices(['4', '5', '6']))
    .option('--lordosis <degrees>', 'from L1 to S1; drawn by default', finite)
    .option('--scoliosis <degrees>', 'Cobb angle, to the left where positive', finite)
    .option('--from-image <file>', 'a picture in place of the digital spine: .nii, .nii.gz or .png')
    .option('--labels <file>', 'labels of the picture, put on the grid of the scan')
    .option('--pixel-mm <size>', 'pixel size of a .png', positive, 0.7)
    .option('--flip', 'the .png has the feet on top', false)
    .option('--coils <number>', 'channels; those of the protocol by default', wholeNumber(1, 64))
    .option('--snr <factor>', 'over that of the physics at hand; 0: no noise', notNegative, 1)
    .option('--broken-coils <numbers>', 'channels that receive noise only, joined by commas', wholeNumbers(0, 255))
    .addOption(new Option('--motion <kind>', 'how the patient moves').choices(['none', 'breathing', 'drift', 'jump']).default('none'))
    .option('--motion-mm <amplitude>', 'of the motion', positive)
    .option('--still-fluid', 'no pulsation of the cerebrospinal fluid', false)
    .option('--config <name>', 'chain that the stream asks for', 'default')
    .option('--dose <fractions>', 'doses of the CT scan, joined by commas', positives, [1])
    .option('--kernels <names>', 'kernels of the CT scan, joined by commas: soft, bone, ramLak', namesOf(kernelNames), ['soft'])
    .option('--ct-slices <number>', 'slices of the CT scan', wholeNumber(1, 4096), 40)
    .option('--to <host:port>', 'stream to an MRD server; with a folder as output, its answers are kept', address)
    .option('--real-time', 'in the time of the scanner', false)
    .option('--speed <factor>', 'so many times faster than the scanner', positive)
    .option('-o, --output <out>', 'a folder; or, for one series, .mrd, .h5, or - for stdout')
    .option('--write <kinds>', `what a folder gets, joined by commas: ${simulationKinds.join(', ')}`, namesOf(simulationKinds), ['raw', 'truth'])
    .option('--threads <number>', 'worker threads; one a core by default', wholeNumber(1, 1024))
    .action(async (flags: SimulateFlags) => {
      done(await simulate(simulateOptionsOf(flags), io));
    });
}

interface SimulateFlags {
  readonly protocol: string;
  readonly series?: readonly string[];
  readonly seed: number;
  readonly pathology?: string;
  readonly age?: number;
  readonly sex?: 'female' | 'male';
  readonly stature?: number;
  readonly lumbarVertebrae?: '4' | '5' | '6';
  readonly lordosis?: number;
  readonly scoliosis?: number;
  readonly fromImage?: string;
  readonly labels?: string;
  readonly pixelMm: number;
  readonly flip: boolean;
  readonly coils?: number;
  readonly snr: number;
  readonly brokenCoils?: readonly number[];
  readonly motion: MotionKind;
  readonly motionMm?: number;
  readonly stillFluid: boolean;
  readonly config: string;
  readonly dose: readonly number[];
  readonly kernels: readonly ReconstructionKernel[];
  readonly ctSlices: number;
  readonly to?: ServerAddress;
  readonly realTime: boolean;
  readonly speed?: number;
  readonly output?: string;
  readonly write: readonly SimulationKind[];
  readonly threads?: number;
  readonly json: boolean;
}

function simulateOptionsOf(flags: SimulateFlags): SimulateOptions {
  const { seed, pathology, age, sex, stature, lumbarVertebrae, lordosis, scoliosis, fromImage, labels } = flags;
  return {
    protocol: flags.protocol,
    patient: {
      seed,
      ...defined({ pathology, ageYears: age, sex, statureScale: stature, lordosisDeg: lordosis, scoliosisDeg: scoliosis }),
      ...(lumbarVertebrae && { nLumbar: Number(lumbarVertebrae) as 4 | 5 | 6 }),
    },
    ...(fromImage !== undefined && { picture: { path: fromImage, pixelMm: flags.pixelMm, flipped: flags.flip, ...defined({ labels }) } }),
    scan: {
      config: flags.config,
      snr: flags.snr === 0 ? Infinity : flags.snr,
      brokenCoils: flags.brokenCoils ?? [],
      motion: flags.motion,
      pulsation: !flags.stillFluid,
      ...defined({ nCoils: flags.coils, motionAmplitudeMm: flags.motionMm }),
    },
    ct: { doseFractions: flags.dose, kernels: flags.kernels, nSlices: flags.ctSlices },
    ...defined({ series: flags.series, to: flags.to, speed: flags.speed ?? (flags.realTime ? 1 : undefined), output: flags.output, threads: flags.threads }),
    write: flags.write,
    json: flags.json,
  };
}

function address(text: string): ServerAddress {
  const at = text.lastIndexOf(':');
  if (at < 1) throw new InvalidArgumentError('Expected host:port.');
  return { host: text.slice(0, at), port: wholeNumber(1, 65535)(text.slice(at + 1)) };
}
