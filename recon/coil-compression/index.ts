export { compressCoils, type CoilCompression, type CompressionTarget } from './compress.js';
export { hermitianEigensystem, type Eigensystem } from './eigen.js';
