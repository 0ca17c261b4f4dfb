/** What calibration makes and synthesis uses: plain data, so that it crosses threads as it is. */

/** The lattice of acquired lines and the taps of a kernel on it. */
export interface GrappaLattice {
  /** R along the phase encoding. */
  readonly acceleration: number;
  /** Taps along the phase encoding, in acquired lines; even, or 1 where every line is acquired. */
  readonly kernelPhase: number;
  /** R along the partitions; 1 where not given. Together the two are 2 or more. */
  readonly sliceAcceleration?: number;
  /** Taps along the partitions; even, or 1, which is meant where not given. */
  readonly kernelSlice?: number;
}

/** Calibration lines and the kernel that is wanted of them. */
export interface GrappaCalibration extends GrappaLattice {
  /** Hybrid lines (k-space along lines and partitions, image space along the columns), complex64 interleaved, [nCoils, nCalibrationPartitions, nCalibrationLines, nColumns]; consecutive lines and partitions. */
  readonly calibration: number;
  readonly nCoils: number;
  readonly nCalibrationLines: number;
  /** 1 where not given. */
  readonly nCalibrationPartitions?: number;
  readonly nColumns: number;
  /** Taps along the readout; odd. */
  readonly kernelReadout: number;
  /** Tikhonov weight, as a fraction of the mean diagonal of the Gram matrix. */
  readonly regularization: number;
}

/**
 * Weights of a GRAPPA kernel, Fourier transformed along the readout: for each column a matrix
 * [targets: offset, coil] x [sources: tap, coil].
 *
 * With partitions, taps and offsets stand for pairs (line, partition) and R for R1 R2, the line running fastest.
 *
 * In memory: float32 [offset 1..R-1][column block][coil group][tap, source coil][4 target coils][re, im][4 columns],
 * columns and target coils padded with zeros to multiples of four.
 */
export interface GrappaKernel extends Required<GrappaLattice> {
  readonly pointer: number;
  readonly nBytes: number;
  readonly nCoils: number;
  readonly nColumns: number;
  readonly kernelReadout: number;
  /** Kernel positions that the calibration lines held. */
  readonly nCalibrationPositions: number;
}

/** Where hybrid data lie: complex64 interleaved, coil c at `pointer + c * coilBytes`, there [partitions, nLines, nColumns]. */
export interface HybridSlab {
  readonly pointer: number;
  readonly coilBytes: number;
  readonly nLines: number;
}

/**
 * A line to be synthesised. Its lattice line is `offset` before it; where its sources lie, `sourceLine` tells.
 * With partitions, line l of partition p has the number p nLines + l, and offset o1 + R1 o2.
 */
export interface SynthesisedLine {
  readonly line: number;
  /** 1 to R-1. */
  readonly offset: number;
  /** Bit j: source tap j was measured; a source that was not counts as zero and is not read. */
  readonly sources: number;
}
