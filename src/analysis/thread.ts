/** The thread of one analysis. */
import { serveJob } from '../networkJobs/index.js';
import { performAnalysis } from './perform.js';
import type { AnalysisJob, PerformedAnalysis } from './perform.js';

serveJob<AnalysisJob, PerformedAnalysis>(async (job, run) => {
  const { report, objects, summaryPng, outlines, evidence } = await performAnalysis(job, run);
  return { report, objects, outlines, evidence, ...(summaryPng !== undefined && { summaryPng }) };
});
