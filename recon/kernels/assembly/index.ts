// The face of the kernel module: what is exported here is what recon/kernels/index.ts binds.
// Pointers are byte offsets into the imported shared memory; kernels neither allocate nor keep state.
export { fftLines, fftColumns } from './lines';
export { transformReadout } from './readout';
export { combineMaps, combineRss, coilImages } from './combine';
export { rowEnergies } from './energies';
export { addSampleGram } from './samplegram';
export { grappaGram, grappaRightSides } from './gram';
export { choleskyRows, choleskySolve } from './cholesky';
export { hybridWeights } from './hybrid';
export { fillLines } from './fill';
export { alignPhases, globalPrincipalVector, localPrincipalVectors } from './walsh';
export { interpolateLines, interpolateMaps } from './upsample';
export { grappaNoise } from './noisemap';
export { compressMaps, packColumns, senseNormal, senseRightSide, senseSolve, unpackColumns } from './sense';
export { addConjugateProduct, addScaled, descend, extrapolate, multiplyVectors, realProduct, weighVector } from './vectors';
export { rotateImage, shrink, waveletAnalysis, waveletSynthesis } from './wavelet';
export { cropMaps, gatheredProduct, panelGram, principalVectors, spreadHermitian } from './espirit';
export { shiftedSums } from './shifted';
