/** What calibration makes and synthesis uses: plain data, so that it crosses threads as it is. */

/** Calibration lines and the kernel that is wanted of them. */
export interface GrappaCalibration {
  /** Hybrid lines (k-space along the lines, image space along the columns), complex64 interleaved, [nCoils, nCalibrationLines, nColumns]; consecutive lines. */
  readonly calibration: number;
  readonly nCoils: number;
  readonly nCalibrationLines: number;
  readonly nColumns: number;
  /** R, 2 or more. */
  readonly acceleration: number;
  /** Taps along the readout; odd. */
  readonly kernelReadout: number;
  /** Taps along the phase encoding, in acquired lines; even. */
  readonly kernelPhase: number;
  /** Tikhonov weight, as a fraction of the mean diagonal of the Gram matrix. */
  readonly regularization: number;
}

/**
 * Weights of a GRAPPA kernel, Fourier transformed along the readout: for each column a matrix
 * [targets: offset, coil] x [sources: tap, coil].
 *
 * In memory: float32 [offset 1..R-1][column block][coil group][tap, source coil][4 target coils][re, im][4 columns],
 * columns and target coils padded with zeros to multiples of four.
 */
export interface GrappaKernel {
  readonly pointer: number;
  readonly nBytes: number;
  readonly nCoils: number;
  readonly nColumns: number;
  readonly acceleration: number;
  readonly kernelReadout: number;
  readonly kernelPhase: number;
  /** Kernel positions along the phase encoding that the calibration lines held. */
  readonly nCalibrationPositions: number;
}

/** Where a slice's hybrid data lie: complex64 interleaved, coil c at `pointer + c * coilBytes`, there [nLines, nColumns]. */
export interface HybridSlab {
  readonly pointer: number;
  readonly coilBytes: number;
  readonly nLines: number;
}

/**
 * A line to be synthesised. Its lattice line is `line - offset`; source tap j is the line
 * `line - offset + (j - (kernelPhase / 2 - 1)) * R`.
 */
export interface SynthesisedLine {
  readonly line: number;
  /** 1 to R-1. */
  readonly offset: number;
  /** Bit j: source tap j was measured; a source that was not counts as zero and is not read. */
  readonly sources: number;
}
