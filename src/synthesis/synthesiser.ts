/** Syntheses at the service of a process. */
import type { ModelEntry, ModelHost } from '../../models/index.js';
import type { Logger } from '../log.js';
import { NetworkJobs } from '../networkJobs/index.js';
import { synthesisFlowError } from './errors.js';
import type { SynthesisJob, UsableModel } from './perform.js';
import type { EncodedSynthesis } from './encoded.js';

/** The compiled module, also when this file itself runs from source, as in tests. */
const threadFile = new URL(import.meta.url.endsWith('.ts') ? '../../dist/src/synthesis/thread.js' : './thread.js', import.meta.url);

/** The network of syntheses, which reads images and the exam: the first one that is in order, or the one that is named; one that is not in order where there is no better one. */
export function synthesisModel(entries: readonly ModelEntry[], wanted?: string): ModelEntry | undefined {
  const able = entries.filter(({ id, manifest }) => manifest?.task === 'synthesis' && 'exam' in manifest.inputs && (wanted ?? id) === id);
  return able.find(({ state }) => state !== 'refused') ?? able[0];
}

/** The network of synthetic CT, which reads images and the maps of the other one. */
export function ctModel(entries: readonly ModelEntry[], wanted?: string): ModelEntry | undefined {
  const able = entries.filter(({ id, manifest }) => manifest?.task === 'synthesis' && 'maps' in manifest.inputs && 'hounsfield' in manifest.outputs && (wanted ?? id) === id);
  return able.find(({ state }) => state !== 'refused') ?? able[0];
}

/** The network of structures, whose levels reasons name; none that is not in order. */
export function levelModel(entries: readonly ModelEntry[]): UsableModel | undefined {
  const model = entries.find(({ manifest, state }) => manifest?.task === 'segmentation' && state !== 'refused');
  return model && usableModel(model);
}

/** @throws CodedError CONUS_ERR_SYNTHESIS_MODEL where it is not there or not in order */
export function usableModel(model: ModelEntry | undefined): UsableModel {
  if (model?.manifest === undefined) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_MODEL', 'no model for a synthesis');
  const { id, sha256, folder, manifest, state, reason } = model;
  if (state === 'refused') throw synthesisFlowError('CONUS_ERR_SYNTHESIS_MODEL', `${id}, which is refused (${reason?.code ?? 'unknown'})`);
  return { id, sha256, folder, version: manifest.version };
}

export interface SynthesiserOptions {
  readonly host: Pick<ModelHost, 'entries' | 'run'>;
  /** Id of the network; the first one that is in order where it is absent. */
  readonly model?: string | undefined;
  /** The same of synthetic CT. */
  readonly ctModel?: string | undefined;
  /** From the begin of a synthesis to its end. */
  readonly longestMs: number;
  readonly log: Logger;
}

export class Synthesiser {
  readonly #options: SynthesiserOptions;
  readonly #jobs: NetworkJobs<SynthesisJob, EncodedSynthesis>;

  constructor(options: SynthesiserOptions) {
    this.#options = options;
    this.#jobs = new NetworkJobs({
      ...options, thread: threadFile,
      timeoutError: (got) => synthesisFlowError('CONUS_ERR_SYNTHESIS_TIMEOUT', got),
      threadError: (got) => synthesisFlowError('CONUS_ERR_SYNTHESIS_THREAD', got),
    });
  }

  get model(): ModelEntry | undefined {
    return synthesisModel(this.#options.host.entries, this.#options.model);
  }

  get ctModel(): ModelEntry | undefined {
    return ctModel(this.#options.host.entries, this.#options.ctModel);
  }

  /**
   * Does not end where the process closes first: whoever asked asks again after a restart. A signal gives it up.
   * @throws CodedError (as a rejection) CONUS_ERR_SYNTHESIS_*, SYNTH_ERR_*, DICOM_ERR_*, MODEL_ERR_*
   */
  perform(job: Omit<SynthesisJob, 'model' | 'ctModel' | 'levelModel'>, signal?: AbortSignal): Promise<EncodedSynthesis> {
    return this.#jobs.perform(() => {
      const model = usableModel(this.model);
      const wantsCt = job.wanted.some(({ contrast }) => contrast.contrast === 'ct');
      const levels = levelModel(this.#options.host.entries);
      return { modelId: model.id, job: { ...job, model, ...(wantsCt && { ctModel: usableModel(this.ctModel) }), ...(levels !== undefined && { levelModel: levels }) } };
    }, signal);
  }

  /** Starts what a synthesis runs in, where one is to be expected. */
  prepare(): void {
    this.#jobs.prepare();
  }

  close(): Promise<void> {
    return this.#jobs.close();
  }
}
