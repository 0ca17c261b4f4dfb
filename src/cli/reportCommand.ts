/** `conus report`: what a reader changes in the report of an analysis. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { changeGrade, editSentence, gradeValues, parseReport, reportJsonSchema, sentenceText } from '../../analysis/index.js';
import type { GradeScale, Report } from '../../analysis/index.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';

interface ChangeFlags {
  readonly finding: string;
  readonly scale: string;
  readonly to: string;
  readonly by: string;
  readonly output?: string;
}

interface EditFlags {
  readonly level?: string;
  readonly text: string;
  readonly by: string;
  readonly output?: string;
}

export function addReport(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const report = program.command('report').description('reports of analyses: read them, and change them as their reader');

  report.command('schema').description('print the JSON Schema of a report').action(() => {
    printJson(io.stdout, reportJsonSchema());
    done(ExitCode.ok);
  });

  report
    .command('show')
    .description('print the sentences of a report')
    .argument('<file>', 'report.json')
    .action(async (file: string) => {
      tell(await read(file), io);
      done(ExitCode.ok);
    });

  report
    .command('grade')
    .description('change a grade: the sentence of its level follows, the priority too, and the change is recorded')
    .argument('<file>', 'report.json')
    .requiredOption('--finding <id>', 'of the finding, e.g. centralCanal/L4-L5')
    .requiredOption('--scale <name>', 'of the grade, e.g. centralCanal')
    .requiredOption('--to <value>', 'the grade')
    .requiredOption('--by <who>', 'who changes it')
    .option('-o, --output <file>', 'in place of the same file')
    .action(async (file: string, { finding, scale, to, by, output = file }: ChangeFlags) => {
      const changed = changeGrade(await read(file), { findingId: finding, scale: scaleOf(scale), value: to, by, at: new Date().toISOString() });
      await write(output, changed);
      tell(changed, io);
      done(ExitCode.ok);
    });

  report
    .command('sentence')
    .description('write a sentence in place of the draft; no later draft replaces it')
    .argument('<file>', 'report.json')
    .requiredOption('--text <words>', 'the sentence')
    .requiredOption('--by <who>', 'who writes it')
    .option('--level <name>', 'vertebra or segment; the whole spine unless given')
    .option('-o, --output <file>', 'in place of the same file')
    .action(async (file: string, { level, text, by, output = file }: EditFlags) => {
      const changed = editSentence(await read(file), { ...(level !== undefined && { level }), text, by, at: new Date().toISOString() });
      await write(output, changed);
      tell(changed, io);
      done(ExitCode.ok);
    });
}

/** What is none is told by whoever changes the report, as is a finding that is none. */
const scaleOf = (name: string) => (name in gradeValues ? name : 'none') as GradeScale;

/** @throws CodedError CONUS_ERR_INPUT, ANALYSIS_ERR_REPORT */
async function read(file: string): Promise<Report> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw cliError('CONUS_ERR_INPUT', `${file} (${cause.message})`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw cliError('CONUS_ERR_INPUT', `${file}, which is no JSON`, { cause });
  }
  return parseReport(value);
}

async function write(file: string, report: Report): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`).catch((cause: Error) => {
    throw cliError('CONUS_ERR_OUTPUT', `${file} (${cause.message})`, { cause });
  });
}

function tell(report: Report, io: CliIo): void {
  io.stdout.write(`${report.statement}\npriority ${report.priority.level}: ${report.priority.reason}\n`);
  for (const sentence of report.sentences) io.stdout.write(`${sentenceText(sentence)}\n`);
}
