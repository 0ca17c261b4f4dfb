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

/** assembly/energies.ts, samplegram.ts */
export interface EnergyExports {
  addSampleGram(samples: number, nCoils: number, nSamples: number, from: number, end: number, sum: number): void;
  rowEnergies(
    slab: number, coilBytes: number, nCoils: number, nRows: number, nColumns: number, step: number, energies: number,
  ): void;
}

/** assembly/gram.ts, cholesky.ts, hybrid.ts, fill.ts, noisemap.ts */
export interface GrappaExports {
  grappaGram(
    lines: number, nCoils: number, nPlanes: number, nLines: number, nColumns: number, r1: number, r2: number, kr: number,
    kp1: number, kp2: number,
    phases: number, gram: number, scratch: number,
  ): void;
  grappaRightSides(
    lines: number, nCoils: number, nPlanes: number, nLines: number, nColumns: number, r1: number, r2: number, kr: number,
    kp1: number, kp2: number,
    phases: number, rightSides: number, scratch: number,
  ): void;
  choleskyRows(matrix: number, n: number, i: number, smallestPivot: number): number;
  choleskySolve(factor: number, n: number, rightSides: number, nRightSides: number): void;
  hybridWeights(
    weights: number, phases: number, nCoils: number, nColumns: number, acceleration: number, kr: number, kp: number,
    hybrid: number,
  ): void;
  fillLines(
    weights: number, slab: number, coilBytes: number, nCoils: number, nColumns: number, firstColumn: number,
    endColumn: number, kp: number, targets: number, nTargets: number, sources: number,
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

/** assembly/sense.ts, vectors.ts */
export interface SenseExports {
  packColumns(source: number, rowBytes: number, n: number, nColumns: number, block: number): void;
  unpackColumns(block: number, n: number, nColumns: number, target: number, rowBytes: number): void;
  senseRightSide(
    plan: number, slab: number, coilBytes: number, lineBytes: number, nCoils: number, nColumns: number,
    maps: number, nSets: number, weights: number, scale: number, b: number, slots: number, slotBytes: number,
  ): void;
  senseNormal(
    plan: number, maps: number, nMaps: number, nSets: number, weights: number, scale: number, damping: number, x: number, out: number,
    slots: number, slotBytes: number,
  ): void;
  senseSolve(
    plan: number, maps: number, nMaps: number, nSets: number, weights: number, scale: number, damping: number, nIterations: number,
    tolerance: number, b: number, x: number, work: number, slots: number, slotBytes: number,
  ): number;
  compressMaps(maps: number, nCoils: number, n: number, tolerance: number, scratch: number): number;
  multiplyVectors(a: number, b: number, out: number, n: number): void;
  addConjugateProduct(a: number, b: number, sum: number, n: number): void;
  weighVector(x: number, weights: number, n: number): void;
  addScaled(a: number, x: number, b: number, y: number, n: number): void;
  realProduct(a: number, b: number, n: number): number;
  descend(z: number, a: number, b: number, step: number, out: number, n: number): void;
  extrapolate(x: number, before: number, momentum: number, z: number, n: number): void;
}

/** assembly/wavelet.ts */
export interface WaveletExports {
  waveletAnalysis(x: number, scratch: number, nRows: number, nColumns: number, rowBytes: number): void;
  waveletSynthesis(x: number, scratch: number, nRows: number, nColumns: number, rowBytes: number): void;
  shrink(row: number, from: number, end: number, threshold: number): void;
  rotateImage(x: number, out: number, nRows: number, nColumns: number, rows: number, columns: number): void;
}

/** assembly/espirit.ts */
export interface EspiritExports {
  gatheredProduct(
    rowAt: number, nRows: number, sumAt: number, nSums: number, imaginaryAt: number, x: number, xBytes: number,
    nPanels: number, out: number, outBytes: number,
  ): void;
  panelGram(x: number, nPanels: number, nRows: number, gram: number): void;
  spreadHermitian(
    x: number, xBytes: number, nPanels: number, nCoils: number, nRows: number, nPoints: number, scale: number,
    weights: number, nColumns: number, out: number,
  ): void;
  principalVectors(
    spread: number, nCoils: number, nRows: number, nColumns: number, weights: number, nIterations: number,
    first: number, vectors: number, coilStride: number, values: number, scratch: number,
  ): void;
  cropMaps(
    values: number, nColumns: number, points: number, nRows: number, least: number, maps: number, nCoils: number,
  ): void;
}

/** assembly/shifted.ts */
export interface ShiftedSumExports {
  shiftedSums(
    rows: number, nRows: number, rowBytes: number, imagBytes: number, starts: number, nShifts: number,
    factors: number, nCoils: number, nSamples: number, out: number,
  ): void;
}
