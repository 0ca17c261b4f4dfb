/** A CT scanner: a body in Hounsfield units -> projections -> noise at a dose -> images. */
export * from './beam.js';
export * from './grid.js';
export { forwardProject } from './project.js';
export { poisson } from './poisson.js';
export { bowtieProfile, measure, type Bowtie, type Detection } from './measure.js';
export { kernelWindow, type ReconstructionKernel } from './reconstructionKernel.js';
export { ViewFilter, type FilteredViews } from './filter.js';
export { backproject } from './backproject.js';
export { bodyOf, type ScannedBody } from './body.js';
export { defaultCtOptions, type CtOptions } from './options.js';
export { CtScan, simulateCt, type CtSlice } from './scan.js';
