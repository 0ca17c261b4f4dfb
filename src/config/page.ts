/** docs/configuration.md, from the schema. */
import { schemaTables, type JsonSchema } from '../schemaTables.js';
import { configJsonSchema } from './config.js';

export function configPage(): string {
  return [
    '# Configuration',
    '',
    'Written by `conus config schema --markdown`; do not edit.',
    '',
    '`conus serve --config conus.json` reads one JSON file. Every key has a default or may be left out; unknown keys are',
    'refused. `conus config check FILE` tells everything that is wrong with a file, `conus config schema` prints its JSON',
    'Schema. Times are in seconds where the name ends in S; the unit is in the name.',
    '',
    'Secrets are never in the file: keys that end in `File` name files that hold them.',
    '',
    'Each key is an environment variable as well, which wins over the file: `doors.tokenFile` is',
    '`CONUS_DOORS_TOKEN_FILE`. Lists are joined by commas, lists of objects are JSON. Options of the command line win over both.',
    '',
    ...schemaTables('the configuration', configJsonSchema() as JsonSchema),
  ].join('\n');
}
