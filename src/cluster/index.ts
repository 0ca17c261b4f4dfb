export { connectRedis, durabilityOf, withPassword } from './connection.js';
export * from './errors.js';
export { ClusterRecords, keyOf } from './records.js';
export type { ClusterRecordStats, Told } from './records.js';
export { Nodes, nodeTimesMs } from './nodes.js';
export type { NodeRecord } from './nodes.js';
