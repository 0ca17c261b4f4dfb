/** Images as a coil of even sensitivity would have them: by a reference scan, else by what varies smoothly in the image. */
export { estimateField } from './estimate.js';
export { gainOf, gridOf, type FieldGrid } from './field.js';
export { ratioField, referenceExtent, ReferenceLines, type ReferenceExtent } from './reference.js';
