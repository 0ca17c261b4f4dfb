/**
 * `conus jobs`: work that waits, runs or was given up, and what an operator does about it. With --data it opens the data
 * folder itself, whether a service runs on it or not; else the configuration says where the queue is: a Redis that nodes
 * share, or the data folder of the one node.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { withPassword } from '../cluster/index.js';
import { loadConfig } from '../config/index.js';
import { jobError, jobKinds, jobLimitsOf, jobStates, JobsBeside, openBullJobs } from '../jobs/index.js';
import type { JobBoard, JobFilter, JobKind, JobState, KeptJob } from '../jobs/index.js';
import { createLog } from '../log.js';
import { reconstructJob } from '../service/index.js';
import { openSpool } from '../spool/index.js';
import { ExitCode } from './exitCodes.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';
import { withChoice } from './optionValues.js';

interface BoardFlags {
  readonly data?: string;
  readonly config?: string;
  readonly json: boolean;
}

interface ListFlags extends BoardFlags {
  readonly kind?: JobKind;
  readonly state?: JobState;
  readonly exam?: string;
}

interface ChoiceFlags extends BoardFlags {
  readonly all: boolean;
}

interface ReconstructFlags extends BoardFlags {
  readonly set: Readonly<Record<string, string>>;
  readonly chain?: string;
}

export function addJobs(jobs: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const command = (name: string, parent = jobs) =>
    parent.command(name)
      .option('--data <folder>', 'data folder of the service')
      .option('--config <file>', 'configuration of the nodes, where several share the queue')
      .option('--json', 'print the result as JSON', false);
  const choice = (name: string, all: string) =>
    command(name).argument('[ids...]', 'ids of jobs, or their first characters').option('--all', all, false);

  command('list')
    .description('list jobs that wait, run or were given up, with how far they are and the reasons')
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(jobKinds))
    .addOption(new Option('--state <state>', 'only in this state').choices(jobStates))
    .option('--exam <id>', 'only of this exam')
    .action(async (flags: ListFlags) => done(await listJobs(flags, io)));
  command('show')
    .description('print all that is known of a job')
    .argument('<id>', 'its id, or its first characters')
    .action(async (id: string, flags: BoardFlags) => done(await showJob(id, flags, io)));
  choice('retry', 'all jobs that were given up')
    .description('try jobs again now, given up ones as well')
    .action(async (ids: string[], flags: ChoiceFlags) => done(await changeJobs('retry', ids, flags, io)));
  choice('cancel', 'all jobs that were not given up')
    .description('end jobs that wait or run, on whatever node, and tell the exam or the outbox so')
    .action(async (ids: string[], flags: ChoiceFlags) => done(await changeJobs('cancel', ids, flags, io)));
  choice('drop', 'all jobs that were given up')
    .description('forget jobs without telling anybody; what an exam still wants comes again')
    .action(async (ids: string[], flags: ChoiceFlags) => done(await changeJobs('drop', ids, flags, io)));
  withChoice(command('reconstruct', jobs.command('add').description('give work to the queue')))
    .description('reconstruct raw data that are kept once more: another attempt of the same series, which goes where the first one went')
    .argument('<raw>', 'name of the raw data, without a folder')
    .action(async (raw: string, flags: ReconstructFlags) => done(await addReconstruct(raw, flags, io)));
}

async function addReconstruct(raw: string, { set, chain, ...flags }: ReconstructFlags, io: CliIo): Promise<ExitCode> {
  return withBoard(flags, async (board) => {
    const job = reconstructJob({ raw, parameters: set, ...(chain !== undefined && { chain }) });
    await board.add(job);
    if (flags.json) printJson(io.stdout, { id: job.id });
    else io.stdout.write(`${job.id} is in the queue\n`);
  });
}

async function listJobs({ kind, state, exam, ...flags }: ListFlags, io: CliIo): Promise<ExitCode> {
  const filter: JobFilter = { ...(kind !== undefined && { kind }), ...(state !== undefined && { state }), ...(exam !== undefined && { examId: exam }) };
  return withBoard(flags, async (board) => {
    const [jobs, kinds] = [await board.list(filter), await board.stats()];
    if (flags.json) {
      printJson(io.stdout, { jobs, kinds });
      return;
    }
    printTable(
      io.stdout,
      ['job', 'kind', 'state', 'priority', 'attempts', 'since', 'where', 'what'],
      jobs.map((job) => [
        job.id, job.kind, job.isCancelled ? `${job.state}, cancelled` : job.state, String(job.priority), String(job.attempts),
        new Date(job.addedAt).toISOString(), job.node ?? job.lane ?? '', whatOf(job),
      ]),
    );
    for (const { kind: name, tally } of kinds) {
      io.stdout.write(`${name}: ${tally.done} done, ${tally.failed} attempts failed, ${tally.dead} given up, ${tally.cancelled} cancelled\n`);
    }
  });
}

async function showJob(id: string, flags: BoardFlags, io: CliIo): Promise<ExitCode> {
  return withBoard(flags, async (board) => {
    const [job] = chosen(await board.list(), [id]);
    if (flags.json) printJson(io.stdout, job);
    else printTable(io.stdout, ['key', 'value'], rowsOf(job!));
  });
}

const told = { retry: 'are tried again', cancel: 'are cancelled', drop: 'are dropped' } as const;

async function changeJobs(what: keyof typeof told, ids: readonly string[], { all, ...flags }: ChoiceFlags, io: CliIo): Promise<ExitCode> {
  return withBoard(flags, async (board) => {
    const jobs = await board.list();
    if (!all && ids.length === 0) throw jobError('JOB_ERR_UNKNOWN', 'no job; --all stands for those that were given up, or that were not');
    const meant = all ? jobs.filter(({ state }) => (state === 'dead') === (what !== 'cancel')) : [];
    const changed = await board[what]([...new Set([...meant, ...chosen(jobs, ids)].map(({ id }) => id))]);
    if (flags.json) printJson(io.stdout, { changed });
    else io.stdout.write(`${changed} jobs ${told[what]}\n`);
  });
}

/** @throws CodedError JOB_ERR_UNKNOWN where an id is that of no job or the beginning of several */
function chosen(jobs: readonly KeptJob[], ids: readonly string[]): KeptJob[] {
  return ids.map((text) => {
    const found = jobs.filter(({ id }) => id.startsWith(text));
    const exact = found.find(({ id }) => id === text);
    if (exact === undefined && found.length !== 1) throw jobError('JOB_ERR_UNKNOWN', `${JSON.stringify(text)}, which ${found.length} jobs begin with`);
    return exact ?? found[0]!;
  });
}

function whatOf({ progress, lastError }: KeptJob): string {
  if (progress !== undefined) return [`${Math.round(100 * progress.fraction)} %`, ...(progress.text === undefined ? [] : [progress.text])].join(', ');
  return lastError === undefined ? '' : `${lastError.code}: ${lastError.message}`;
}

function rowsOf(job: KeptJob): string[][] {
  const times = new Set(['addedAt', 'startedAt', 'notBefore']);
  return Object.entries(job)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]: [string, unknown]) => [key, times.has(key) ? new Date(value as number).toISOString() : typeof value === 'string' ? value : JSON.stringify(value)]);
}

/** @throws CodedError JOB_ERR_NO_QUEUE, CLUSTER_ERR_REDIS, CONUS_ERR_CONFIG_*, SPOOL_ERR_* */
export async function withBoard({ data, config: path }: Omit<BoardFlags, 'json'>, work: (board: JobBoard) => Promise<void>): Promise<ExitCode> {
  const config = data === undefined ? await loadConfig(path) : undefined;
  if (config?.cluster.redisUrl !== undefined) {
    const { redisUrl, passwordFile, prefix } = config.cluster;
    const board = await openBullJobs({
      redisUrl: passwordFile === undefined ? redisUrl : withPassword(redisUrl, (await readFile(passwordFile, 'utf8')).trim()),
      prefix, node: 'conus jobs', limits: jobLimitsOf(config.jobs), log: createLog('silent', process.stderr),
    });
    await work(board).finally(() => board.close());
    return ExitCode.ok;
  }
  const folder = data ?? config?.spool.data;
  if (folder === undefined || !existsSync(join(folder, 'spool.lmdb'))) throw jobError('JOB_ERR_NO_QUEUE', folder === undefined ? 'neither' : `${folder}, which holds no queue`);
  const spool = await openSpool(folder, { owns: false });
  await work(new JobsBeside(spool.records)).finally(() => spool.close());
  return ExitCode.ok;
}
