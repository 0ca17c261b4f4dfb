/** What can be wrong with what nodes share. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const CLUSTER_ERRORS = {
  CLUSTER_ERR_REDIS: {
    expected: 'a Redis or Valkey server (5 or later, no cluster mode) that answers at cluster.redisUrl',
    action: 'start it, check the address and the password; a node that runs already waits for it and loses nothing',
  },
  CLUSTER_ERR_AWAY: {
    expected: 'the server of the records back within cluster.patienceS',
    action: 'bring it back; images still go back to the scanner, and what could not be kept is to be scanned or sent again',
  },
  CLUSTER_ERR_BEHIND: {
    expected: 'a log that goes on where this node stopped reading',
    action: 'restart the node: it was away for longer than the log reaches back, or the server lost or replaced its data',
  },
  CLUSTER_ERR_CONTENTION: {
    expected: 'records that stay as they are for the time of a transaction',
    action: 'try again; where it comes often, report it with what the nodes did',
  },
  CLUSTER_ERR_INCOMPLETE: {
    expected: 'a data folder of its own for each node, and a storage that all of them share',
    action: 'set spool.data, and storage.directory or storage.s3.bucket, beside cluster.redisUrl',
  },
} as const satisfies ErrorTable;

export const CLUSTER_WARNINGS = {
  CLUSTER_WARN_NOT_DURABLE: {
    expected: 'a server that keeps what it acknowledges (appendonly yes, appendfsync always) and throws nothing out (maxmemory-policy noeviction)',
    action: 'set that in its configuration; until then a crash of its machine may lose what scanners were told is kept',
  },
  CLUSTER_WARN_DIFFERENT: {
    expected: 'the same version, protocols and destinations on every node',
    action: 'finish the upgrade, or give every node the same configuration; until then what a scan is taken for may depend on the node',
  },
} as const satisfies ErrorTable;

export const clusterError = errorsOf(CLUSTER_ERRORS);
export const clusterWarning = noticesOf(CLUSTER_WARNINGS);
