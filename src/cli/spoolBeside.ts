/** Records of a service for a command beside it: in its data folder, whether it runs or not, or of the nodes that a configuration names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { createLog } from '../log.js';
import { outboxError } from '../outbox/index.js';
import { clusterBeside } from '../service/index.js';
import { openSpool } from '../spool/index.js';
import type { Spool } from '../spool/index.js';

export interface BesideFlags {
  readonly data?: string;
  readonly config?: string;
}

export const withBeside = (command: Command): Command =>
  command
    .option('--data <folder>', 'data folder of the service')
    .option('--config <file>', 'configuration of the nodes, where several share their records');

/** @throws CodedError OUTBOX_ERR_NO_DATA, SPOOL_ERR_*, CLUSTER_ERR_*, STORAGE_ERR_* */
export async function withSpoolBeside<Result>(flags: BesideFlags, work: (spool: Spool) => Promise<Result>): Promise<Result> {
  const spool = await openBeside(flags);
  try {
    return await work(spool);
  } finally {
    await spool.close();
  }
}

async function openBeside({ data, config: path }: BesideFlags): Promise<Spool> {
  if (data === undefined) {
    const { cluster, storage, spool } = await loadConfig(path);
    if (cluster.redisUrl !== undefined) return clusterBeside(cluster, storage, createLog('silent', { write: () => undefined }));
    if (spool.data === undefined) throw outboxError('OUTBOX_ERR_NO_DATA', 'neither --data nor a configuration that names one');
    return openBeside({ data: spool.data });
  }
  // Opening would make one.
  if (!existsSync(join(data, 'spool.lmdb'))) throw outboxError('OUTBOX_ERR_NO_DATA', `${data}, which holds no spool`);
  return openSpool(data, { owns: false });
}
