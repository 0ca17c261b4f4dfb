/**
 * `conus outbox`: what waits for delivery, and what an operator does about it. It opens the data
 * directory itself, whether a service runs on it or not: the database takes several processes, and the
 * service looks into it several times a second.
 */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { rerunnable, storedRaw } from '../keeping/index.js';
import type { SessionRecord } from '../keeping/index.js';
import { outboxError } from '../outbox/index.js';
import type { OutboxJob, Spool } from '../spool/index.js';
import { ExitCode } from './exitCodes.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';
import { withBeside, withSpoolBeside } from './spoolBeside.js';
import type { BesideFlags } from './spoolBeside.js';

interface OutboxFlags extends BesideFlags {
  readonly all: boolean;
  readonly json: boolean;
}

export function addOutbox(parent: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const command = (name: string) =>
    withBeside(parent.command(name)).option('--json', 'print the result as JSON', false);

  command('list')
    .description('list what is not delivered yet, with the reasons, and sessions that a crash cut')
    .action(async (flags: OutboxFlags) => done(await listOutbox(flags, io)));
  command('retry')
    .description('try jobs again now, given up ones as well')
    .argument('[ids...]', 'ids of jobs, or their first characters')
    .option('--all', 'all jobs that were given up', false)
    .action(async (ids: string[], flags: OutboxFlags) => done(await retryJobs(ids, flags, io)));
  command('drop')
    .description('give jobs up for good: what is in them is not delivered')
    .argument('[ids...]', 'ids of jobs, or their first characters')
    .option('--all', 'all jobs that were given up', false)
    .action(async (ids: string[], flags: OutboxFlags) => done(await dropJobs(ids, flags, io)));
}

async function listOutbox(flags: OutboxFlags, io: CliIo): Promise<ExitCode> {
  const { json } = flags;
  return withSpool(flags, async (spool) => {
    const jobs = spool.outbox.list();
    const stats = spool.outbox.stats();
    const cut = await Promise.all(
      [...spool.table<SessionRecord>('sessions').range()]
        .filter(({ value }) => value.state === 'cut')
        .map(async ({ value }) => ({ id: value.id, openedAt: new Date(value.openedAt).toISOString(), raw: await rerunnable(value), stored: storedRaw(spool, value.raw) })),
    );
    if (json) {
      printJson(io.stdout, { jobs: jobs.map(jsonOf), destinations: stats, cutSessions: cut });
      return;
    }
    printTable(
      io.stdout,
      ['job', 'destination', 'state', 'images', 'attempts', 'since', 'reason'],
      jobs.map((job) => [
        job.id, job.destination, job.isIncomplete ? `${job.state}, incomplete` : job.state, `${job.acknowledged.length}/${job.instances.length}`,
        String(job.attempts), new Date(job.createdAt).toISOString(), job.lastError === undefined ? '' : `${job.lastError.code}: ${job.lastError.message}`,
      ]),
    );
    for (const { destination, tally } of stats) {
      io.stdout.write(`${destination}: ${tally.instancesDelivered + tally.instancesResent} images acknowledged, ${tally.instancesResent} of them sent again\n`);
    }
    for (const { id, openedAt, raw, stored } of cut) {
      const offers = [...(raw === undefined ? [] : [`conus recon ${raw}`]), ...((stored ?? raw) === undefined ? [] : [`conus jobs add reconstruct ${stored ?? basename(raw!, '.partial')}`])];
      io.stdout.write(`session ${id} of ${openedAt} was cut and not acknowledged${offers.length === 0 ? '' : `; ${offers.join(', or ')}`}\n`);
    }
  });
}

async function retryJobs(ids: readonly string[], flags: OutboxFlags, io: CliIo): Promise<ExitCode> {
  const { all, json } = flags;
  return withSpool(flags, async (spool) => {
    const retried = await spool.outbox.retry(chosen(spool, ids, all));
    if (json) printJson(io.stdout, { retried });
    else io.stdout.write(`${retried} jobs are tried again\n`);
  });
}

async function dropJobs(ids: readonly string[], flags: OutboxFlags, io: CliIo): Promise<ExitCode> {
  const { all, json } = flags;
  return withSpool(flags, async (spool) => {
    const dropped = await spool.outbox.drop(chosen(spool, ids, all));
    if (json) printJson(io.stdout, { dropped });
    else io.stdout.write(`${dropped} jobs are dropped\n`);
  });
}

/** @throws CodedError OUTBOX_ERR_UNKNOWN_JOB where an id is that of no job or the beginning of several */
function chosen(spool: Spool, ids: readonly string[], all: boolean): string[] {
  const jobs = spool.outbox.list();
  const dead = all ? jobs.filter(({ state }) => state === 'dead').map(({ id }) => id) : [];
  const named = ids.map((text) => {
    const found = jobs.filter(({ id }) => id.startsWith(text));
    if (found.length !== 1) throw outboxError('OUTBOX_ERR_UNKNOWN_JOB', `${JSON.stringify(text)}, which ${found.length} jobs begin with`);
    return found[0]!.id;
  });
  if (!all && ids.length === 0) throw outboxError('OUTBOX_ERR_UNKNOWN_JOB', 'no job; --all stands for those that were given up');
  return [...new Set([...dead, ...named])];
}

function jsonOf({ instances, acknowledged, ...job }: OutboxJob): Record<string, unknown> {
  return {
    ...job,
    seriesInstanceUid: instances[0]?.seriesInstanceUid,
    nInstances: instances.length,
    nAcknowledged: acknowledged.length,
  };
}

async function withSpool(flags: OutboxFlags, work: (spool: Spool) => Promise<void>): Promise<ExitCode> {
  await withSpoolBeside(flags, work);
  return ExitCode.ok;
}
