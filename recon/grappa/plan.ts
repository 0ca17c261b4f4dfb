import type { SynthesisedLine } from './types.js';

/** Line of source tap `tap` of a target `offset` lines after its lattice line. */
export function sourceLine(target: SynthesisedLine, tap: number, acceleration: number, kernelPhase: number): number {
  return target.line - target.offset + (tap - (kernelPhase / 2 - 1)) * acceleration;
}

/**
 * How one line is synthesised: its place between lattice lines and the sources that were measured.
 *
 * @param line an unmeasured line that is not on the lattice
 * @param measured per line of the slab, whether it may serve as a source
 * @param latticeOffset the lattice is line = latticeOffset (mod R)
 */
export function planSynthesis(
  line: number,
  measured: ArrayLike<number | boolean>,
  lattice: { readonly latticeOffset: number; readonly acceleration: number; readonly kernelPhase: number },
): SynthesisedLine {
  const { acceleration, kernelPhase } = lattice;
  const offset = (((line - lattice.latticeOffset) % acceleration) + acceleration) % acceleration;
  let sources = 0;
  for (let tap = 0; tap < kernelPhase; tap++) {
    const source = sourceLine({ line, offset, sources }, tap, acceleration, kernelPhase);
    if (source >= 0 && source < measured.length && measured[source]) sources |= 1 << tap;
  }
  return { line, offset, sources };
}
