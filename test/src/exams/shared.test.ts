import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryTable } from '../../../src/exams/index.js';
import type { ExamKeeper, ExamRecord, Place, SharedExams } from '../../../src/exams/index.js';
import { kept } from './kept.js';
import { begin, facts, minute, protocol, received, scan } from './scenes.js';

interface Reader {
  hear: Parameters<SharedExams['hear']>[0] | undefined;
  nHeard: number;
  /** For what it told itself to come round. */
  readonly waiting: { readonly at: number; readonly resolve: () => void }[];
}

/** One log, in memory, that nodes read each at their own pace. */
class House {
  readonly table = new MemoryTable<ExamRecord>();
  readonly index = new MemoryTable<string>();
  readonly places = new MemoryTable<Place>();
  readonly #log: { readonly message: unknown; readonly by: number }[] = [];
  readonly #nodes: Reader[] = [];

  /** @param now of the clock of the node */
  node(options: Parameters<typeof kept>[0] = {}): { keeper: ExamKeeper; hear: (most?: number) => void } {
    const nth = this.#nodes.length;
    const node: Reader = { hear: undefined, nHeard: 0, waiting: [] };
    this.#nodes.push(node);
    const hear = (most = Infinity) => {
      for (let n = 0; n < most && node.nHeard < this.#log.length; n++) {
        const { message, by } = this.#log[node.nHeard++]!;
        node.hear?.({ message, isOwn: by === nth, place: [0, node.nHeard] });
        for (const { resolve } of node.waiting.filter(({ at }) => at === node.nHeard)) resolve();
      }
    };
    const shared: SharedExams = {
      tell: (message) => {
        // What is told went through text.
        this.#log.push({ message: JSON.parse(JSON.stringify(message)), by: nth });
        const at = this.#log.length;
        return new Promise((resolve) => node.waiting.push({ at, resolve }));
      },
      isAway: () => false,
      hear: (hearer) => {
        node.hear = hearer;
        hear();
      },
      transaction: (work) => Promise.resolve(work()),
      places: this.places,
    };
    const { keeper } = kept({ table: this.table, index: this.index, shared, ...options });
    keeper.start();
    return { keeper, hear };
  }
}

const told = (keeper: ExamKeeper) => keeper.book.exams.map((exam) => keeper.book.record(exam.id));

describe('exams that nodes share', () => {
  it('are the same on every node, whatever node each scan comes to and however far each has read', async () => {
    const streams = [
      scan('s1', facts('T1w sag'), begin), scan('s2', facts('T2w sag'), begin + minute), scan('s3', facts('STIR sag', { studyInstanceUid: '9.9' }), begin),
      received('1.2.7', facts('T2w sag', { patient: { id: 'P2' }, studyInstanceUid: '4.4' }), 3, begin),
      scan('s4', { patient: { id: 'P1' }, seriesDescription: 'T1w sag', modality: 'MR' }, begin + 2 * minute),
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(streams.length - 1), fc.nat(2), fc.nat(2), fc.nat(4)), { minLength: 10, maxLength: 60 }), async (steps) => {
        const house = new House();
        const nodes = [house.node(), house.node(), house.node()];
        const next = streams.map(() => 0);
        for (const [stream, by, reader, most] of steps) {
          const event = streams[stream]![next[stream]!++];
          if (event !== undefined) nodes[by]!.keeper.apply(event);
          nodes[reader]!.hear(most);
        }
        for (const { hear } of nodes) hear();
        await Promise.all(nodes.map(({ keeper }) => keeper.settled()));
        for (const { keeper } of nodes.slice(1)) expect(told(keeper)).toEqual(told(nodes[0]!.keeper));
        await Promise.all(nodes.map(({ keeper }) => keeper.close()));
        // One that comes later finds them kept, and hears again what was told before.
        expect(told(house.node().keeper)).toEqual(told(nodes[0]!.keeper));
      }),
      { numRuns: 60 },
    );
  });

  it('give a job once, from the node that told its reason; when nobody does it, every node gives it again', async () => {
    const house = new House();
    let now = begin;
    const asked: string[] = [];
    const wanting = protocol({ analyse: [{ task: 'grades', fromSeries: ['sag-t1w'] }] });
    const nodes = ['a', 'b', 'c'].map((name) => {
      const node = house.node({ protocols: [wanting], protocol: wanting.name, now: () => now, tickMs: 5 });
      node.keeper.take('analyse', ({ id }) => asked.push(`${name} ${id}`));
      return node;
    });
    for (const event of scan('s1', facts('T1w sag'), begin)) nodes[1]!.keeper.apply(event);
    const all = async () => {
      for (const { hear } of nodes) hear();
      await new Promise((resolve) => setTimeout(resolve, 30));
    };
    await all();
    expect(asked).toEqual(['b analyse/grades']);
    now += minute;
    await all();
    expect(new Set(asked.slice(1))).toEqual(new Set(['a analyse/grades', 'b analyse/grades', 'c analyse/grades']));
    const { id: examId } = nodes[0]!.keeper.book.exams[0]!;
    nodes[2]!.keeper.tellJob({ examId, id: 'analyse/grades' }, 'done');
    await all();
    asked.length = 0;
    now += minute;
    await all();
    expect(asked).toEqual([]);
    for (const { keeper } of nodes) expect(keeper.exam(examId).actions).toMatchObject([{ id: 'analyse/grades', state: 'done' }]);
    await Promise.all(nodes.map(({ keeper }) => keeper.close()));
  });

  it('end the scans of a node that is no more, once another one takes them over', async () => {
    const house = new House();
    const [gone, other] = [house.node(), house.node()];
    for (const event of scan('s1', facts('T1w sag'), begin).slice(0, 3)) gone.keeper.apply(event);
    for (const event of scan('s2', facts('T2w sag'), begin).slice(0, 3)) other.keeper.apply(event);
    // Kept and acknowledged, when its node went before it told so.
    for (const event of scan('s3', facts('STIR sag'), begin).slice(0, 6)) gone.keeper.apply(event);
    gone.hear();
    other.hear();
    expect(other.keeper.book.openSessions.sort()).toEqual(['s1', 's2', 's3']);
    const taken = other.keeper.takeOver((sessionId) => sessionId !== 's2', (sessionId) => sessionId === 's3');
    other.hear();
    await taken;
    expect(other.keeper.book.openSessions).toEqual(['s2']);
    expect(other.keeper.book.exams[0]!.series.find(({ state }) => state === 'failed')?.reason?.code).toBe('CONUS_ERR_EXAM_NODE_GONE');
    expect(other.keeper.book.exams[0]!.series.map(({ state }) => state).sort()).toEqual(['complete', 'failed', 'scanning']);
    // The record is kept by who is still there.
    await other.keeper.close();
    expect(told(house.node().keeper)).toEqual(told(other.keeper));
  });
});
