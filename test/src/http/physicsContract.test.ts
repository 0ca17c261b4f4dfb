/** The console has its own types of records and sweeps; this holds that they are right. What fails here fails in the type check. */
import { expect, it } from 'vitest';
import type * as console_ from '../../../console/api/physics.js';
import type { ToldRecord } from '../../../src/records/index.js';
import type { SweepEntry, SweepFile } from '../../../src/sweep/index.js';

const record = (told: ToldRecord): console_.RecordView => told;
const sweep = (told: SweepFile): console_.SweepView => told;
const entry = (told: SweepEntry): console_.SweepEntryView => told;

it('knows what the service tells of records and sweeps', () => {
  expect([record, sweep, entry].map((as) => typeof as)).toEqual(['function', 'function', 'function']);
});
