/** Finished exams to downstream stages, and back. docs/handoff.md is the contract. */
export { HANDOFF_VERSION, answerSchema, handoffJsonSchemas, offerSchema, outcomeSchema } from './contract.js';
export type { Offer, OfferAnswer, OfferedSeries, Outcome, StageResult } from './contract.js';
export { HandoffDesk, offerIdOf, tokenOfOffer } from './desk.js';
export type { DeskOptions, HandoffStage, KeptOffer, OfferStore } from './desk.js';
export { handoffError, HANDOFF_ERRORS } from './errors.js';
export { advance, defaultOfferLimits, digestOf, isSettled, newOffer } from './offerState.js';
export type { OfferEvent, OfferLimits, OfferRecord, OfferState } from './offerState.js';
export { handoffPage } from './page.js';
export { handoffRoutes } from './routes.js';
export { instancesOfSeries } from './transport.js';
export type { ExamForHandoff, Material, SeriesForHandoff, Transport } from './transport.js';
export { dicomNodeTransport } from './transports/dicomNode.js';
export type { StoreSeries } from './transports/dicomNode.js';
export { folderTransport } from './transports/folder.js';
export type { FolderStage } from './transports/folder.js';
export { httpTransport } from './transports/http.js';
export type { HttpStage } from './transports/http.js';
