export * from './section.js';
export { Mask, type Place, type Span } from './mask.js';
export * from './finding.js';
