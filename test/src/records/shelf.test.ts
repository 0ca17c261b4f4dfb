import { describe, expect, it } from 'vitest';
import { RecordShelf } from '../../../src/records/index.js';
import type { KeptTable, ReconstructionRecord } from '../../../src/records/index.js';

const record = (startedAt: number, nReadouts = 1): ReconstructionRecord => ({
  startedAt, chain: 'default', outcome: 'completed', nReadouts, decisions: [], timeline: { scan: [0, 0], slices: [], stages: {} }, remarks: [],
});

/** In the order of the keys, as in the data folder. */
function table<T>(): KeptTable<T> & { readonly size: number } {
  const values = new Map<string, T>();
  const of = (key: unknown) => JSON.stringify(key);
  return {
    get: (key) => values.get(of(key)),
    put: (key, value) => void values.set(of(key), value),
    remove: (key) => void values.delete(of(key)),
    range: () => [...values].map(([key, value]) => ({ key: JSON.parse(key) as string, value })).sort((a, b) => (a.key[0]! < b.key[0]! ? -1 : 1)),
    get size() {
      return values.size;
    },
  };
}

describe('the shelf of records', () => {
  it('has the latest ones in memory', () => {
    const shelf = new RecordShelf(undefined, { inMemory: 3 });
    for (let n = 0; n < 5; n++) shelf.put(`s${n}`, record(n));
    shelf.put('s2', record(2, 7));
    shelf.put('s5', record(5));
    expect(['s1', 's2', 's3', 's4', 's5'].map((id) => shelf.get(id)?.nReadouts)).toEqual([undefined, 7, undefined, 1, 1]);
  });

  it('keeps them in the tables, the oldest leave first, also after a restart', () => {
    const tables = { records: table<ReconstructionRecord>(), order: table<true>() };
    const shelf = new RecordShelf(tables, { kept: 4, inMemory: 1 });
    for (let n = 0; n < 6; n++) shelf.put(`s${n}`, record(n));
    shelf.put('s5', record(5, 9));
    expect(['s1', 's2', 's5'].map((id) => shelf.get(id)?.nReadouts)).toEqual([undefined, 1, 9]);
    const again = new RecordShelf(tables, { kept: 4, inMemory: 1 });
    again.put('s6', record(6));
    expect(['s2', 's3', 's5', 's6'].map((id) => again.get(id)?.nReadouts)).toEqual([undefined, 1, 9, 1]);
    expect([tables.records.size, tables.order.size]).toEqual([4, 4]);
  });
});
