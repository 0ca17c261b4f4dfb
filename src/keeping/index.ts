export { KeepingAnswer } from './answer.js';
export { KeptSession, rerunnable, SessionKeeper } from './keeper.js';
export type { KeptSeries, SessionKeeperOptions, SessionRecord } from './keeper.js';
export { rawFolderIn } from './rawShelf.js';
export type { BorrowedRaw, RawShelf } from './rawShelf.js';
export { storedRaw } from './sharedRawShelf.js';
