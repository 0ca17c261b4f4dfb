/** `conus config`: what is wrong with a configuration, and what one may hold. */
import type { Command } from 'commander';
import { checkConfig, configJsonSchema, configPage, readConfigFile } from '../config/index.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';

export function addConfig(program: Command, io: CliIo, done: (code: ExitCode) => void): void {
  const config = program.command('config').description('the configuration of the service');

  config
    .command('check')
    .description('tell everything that is wrong with a configuration')
    .argument('<file>', 'a .json file')
    .option('--json', 'print the result as JSON', false)
    .action(async (file: string, flags: { json: boolean }) => {
      done(await checkFile(file, flags, io));
    });

  config
    .command('schema')
    .description('print the JSON Schema of the configuration')
    .option('--json', 'print the result as JSON', false)
    .option('--markdown', 'as the page docs/configuration.md')
    .action((flags: { markdown?: boolean }) => {
      if (flags.markdown === true) io.stdout.write(configPage());
      else printJson(io.stdout, configJsonSchema());
      done(ExitCode.ok);
    });
}

/** @throws CodedError CONUS_ERR_CONFIG_FILE */
async function checkFile(path: string, { json }: { json: boolean }, io: CliIo): Promise<ExitCode> {
  const { config, findings } = checkConfig(await readConfigFile(path));
  if (json) printJson(io.stdout, { isValid: config !== undefined, findings });
  else if (config !== undefined) io.stdout.write('valid\n');
  else for (const finding of findings) io.stdout.write(`${finding.code}: ${finding.path || 'the configuration'}: ${finding.message}\n`);
  return config === undefined ? ExitCode.input : ExitCode.ok;
}
