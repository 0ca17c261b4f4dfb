/** Metrics with everything that can be watched, for what is written about them. */
import { Metrics } from '../../src/metrics.js';
import type { Spool } from '../../src/spool/index.js';

export function allMetrics(): Metrics {
  const metrics = new Metrics('n1');
  metrics.watchReadiness(() => true);
  metrics.watchExams(() => []);
  metrics.watchModels(() => ({ state: 'idle', nStarts: 0, nQueued: 0, residentBytes: 0, models: [] }));
  metrics.watchJobs(() => Promise.resolve([]));
  metrics.watchRecords(() => ({ nCommits: 0, nConflicts: 0, lastCommitMs: 0 }));
  const state = { usedBytes: 0, quotaBytes: 0, isFull: false };
  metrics.watchSpool({ outbox: { stats: () => [] }, room: { state } } as unknown as Spool, () => 0);
  return metrics;
}

export interface MetricFacts {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** Our own, by their names; those of Node.js are its client's. */
export async function metricFacts(): Promise<MetricFacts[]> {
  const { registry } = allMetrics();
  const metrics = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('conus_'));
  return metrics
    .map(({ name, type, help }) => ({
      name, help, type: String(type),
      labels: (registry.getSingleMetric(name) as unknown as { labelNames: string[] }).labelNames,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
