import type { GrappaLattice, SynthesisedLine } from './types.js';

/** How far a tap is from the line that it serves, in lines and partitions: source minus target. */
export function tapDistance(offset: number, tap: number, lattice: GrappaLattice): { lines: number; partitions: number } {
  const { acceleration, kernelPhase, sliceAcceleration = 1, kernelSlice = 1 } = lattice;
  const along = (at: number, taps: number, step: number, behind: number) => (at - Math.floor((taps - 1) / 2)) * step - behind;
  return {
    lines: along(tap % kernelPhase, kernelPhase, acceleration, offset % acceleration),
    partitions: along(Math.floor(tap / kernelPhase), kernelSlice, sliceAcceleration, Math.floor(offset / acceleration)),
  };
}

/**
 * Number of the line at source tap `tap`; it may lie outside k-space without partitions.
 * @param nLines of a partition; where there are partitions, sources outside of them are -1
 */
export function sourceLine(target: SynthesisedLine, tap: number, lattice: GrappaLattice, nLines?: number): number {
  const { lines, partitions } = tapDistance(target.offset, tap, lattice);
  if (nLines === undefined) return target.line + lines;
  const line = (target.line % nLines) + lines;
  const partition = Math.floor(target.line / nLines) + partitions;
  return line < 0 || line >= nLines || partition < 0 ? -1 : partition * nLines + line;
}

/** A lattice, and where it lies. */
export interface PlacedLattice extends GrappaLattice {
  /** It holds the lines latticeOffset (mod R). */
  readonly latticeOffset: number;
  /** It holds the partitions sliceOffset (mod R); 0 where not given. */
  readonly sliceOffset?: number;
}

/**
 * How one line is synthesised: its place between lattice lines and the sources that were measured.
 *
 * @param line an unmeasured line that is not on the lattice
 * @param measured per line, whether it may serve as a source
 * @param nLines of a partition; all of `measured` where not given
 */
export function planSynthesis(
  line: number, measured: ArrayLike<number | boolean>, lattice: PlacedLattice, nLines = measured.length,
): SynthesisedLine {
  const { acceleration, kernelPhase, sliceAcceleration = 1, kernelSlice = 1, latticeOffset, sliceOffset = 0 } = lattice;
  const behind = (at: number, first: number, step: number) => (((at - first) % step) + step) % step;
  const offset =
    behind(line % nLines, latticeOffset, acceleration) +
    acceleration * behind(Math.floor(line / nLines), sliceOffset, sliceAcceleration);
  let sources = 0;
  for (let tap = 0; tap < kernelPhase * kernelSlice; tap++) {
    const source = sourceLine({ line, offset, sources }, tap, lattice, nLines);
    if (source >= 0 && source < measured.length && measured[source]) sources |= 1 << tap;
  }
  return { line, offset, sources };
}
