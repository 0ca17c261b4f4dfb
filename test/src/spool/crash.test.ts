/** The machine stops between any two steps of keeping a series: what was acknowledged is there, and nothing else is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { spoolIn, temporaryFolder } from './data.js';

const face = new URL('../../../dist/src/spool/index.js', import.meta.url).href;

/** Keeps three series of two objects, and kills itself at one of the steps; says what is acknowledged. */
const script = (folder: string, killAt: number) => `
  import { writeSync, writeFileSync } from 'node:fs';
  const { openSpool, diskFiles } = await import(${JSON.stringify(face)});
  let nSteps = 0;
  const die = () => process.kill(process.pid, 'SIGKILL');
  const step = (half) => { if (++nSteps === ${killAt}) { half?.(); die(); } };
  const files = {
    ...diskFiles,
    freeBytes: async () => 2 ** 40,
    write: async (path, bytes) => { step(() => writeFileSync(path, bytes.subarray(0, bytes.length / 2))); await diskFiles.write(path, bytes); step(); },
    rename: async (from, to) => { await diskFiles.rename(from, to); step(); },
    syncFolder: async (folder) => { await diskFiles.syncFolder(folder); step(); },
  };
  const spool = await openSpool(${JSON.stringify(folder)}, { files });
  for (const series of ['1', '2', '3']) {
    const instances = [];
    for (const number of ['1', '2']) {
      const sopInstanceUid = series + '.' + number;
      const bytes = new TextEncoder().encode('image ' + sopInstanceUid);
      instances.push({ sopInstanceUid, sopClassUid: '1', seriesInstanceUid: series, studyInstanceUid: '1', transferSyntaxUid: '1', ref: await spool.objects.put(bytes), nBytes: bytes.length });
    }
    const kept = spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    step();
    await kept;
    step();
    writeSync(1, series + '\\n');
    step();
  }
  writeSync(1, 'steps ' + nSteps + '\\n');
  await spool.close();
`;

async function acknowledged(folder: string, killAt: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script(folder, killAt)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return said.trim().split('\n').filter((line) => line !== '');
}

it('keeps what was acknowledged and shows nothing that is half there', { timeout: 240_000 }, async () => {
  const whole = await acknowledged(temporaryFolder(), 0);
  const nSteps = Number(whole.at(-1)!.replace('steps ', ''));
  expect(whole.slice(0, -1)).toEqual(['1', '2', '3']);
  // Opening, then each step of the second series, which has one before it and one after.
  const perSeries = (nSteps - 1) / 3;
  expect(perSeries).toBe(11);
  for (let killAt = 1; killAt <= 2 * perSeries + 1; killAt += killAt <= perSeries ? 5 : 1) {
    const folder = temporaryFolder();
    const series = await acknowledged(folder, killAt);
    const spool = await spoolIn(folder);
    const jobs = spool.outbox.list();
    const kept = jobs.map(({ instances }) => instances[0]!.seriesInstanceUid).sort();
    expect(kept.slice(0, series.length), `killed at step ${killAt}`).toEqual(series);
    // The one more that may be there was committed, and its client was not told any more.
    expect(kept.length - series.length).toBeLessThanOrEqual(1);
    for (const { instances } of jobs) {
      expect(instances).toHaveLength(2);
      for (const { ref, sopInstanceUid } of instances) expect(String(Buffer.from(await spool.objects.read(ref)))).toBe(`image ${sopInstanceUid}`);
    }
    expect(readdirSync(join(folder, 'objects')).sort()).toEqual(jobs.flatMap(({ instances }) => instances.map(({ ref }) => ref)).sort());
    await spool.close();
  }
});
