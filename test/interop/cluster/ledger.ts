/** What an archive has against what it should have, and how far exams are. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExamView } from '../../../src/exams/index.js';
import { operationsSchema } from '../../../src/operations/index.js';
import { archived } from '../archive.js';
import type { Archive } from '../archive.js';
import { conus } from '../service.js';
import type { Node } from './nodes.js';

/** What an archive holds: hashes of pixels by SOP instance UID. @throws where one UID is there twice */
export function holdingsOf(archive: Archive): ReadonlyMap<string, string> {
  const instances = archive.files().map((file) => archived(file));
  const holdings = new Map(instances.map(({ sopInstanceUid, pixels }) => [sopInstanceUid, pixels]));
  if (holdings.size !== instances.length) throw new Error(`${instances.length - holdings.size} instances are there twice`);
  return holdings;
}

export interface Difference {
  readonly missing: readonly string[];
  readonly strange: readonly string[];
  readonly otherPixels: readonly string[];
}

export const none: Difference = { missing: [], strange: [], otherPixels: [] };

/** By UIDs: they follow from what was measured, so that the same scans have the same ones wherever they are reconstructed. */
export function difference(found: ReadonlyMap<string, string>, truth: ReadonlyMap<string, string>): Difference {
  const [known, wanted] = [[...found.keys()], [...truth.keys()]];
  return {
    missing: wanted.filter((uid) => !found.has(uid)),
    strange: known.filter((uid) => !truth.has(uid)),
    otherPixels: wanted.filter((uid) => found.has(uid) && found.get(uid) !== truth.get(uid)),
  };
}

/** Every promise of the exam came, every action is done, and every series is where it should go. */
export const isWhole = ({ state, promises, actions, series }: ExamView): boolean =>
  state === 'complete' && promises.every((one) => one.state === 'came') && actions.every((one) => one.state === 'done') && series.every((one) => one.state === 'delivered');

/** What is not whole, in a word each; how often each is met. */
function standing(exams: readonly ExamView[]): string {
  const counts = new Map<string, number>();
  for (const { state, promises, actions, series } of exams.filter((exam) => !isWhole(exam))) {
    const told = [
      state, ...promises.flatMap((one) => (one.state === 'came' ? [] : [`${one.id} ${one.state} ${one.reason.code}`])),
      ...actions.flatMap((one) => (one.state === 'done' ? [] : [`${one.id} ${one.state} ${one.reason?.code ?? ''}`])), ...series.map((one) => `${one.protocolSeries ?? '?'} ${one.state}`),
    ].join(', ');
    counts.set(told, (counts.get(told) ?? 0) + 1);
  }
  return [...counts].map(([told, n]) => `${n} x ${told}`).join('\n');
}

/** What is left in the outbox of a node, or of the nodes that share one. */
export async function undelivered(node: Node): Promise<readonly string[]> {
  const { outbox } = operationsSchema.parse(await node.json('api/operations'));
  return outbox.jobs.map(({ state, attempts, lastError }) => `${state} after ${attempts} attempts, ${lastError?.code ?? 'no error'}`);
}

/** What is left in the queue of jobs that nodes share, as `conus jobs` tells an operator. */
export async function jobsLeft({ configPath }: Node): Promise<readonly string[]> {
  const { jobs } = JSON.parse((await conus(['jobs', 'list', '--config', configPath, '--json'])).toString()) as { readonly jobs: readonly { readonly id: string; readonly state: string }[] };
  return jobs.map(({ id, state }) => `${state}: ${id}`);
}

/** Waits for exams to be whole. @throws with how they stand where nothing changes any more */
export async function allWhole(tell: () => Promise<readonly ExamView[]>, nExams: number, longestStandstillMs = 60_000): Promise<readonly ExamView[]> {
  let last = '';
  let since = performance.now();
  for (;;) {
    const exams = await tell();
    if (exams.length === nExams && exams.every(isWhole)) return exams;
    const now = `${exams.length} exams\n${standing(exams)}`;
    if (now !== last) [last, since] = [now, performance.now()];
    if (performance.now() - since > longestStandstillMs) throw new Error(`no change for ${longestStandstillMs / 1000} s: ${now}`);
    await sleep(500);
  }
}
