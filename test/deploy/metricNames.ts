/** Which metrics and labels the expressions of a dashboard or an alert ask for. */
import { allMetrics } from '../src/allMetrics.js';

export interface Asked {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** Of Prometheus itself. */
const given = ['up', 'absent'];

/** Metrics with the labels that stand in their braces. */
export function asked(expression: string): Asked[] {
  return [...expression.matchAll(/\b((?:conus|process|nodejs)_\w+|up)(?:\{([^}]*)\})?/g)].map(([, metric, braces = '']) => ({
    metric: metric!,
    labels: [...braces.matchAll(/(\w+)\s*[=!]~?"/g)].map(([, label]) => label!),
  }));
}

/** By the names that samples have: a histogram has three. */
export async function toldLabels(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { registry } = allMetrics();
  const told = new Map<string, Set<string>>(given.map((name) => [name, new Set(['job', 'instance'])]));
  for (const { name, type } of await registry.getMetricsAsJSON()) {
    const { labelNames = [] } = registry.getSingleMetric(name) as unknown as { labelNames?: string[] };
    const labels = new Set([...labelNames, 'node', 'job', 'instance']);
    if (String(type) !== 'histogram') told.set(name, labels);
    else for (const part of ['bucket', 'sum', 'count']) told.set(`${name}_${part}`, new Set([...labels, 'le']));
  }
  return told;
}
