/** `conus sweep IN`: what acceleration costs this scan, setting by setting, and which is the fastest that passes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Denoising } from '../denoising/index.js';
import type { DenoisingOptions } from '../denoising/index.js';
import { ReconstructionPool } from '../reconstruction/index.js';
import type { ReconstructionPoolOptions } from '../reconstruction/index.js';
import { sweepFile, sweepPage } from '../report/index.js';
import { hasLimits, limitTexts, settingText, sweep as runSweep, sweepError } from '../sweep/index.js';
import type { SweepOptions, SweepOutcome, SweepResult } from '../sweep/index.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';
import { Progress } from './progress.js';
import { openSource } from './source.js';

export interface SweepCommandOptions extends SweepOptions, ReconstructionPoolOptions {
  /** Where the page goes, or the figures with pictures: a name that ends in .json. */
  readonly output: string | undefined;
  readonly denoising: DenoisingOptions;
  readonly json: boolean;
}

/** @throws CodedError CONUS_ERR_SWEEP_*, CONUS_ERR_INPUT, CONUS_ERR_OUTPUT, what refuses the data as they are */
export async function sweep(input: string, options: SweepCommandOptions, io: CliIo): Promise<ExitCode> {
  if (input === '-') throw cliError('CONUS_ERR_INPUT', 'stdin, which can be read once only');
  const denoising = options.denoisePercents.some((percent) => percent > 0) ? await openDenoiser(options.denoising, io) : undefined;
  const pool = new ReconstructionPool(options);
  const progress = new Progress(io);
  try {
    const outcome = await runSweep(options, {
      open: async () => (await openSource(input, io)).bytes,
      reconstructions: pool,
      ...(denoising !== undefined && { denoisers: denoising }),
      progress: (setting) => progress.update(() => setting),
    });
    progress.end();
    if (options.output !== undefined) await write(options.output, options.output.endsWith('.json') ? `${JSON.stringify(sweepFile(outcome))}\n` : sweepPage(outcome));
    if (options.json) printJson(io.stdout, presented(outcome));
    else printOutcome(outcome, options.output, io);
    return ExitCode.ok;
  } finally {
    await pool.close();
    denoising?.close();
  }
}

/** @throws CodedError CONUS_ERR_SWEEP_DENOISER where there is none in order */
async function openDenoiser(options: DenoisingOptions, io: CliIo): Promise<Denoising> {
  const denoising = await Denoising.open({ ...options, notice: ({ code, message }) => io.stderr.write(`WRN ${code}: ${message}\n`) });
  await denoising.warmUp();
  const { trouble } = denoising;
  if (denoising.denoiser('denoise-mr') !== undefined && trouble === undefined) return denoising;
  denoising.close();
  throw sweepError('CONUS_ERR_SWEEP_DENOISER', trouble ?? 'none');
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    throw cliError('CONUS_ERR_OUTPUT', `${path} (${(cause as Error).message})`, { cause });
  }
}

/** The outcome without pictures and raw readouts. */
function presented({ scan, timing, snrUnits, limits, baseline, results, fastest }: SweepOutcome) {
  const facts = (result: SweepResult) => ({ ...result, picture: undefined });
  return {
    acceleration: scan.acceleration,
    timing,
    snrUnits,
    limits,
    baseline: facts(baseline),
    results: results.map(facts),
    fastest: fastest && (fastest.setting ?? 'as acquired'),
  };
}

function printOutcome(outcome: SweepOutcome, page: string | undefined, io: CliIo): void {
  const { baseline, results, fastest, limits, timing } = outcome;
  printTable(
    io.stdout,
    ['R', 'ACS', 'method', ...(isDenoised(outcome) ? ['denoised'] : []), 'lines', 'min', 'nRMSE', 'SSIM', 'g mean', 'g 99 %', outcome.snrUnits ? 'SNR' : 'SNR (a.u.)', 'SNR/own', ...(hasLimits(limits) ? ['verdict'] : ['remarks'])],
    [baseline, ...results].map((result) => [...cellsOf(result, outcome), verdictOf(result, hasLimits(limits))]),
  );
  if (timing === undefined) io.stdout.write('Minutes are unknown: the header has no repetition time or echo train length; give --tr-ms and --etl.\n');
  if (hasLimits(limits)) {
    io.stdout.write(`Limits: ${limitTexts(limits).join(', ')}.\n`);
    io.stdout.write(fastest === undefined ? 'No setting passes.\n' : `Fastest that passes: ${settingText(fastest.setting)}.\n`);
  }
  if (page !== undefined) io.stderr.write(`${page}\n`);
}

/** Whether a strength above 0 was asked for. */
const isDenoised = ({ results }: SweepOutcome): boolean => results.some(({ setting }) => setting !== undefined && setting.denoisePercent > 0);

function cellsOf({ setting, nLines, minutes, figures, relativeSnr }: SweepResult, outcome: SweepOutcome): string[] {
  const { scan } = outcome;
  const shown = (value: number | undefined, digits: number) => (value === undefined ? '-' : value.toFixed(digits));
  return [
    String(setting?.acceleration ?? scan.acceleration),
    setting === undefined ? '-' : String(setting.calibrationLines),
    setting?.method ?? 'as acquired',
    ...(isDenoised(outcome) ? [setting === undefined || setting.denoisePercent === 0 ? '-' : `${setting.denoisePercent} %`] : []),
    String(nLines),
    shown(minutes, 2),
    shown(figures?.nRmse, 4),
    shown(figures?.ssim, 4),
    shown(figures?.gMean, 3),
    shown(figures?.g99, 3),
    shown(figures?.snr, 1),
    shown(relativeSnr, 3),
  ];
}

function verdictOf({ violations, remarks }: SweepResult, hasAny: boolean): string {
  if (violations.length > 0) return violations.join('; ');
  return hasAny ? 'passes' : remarks.join(' ');
}
