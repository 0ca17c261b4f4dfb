/** The console has its own types of readings and operations; this holds that they are right. What fails here fails in the type check. */
import { expect, it } from 'vitest';
import type * as operations_ from '../../../console/api/operations.js';
import type * as reading_ from '../../../console/api/reading.js';
import type { EchoView, LogView, OperationsView } from '../../../src/operations/index.js';
import type { ConfirmWord, GradeWord, ReadingView, SentenceWord } from '../../../src/reading/index.js';

const reading = (told: ReadingView): reading_.ReadingView => told;
const operations = (told: OperationsView): operations_.OperationsView => told;
const echo = (told: EchoView): operations_.EchoView => told;
const log = (told: LogView): readonly operations_.LogEntry[] => told.entries;
/** What the console says, too. */
const words = (): [Pick<GradeWord, 'by' | 'revision' | 'findingId' | 'value'>, SentenceWord, ConfirmWord] => [
  { by: 'A', revision: 0, findingId: 'f', value: 'mild' }, { by: 'A', revision: 0, level: 'L5', text: 't' }, { by: 'A', revision: 0 },
];

it('knows what the service tells of readings and operations', () => {
  expect([reading, operations, echo, log, words].map((as) => typeof as)).toEqual(Array(5).fill('function'));
});
