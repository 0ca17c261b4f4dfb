/** `conus handoff`: what a downstream stage and Conus say to each other. */
import type { Command } from 'commander';
import { handoffJsonSchemas, handoffPage } from '../handoff/index.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';

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
}
