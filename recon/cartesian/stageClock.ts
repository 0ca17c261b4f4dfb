/** Wall time by stage. Costs two clock readings a call. */
export class StageClock {
  readonly elapsedMs: Record<string, number> = {};

  time<T>(stage: string, work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      this.add(stage, performance.now() - start);
    }
  }

  add(stage: string, elapsedMs: number): void {
    this.elapsedMs[stage] = (this.elapsedMs[stage] ?? 0) + elapsedMs;
  }
}
