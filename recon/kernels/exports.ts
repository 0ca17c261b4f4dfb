/** Raw exports of recon/kernels/assembly, file by file. Every argument is a number; pointers are byte offsets. */

/** assembly/lines.ts */
export interface FftExports {
  fftLines(
    plan: number, data: number, nLines: number, reAt: number, scale: number,
    slots: number, slotBytes: number,
  ): void;
  fftColumns(
    plan: number, data: number, nColumns: number, reAt: number, scale: number,
    slots: number, slotBytes: number,
  ): void;
}

/** assembly/readout.ts */
export interface ReadoutExports {
  transformReadout(
    plan: number, samples: number, nCoils: number, nSamples: number, centre: number, step: number,
    target: number, coilBytes: number, nColumns: number, scale: number, mixing: number, nOutputs: number,
    accumulate: number, slots: number, slotBytes: number,
  ): void;
}

/** assembly/combine.ts */
export interface CombineExports {
  combineMaps(
    plan: number, slab: number, coilBytes: number, lineBytes: number, nCoils: number, nLines: number,
    centreLine: number, maps: number, image: number, nRows: number, nColumns: number,
    firstColumn: number, endColumn: number, scale: number, slots: number, slotBytes: number,
  ): void;
  combineRss(
    plan: number, slab: number, coilBytes: number, lineBytes: number, nCoils: number, nLines: number,
    centreLine: number, image: number, nRows: number, nColumns: number,
    firstColumn: number, endColumn: number, scale: number, slots: number, slotBytes: number,
  ): void;
  coilImages(
    plan: number, slab: number, coilBytes: number, lineBytes: number, nCoils: number, nLines: number,
    centreLine: number, images: number, nRows: number, nColumns: number,
    firstColumn: number, endColumn: number, scale: number, slots: number, slotBytes: number,
  ): void;
}

/** assembly/gram.ts, cholesky.ts, hybrid.ts, fill.ts, noisemap.ts */
export interface GrappaExports {
  grappaGram(
    lines: number, nCoils: number, nLines: number, nColumns: number, acceleration: number, kr: number, kp: number,
    phases: number, gram: number, scratch: number,
  ): void;
  grappaRightSides(
    lines: number, nCoils: number, nLines: number, nColumns: number, acceleration: number, kr: number, kp: number,
    phases: number, rightSides: number, scratch: number,
  ): void;
  choleskyRows(matrix: number, n: number, i: number, smallestPivot: number): number;
  choleskySolve(factor: number, n: number, rightSides: number, nRightSides: number): void;
  hybridWeights(
    weights: number, phases: number, nCoils: number, nColumns: number, acceleration: number, kr: number, kp: number,
    hybrid: number,
  ): void;
  fillLines(
    weights: number, slab: number, coilBytes: number, nCoils: number, nColumns: number, kp: number,
    targets: number, nTargets: number, sources: number,
  ): void;
  grappaNoise(
    maps: number, weights: number, nCoils: number, nRows: number, nColumns: number, block: number,
    acceleration: number, kp: number, pairs: number, phases: number, out: number, scratch: number,
  ): void;
}

/** assembly/walsh.ts, upsample.ts */
export interface CoilMapExports {
  localPrincipalVectors(
    images: number, nRows: number, nColumns: number, nCoils: number, row: number, halfWindow: number,
    nIterations: number, vectors: number, scratch: number,
  ): void;
  globalPrincipalVector(
    images: number, nPixels: number, nCoils: number, nIterations: number, vector: number, scratch: number,
  ): void;
  alignPhases(vectors: number, nPixels: number, nCoils: number, virtual: number): void;
  interpolateLines(
    coarse: number, nCoils: number, coilStride: number, nRows: number, nCoarse: number, points: number, nFine: number,
    fine: number,
  ): void;
  interpolateMaps(
    coarse: number, nCoils: number, nCoarse: number, nColumns: number, points: number, nRows: number, maps: number,
    energies: number,
  ): void;
}
