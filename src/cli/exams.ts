/**
 * `conus exams`: which exams there are and how one stands. From a running service (`--url`), which knows what happens
 * now, or from its data folder (`--data`), read only, which also works when it does not run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { examRow, examSchema, examRowSchema } from '../exams/index.js';
import type { ExamRow, ExamView } from '../exams/index.js';
import { examJsonSchemas } from '../http/index.js';
import { livePage } from '../live/index.js';
import { createLog } from '../log.js';
import { openExams } from '../service/index.js';
import { openSpool } from '../spool/index.js';
import { z } from 'zod';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';

interface ExamFlags {
  readonly url?: string;
  readonly data?: string;
  readonly json: boolean;
}

interface Source {
  list(): Promise<ExamRow[]>;
  /** @throws CodedError CONUS_ERR_EXAM_UNKNOWN */
  exam(id: string): Promise<ExamView>;
}

export function addExams(exams: Command, io: CliIo, done: (code: ExitCode) => void): void {
  exams.description('exams: what was promised, what came, and why something did not');
  const sub = (name: string) =>
    exams
      .command(name)
      .option('--url <address>', 'HTTP address of a running service, as http://127.0.0.1:8042; CONUS_TOKEN holds its token')
      .option('--data <folder>', 'data folder of a service, running or not')
      .option('--json', 'print the result as JSON', false);

  sub('list')
    .description('list the exams, the latest first')
    .action(async (flags: ExamFlags) => {
      const rows = await withSource(flags, (source) => source.list());
      if (flags.json) printJson(io.stdout, rows);
      else printTable(io.stdout, ['id', 'begun', 'state', 'protocol', 'series', 'missing', 'patient'], rows.map(cellsOf));
      done(ExitCode.ok);
    });
  sub('show')
    .description('tell how an exam stands: its series, what was promised, what is to be done')
    .argument('<id>', 'id of an exam')
    .action(async (id: string, flags: ExamFlags) => {
      const exam = await withSource(flags, (source) => source.exam(id));
      if (flags.json) printJson(io.stdout, exam);
      else printExam(exam, io);
      done(ExitCode.ok);
    });
  exams
    .command('schema')
    .description('print the JSON Schemas of exams over HTTP')
    .option('--markdown', 'the messages of the live channel, as the page docs/live-channel.md')
    .action(({ markdown }: { markdown?: boolean }) => {
      if (markdown === true) io.stdout.write(livePage());
      else printJson(io.stdout, examJsonSchemas());
      done(ExitCode.ok);
    });
}

async function withSource<Result>({ url, data }: ExamFlags, ask: (source: Source) => Promise<Result>): Promise<Result> {
  if (data === undefined) {
    if (url === undefined) throw cliError('CONUS_ERR_EXAM_SOURCE', 'neither --url nor --data');
    return ask(service(url));
  }
  if (url !== undefined) throw cliError('CONUS_ERR_EXAM_SOURCE', 'both --url and --data');
  // Opening would make one.
  if (!existsSync(join(data, 'spool.lmdb'))) throw cliError('CONUS_ERR_EXAM_SOURCE', 'a folder that holds no data of a service');
  const spool = await openSpool(data, { owns: false });
  try {
    const exams = await openExams({}, spool, createLog('silent', { write: () => undefined }));
    return await ask({ list: async () => exams.book.exams.map(examRow), exam: async (id) => exams.exam(id) });
  } finally {
    await spool.close();
  }
}

function service(url: string): Source {
  const get = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> => {
    const token = process.env['CONUS_TOKEN'];
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(new URL(path, url), { headers }).catch((cause: unknown) => {
      throw cliError('CONUS_ERR_EXAM_SOURCE', `${url}, which does not answer`, { cause });
    });
    const body: unknown = await response.json().catch(() => undefined);
    const parsed = schema.safeParse(body);
    if (response.ok && parsed.success) return parsed.data;
    const code = (body as { error?: { code?: string } } | undefined)?.error?.code;
    throw cliError('CONUS_ERR_EXAM_SOURCE', `status ${response.status}${code === undefined ? '' : ` (${code})`} of ${url}`);
  };
  return {
    list: async () => (await get('/api/exams', z.object({ exams: z.array(examRowSchema) }))).exams,
    exam: (id) => get(`/api/exams/${encodeURIComponent(id)}`, examSchema),
  };
}

const timeOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
const cellsOf = ({ id, openedAt, state, protocol, nComplete, nSeries, nMissing, patient }: ExamRow) => [
  id, timeOf(openedAt), state, protocol?.name ?? '-', `${nComplete}/${nSeries}`, String(nMissing), patient.id ?? '-',
];

function printExam(exam: ExamView, io: CliIo): void {
  const { id, state, openedAt, patient, study, protocol, protocolCandidates, series, promises, actions, remarks, settings } = exam;
  io.stdout.write(`${id}: ${state}, begun ${timeOf(openedAt)}\n`);
  io.stdout.write(`patient ${patient.id ?? '-'}${patient.name === undefined ? '' : ` (${patient.name})`}, study ${study.description ?? study.instanceUid ?? '-'}\n`);
  const could = protocolCandidates.length > 0 ? `unknown, perhaps ${protocolCandidates.join(' or ')}` : 'unknown';
  io.stdout.write(`protocol ${protocol === undefined ? could : `${protocol.name}: ${protocol.title}`}\n`);
  for (const { at, by, what, from, to } of settings.changes) io.stdout.write(`${timeOf(at)} ${by} changed ${what} from ${from ?? 'none'} to ${to ?? 'none'}\n`);
  for (const { code, text } of remarks) io.stdout.write(`${code}: ${text}\n`);
  io.stdout.write('\n');
  printTable(
    io.stdout,
    ['series', 'description', 'role', 'state', 'lines', 'images', 'denoising', 'reason'],
    series.map((one) => [
      one.id, one.description ?? '-', one.role ?? '-', one.state, one.lines === undefined ? '-' : `${one.lines.nAcquired}/${one.lines.nExpected ?? '?'}`,
      one.outputs.map(({ kind, nImages, nExpected }) => `${kind} ${nImages}${nExpected === undefined ? '' : `/${nExpected}`}`).join(', ') || '-',
      one.denoising === undefined ? '-' : `${one.denoising.percent} % (${one.denoising.source})`, one.reason?.text ?? '',
    ]),
  );
  if (promises.length > 0) {
    io.stdout.write('\n');
    printTable(io.stdout, ['promised', 'how', 'state', 'why'], promises.map(({ id: name, origin, state: its, reason }) => [name, origin, its, `${reason.code}: ${reason.text}`]));
  }
  if (actions.length > 0) {
    io.stdout.write('\n');
    printTable(io.stdout, ['action', 'what', 'state', 'why'], actions.map(({ kind, what, state: its, reason }) => [kind, what, its, reason === undefined ? '' : `${reason.code}: ${reason.text}`]));
  }
}
