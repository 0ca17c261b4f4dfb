export { DELIVERY_ERRORS, DELIVERY_WARNINGS } from './errors.js';
export type { DeliveryErrorCode } from './errors.js';
export { openCtOutput } from './ctOutput.js';
export type { CtOutput, SimulatedSubject } from './ctOutput.js';
export { openOutput } from './output.js';
export { SeriesBook } from './series.js';
export type { DeliveredImage, Series } from './series.js';
export type { DeliveredPixelType, DeliverySettings, ImageOutput } from './types.js';
