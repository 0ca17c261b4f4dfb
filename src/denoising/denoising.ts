/**
 * Denoising as a service to all sessions of a process: which network there is, and images through it. A
 * request ends within its deadline whatever the network does; what went wrong is an outcome, so that whoever
 * asked goes on without.
 */
import { CodedError } from 'ismrmrd';
import { ModelHost, modelError, readModels, runTiled, shippedModels } from '../../models/index.js';
import type { Manifest, ModelEntry, ModelHostOptions, Tensors } from '../../models/index.js';
import type { DenoiseOutcome, DenoiseRequest } from '../../recon/index.js';
import type { Standards } from '../chain/index.js';
import type { Denoiser } from '../reconstruction/index.js';
import { tensorsOf, imagesOf } from './tensors.js';

export type DenoisingTask = 'denoise-mr' | 'denoise-ct';

export interface DenoisingOptions extends ModelHostOptions {
  /** Folders of further models beside those of the program. */
  readonly models?: readonly string[];
  /** Longest time from a request to its outcome, waiting included. */
  readonly deadlineMs?: number;
}

/** How much is shown where a denoiser is there and nobody says otherwise, per cent. */
export const standardStrengthPercent = 75;
const standardDeadlineMs = 30_000;

/** Names of the arrays that go into networks of these tasks and come out. */
const [imageName, noiseName, denoisedName] = ['image', 'noise', 'denoised'];

export class Denoising {
  readonly host: ModelHost;
  readonly #deadlineMs: number;

  private constructor(entries: readonly ModelEntry[], { deadlineMs, ...options }: DenoisingOptions) {
    this.host = new ModelHost(entries, options);
    this.#deadlineMs = deadlineMs ?? standardDeadlineMs;
  }

  /** @throws CodedError (as a rejection) MODEL_ERR_FOLDER */
  static async open(options: DenoisingOptions = {}): Promise<Denoising> {
    return new Denoising(await readModels([shippedModels, ...(options.models ?? [])]), options);
  }

  /** Loads and tries the networks now, so that no scan waits for it. Never rejects. */
  async warmUp(): Promise<void> {
    await this.host.warmUp();
  }

  /** Why images are not denoised that could be; undefined where they are. */
  get trouble(): string | undefined {
    const { state, models } = this.host.health();
    const refused = models.filter((model) => model.state === 'refused').map(({ id, reason }) => `${id}: ${reason ?? ''}`);
    return [...(state === 'failing' ? ['the model host does not start'] : []), ...refused].join('; ') || undefined;
  }

  close(): void {
    this.host.close();
  }

  /** Parameters as they are where nobody says otherwise: an MR denoiser that is there is used. */
  get standards(): Standards {
    const entry = this.#entry('denoise-mr', '');
    if (entry === undefined) return {};
    const because = `there is a denoiser, ${entry.id} ${entry.manifest?.version ?? ''}`.trim();
    return { denoise: { value: standardStrengthPercent, because, source: 'models' } };
  }

  /**
   * @param id of a model; empty for the first one that is in order
   * @returns undefined where there is none. One that is not in order is there, and gives that as its outcome
   */
  denoiser(task: DenoisingTask, id = ''): Denoiser | undefined {
    const entry = this.#entry(task, id);
    return entry === undefined ? undefined : (request, signal) => this.#run(entry.id, request, signal);
  }

  #entry(task: DenoisingTask, id: string): ModelEntry | undefined {
    const able = this.host.entries.filter(({ manifest }) => manifest?.task === task);
    return id === '' ? (able.find(({ state }) => state !== 'refused') ?? able[0]) : able.find((entry) => entry.id === id);
  }

  async #run(id: string, { images }: DenoiseRequest, ended: AbortSignal): Promise<DenoiseOutcome> {
    const startMs = performance.now();
    const deadline = new AbortController();
    const giveUp = () => deadline.abort(modelError('MODEL_ERR_CLOSED', 'a scan that is over'));
    const timer = setTimeout(() => deadline.abort(modelError('MODEL_ERR_TIMEOUT', `no answer after ${this.#deadlineMs} ms, waiting included`)), this.#deadlineMs);
    ended.addEventListener('abort', giveUp, { once: true });
    try {
      const entry = this.host.entries.find((one) => one.id === id);
      const manifest = entry?.manifest;
      if (entry === undefined || manifest === undefined) throw modelError('MODEL_ERR_NOT_LOADED', `"${id}"`);
      const components = componentsOf(manifest);
      const outputs = await runTiled((inputs: Tensors) => this.host.run(id, inputs, { signal: deadline.signal }), tensorsOf(images, components, imageName!, noiseName!), manifest.patch);
      return {
        images: imagesOf(outputs[denoisedName!]!, components),
        model: { id, version: manifest.version, sha256: entry.sha256 },
        ms: performance.now() - startMs,
      };
    } catch (error) {
      return { failure: error instanceof CodedError ? { code: error.code, message: error.got } : { code: 'MODEL_ERR_RUN', message: String(error) } };
    } finally {
      clearTimeout(timer);
      ended.removeEventListener('abort', giveUp);
    }
  }
}

/** Two for complex images, one for real ones. @throws CodedError MODEL_ERR_NOT_LOADED where the model takes other arrays */
function componentsOf({ id, inputs, outputs }: Manifest): 1 | 2 {
  const channels = inputs[imageName!]?.shape[1];
  const isRight =
    (channels === 1 || channels === 2) && Object.keys(inputs).length === 2 && inputs[noiseName!]?.shape[1] === 1 && outputs[denoisedName!]?.shape[1] === channels;
  if (!isRight) throw modelError('MODEL_ERR_NOT_LOADED', `"${id}", which does not take image and noise and give denoised`);
  return channels;
}
