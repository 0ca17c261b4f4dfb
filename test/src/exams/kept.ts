/** Keepers of exams without a disk, and images to look at. */
import type { ReconImage } from '../../../recon/index.js';
import { ExamKeeper, MemoryTable } from '../../../src/exams/index.js';
import type { ExamRecord, KeeperOptions } from '../../../src/exams/index.js';
import { createLog } from '../../../src/log.js';
import { minute, protocol } from './scenes.js';

export interface Kept {
  readonly keeper: ExamKeeper;
  readonly table: MemoryTable<ExamRecord>;
  readonly log: string[];
}

export function kept(options: Partial<KeeperOptions> = {}): Kept {
  const log: string[] = [];
  const table = (options.table ?? new MemoryTable<ExamRecord>()) as MemoryTable<ExamRecord>;
  const keeper = new ExamKeeper({
    protocols: [protocol()], quietMs: 60 * minute, windowMs: 120 * minute, maxFinished: 1000, isDurable: true,
    flushed: () => Promise.resolve(), pictureBytes: 1 << 20, log: createLog('debug', { write: (line: string) => void log.push(line) }),
    index: new MemoryTable(), tickMs: 1 << 30, ...options, table,
  });
  return { keeper, table, log };
}

/** A magnitude of `value` in the first pixel and 1 elsewhere. */
export function reconImage(slice: number, value = 2, rows = 4, columns = 6, more: Partial<ReconImage> = {}): ReconImage {
  const data = new Float32Array(2 * rows * columns);
  for (let i = 0; i < rows * columns; i++) data[2 * i] = 1;
  data[1] = Math.sqrt(value * value - 1);
  return {
    kind: 'image', rows, columns, data, hasPhase: true, counters: { slice, contrast: 0, phase: 0, repetition: 0, set: 0, average: 0 },
    geometry: undefined, fovMm: [240, 240, 4], method: 'full', accelerationPhase: 1, accelerationSlice: 1, snrUnits: false, nCoils: 4, nVirtualCoils: 4,
    nCalibrationLines: 0, nMissingLines: 0, partialFourier: 'none', postProcessing: [], measurementUid: 1, acquisitionTimeStamp: 0,
    physiologyTimeStamp: [0, 0, 0], patientTablePosition: [0, 0, 0], ...more,
  };
}
