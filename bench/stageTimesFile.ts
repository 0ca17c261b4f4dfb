/** What `bench/stageTimes.ts` measured and `bench/capacity.ts` plans with: seconds of one exam, by stage. */
import { readFileSync } from 'node:fs';

/** User CPU seconds over all threads and processes, and seconds of the wall. */
export interface StageCost {
  readonly cpuS: number;
  readonly wallS: number;
}

/** Of these, so many in the process of the models, where one runs at a time. */
export interface ModelStageCost extends StageCost {
  readonly modelsCpuS: number;
}

export interface StageTimes {
  /** In words. */
  readonly machine: string;
  readonly cores: number;
  readonly node: string;
  readonly series: readonly {
    readonly id: string;
    readonly megabytes: number;
    readonly unpaced: StageCost;
    readonly paced: StageCost & { readonly lastReadoutToLastImageS: number };
    readonly denoising: ModelStageCost;
  }[];
  readonly keeping: StageCost & { readonly of: string };
  readonly delivery: StageCost & { readonly of: string };
  readonly synthesis: ModelStageCost;
  readonly analysis: ModelStageCost;
}

export function readStageTimes(path = new URL('./stageTimes.json', import.meta.url)): StageTimes {
  return JSON.parse(readFileSync(path, 'utf8')) as StageTimes;
}
