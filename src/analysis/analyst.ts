/** Analyses at the service of a process. */
import type { ModelEntry, ModelHost } from '../../models/index.js';
import type { Logger } from '../log.js';
import { NetworkJobs } from '../networkJobs/index.js';
import { VERSION } from '../version.js';
import { analysisFlowError } from './errors.js';
import type { AnalysisJob, AnalysisSource, PerformedAnalysis } from './perform.js';

/** The compiled module, also when this file itself runs from source, as in tests. */
const threadFile = new URL(import.meta.url.endsWith('.ts') ? '../../dist/src/analysis/thread.js' : './thread.js', import.meta.url);

/** The network of analyses: the first one that is in order, or the one that is named; one that is not in order where there is no better one. */
export function segmentationModel(entries: readonly ModelEntry[], wanted?: string): ModelEntry | undefined {
  const able = entries.filter(({ id, manifest }) => manifest?.task === 'segmentation' && (wanted ?? id) === id);
  return able.find(({ state }) => state !== 'refused') ?? able[0];
}

/** @throws CodedError CONUS_ERR_ANALYSIS_MODEL where it is not there or not in order */
export function usableSegmentation(model: ModelEntry | undefined): AnalysisJob['model'] {
  if (model?.manifest === undefined) throw analysisFlowError('CONUS_ERR_ANALYSIS_MODEL', 'no model for a segmentation');
  const { id, sha256, manifest, state, reason } = model;
  if (state === 'refused') throw analysisFlowError('CONUS_ERR_ANALYSIS_MODEL', `${id}, which is refused (${reason?.code ?? 'unknown'})`);
  return { id, sha256, version: manifest.version };
}

export interface AnalystOptions {
  readonly host: Pick<ModelHost, 'entries' | 'run'>;
  /** Id of the network; the first one that is in order where it is absent. */
  readonly model?: string | undefined;
  readonly longestMs: number;
  readonly log: Logger;
}

export class Analyst {
  readonly #options: AnalystOptions;
  readonly #jobs: NetworkJobs<AnalysisJob, PerformedAnalysis>;

  constructor(options: AnalystOptions) {
    this.#options = options;
    this.#jobs = new NetworkJobs({
      ...options, thread: threadFile,
      timeoutError: (got) => analysisFlowError('CONUS_ERR_ANALYSIS_TIMEOUT', got),
      threadError: (got) => analysisFlowError('CONUS_ERR_ANALYSIS_THREAD', got),
    });
  }

  get model(): ModelEntry | undefined {
    return segmentationModel(this.#options.host.entries, this.#options.model);
  }

  get isBusy(): boolean {
    return this.#jobs.isBusy;
  }

  /** @throws CodedError (as a rejection) CONUS_ERR_ANALYSIS_*, ANALYSIS_ERR_*, DICOM_ERR_*, MODEL_ERR_* */
  perform(sources: readonly AnalysisSource[], signal?: AbortSignal): Promise<PerformedAnalysis> {
    return this.#jobs.perform(() => {
      const model = usableSegmentation(this.model);
      return { modelId: model.id, job: { sources, model, softwareVersion: VERSION, pictures: 'notable' } };
    }, signal);
  }

  close(): Promise<void> {
    return this.#jobs.close();
  }
}
