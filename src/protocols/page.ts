/** docs/protocols.md, from the schema. */
import { protocolJsonSchema } from '../../protocols/index.js';
import { schemaTables, type JsonSchema } from '../schemaTables.js';

export function protocolsPage(): string {
  return [
    '# Exam protocols',
    '',
    'Written by `conus protocols schema --markdown`; do not edit.',
    '',
    'A protocol is one JSON file in `protocols/exams/`, named as the protocol: what is scanned, in order, how each series',
    'is known when it comes from a scanner, and what is synthesised and analysed. Adding one is dropping in a file;',
    '`conus protocols check FILE` tells everything that is wrong with it. Unknown keys are refused. Times are in ms, lengths in',
    'mm, angles in degrees; the unit is in the name.',
    '',
    'Scan times follow from the protocol (`protocols/timing.ts`), and so do the lines that are acquired (`protocols/encoding.ts`)',
    'and the directions of the slices (`protocols/geometry.ts`).',
    '',
    ...schemaTables('the protocol', protocolJsonSchema() as JsonSchema),
  ].join('\n');
}
