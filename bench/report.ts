/** How measurements are made and said: medians, in aligned tables. */
import { Bench } from 'tinybench';

/** Median wall time of a call, after a warm-up, over a second of calls. */
export function medianMs(run: () => void): number {
  const bench = new Bench({ time: 1000, warmupTime: 200, warmupIterations: 3, iterations: 5 });
  bench.add('call', run);
  bench.runSync();
  const result = bench.tasks[0]?.result;
  if (result?.state !== 'completed') throw new Error(`the measured call ended as ${result?.state}`);
  return result.latency.p50;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

export function printTable(title: string, head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const row of cells) console.log(row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '));
}
