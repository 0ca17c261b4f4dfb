/**
 * The phase-correction readouts of an echo-planar scan, slice by slice: those before a train correct the
 * backward readouts of that train.
 */
import { hasFlag } from 'ismrmrd';
import { ghostPhase, type GhostPhase } from '../epi/index.js';
import type { Readout } from './readout.js';

interface Train {
  /** Sums over the readouts of either direction, complex64 [nCoils, nColumns]. */
  readonly forward: Float32Array;
  readonly backward: Float32Array;
  nForward: number;
  nBackward: number;
  phase: GhostPhase | undefined;
  /** Lines came: the next phase-correction readout begins another train. */
  isUsed: boolean;
}

export class GhostCorrection {
  readonly #nColumns: number;
  readonly #trains = new Map<number, Train>();

  constructor(nColumns: number) {
    this.#nColumns = nColumns;
  }

  /** @param line complex64 interleaved [nCoils, nColumns], image along the columns */
  add(readout: Readout, line: Float32Array): void {
    const { slice } = readout.idx;
    let train = this.#trains.get(slice);
    if (train === undefined || train.isUsed) {
      train = {
        forward: new Float32Array(line.length), backward: new Float32Array(line.length), nForward: 0, nBackward: 0,
        phase: undefined, isUsed: false,
      };
      this.#trains.set(slice, train);
    }
    const isBackward = hasFlag(readout.flags, 'reverse');
    const sum = isBackward ? train.backward : train.forward;
    for (let i = 0; i < line.length; i++) sum[i] = sum[i]! + line[i]!;
    if (isBackward) train.nBackward++;
    else train.nForward++;
  }

  /** The phase of the backward readouts of a slice's present train; undefined where it is not known. */
  phaseOf(slice: number): GhostPhase | undefined {
    const train = this.#trains.get(slice);
    if (train === undefined || train.nForward === 0 || train.nBackward === 0) return undefined;
    train.isUsed = true;
    return (train.phase ??= ghostPhase(train.forward, train.backward, this.#nColumns));
  }
}
