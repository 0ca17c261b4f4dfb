export { Parts } from './parts.js';
export type { ServicePart } from './parts.js';
export { Readiness } from './readiness.js';
export { startService, urlOf } from './service.js';
export type { Service, ServiceOptions } from './service.js';
export type { DataOptions, DeliveryOptions } from './delivery.js';
export { deliveryOf, quotaOf } from './destinations.js';
export { openExams } from './exams.js';
export type { ExamOptions } from './exams.js';
