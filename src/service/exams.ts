/** The exams part of the service: the book, kept in the data folder where there is one. */
import { examsSection } from '../config/exams.js';
import type { ExamsConfig } from '../config/exams.js';
import { ExamKeeper, MemoryTable } from '../exams/index.js';
import type { ExamRecord, RecordTable, SharedExams } from '../exams/index.js';
import type { Logger } from '../log.js';
import { loadProtocol, protocolNames } from '../protocols/index.js';
import type { Spool } from '../spool/index.js';

export type ExamOptions = Partial<ExamsConfig>;

/** Not started yet: handlers of its jobs come first. @throws CodedError PROTOCOL_ERR_* */
export async function openExams(options: ExamOptions, spool: Pick<Spool, 'table' | 'flushed'> | undefined, log: Logger, fixedDenoisePercent?: number, shared?: SharedExams): Promise<ExamKeeper> {
  const { protocol, protocolFiles, windowMin, quietMin, maxFinished, pictureMebibytes } = examsSection.parse(options);
  const own = await Promise.all([...protocolNames(), ...protocolFiles].map(loadProtocol));
  const fixed = protocol === undefined ? undefined : await loadProtocol(protocol);
  const tables: { table: RecordTable<ExamRecord>; index: RecordTable<string> } =
    spool === undefined ? { table: new MemoryTable(), index: new MemoryTable() } : { table: spool.table('exams'), index: spool.table('exams.index') };
  return new ExamKeeper({
    ...tables,
    protocols: fixed === undefined ? own : [fixed, ...own.filter(({ name }) => name !== fixed.name)],
    ...(fixed !== undefined && { protocol: fixed.name }),
    windowMs: windowMin * 60_000,
    quietMs: quietMin * 60_000,
    maxFinished,
    pictureBytes: pictureMebibytes * 2 ** 20,
    ...(fixedDenoisePercent !== undefined && { fixedDenoisePercent }),
    ...(shared !== undefined && { shared }),
    isDurable: spool !== undefined,
    flushed: () => spool?.flushed() ?? Promise.resolve(),
    log,
  });
}
