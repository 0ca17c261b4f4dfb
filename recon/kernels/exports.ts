/** Raw exports of recon/kernels/assembly, file by file. Every argument is a number; pointers are byte offsets. */

/** assembly/lines.ts */
export interface FftExports {
  fftLines(
    plan: number, data: number, nLines: number, reAt: number, scale: number,
    block: number, blockBytes: number,
  ): void;
  fftColumns(
    plan: number, data: number, nColumns: number, reAt: number, scale: number,
    block: number, blockBytes: number,
  ): void;
}

/** assembly/readout.ts */
export interface ReadoutExports {
  transformReadout(
    plan: number, samples: number, nCoils: number, nSamples: number, centre: number, step: number,
    target: number, coilBytes: number, nColumns: number, scale: number, whitener: number,
    accumulate: number, slots: number, blockBytes: number,
  ): void;
}

/** assembly/combine.ts */
export interface CombineExports {
  combineMaps(
    plan: number, slab: number, coilBytes: number, lineBytes: number, nCoils: number, nLines: number,
    centreLine: number, maps: number, image: number, nRows: number, nColumns: number,
    firstColumn: number, endColumn: number, scale: number, block: number, blockBytes: number,
  ): void;
  combineRss(
    plan: number, slab: number, coilBytes: number, lineBytes: number, nCoils: number, nLines: number,
    centreLine: number, image: number, nRows: number, nColumns: number,
    firstColumn: number, endColumn: number, scale: number, block: number, blockBytes: number,
  ): void;
  coilImages(
    plan: number, slab: number, coilBytes: number, lineBytes: number, nCoils: number, nLines: number,
    centreLine: number, images: number, nRows: number, nColumns: number,
    firstColumn: number, endColumn: number, scale: number, block: number, blockBytes: number,
  ): void;
}
