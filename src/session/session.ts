/**
 * One MRD session: config, header, parameters, data, CLOSE; whatever happens, the answer ends with
 * exactly one CLOSE. The session knows neither sockets nor files: bytes are written to it, and it
 * answers through a SessionAnswer. docs/lifecycle.md draws the states.
 */
import { MrdParser, parseHeader, serializeMeta } from 'ismrmrd';
import type { AcquisitionHeader, MrdHeader, MrdImage, ParserLimits, MrdSink } from 'ismrmrd';
import type { NoiseRecord, ReconImage, ReconNotice, ReconParameters, ReconSummary } from '../../recon/index.js';
import { ChainChoice, chainWarning, isJsonObjectText } from '../chain/index.js';
import type { Choice, ChoiceOptions, Guidance, Parameters } from '../chain/index.js';
import { rawDataIdentity, strengthMark } from '../delivery/index.js';
import { ctAcquisitionOf, ctNoiseByDose, ctScannerOf, valuesOfMeta } from '../denoising/index.js';
import type { CtScanner } from '../denoising/index.js';
import type { DeliverySettings } from '../delivery/index.js';
import { NoiseGathering, type NoiseStore } from '../noise/index.js';
import type { Denoiser, ReconstructionEvents, SessionReconstruction } from '../reconstruction/index.js';
import type { SessionAnswer } from './answer.js';
import { deliverySettings } from './deliverySettings.js';
import { sessionError, sessionWarning } from './errors.js';
import { IncomingCt } from './incomingCt.js';
import type { SessionObserver } from './observer.js';
import { OnlookerMaps } from './onlookerMaps.js';
import type { OnlookerMapKind } from './onlookerMaps.js';
import { QualityWatch } from './quality.js';
import { answerQuery } from './queries.js';
import { Remarks } from './remarks.js';
import { ReturnedImages } from './returnedImages.js';
import { asError, presentable } from './summary.js';
import type { SessionSummary } from './summary.js';
import { WithheldOriginals } from './withheld.js';

/** Where reconstructions come from: a ReconstructionPool. */
export interface Reconstructions {
  open(header: MrdHeader, parameters: ReconParameters, events: ReconstructionEvents, storedNoise?: NoiseRecord, denoiser?: Denoiser): Promise<SessionReconstruction>;
}

/** Where denoisers come from: a Denoising. */
export interface Denoisers {
  /** @param id of a model; empty for the first one that is in order */
  denoiser(task: 'denoise-mr' | 'denoise-ct', id: string): Denoiser | undefined;
}

/**
 * What comes back after the images of a session, once they are complete and kept: series that were made of them and of
 * others. Ends in its own time, and never rejects.
 */
export type Epilogue = (give: (image: MrdImage) => void, gone: AbortSignal) => Promise<readonly ReconNotice[]>;

/** What others than the client say of a scan, by its header and the normal of its first slice (LPS). Never throws. */
export type Guide = (header: MrdHeader, sliceDir: readonly number[]) => Guidance;

export interface SessionOptions extends ChoiceOptions {
  readonly id: string;
  readonly reconstructions: Reconstructions;
  readonly denoisers?: Denoisers;
  /** CT scanners whose noise is known by dose and kernel. */
  readonly ctScanners?: readonly CtScanner[];
  readonly answer: SessionAnswer;
  /** Whether every byte of this session is being saved; the chain savedataonly asks for it. */
  readonly savesRaw?: boolean;
  /** Where noise measurements are kept between sessions; nowhere where it is absent. */
  readonly noiseStore?: NoiseStore;
  readonly limits?: Partial<ParserLimits>;
  readonly observer?: SessionObserver;
  /** Maps that the observer gets, whatever the client asks for. */
  readonly onlookerMaps?: readonly OnlookerMapKind[];
  readonly guide?: Guide;
  readonly epilogue?: Epilogue;
}

const emptyMeta = '<?xml version="1.0" encoding="UTF-8"?>\n<ismrmrdMeta></ismrmrdMeta>\n';

/** Stored noise measurements as Gadgetron's clients look for them: the name of a file whose end is the measurement's. */
function dependencies(measurementIds: readonly string[]): string {
  const names = measurementIds.map((id) => `GadgetronNoiseCovarianceMatrix_${id}`);
  return names.length > 0 ? serializeMeta({ NoiseDependencies: names }) : emptyMeta;
}

export class Session {
  /** Resolves when CLOSE was answered, or the session was aborted. Never rejects. */
  readonly closed: Promise<SessionSummary>;

  readonly #options: SessionOptions;
  readonly #answer: SessionAnswer;
  readonly #parser: MrdParser;
  readonly #choice: ChainChoice;
  readonly #returned = new ReturnedImages();
  readonly #remarks: Remarks;
  readonly #startedAt = performance.now();

  #phase: 'open' | 'finishing' | 'closed' = 'open';
  #isConfigured = false;
  #wasQueried = false;
  #hasHeader = false;
  #header: MrdHeader | undefined;
  /** Why a header could not be read; only raw data that are to be reconstructed need one. */
  #headerError: Error | undefined;
  /** Set with the first acquisition or image: parameters are fixed from then on. */
  #chosen: Choice | undefined;
  /** Of a reconstruction whose first readout is still to come. */
  #settings: DeliverySettings | undefined;
  #opening: Promise<SessionReconstruction> | undefined;
  #reconstruction: SessionReconstruction | undefined;
  #quality: QualityWatch | undefined;
  #originals = new WithheldOriginals(false);
  /** Denoises CT images of the client; none where nothing is to be denoised. */
  #incomingCt: IncomingCt | undefined;
  /** Why the reconstruction, or the answer to one of its images, failed. */
  #reconstructionError: unknown;
  #scratch = new Float32Array(0);
  /** Of a session that brings a noise measurement to be kept. */
  readonly #noise = new NoiseGathering();
  /** Aborted when nothing can be answered any more. */
  readonly #gone = new AbortController();
  /** Set while an acquisition waits for room; called when there is some, or when waiting is in vain. */
  #isFull = false;
  #wake: (() => void) | undefined;

  /** Messages that were read whole. */
  #nMessages = 0;
  #nBytesIn = 0;
  #nReadouts = 0;
  #nWaveforms = 0;
  #nImagesIn = 0;
  #nImagesOut = 0;
  #lastReadoutAt: number | undefined;
  #lastImageAt: number | undefined;
  #resolveClosed: (summary: SessionSummary) => void = () => undefined;

  /** @throws CodedError when the options themselves are wrong (CONUS_ERR_PARAMETER, CONUS_ERR_UNKNOWN_CONFIG) */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#answer = options.answer;
    this.#remarks = new Remarks((text) => options.answer.text(text), (notice) => options.observer?.remarked?.(notice));
    this.#choice = new ChainChoice(options);
    this.#parser = new MrdParser(this.#sink(), options.limits);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** False once the session needs no more bytes: CLOSE came, or an error ended it. */
  get takesInput(): boolean {
    return this.#phase === 'open';
  }

  /** Whether the bytes so far end within a message. */
  get isMidMessage(): boolean {
    return this.#parser.nMessages > this.#nMessages;
  }

  /**
   * Takes the next bytes of the client, split anywhere. Never throws: errors are answered.
   * @returns undefined when more may follow at once; else a promise for when it may, until which
   *   `chunk` must not be changed
   */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (!this.takesInput) return undefined;
    this.#nBytesIn += chunk.length;
    const nTaken = this.#parse(chunk);
    return this.#isFull ? this.#writeRest(chunk.subarray(nTaken)) : this.#answer.ready();
  }

  /** No more bytes will come: what is complete is reconstructed and answered. */
  end(): Promise<SessionSummary> {
    if (this.takesInput) {
      try {
        this.#parser.end();
        if (this.#isConfigured) {
          this.#say(sessionWarning('CONUS_WARN_NO_CLOSE', 'the input ended without CLOSE'));
          this.#finish();
        } else {
          this.#finish(sessionError('CONUS_ERR_NO_CONFIG', 'the end of the input'));
        }
      } catch (error) {
        this.#finish(error);
      }
    }
    return this.closed;
  }

  /** A remark from outside, on its way to the client. */
  remark(notice: ReconNotice): void {
    if (this.#phase !== 'closed') this.#remarks.say(notice);
  }

  /** Ends the session with an error from outside (a time-out, a server that stops), answered like any other. */
  fail(error: Error): void {
    this.#finish(error);
  }

  /** The client is gone: frees everything, answers nothing more. */
  abort(error: Error): void {
    if (this.#phase === 'closed') return;
    const opening = this.#opening;
    this.#incomingCt?.abort();
    this.#gone.abort();
    this.#release();
    this.#answer.abort?.(presentable(error));
    this.#settle('aborted', error, undefined);
    opening?.then((reconstruction) => reconstruction.abort()).catch(() => undefined);
  }

  async #writeRest(rest: Uint8Array): Promise<void> {
    while (this.#isFull && this.takesInput) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      rest = rest.subarray(this.#parse(rest));
    }
    await this.#answer.ready();
  }

  /** @returns bytes taken: all of them unless there is no room for an acquisition */
  #parse(chunk: Uint8Array): number {
    if (!this.takesInput) return chunk.length;
    try {
      return this.#parser.write(chunk);
    } catch (error) {
      this.#finish(error);
      return chunk.length;
    }
  }

  /** What each message does. Throwing ends the session with that error. */
  #sink(): MrdSink {
    const ifOpen =
      <Arguments extends unknown[]>(handle: (...values: Arguments) => void) =>
      (...values: Arguments): void => {
        this.#nMessages++;
        // Bytes after CLOSE in the same chunk are parsed, too, and mean nothing.
        if (this.takesInput) handle(...values);
      };
    const ignore = (what: string) =>
      ifOpen(() => this.#say(sessionWarning('CONUS_WARN_MESSAGE_IGNORED', `a message of kind ${what}`)));
    return {
      configFile: ifOpen((name) => {
        this.#configure(() => this.#choice.configFile(name));
      }),
      configText: ifOpen((text) => {
        this.#configure(() => this.#choice.configText(text).forEach((notice) => this.#say(notice)));
      }),
      header: ifOpen((xml) => this.#readHeader(xml)),
      text: ifOpen((text) => this.#readText(text)),
      query: ifOpen((correlationId, query) => {
        this.#wasQueried = true;
        this.#answer.response(correlationId, answerQuery(query));
      }),
      allocate: (header) => (this.takesInput ? this.#allocate(header) : this.#scratchFor(header)),
      acquisition: ifOpen(({ header, data }) => {
        this.#nReadouts++;
        this.#lastReadoutAt = performance.now();
        this.#beginAnswer(header, data);
        this.#reconstruction?.commit(header);
        if (this.#storesNoise) this.#noise.add(header, data);
        this.#options.observer?.readout?.(header);
      }),
      image: ifOpen((image) => this.#readImage(image)),
      waveform: ifOpen(() => {
        this.#requireHeader('a waveform');
        this.#nWaveforms++;
      }),
      close: ifOpen(() => this.#readClose()),
      response: ignore('RESPONSE'),
      dicom: ignore('DICOM_WITHNAME'),
      dependency: ignore('DEPENDENCY_QUERY'),
      ndarray: ignore('NDARRAY'),
    };
  }

  #configure(choose: () => void): void {
    if (this.#isConfigured) throw sessionError('CONUS_ERR_CONFIG_TWICE', 'a second config');
    choose();
    this.#isConfigured = true;
    if (this.#choice.chain.task === 'save' && this.#options.savesRaw !== true) {
      throw sessionError('CONUS_ERR_RAW_NOT_SAVED', 'config savedataonly where no raw data are saved');
    }
  }

  #readHeader(xml: string): void {
    if (!this.#isConfigured) throw sessionError('CONUS_ERR_NO_CONFIG', 'a header first');
    if (this.#hasHeader) throw sessionError('CONUS_ERR_HEADER_TWICE', 'a second header');
    this.#hasHeader = true;
    if (this.#choice.chain.task !== 'reconstruct' && !this.#storesNoise) return;
    try {
      this.#header = parseHeader(xml);
    } catch (error) {
      this.#headerError = error as Error;
      return;
    }
    if (this.#choice.chain.task !== 'reconstruct') return;
    this.#options.observer?.described?.(this.#header);
    this.#choice.header(this.#header);
  }

  #readText(text: string): void {
    if (!this.#isConfigured) throw sessionError('CONUS_ERR_NO_CONFIG', 'a text first');
    if (this.#chosen === undefined) {
      this.#choice.text(text).forEach((notice) => this.#say(notice));
    } else if (isJsonObjectText(text)) {
      this.#say(chainWarning('CONUS_WARN_LATE_PARAMETERS', 'parameters came after the first acquisition or image'));
    }
  }

  #requireHeader(what: string): void {
    if (!this.#isConfigured) throw sessionError('CONUS_ERR_NO_CONFIG', `${what} first`);
    if (!this.#hasHeader) throw sessionError('CONUS_ERR_NO_HEADER', `${what} before the header`);
  }

  #allocate(header: AcquisitionHeader): Float32Array | undefined {
    if (this.#reconstruction === undefined) {
      this.#requireHeader('an acquisition');
      if (this.#choice.chain.task !== 'reconstruct') return this.#scratchFor(header);
      if (this.#opening === undefined) this.#open(header);
      this.#isFull = true;
      return undefined;
    }
    const slot = this.#reconstruction.allocate(header);
    this.#isFull = slot === undefined;
    return slot;
  }

  /** One place for the samples of chains that look at none. */
  #scratchFor(header: AcquisitionHeader): Float32Array {
    const nFloats = 2 * header.nChannels * header.nSamples;
    if (this.#scratch.length < nFloats) this.#scratch = new Float32Array(nFloats);
    return this.#scratch.subarray(0, nFloats);
  }

  #open({ sliceDir }: AcquisitionHeader): void {
    const choice = this.#choose(sliceDir);
    const { parameters, chain } = choice;
    if (this.#header === undefined) throw this.#headerError ?? new Error('no header to open a reconstruction with');
    const storedNoise = this.#options.noiseStore?.find(this.#header);
    this.#options.observer?.chosen?.(choice, this.#header, storedNoise);
    if (storedNoise === undefined) this.#warnOfDependencies(this.#header);
    this.#settings = deliverySettings(chain, parameters, this.#returned.reserve());
    this.#quality = new QualityWatch(parameters.denoise, parameters, (notice) => this.#say(notice));
    this.#originals = new WithheldOriginals(!parameters.sendOriginal && parameters.denoise > 0);
    const denoiser = parameters.denoise > 0 ? this.#options.denoisers?.denoiser('denoise-mr', parameters.denoiseModel) : undefined;
    const maps = new OnlookerMaps(this.#options.onlookerMaps ?? [], parameters);
    this.#opening = this.#options.reconstructions.open(this.#header, maps.parameters, this.#events(maps), storedNoise, denoiser);
    this.#opening.then(
      (reconstruction) => {
        this.#reconstruction = reconstruction;
        this.#roomAgain();
      },
      (error: unknown) => this.#finish(error),
    );
  }

  /** With the first readout, which tells the raw data from all others; images come later. */
  #beginAnswer(first: AcquisitionHeader, samples: Float32Array): void {
    const settings = this.#settings;
    if (settings === undefined || this.#header === undefined) return;
    this.#settings = undefined;
    this.#answer.begin(this.#header, { ...settings, rawDataIdentity: rawDataIdentity(this.#header, first, samples) });
  }

  #events(maps: OnlookerMaps): ReconstructionEvents {
    const guard =
      <Value>(handle: (value: Value) => void) =>
      (value: Value): void => {
        if (this.#phase === 'closed') return;
        try {
          handle(value);
        } catch (error) {
          this.#reconstructionBroke(error);
        }
      };
    return {
      image: guard((image: ReconImage) => {
        if (this.#quality?.passes(image) === false) return;
        if (maps.sends(image.kind)) this.#sendAll(this.#originals.take(image));
        this.#options.observer?.imageMade?.(image);
      }),
      notice: guard((notice: ReconNotice) => {
        if (maps.says(notice.code)) this.#say(notice);
      }),
      room: () => this.#roomAgain(),
      failed: guard((error: Error) => this.#reconstructionBroke(error)),
    };
  }

  #sendAll(images: readonly ReconImage[]): void {
    for (const image of images) {
      this.#answer.image(image);
      this.#nImagesOut++;
      this.#lastImageAt = performance.now();
    }
  }

  /** Conventional images that were held back for a denoised series that did not become complete. */
  #sendWithheld(): void {
    const withheld = this.#originals.end();
    if (withheld.length === 0) return;
    this.#say(sessionWarning('CONUS_WARN_ORIGINAL_SENT', `the denoised series is not complete: all ${withheld.length} conventional images are sent`));
    this.#sendAll(withheld);
  }

  #reconstructionBroke(error: unknown): void {
    this.#reconstructionError ??= error;
    this.#finish(error);
  }

  /** Fixes chain and parameters, with the first data. */
  #choose(sliceDir: readonly number[]): Choice {
    if (this.#chosen !== undefined) return this.#chosen;
    const { guide } = this.#options;
    if (guide !== undefined && this.#header !== undefined) this.#choice.guided(guide(this.#header, sliceDir));
    const choice = this.#choice.choose();
    this.#chosen = choice;
    choice.notices.forEach((notice) => this.#say(notice));
    return choice;
  }

  #readImage(image: MrdImage): void {
    this.#requireHeader('an image');
    this.#nImagesIn++;
    if (this.#choice.chain.task !== 'reconstruct') return;
    const { parameters } = this.#choose(image.header.sliceDir);
    if (this.#nImagesIn === 1) {
      this.#incomingCt = this.#ctDenoising(parameters);
      if (this.#incomingCt === undefined) this.#sayReturned();
    }
    const returned = this.#returned.prepare(image);
    this.#sendImage(returned);
    this.#options.observer?.imageReturned?.(image);
    this.#incomingCt?.take(returned);
  }

  #ctDenoising({ denoise, denoiseModel, onAmber, onRed }: Parameters): IncomingCt | undefined {
    const { denoisers, ctScanners } = this.#options;
    const denoiser = denoise > 0 ? (denoisers?.denoiser('denoise-ct', denoiseModel) ?? denoisers?.denoiser('denoise-ct', '')) : undefined;
    if (denoiser === undefined) return undefined;
    const { stationName, deviceID } = this.#header?.acquisitionSystemInformation ?? {};
    const scanner = ctScannerOf([stationName, deviceID], ctScanners ?? []);
    return new IncomingCt({
      denoiser,
      strengthPercent: denoise,
      fallbacks: { onAmber, onRed },
      noiseByDose: scanner === undefined ? undefined : ({ header: { position: centreMm, readDir: rowDirection, phaseDir: columnDirection, fovMm } }, meta, slice) =>
        ctNoiseByDose(scanner, ctAcquisitionOf(valuesOfMeta(meta), { centreMm, rowDirection, columnDirection }, fovMm[2]), slice),
      image: (image, record) => {
        if (!this.#isClosed()) this.#sendImage(this.#returned.prepare(image, strengthMark(record)));
      },
      say: (notice) => this.#say(notice),
      ended: (reason) => this.#say(sessionWarning('CONUS_WARN_CT_SERIES_END', `${reason}; the denoised series ends before it, all images went back as they came`)),
    });
  }

  #sendImage(image: MrdImage): void {
    this.#answer.returned(image);
    this.#nImagesOut++;
    this.#lastImageAt = performance.now();
  }

  #sayReturned(): void {
    this.#say(sessionWarning('CONUS_WARN_IMAGES_RETURNED', 'images came in, for which this chain has no processing'));
  }

  #readClose(): void {
    if (!this.#isConfigured && !this.#wasQueried) throw sessionError('CONUS_ERR_CLOSE_FIRST', 'CLOSE as the first message');
    this.#finish();
  }

  #warnOfDependencies(header: MrdHeader): void {
    const dependencies = header.measurementInformation?.measurementDependency ?? [];
    if (dependencies.some(({ dependencyType }) => /noise/i.test(dependencyType))) {
      this.#say(
        sessionWarning('CONUS_WARN_NOISE_DEPENDENCY', 'the header refers to a noise measurement of its own, which is not stored here'),
      );
    }
  }

  #roomAgain(): void {
    this.#isFull = false;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #release(): void {
    this.#roomAgain();
    this.#scratch = new Float32Array(0);
  }

  /** Starts the end, once: finishes what is there, says why, closes. */
  #finish(error?: unknown): void {
    // A reconstruction that breaks while it is being finished rejects finish(), which says why.
    if (this.#phase !== 'open') return;
    this.#phase = 'finishing';
    this.#options.observer?.inputEnded?.();
    this.#release();
    void this.#conclude(error).catch((cause: unknown) => this.abort(asError(cause)));
  }

  async #conclude(cause: unknown): Promise<void> {
    let error = cause;
    let summary: ReconSummary | undefined;
    try {
      const reconstruction = await this.#opening;
      if (this.#reconstructionError !== undefined) await reconstruction?.abort();
      else summary = await reconstruction?.finish();
      if (summary !== undefined) this.#options.observer?.reconstructed?.(summary);
    } catch (broken) {
      error ??= broken;
    }
    error ??= this.#reconstructionError;
    await this.#incomingCt?.done();
    if (this.#isClosed()) return;
    if (this.#incomingCt?.isUnused === true) this.#sayReturned();
    try {
      this.#sendWithheld();
    } catch (broken) {
      error ??= broken;
    }
    this.#quality?.end();
    if (error === undefined) error = this.#errorAtTheEnd();
    if (error === undefined) this.#lastRemarks();
    this.#answer.notices().forEach((notice) => this.#say(notice));
    if (error === undefined && this.#nImagesOut > 0) await this.#complete();
    if (this.#isClosed()) return;
    this.#remarks.end();
    if (error !== undefined) this.#answer.text(`ERR ${presentable(error).message}`);
    await this.#answer.close(error === undefined ? undefined : presentable(error));
    if (this.#isClosed()) return;
    this.#settle(error === undefined ? 'completed' : 'failed', error, summary);
  }

  /** The images of the session are whole: they are kept before anybody makes something of them. */
  async #complete(): Promise<void> {
    await this.#answer.complete?.();
    if (this.#isClosed()) return;
    this.#options.observer?.completed?.(this.#remarks.codes);
    const give = (image: MrdImage) => {
      if (!this.#isClosed()) this.#sendImage(this.#returned.prepare(image, 'synthesis'));
    };
    const notices = (await this.#options.epilogue?.(give, this.#gone.signal)) ?? [];
    if (!this.#isClosed()) notices.forEach((notice) => this.#say(notice));
  }

  /** As a method, so that the compiler forgets what the phase was before an await. */
  #isClosed(): boolean {
    return this.#phase === 'closed';
  }

  /** A header that is not XML matters to a chain that reconstructs, unless the client sent images. */
  #errorAtTheEnd(): Error | undefined {
    return this.#choice.chain.task === 'reconstruct' && this.#nImagesIn === 0 ? this.#headerError : undefined;
  }

  #lastRemarks(): void {
    const { task } = this.#choice.chain;
    if (task === 'dependencies') {
      if (this.#nReadouts > 0 && !this.#storeNoise()) {
        this.#say(sessionWarning('CONUS_WARN_NOISE_NOT_STORED', `${this.#nReadouts} readouts of a noise measurement`));
      }
      this.#answer.dependency(dependencies(this.#options.noiseStore?.measurementIds ?? []));
    } else if (task === 'reconstruct' && this.#hasHeader && this.#nImagesOut === 0) {
      this.#say(sessionWarning('CONUS_WARN_NO_IMAGES', `${this.#nReadouts} readouts, ${this.#nImagesIn} images and ${this.#nWaveforms} waveforms, but no image came of them`));
    }
  }

  get #storesNoise(): boolean {
    return this.#options.noiseStore !== undefined && this.#choice.chain.task === 'dependencies';
  }

  /** @returns whether the session's noise measurement is kept now */
  #storeNoise(): boolean {
    const { noiseStore } = this.#options;
    const record = this.#header === undefined ? undefined : this.#noise.record(this.#header);
    if (noiseStore === undefined || record === undefined) return false;
    try {
      noiseStore.put(record);
    } catch {
      // A full disk must not cost the client its answer: what is not stored is not in it, and that is said.
      return false;
    }
    return true;
  }

  #say(notice: ReconNotice): void {
    this.#remarks.say(notice);
  }

  #settle(outcome: SessionSummary['outcome'], error: unknown, summary: ReconSummary | undefined): void {
    this.#phase = 'closed';
    const shown = error === undefined ? undefined : presentable(error);
    const facts: SessionSummary = {
      id: this.#options.id,
      outcome,
      errorCode: shown?.code,
      error: error === undefined ? undefined : asError(error),
      chain: this.#choice.chain.name,
      nBytesIn: this.#nBytesIn,
      nReadouts: this.#nReadouts,
      nWaveforms: this.#nWaveforms,
      nImagesIn: this.#nImagesIn,
      nImagesOut: this.#nImagesOut,
      noticeCodes: this.#remarks.codes,
      lights: this.#quality?.lights ?? { green: 0, amber: 0, red: 0 },
      stageMs: summary?.stageMs ?? {},
      durationMs: performance.now() - this.#startedAt,
      lastReadoutToLastImageMs:
        this.#lastImageAt !== undefined && this.#lastReadoutAt !== undefined
          ? this.#lastImageAt - this.#lastReadoutAt
          : undefined,
    };
    this.#options.observer?.closed?.(facts);
    this.#resolveClosed(facts);
  }
}
