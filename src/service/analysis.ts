/** Analysis in the service: the stage of the house, for exams that no other stage takes. */
import type { ModelHost } from '../../models/index.js';
import { Analyst, ownTransport } from '../analysis/index.js';
import type { AnalysisConfig } from '../config/analysis.js';
import { defaultOfferLimits } from '../handoff/index.js';
import type { HandoffStage } from '../handoff/index.js';
import type { Logger } from '../log.js';
import type { ServicePart } from './parts.js';

/** No name that a configured stage could have. */
export const ownStageName = 'Conus';

/** Beyond the time of the analysis itself: reading the images of the exam. */
const READING_MS = 60_000;

/** Undefined where there is no network for it, or nobody wants it. */
export function openAnalysis({ own, model, longestS }: AnalysisConfig, host: ModelHost, log: Logger): { readonly stage: HandoffStage; readonly part: ServicePart } | undefined {
  const analyst = new Analyst({ host, model, longestMs: 1000 * longestS, log });
  if (own === 'never' || analyst.model === undefined) return undefined;
  return {
    stage: { name: ownStageName, transport: ownTransport(analyst), limits: { ...defaultOfferLimits, answerTimeoutMs: 1000 * longestS + READING_MS } },
    part: {
      name: 'analysis',
      trouble: () => (analyst.model?.state === 'refused' ? `${analyst.model.id} is refused` : undefined),
      close: () => analyst.close(),
    },
  };
}
