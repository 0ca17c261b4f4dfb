/** The command line of `conus`. docs/cli.md is its reference. */
import { extname } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CodedError } from 'ismrmrd';
import type { LightFallback } from '../../recon/index.js';
import { ChainChoice, parameterFacts, unaliasMethods } from '../chain/index.js';
import type { ChoiceOptions, Implied, UnaliasMethod } from '../chain/index.js';
import { loadConfig } from '../config/index.js';
import type { Config } from '../config/index.js';
import type { DatePolicy } from '../delivery/index.js';
import { standardStrengthPercent } from '../denoising/index.js';
import type { DenoisingOptions } from '../denoising/index.js';
import { documentedCodes, errorsPage } from '../errors.js';
import { logLevels } from '../log.js';
import { presentable } from '../session/index.js';
import { VERSION } from '../version.js';
import { compare } from './compare.js';
import { addConfig } from './configCommands.js';
import { denoise } from './denoise.js';
import { dicomEcho, dicomSend } from './dicom.js';
import type { DicomFlags } from './dicom.js';
import { addExams } from './exams.js';
import { ExitCode } from './exitCodes.js';
import { explain } from './explain.js';
import { receivedKinds } from './imageWriter.js';
import { inspect } from './inspect.js';
import { addHandoff } from './handoff.js';
import { impliedByMaps, mapNames, mapParameters, reportedMaps } from './maps.js';
import type { MapName } from './maps.js';
import { benchModel, checkModels, listModels, printManifestSchema, showModel } from './models.js';
import type { ModelFlags } from './models.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';
import { addJobs } from './jobs.js';
import { addOutbox } from './outbox.js';
import { checkProtocols, listProtocols, printProtocolSchema, showProtocol } from './protocols.js';
import { collected, defined, keyValue, lightFallback, list, matrix, namesOf, percent, positive, spacingOf, wholeNumber, wholeNumbers, withChoice } from './optionValues.js';
import { recon } from './recon.js';
import { send } from './send.js';
import { serve, serveOptionsOf, work } from './serve.js';
import type { ServeFlags } from './serve.js';
import { addSimulate } from './simulateCommand.js';
import { sweep } from './sweep.js';
import { analyseFiles } from './analyse.js';
import type { AnalyseFlags } from './analyse.js';
import { addReport } from './reportCommand.js';
import { serveStage } from './stage.js';
import type { StageFlags } from './stage.js';
import { synth, synthContrasts } from './synth.js';
import type { SynthFlags } from './synth.js';

const DEFAULT_PORT = 9002;
const LOOPBACK = '127.0.0.1';
const MEBI = 2 ** 20;

/** Runs one command. Never throws: what goes wrong is printed to stderr and becomes the exit code. */
export async function main(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok;
  const program = buildProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    return explainFailure(error, io);
  }
}

const exitCodeByError: ReadonlyMap<string, ExitCode> = new Map([
  ['CONUS_ERR_PARAMETER', ExitCode.usage],
  ['OUTBOX_ERR_UNKNOWN_JOB', ExitCode.usage],
  ['OUTBOX_ERR_NO_DATA', ExitCode.usage],
  ['JOB_ERR_UNKNOWN', ExitCode.usage],
  ['JOB_ERR_NO_QUEUE', ExitCode.usage],
  ['RETRO_ERR_REQUEST', ExitCode.usage],
  ['SPOOL_ERR_LOCKED', ExitCode.usage],
  ['CONUS_ERR_RAW_FOLDER', ExitCode.usage],
  ['CONUS_ERR_NO_DATA_FOLDER', ExitCode.usage],
  ['CONUS_ERR_UNKNOWN_CONFIG', ExitCode.usage],
  ['CONUS_ERR_OUTPUT_KIND', ExitCode.usage],
  ['CONUS_ERR_PSEUDONYM_KEY', ExitCode.usage],
  ['CONUS_ERR_CONFIG_FILE', ExitCode.usage],
  ['CONUS_ERR_CONFIG_KEY', ExitCode.usage],
  ['CONUS_ERR_CONFIG_VALUE', ExitCode.usage],
  ['CONUS_ERR_DOOR_UNGUARDED', ExitCode.usage],
  ['CONUS_ERR_DOOR_TOKEN_FILE', ExitCode.usage],
  ['CONUS_ERR_DOOR_TLS', ExitCode.usage],
  ['CONUS_ERR_DOOR_ADDRESS', ExitCode.usage],
  ['CONUS_ERR_NOT_COMPARABLE', ExitCode.usage],
  ['CONUS_ERR_SIMULATION_OUTPUT', ExitCode.usage],
  ['CONUS_ERR_EXAM_SOURCE', ExitCode.usage],
  ['CONUS_ERR_SERIES', ExitCode.usage],
  ['SIM_ERR_PATHOLOGY', ExitCode.usage],
  ['SIM_ERR_OPTION', ExitCode.usage],
  ['CONUS_ERR_SWEEP_ACCELERATION', ExitCode.usage],
  ['CONUS_ERR_SWEEP_CALIBRATION', ExitCode.usage],
  ['PROTOCOL_ERR_UNKNOWN', ExitCode.usage],
  ['MODEL_ERR_UNKNOWN', ExitCode.usage],
  ['MODEL_ERR_FOLDER', ExitCode.usage],
  ['CONUS_ERR_OUTPUT', ExitCode.output],
  ['CONUS_ERR_CONNECTION', ExitCode.output],
  ['CONUS_ERR_LISTEN', ExitCode.output],
  ['DICOM_ERR_DESTINATION', ExitCode.usage],
  ['DICOM_ERR_CONNECTION', ExitCode.output],
  ['DICOM_ERR_TIMEOUT', ExitCode.output],
  ['DICOM_ERR_REJECTED', ExitCode.output],
  ['DICOM_ERR_HTTP', ExitCode.output],
  ['CLUSTER_ERR_REDIS', ExitCode.output],
]);

function explainFailure(error: unknown, io: CliIo): ExitCode {
  if (error instanceof CodedError) {
    io.stderr.write(`${error.message}\n`);
    return exitCodeByError.get(error.code) ?? ExitCode.input;
  }
  io.stderr.write(`${presentable(error).message}\n${error instanceof Error ? error.stack : String(error)}\n`);
  return ExitCode.internal;
}

interface ChoiceFlags {
  readonly set: Record<string, string>;
  readonly chain?: string;
  readonly implied?: readonly Implied[];
}
interface DenoisingFlags extends Omit<ModelFlags, 'threads'> {
  readonly denoise?: number;
  readonly modelThreads?: number;
}
interface PoolFlags {
  readonly threads?: number;
  readonly memory?: number;
}

function buildProgram(io: CliIo, done: (code: ExitCode) => void): Command {
  const program = new Command('conus')
    .description('MR reconstruction at the scanner: an ISMRMRD (MRD) stream in, images out. Research software.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) });

  withChoice(withPool(withDenoising(command(program, 'serve'))))
    .description('serve MRD sessions over TCP')
    .option('--config <file>', 'configuration of the service, as docs/configuration.md tells; options win over it')
    .option('--host <address>', `address to listen on; ${LOOPBACK} by default`)
    .option('--port <number>', `port to listen on, ${DEFAULT_PORT} by default; 0 takes any free one`, wholeNumber(0, 65535))
    .option('--data <folder>', 'keep all that must survive the process in this folder: images until they are delivered')
    .option('--deliver-to <destination>', 'dicom://AETITLE@host:port, https://…/studies or a folder: where images go beside the wire; needs --data, may be repeated', collected, [])
    .option('--save-raw [folder]', 'save the raw data of every session as they come in; in the data folder where none is named')
    .option('--noise-store <folder>', 'keep noise measurements between sessions')
    .option('--max-sessions <number>', 'sessions at once; 16 by default', wholeNumber(1, 4096))
    .option('--idle-timeout <seconds>', 'longest silence between messages; 1800 by default', positive)
    .option('--stall-timeout <seconds>', 'longest silence within a message, or of a client that does not read; 120 by default', positive)
    .option('--http <port>', 'exams, live channel, health and metrics over HTTP; 0 takes any free port', wholeNumber(0, 65535))
    .option('--http-host <address>', `address of HTTP; ${LOOPBACK} by default`)
    .option('--dicom-port <port>', 'receive DICOM images, on loopback unless configured; needs --data; 0 takes any free port', wholeNumber(0, 65535))
    .addOption(new Option('--log-level <level>', 'what is logged on stderr').choices(logLevels).default('info'))
    .action(async (flags: ChoiceFlags & PoolFlags & DenoisingFlags & ServeFlags) => {
      const config = await loadConfig(flags.config);
      const choice = { ...choiceOf({ ...flags, implied: impliedByDenoise(flags) }), ...poolOf(flags), denoising: denoisingOf(flags, config.models) };
      done(await serve({ ...(await serveOptionsOf(flags, config)), ...choice }, io));
    });

  withPool(withDenoising(command(program, 'worker')))
    .description('do the jobs of a cluster, and take no scans: syntheses, analyses, deliveries, reconstructions of kept raw data')
    .option('--config <file>', 'configuration of the cluster, as docs/configuration.md tells, where it does not stand in the environment; options win over it')
    .option('--data <folder>', 'folder of this node, for what is its own')
    .option('--http <port>', 'health and metrics over HTTP; 0 takes any free port', wholeNumber(0, 65535))
    .option('--http-host <address>', `address of HTTP; ${LOOPBACK} by default`)
    .addOption(new Option('--log-level <level>', 'what is logged on stderr').choices(logLevels).default('info'))
    .action(async (flags: PoolFlags & DenoisingFlags & ServeFlags) => {
      const config = await loadConfig(flags.config);
      const choice = { implied: impliedByDenoise(flags), ...poolOf(flags), denoising: denoisingOf(flags, config.models) };
      done(await work({ ...(await serveOptionsOf({ ...flags, deliverTo: [] }, config)), ...choice }, io));
    });

  withChoice(withPool(withDenoising(command(program, 'recon'))))
    .description('reconstruct a recorded stream or an ISMRMRD file')
    .argument('<in>', '.mrd, .h5, or - for stdin')
    .requiredOption('-o, --output <out>', '.mrd, .h5, .png, .nii.gz, a directory for DICOM, or - for an MRD stream on stdout')
    .option('--maps <names>', `further series: ${Object.keys(mapParameters).join(',')}, or some of them`, mapNames, [])
    .option('--report <folder>', 'one HTML page a series: images, maps, noise, sampling, times, parameters; asks for the maps that it shows')
    .option('--enhanced', 'DICOM as one multi-frame object a series', false)
    .option('--config <file>', 'a configuration, of which the sections models and ct count')
    .option('--pseudonymise <keyfile>', 'an output that names nobody; the same key gives a patient the same pseudonym')
    .addOption(new Option('--pseudonymise-dates <policy>', 'what becomes of dates then').choices(['remove', 'shift']).default('remove'))
    .action(async (input: string, flags: ChoiceFlags & PoolFlags & DenoisingFlags & { output: string; maps: MapName[]; report?: string; pseudonymise?: string; pseudonymiseDates: DatePolicy; enhanced: boolean; config?: string; json: boolean }) => {
      const config = flags.config === undefined ? undefined : await loadConfig(flags.config);
      const { output, maps, report, pseudonymise, pseudonymiseDates, enhanced, json } = flags;
      const implied = [...(report === undefined ? [] : impliedByMaps(reportedMaps, '--report')), ...impliedByMaps(maps, '--maps'), ...impliedByDenoise(flags)];
      done(await recon(input, { ...choiceOf({ ...flags, implied }), ...poolOf(flags), denoising: denoisingOf(flags, config?.models), ctScanners: config?.ct.scanners ?? [], output, json, enhanced, pseudonymiseDates, ...defined({ report, pseudonymise }) }, io));
    });

  command(program, 'send')
    .description('play a stream to an MRD server and keep its answer')
    .argument('<in>', '.mrd, .h5, or - for stdin')
    .requiredOption('-o, --output <out>', receivedKinds.join(', '), receivedOutput)
    .option('--host <address>', 'address of the server', LOOPBACK)
    .option('--port <number>', 'port of the server', wholeNumber(1, 65535), DEFAULT_PORT)
    .option('--pace-us <microseconds>', 'time between two readouts, as a scanner would send them', positive)
    .option('--set <key=value>', 'a parameter that is asked for beside those of the stream; may be repeated', keyValue, {})
    .action(async (input: string, flags: { output: string; host: string; port: number; paceUs?: number; set: Record<string, string>; json: boolean }) => {
      done(await send(input, flags, io));
    });

  command(program, 'inspect')
    .description('tell what a stream or a file holds, or the DICOM files of a folder')
    .argument('<in>', '.mrd, .h5, - for stdin, a DICOM file or a folder of them')
    .action(async (input: string, flags: { json: boolean }) => {
      done(await inspect(input, flags, io));
    });

  withChoice(withDenoising(command(program, 'explain')))
    .description('tell which chain and parameters an input would get, and what decided each')
    .argument('<in>', '.mrd, .h5, or - for stdin')
    .action(async (input: string, flags: ChoiceFlags & DenoisingFlags & { json: boolean }) => {
      done(await explain(input, { ...choiceOf({ ...flags, implied: impliedByDenoise(flags) }), denoising: denoisingOf(flags), json: flags.json }, io));
    });

  command(program, 'compare')
    .description('nRMSE, PSNR and SSIM of images against a reference, after one scale fit each')
    .argument('<image>', '.mrd, .h5 or .png')
    .argument('<reference>', '.mrd, .h5 or .png')
    .addOption(new Option('--mask <file>', 'image whose pixels other than 0 count').conflicts('threshold'))
    .option('--threshold <fraction>', "only pixels above this fraction of the reference's maximum count", positive)
    .option('--series <index>', 'series index of the images; the lowest one by default', wholeNumber(0, 65535))
    .action(async (image: string, reference: string, flags: { mask?: string; threshold?: number; series?: number; json: boolean }) => {
      done(await compare(image, reference, flags, io));
    });

  addSweep(program, io, done);
  addDenoise(program, io, done);
  addSynth(program, io, done);
  addAnalyse(program, io, done);
  addStage(program, io, done);
  addReport(program, io, done);
  addSimulate(command(program, 'simulate'), io, done);
  addProtocols(program, io, done);
  addOutbox(program.command('outbox').description('what waits for delivery, and what became of it'), io, done);
  addJobs(program.command('jobs').description('work that waits, runs or was given up, on all nodes'), io, done);
  addExams(program.command('exams'), io, done);
  addModels(program, io, done);
  addHandoff(program, io, done);
  addDicom(program, io, done);
  addConfig(program, io, done);

  command(program, 'parameters')
    .description('list every parameter of --set')
    .action((flags: { json: boolean }) => {
      const facts = parameterFacts();
      if (flags.json) printJson(io.stdout, facts);
      else printTable(io.stdout, ['name', 'values', 'default', 'meaning'], facts.map((fact) => [fact.name, fact.values, fact.default, fact.description]));
    });

  command(program, 'errors')
    .description('list every error code')
    .option('--markdown', 'as the page docs/errors.md')
    .action((flags: { markdown?: boolean; json: boolean }) => {
      if (flags.json) printJson(io.stdout, documentedCodes);
      else if (flags.markdown === true) io.stdout.write(errorsPage());
      else printTable(io.stdout, ['code', 'expected', 'what to do'], documentedCodes.map(({ code, expected, action }) => [code, expected, action]));
    });

  return program;
}

interface SweepFlags extends ChoiceFlags, PoolFlags, Omit<ModelFlags, 'threads'> {
  readonly R: number[];
  readonly acs: number[];
  readonly method: UnaliasMethod[];
  readonly strength: number[];
  readonly output?: string;
  readonly trMs?: number;
  readonly etl?: number;
  readonly maxNrmse?: number;
  readonly minSsim?: number;
  readonly maxG?: number;
  readonly maxG99?: number;
  readonly minSnr?: number;
  readonly maxMinutes?: number;
  readonly json: boolean;
}

function addSweep(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  withChoice(withPool(withModels(command(program, 'sweep'))))
    .description('undersample raw data retrospectively and tell what each setting costs')
    .argument('<in>', '.mrd or .h5, fully sampled or less accelerated')
    .option('--R <factors>', 'acceleration factors, multiples of that of the data', wholeNumbers(1, 8), [2, 3, 4])
    .option('--acs <lines>', 'numbers of calibration lines', wholeNumbers(1, 4096), [24])
    .option('--method <names>', `how missing lines are filled, some of ${unaliasMethods.join(',')}`, namesOf(unaliasMethods), ['grappa'])
    .option('--strength <percents>', 'strengths of the denoiser; 0 is the conventional image', wholeNumbers(0, 100), [0])
    .option('-o, --output <out>', 'an HTML page with plots and error maps; .json for the console')
    .option('--tr-ms <milliseconds>', "repetition time in place of the header's", positive)
    .option('--etl <lines>', "echo train length in place of the header's", wholeNumber(1, 4096))
    .option('--max-nrmse <value>', 'largest nRMSE that passes', positive)
    .option('--min-ssim <value>', 'smallest SSIM that passes', positive)
    .option('--max-g <value>', 'largest mean g-factor that passes', positive)
    .option('--max-g99 <value>', 'largest 99th percentile of the g-factor that passes', positive)
    .option('--min-snr <value>', 'smallest median SNR that passes', positive)
    .option('--max-minutes <value>', 'longest scan that passes', positive)
    .action(async (input: string, flags: SweepFlags) => {
      const { R: accelerations, acs: calibrationLines, method: methods, strength: denoisePercents, output, json } = flags;
      const limits = defined({
        maxNRmse: flags.maxNrmse, minSsim: flags.minSsim, maxGMean: flags.maxG, maxG99: flags.maxG99, minSnr: flags.minSnr, maxMinutes: flags.maxMinutes,
      });
      const timing = defined({ trMs: flags.trMs, echoTrainLength: flags.etl });
      done(await sweep(input, { ...choiceOf(flags), ...poolOf(flags), ...timing, accelerations, calibrationLines, methods, denoisePercents, denoising: denoisingOf(flags), limits, output, json }, io));
    });
}

function addDenoise(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  withModels(command(program, 'denoise'))
    .description('denoise CT images of DICOM files; raw data of MR are denoised by recon and serve')
    .argument('<in>', 'a DICOM file, or a folder of them')
    .requiredOption('-o, --output <folder>', 'where the denoised series go')
    .option('--denoise <percent>', 'how much of the denoised image is shown; no more than 75 where the noise is estimated', percent, standardStrengthPercent)
    .option('--on-amber <what>', 'what becomes of images of this light: deliver, end, or a lower strength in per cent', lightFallback, 'deliver')
    .option('--on-red <what>', 'the same', lightFallback, 'end')
    .option('--model <id>', 'which network; by default the first one for CT that is in order')
    .option('--model-threads <number>', 'threads of one run of a model; two by default', wholeNumber(1, 256))
    .option('--config <file>', 'a configuration, of which the sections models and ct count')
    .action(async (input: string, flags: DenoisingFlags & { output: string; denoise: number; onAmber: LightFallback; onRed: LightFallback; model?: string; config?: string; json: boolean }) => {
      const config = flags.config === undefined ? undefined : await loadConfig(flags.config);
      const { output, denoise: strengthPercent, onAmber, onRed, model, json } = flags;
      done(await denoise(input, { output, strengthPercent, fallbacks: { onAmber, onRed }, denoising: denoisingOf(flags, config?.models), ctScanners: config?.ct.scanners ?? [], json, ...defined({ model }) }, io));
    });
}

function addSynth(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  withModels(command(program, 'synth'))
    .description('compute contrasts that were not scanned from T1w and T2w; the light tells how far they are to be trusted')
    .option('--t1 <in>', 'T1w series: a folder of DICOM files, .nii or .nii.gz (with a .json beside it), .mrd or .h5')
    .option('--t2 <in>', 'T2w series, the same')
    .option('--dixon <in>', 'water and fat images of a Dixon scan (DICOM), or fat fractions (also .nii.gz)')
    .option('--fatsat <in>', 'a fat-suppressed T2w series')
    .requiredOption('--to <contrasts>', `what is computed: ${synthContrasts.join(',')}, or some of them`, namesOf(synthContrasts))
    .requiredOption('-o, --output <out>', 'a folder for DICOM, .nii.gz, .png, .mrd or .h5')
    .option('--ti <milliseconds>', 'inversion time of STIR; auto: the null of fat', autoOr(positive), 'auto')
    .option('--tr <milliseconds>', 'repetition time of what is computed; by default as docs/protocols.md says', positive)
    .option('--te <milliseconds>', 'echo time of what is computed', positive)
    .option('--real', 'STIR with the sign of what the inversion left negative', false)
    .option('--trust-maps', 'further series: interval, fat fraction, what speaks against the pair', false)
    .option('--enhanced', 'DICOM as one multi-frame object an MR series', false)
    .option('--deliver-red', 'write what is computed also where the light is red', false)
    .option('--tr1 <milliseconds>', "repetition time of T1w, in place of its file's", positive)
    .option('--te1 <milliseconds>', "echo time of T1w, in place of its file's", positive)
    .option('--tr2 <milliseconds>', "repetition time of T2w, in place of its file's", positive)
    .option('--te2 <milliseconds>', "echo time of T2w, in place of its file's", positive)
    .option('--field-strength <tesla>', "in place of the files'", positive)
    .option('--model <id>', 'the network; the first one that is in order by default')
    .option('--ct-model <id>', 'the network of synthetic CT; the first one that is in order by default')
    .action(async (flags: SynthFlags) => {
      done(await synth(flags, io));
    });
}

function addAnalyse(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  withModels(command(program, 'analyse'))
    .description('find the structures of the spine, measure and grade them, and write a report; research use only')
    .argument('<in...>', 'series: folders of DICOM files, .nii, .nii.gz, .mrd, .h5 or .png; t1w=IN names the contrast where the file does not')
    .requiredOption('-o, --output <folder>', 'for report.json, pictures, label volumes, and DICOM SEG, SR and a summary page of DICOM series')
    .option('--spacing <mm>', 'between rows and between columns of .png, e.g. 0.8,0.8', spacingOf)
    .option('--model <id>', 'the network; the first one that is in order by default')
    .option('--no-pictures', 'no summary page and no evidence pictures')
    .action(async (inputs: readonly string[], flags: AnalyseFlags) => {
      done(await analyseFiles(inputs, flags, io));
    });
}

function addStage(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  withModels(command(program, 'stage'))
    .description('take finished exams of other servers by the hand-off contract and analyse them (docs/handoff.md); research use only')
    .option('--host <address>', 'to listen on', '127.0.0.1')
    .option('--port <number>', 'to listen on', wholeNumber(0, 65_535), 9004)
    .option('--token-file <file>', 'with the bearer token that offers must come with; needed beyond this machine')
    .option('--model <id>', 'the network; the first one that is in order by default')
    .option('--longest <seconds>', 'an analysis is given up after so long', positive, 180)
    .addOption(new Option('--log-level <level>', 'what is logged on stderr').choices(logLevels).default('info'))
    .action(async (flags: StageFlags) => {
      done(await serveStage(flags, io));
    });
}

/** A value, or the word auto. */
function autoOr<Value>(read: (text: string) => Value): (text: string) => Value | 'auto' {
  return (text) => (text === 'auto' ? 'auto' : read(text));
}

function addProtocols(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const protocols = program.command('protocols').description('exam protocols: what is scanned, how long it takes, what is synthesised');

  command(protocols, 'list')
    .description('list the protocols that come with the program')
    .action(async (flags: { json: boolean }) => {
      done(await listProtocols(flags, io));
    });

  command(protocols, 'show')
    .description('tell what a protocol holds and how long it takes')
    .argument('<name>', 'name of a protocol, or a .json file')
    .option('--against <name>', 'tell what it saves against this protocol, series by series')
    .action(async (name: string, flags: { against?: string; json: boolean }) => {
      done(await showProtocol(name, flags, io));
    });

  command(protocols, 'check')
    .description('tell everything that is wrong with a protocol, and what is worth a word')
    .argument('<file>', 'a .json file')
    .action(async (file: string, flags: { json: boolean }) => {
      done(await checkProtocols(file, flags, io));
    });

  command(protocols, 'schema')
    .description('print the JSON Schema of protocols')
    .option('--markdown', 'as the page docs/protocols.md')
    .action((flags: { markdown?: boolean }) => {
      done(printProtocolSchema(flags, io));
    });
}

function addDicom(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const dicom = program.command('dicom').description('DICOM destinations: whether one answers, and sending files to one');
  const withConfig = (subcommand: Command) =>
    subcommand
      .option('--config <file>', 'configuration with the destinations by name')
      .option('--ae-title <title>', 'what we call ourselves, without a configuration', 'CONUS');

  withConfig(command(dicom, 'echo'))
    .description('ask a destination whether it is there: C-ECHO, or a question to the web service')
    .argument('<destination>', 'a name of the configuration, dicom://AETITLE@host:port, https://…/studies, or a folder')
    .action(async (destination: string, flags: DicomFlags) => {
      done(await dicomEcho(destination, flags, io));
    });

  withConfig(command(dicom, 'send'))
    .description('send the DICOM files of a folder: C-STORE, STOW-RS, or into another folder')
    .argument('<in>', 'a DICOM file, or a folder of them')
    .argument('<destination>', 'as for echo')
    .action(async (input: string, destination: string, flags: DicomFlags) => {
      done(await dicomSend(input, destination, flags, io));
    });
}

function addModels(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const models = program.command('models').description('networks: which there are, whether they are in order, how long they take');

  withModels(command(models, 'list'))
    .description('list the models that come with the program, and those of --models')
    .action(async (flags: ModelFlags & { json: boolean }) => {
      done(await listModels(flags, io));
    });

  withModels(command(models, 'show'))
    .description('tell what a model says of itself')
    .argument('<id>', 'name of a model')
    .action(async (id: string, flags: ModelFlags & { json: boolean }) => {
      done(await showModel(id, flags, io));
    });

  withModels(command(models, 'check'))
    .description('load models and try them, as the service does')
    .argument('[id...]', 'names of models; all of them by default')
    .action(async (ids: string[], flags: ModelFlags & { json: boolean }) => {
      done(await checkModels(ids, flags, io));
    });

  withModels(command(models, 'bench'))
    .description('median latency of a model')
    .argument('<id>', 'name of a model')
    .option('--size <rowsxcolumns>', 'image size', matrix, { rows: 320, columns: 320 })
    .option('--threads <numbers>', 'threads of a run', wholeNumbers(1, 256), [1, 2])
    .option('--batch <numbers>', 'images in a run', wholeNumbers(1, 256), [1])
    .option('--runs <number>', 'runs that are measured', wholeNumber(1, 10_000), 20)
    .action(async (id: string, flags: Omit<ModelFlags, 'threads'> & { size: { rows: number; columns: number }; threads: number[]; batch: number[]; runs: number; json: boolean }) => {
      const { size, threads: threadCounts, batch: batches, ...others } = flags;
      done(await benchModel(id, { ...others, ...size, threadCounts, batches }, io));
    });

  command(models, 'schema')
    .description('print the JSON Schema of manifests')
    .option('--markdown', 'as the page docs/model-manifest.md')
    .action((flags: { markdown?: boolean }) => {
      done(printManifestSchema(flags, io));
    });
}

function command(program: Command, name: string): Command {
  return program.command(name).option('--json', 'print the result as JSON', false);
}

function withModels(subcommand: Command): Command {
  return subcommand
    .option('--models <folder>', 'a folder of further models, one folder each; may be repeated', collected, [])
    .option('--providers <names>', 'execution providers of ONNX Runtime, the wanted ones first, as cuda,cpu', list);
}

function withDenoising(subcommand: Command): Command {
  return withModels(subcommand)
    .option('--denoise <percent>', `how much of the denoised image a second series shows; ${standardStrengthPercent} by default where there is a denoiser, 0 for none`, percent)
    .option('--model-threads <number>', 'threads of one run of a model; two by default', wholeNumber(1, 256));
}

function impliedByDenoise({ denoise }: DenoisingFlags): Implied[] {
  return denoise === undefined ? [] : [{ name: 'denoise', value: String(denoise), source: '--denoise' }];
}

/** @param configured where there is a configuration; flags win over it */
function denoisingOf({ models, providers, modelThreads }: DenoisingFlags, configured?: Config['models']): DenoisingOptions {
  return { models: [...(configured?.folders ?? []), ...models], ...defined({ providers: providers ?? configured?.providers, threads: modelThreads ?? configured?.threads }) };
}

function withPool(subcommand: Command): Command {
  return subcommand
    .option('--threads <number>', 'worker threads; one a core by default', wholeNumber(1, 1024))
    .option('--memory <mebibytes>', 'most memory that one session may take', wholeNumber(64, 4096));
}

/** Checked here, so that a wrong option ends the command and not the first session. */
function choiceOf({ set, chain, implied = [] }: ChoiceFlags): ChoiceOptions {
  const options = { overrides: set, implied, ...(chain === undefined ? {} : { chain }) };
  new ChainChoice(options).choose();
  return options;
}

function poolOf({ threads, memory }: PoolFlags): { threads?: number; memoryLimitBytes?: number } {
  return {
    ...(threads === undefined ? {} : { threads }),
    ...(memory === undefined ? {} : { memoryLimitBytes: memory * MEBI }),
  };
}

function receivedOutput(path: string): string {
  if ((receivedKinds as readonly string[]).includes(extname(path).toLowerCase())) return path;
  throw new InvalidArgumentError(`Expected a name that ends in ${receivedKinds.join(', ')}.`);
}
