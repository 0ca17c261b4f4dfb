/** `conus recon IN -o OUT`: one session over files or pipes. */
import { createWriteStream } from 'node:fs';
import { extname } from 'node:path';
import { CodedError } from 'ismrmrd';
import type { MrdHeader, MrdImage } from 'ismrmrd';
import type { ChoiceOptions } from '../chain/index.js';
import { Pseudonymiser } from '../delivery/index.js';
import type { DatePolicy, DeliverySettings } from '../delivery/index.js';
import { Denoising } from '../denoising/index.js';
import type { CtScanner, DenoisingOptions } from '../denoising/index.js';
import { ReconstructionPool } from '../reconstruction/index.js';
import type { ReconstructionPoolOptions } from '../reconstruction/index.js';
import { play, presentable, Session, WireAnswer } from '../session/index.js';
import type { SessionAnswer, SessionSummary } from '../session/index.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { FileAnswer } from './fileAnswer.js';
import type { FileOptions } from './fileAnswer.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { Progress } from './progress.js';
import { ReportedAnswer } from './report.js';
import { openSource } from './source.js';
import type { Source } from './source.js';
import { StreamSink } from './streamSink.js';

export interface ReconOptions extends ChoiceOptions, ReconstructionPoolOptions {
  readonly denoising: DenoisingOptions;
  readonly ctScanners: readonly CtScanner[];
  readonly output: string;
  /** Where the pages go. */
  readonly report?: string;
  /** DICOM as multi-frame objects. */
  readonly enhanced?: boolean;
  /** File with the key of an output that names nobody. */
  readonly pseudonymise?: string;
  readonly pseudonymiseDates?: DatePolicy;
  readonly json: boolean;
}

/** Where the answer goes, and how it ends. */
interface Destination {
  readonly answer: SessionAnswer;
  /** Why nothing more can be written. */
  readonly failure: Error | undefined;
  /** @returns the files that were written. @throws CodedError CONUS_ERR_OUTPUT */
  end(): Promise<readonly string[]>;
}

export async function recon(input: string, options: ReconOptions, io: CliIo): Promise<ExitCode> {
  const source = await openSource(input, io);
  // On stdout is the answer, or the JSON summary; what is for people goes to stderr.
  const narrate = (text: string) => io.stderr.write(`${text}\n`);
  const pseudonymiser = options.pseudonymise === undefined ? undefined : await Pseudonymiser.fromKeyFile(options.pseudonymise, options.pseudonymiseDates ?? 'remove');
  const denoising = await Denoising.open({ ...options.denoising, notice: ({ code, message }) => narrate(`WRN ${code}: ${message}`) });
  const pool = new ReconstructionPool(options);
  try {
    const destination = destinationOf(options.output, io, narrate, { pseudonymiser, enhancedDicom: options.enhanced });
    const reported = options.report === undefined ? undefined : new ReportedAnswer(destination.answer);
    const session = new Session({
      ...options,
      standards: denoising.standards,
      id: 'recon',
      reconstructions: pool,
      denoisers: denoising,
      answer: reported ?? destination.answer,
      savesRaw: input !== '-',
      ...(reported === undefined ? {} : { observer: reported }),
    });
    const summary = await playSource(source, session, destination, new Progress(io));
    const pages = options.report === undefined ? undefined : await reported?.write(options.report, summary);
    const files = await destination.end();
    report(summary, files, pages, options, io, narrate);
    return exitCodeOf(summary);
  } finally {
    await pool.close();
    denoising.close();
  }
}

/** Feeds a source to a session and waits for its end. @throws CodedError CONUS_ERR_INPUT */
async function playSource(source: Source, session: Session, destination: Destination, progress: Progress): Promise<SessionSummary> {
  const mebi = (nBytes: number) => (nBytes / 2 ** 20).toFixed(1);
  const summary = await play(source.bytes, session, (nBytes) => {
    progress.update(() => `${mebi(nBytes)} MiB${source.totalBytes === undefined ? '' : ` of ${mebi(source.totalBytes)}`}`);
    if (destination.failure !== undefined) session.abort(destination.failure);
  });
  progress.end();
  return summary;
}

/** An answer in MRD messages, which is there also when no image is in it. */
function isStream(path: string): boolean {
  return path === '-' || extname(path).toLowerCase() === '.mrd';
}

function destinationOf(path: string, io: CliIo, narrate: (text: string) => void, fileOptions: FileOptions): Destination {
  if (!isStream(path)) {
    const answer = new FileAnswer(path, narrate, fileOptions);
    return {
      answer,
      get failure() {
        return answer.failure;
      },
      end: async () => {
        if (answer.failure !== undefined) throw outputError(path, answer.failure);
        return answer.files;
      },
    };
  }
  const sink = new StreamSink(path === '-' ? io.stdout : createWriteStream(path));
  return {
    answer: new NarratedWireAnswer(sink, narrate, fileOptions.pseudonymiser),
    get failure() {
      return sink.failure;
    },
    end: async () => {
      await sink.end().catch((error: Error) => {
        throw outputError(path, error);
      });
      return path === '-' ? [] : [path];
    },
  };
}

/** Tells on stderr what the stream says in TEXT. */
class NarratedWireAnswer extends WireAnswer {
  readonly #narrate: (text: string) => void;
  readonly #pseudonymiser: Pseudonymiser | undefined;

  constructor(sink: StreamSink, narrate: (text: string) => void, pseudonymiser: Pseudonymiser | undefined) {
    super(sink);
    this.#narrate = narrate;
    this.#pseudonymiser = pseudonymiser;
  }

  override begin(header: MrdHeader, settings: DeliverySettings): void {
    super.begin(this.#pseudonymiser?.header(header) ?? header, this.#pseudonymiser?.settings(settings) ?? settings);
  }

  /** What a client wrote beside its images may name anybody. */
  override returned(image: MrdImage): void {
    super.returned(this.#pseudonymiser === undefined ? image : { ...image, attributes: '' });
  }

  override text(text: string): void {
    this.#narrate(text);
    super.text(text);
  }
}

function outputError(path: string, cause: Error): Error {
  return cause instanceof CodedError ? cause : cliError('CONUS_ERR_OUTPUT', `${path} (${cause.message})`, { cause });
}

function report(summary: SessionSummary, files: readonly string[], pages: readonly string[] | undefined, options: ReconOptions, io: CliIo, narrate: (text: string) => void): void {
  const { error, ...facts } = summary;
  if (options.json) {
    printJson(options.output === '-' ? io.stderr : io.stdout, {
      ...facts,
      error: error === undefined ? undefined : presentable(error).message,
      files,
      pages,
    });
    return;
  }
  const where = isStream(options.output) ? options.output : files.length === 1 ? files[0]! : `${files.length} files`;
  narrate(`${summary.nReadouts} readouts, ${summary.nImagesOut} images, ${summary.durationMs.toFixed(0)} ms -> ${where}`);
  for (const page of pages ?? []) narrate(page);
}

function exitCodeOf({ outcome, nImagesOut, noticeCodes }: SessionSummary): ExitCode {
  if (outcome === 'completed') return noticeCodes.includes('CONUS_WARN_NO_IMAGES') ? ExitCode.input : ExitCode.ok;
  return nImagesOut > 0 ? ExitCode.partial : ExitCode.input;
}
