/** Which lines of k-space are acquired, and what for. */
import type { AcquisitionFlagName } from 'ismrmrd';
import { partitionsOf, phaseOf, type PhaseAxis, type Sampling } from './encoding.js';
import { Random } from '../random.js';
import type { ScanOptions } from './options.js';

export interface PlannedLine {
  /** Lines of the whole k-space; the counters follow from them (encoding.ts). */
  readonly line: number;
  readonly partition: number;
  /** What the line is for; none of them: imaging. */
  readonly use: readonly AcquisitionFlagName[];
}

type LineOptions = Pick<
  ScanOptions,
  'acceleration' | 'partitionAcceleration' | 'calibration' | 'calibrationLines' | 'calibrationPartitions' | 'lines'
>;

/**
 * The imaging lines of one slice, with the embedded calibration lines, in ascending order or in that
 * of a list of lines.
 * @param shot by how many lines the lattice of an accelerated scan is shifted
 */
export function imagingLines(options: LineOptions, sampling: Sampling, slice = 0, shot = 0): PlannedLine[] {
  const { acceleration, partitionAcceleration, calibration } = options;
  const isAccelerated = acceleration > 1 || partitionAcceleration > 1;
  const [phase, partitions] = [phaseOf(sampling), partitionsOf(sampling)];
  const calibrates = (line: number, partition: number) =>
    isAccelerated && calibration === 'embedded' && isInCalibration(options, sampling, line, partition);
  const listed = options.lines?.[slice % options.lines.length];
  const planned: PlannedLine[] = [];
  for (const partition of acquired(partitions)) {
    for (const line of listed ?? acquired(phase)) {
      const regular =
        listed !== undefined ||
        (isOnLattice(phase, line - shot, acceleration) && isOnLattice(partitions, partition, partitionAcceleration));
      if (calibrates(line, partition)) {
        planned.push({ line, partition, use: [regular ? 'parallelCalibrationAndImaging' : 'parallelCalibration'] });
      } else if (regular) {
        planned.push({ line, partition, use: [] });
      }
    }
  }
  return planned;
}

/** The lines of a separate calibration scan, in ascending order. */
export function separateCalibrationLines(options: LineOptions, sampling: Sampling): PlannedLine[] {
  const { acceleration, partitionAcceleration, calibration } = options;
  if ((acceleration === 1 && partitionAcceleration === 1) || calibration !== 'separate') return [];
  return acquired(partitionsOf(sampling)).flatMap((partition) =>
    acquired(phaseOf(sampling))
      .filter((line) => isInCalibration(options, sampling, line, partition))
      .map((line): PlannedLine => ({ line, partition, use: ['parallelCalibration'] })),
  );
}

/** The `count` lines about the centre, of all partitions. */
export function centralLines(sampling: Sampling, count: number): { line: number; partition: number }[] {
  const phase = phaseOf(sampling);
  return acquired(partitionsOf(sampling)).flatMap((partition) =>
    acquired(phase).filter((line) => isCentral(phase, line, count)).map((line) => ({ line, partition })),
  );
}

/**
 * A list of lines whose density falls with the distance from the centre as (1 - |k| / k_max)^power:
 * the central ones all, the others one by one from strata of equal probability, so that they keep
 * their distance as in a Poisson disc (Lustig 2007, doi 10.1002/mrm.21391). Ascending.
 */
export function variableDensityLines(
  nLines: number,
  { acceleration, centreLines, power = 2, seed }: { acceleration: number; centreLines: number; power?: number; seed: number },
): number[] {
  const random = new Random(seed);
  const centre = Math.floor(nLines / 2);
  const firstCentral = centre - Math.floor(centreLines / 2);
  const lines = Array.from({ length: Math.min(centreLines, nLines) }, (_, index) => firstCentral + index);
  const outer = Array.from({ length: nLines }, (_, line) => line).filter((line) => !lines.includes(line));
  const density = outer.map((line) => (1 - Math.abs(line - centre) / (centre + 1)) ** power);
  const total = density.reduce((sum, share) => sum + share, 0);
  const nOuter = Math.min(outer.length, Math.max(0, Math.round(nLines / acceleration) - lines.length));
  const taken = new Set<number>();
  let cumulated = 0;
  let stratum = 0;
  let threshold = random.uniform();
  outer.forEach((line, index) => {
    cumulated += (density[index]! / total) * nOuter;
    if (stratum < nOuter && cumulated > stratum + threshold) {
      taken.add(line);
      // Where the density is above one line a line, the strata that are passed over find room further out.
      stratum += 1;
      threshold = random.uniform();
    }
  });
  for (let reach = 0; taken.size < nOuter; reach++) {
    for (const line of outer) if (Math.abs(line - centre) === reach && taken.size < nOuter) taken.add(line);
  }
  return [...lines, ...taken].sort((a, b) => a - b);
}

function acquired({ firstLine, endLine }: PhaseAxis): number[] {
  return Array.from({ length: endLine - firstLine }, (_, index) => firstLine + index);
}

function isOnLattice({ nLines }: PhaseAxis, line: number, acceleration: number): boolean {
  return (line - Math.floor(nLines / 2)) % acceleration === 0;
}

function isInCalibration(options: LineOptions, sampling: Sampling, line: number, partition: number): boolean {
  return (
    isCentral(phaseOf(sampling), line, options.calibrationLines) &&
    isCentral(partitionsOf(sampling), partition, options.calibrationPartitions)
  );
}

function isCentral({ nLines }: PhaseAxis, line: number, count: number): boolean {
  const first = Math.floor(nLines / 2) - Math.floor(count / 2);
  return line >= first && line < first + count;
}
