export { KeepingAnswer } from './answer.js';
export { KeptSession, rerunnable, SessionKeeper } from './keeper.js';
export type { DeliverableSeries, KeptSeries, SessionKeeperOptions, SessionRecord } from './keeper.js';
export { rawFolderIn } from './rawShelf.js';
