/** `conus handoff`: what a downstream stage and Conus say to each other, and what became of offers. */
import type { Command } from 'commander';
import { handoffJsonSchemas, handoffPage } from '../handoff/index.js';
import type { KeptOffer } from '../handoff/index.js';
import { ExitCode } from './exitCodes.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';
import { withBeside, withSpoolBeside } from './spoolBeside.js';
import type { BesideFlags } from './spoolBeside.js';

export function addHandoff(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const handoff = program.command('handoff').description('finished exams to downstream stages');

  handoff
    .command('schema')
    .description('print the JSON Schemas of the hand-off contract')
    .option('--markdown', 'as the page docs/handoff.md')
    .action((flags: { markdown?: boolean }) => {
      if (flags.markdown === true) io.stdout.write(handoffPage());
      else printJson(io.stdout, handoffJsonSchemas());
      done(ExitCode.ok);
    });

  withBeside(handoff.command('list'))
    .description('list the offers of a service, the newest first')
    .option('--json', 'print the result as JSON', false)
    .action(async (flags: BesideFlags & { json: boolean }) => done(await listOffers(flags, io)));
}

/** @throws CodedError SPOOL_ERR_* */
async function listOffers(flags: BesideFlags & { readonly json: boolean }, io: CliIo): Promise<ExitCode> {
  const { json } = flags;
  return withSpoolBeside(flags, async (spool) => {
    const offers = [...spool.table<KeptOffer>('handoff.offers').range()].map(({ value }) => value.record);
    offers.sort((a, b) => b.createdAtMs - a.createdAtMs);
    if (json) printJson(io.stdout, offers);
    else {
      printTable(
        io.stdout,
        ['offer', 'stage', 'exam', 'state', 'attempts', 'made', 'why'],
        offers.map(({ offerId, stage, examId, state, attempts, createdAtMs, lastError, stageReason }) => [
          offerId, stage, examId, state, String(attempts), new Date(createdAtMs).toISOString(), [lastError?.code, stageReason].filter(Boolean).join(': ') || '-',
        ]),
      );
    }
    return ExitCode.ok;
  });
}
