/** What the encoding of an image is: plain data. */

/**
 * E u = W^(1/2) F sum_s S_s u_s: coil maps, transform, sampling. Where the field of view is smaller than the object, what folds
 * into a place has coil maps of its own: a second set, with an image of its own (soft SENSE: Uecker M et al. Magn Reson Med
 * 2014;71:990-1001, doi 10.1002/mrm.24751). An image here is as many images as there are sets. It has as many rows as k-space has lines, over the
 * same field of view; data are whitened, so that a sample that is the mean of w readouts has the weight w.
 */
export interface SenseModel {
  /** Address of the maps, complex64 [nSets, nCoils, nRows, nColumns]. */
  readonly maps: number;
  /** 1 where not given. */
  readonly nSets?: number;
  readonly nCoils: number;
  readonly nRows: number;
  readonly nColumns: number;
  /**
   * Readouts that were averaged, 0 where nothing was measured. [nRows]: whole lines are measured or not, and
   * data are hybrid (k-space along the lines, image along the columns). [nRows, nColumns]: any pattern, and
   * data are k-space along both axes.
   */
  readonly weights: Float32Array;
}

/** The equations E^H E x = E^H W^(1/2) d, however they are worked out. */
export interface NormalEquations {
  readonly nSets: number;
  readonly nRows: number;
  readonly nColumns: number;
  /** E^H W^(1/2) of data complex64 [nCoils, nRows, nColumns], to an image complex64 [nSets, nRows, nColumns]. */
  rightSide(data: number, image: number): void;
  /** out = E^H E x */
  normal(image: number, out: number): void;
  /** Gives the memory back. */
  release(): void;
}

export interface SenseOptions {
  /** Tikhonov weight; 1 is that of a fully sampled, unaveraged scan. */
  readonly damping: number;
  readonly nIterations: number;
  /** Ends sooner where the residual is below this part of the right side; 0: never. */
  readonly tolerance?: number;
}

/** True where whole lines are measured or not, and every column is a problem of its own. */
export function samplesLines({ weights, nRows }: SenseModel): boolean {
  return weights.length === nRows;
}
