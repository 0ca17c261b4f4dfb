/** The thread of one synthesis. */
import { syntheticDescription, syntheticDicom, syntheticMrd } from '../delivery/index.js';
import { serveJob } from '../networkJobs/index.js';
import { performSynthesis } from './perform.js';
import type { SynthesisJob } from './perform.js';
import type { EncodedSynthesis } from './encoded.js';

serveJob<SynthesisJob, EncodedSynthesis>(async (job, run) => {
  const { series, ...report } = await performSynthesis(job, run);
  const created = new Date();
  return {
    ...report,
    series: series.map((ofContrast) =>
      ofContrast.map((one) => ({ kind: one.kind, description: syntheticDescription(one), objects: syntheticDicom(one, created, job), images: syntheticMrd(one) })),
    ),
  };
});
