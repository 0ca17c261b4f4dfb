import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { objectConformance } from './objectConformance.js';
import type { ObjectsUnderTest } from './objectConformance.js';
import { bytesOf, roomyFiles, spoolIn, storedSeries, temporaryFolder } from './data.js';

/** A process that opens the directory and stays until it is killed. */
function startOwner(folder: string): { said: Promise<string>; kill: () => Promise<void> } {
  const face = new URL('../../../dist/src/spool/index.js', import.meta.url).href;
  const script = `const { openSpool } = await import(${JSON.stringify(face)});
    const said = await openSpool(${JSON.stringify(folder)}).then(() => 'owned', (error) => error.code ?? String(error));
    process.stdout.write(said);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  return {
    said: once(child.stdout, 'data').then(([data]) => String(data)),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

const objectFiles = (folder: string) =>
  readdirSync(join(folder, 'objects'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);

describe('tables', () => {
  it('hold what was put when the directory is opened again', async () => {
    const folder = temporaryFolder();
    const spool = await spoolIn(folder);
    spool.table<{ value: number }>('things').put('a', { value: 1 });
    await spool.flushed();
    await spool.close();
    const again = await spoolIn(folder);
    expect(again.table('things').get('a')).toEqual({ value: 1 });
    expect(again.table('others').get('a')).toBeUndefined();
  });

  it('range over string prefixes and over the first parts of keys', async () => {
    const spool = await spoolIn(temporaryFolder());
    const table = spool.table<number>('keys');
    const keys = ['a', 'ab', 'b', ['x', 1, 'p'], ['x', 2, 'o'], ['xx', 1]] as const;
    keys.forEach((key, index) => table.put(key, index));
    await spool.flushed();
    expect([...table.range('a')].map(({ key }) => key)).toEqual(['a', 'ab']);
    expect([...table.range(['x'])].map(({ key }) => key)).toEqual([['x', 1, 'p'], ['x', 2, 'o']]);
    expect([...table.range(['x', 2])].map(({ value }) => value)).toEqual([4]);
    expect([...table.range()]).toHaveLength(6);
  });

  it('take a transaction over several tables as a whole or not at all', async () => {
    const spool = await spoolIn(temporaryFolder());
    const [one, two] = [spool.table<number>('one'), spool.table<number>('two')];
    await expect(
      spool.transaction(() => {
        one.put('k', 1);
        two.put('k', 2);
        expect(one.get('k')).toBe(1);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect([one.get('k'), two.get('k')]).toEqual([undefined, undefined]);
    expect(await spool.transaction(() => (one.put('k', 1), two.put('k', 2), 'done'))).toBe('done');
    expect([one.get('k'), two.get('k')]).toEqual([1, 2]);
  });
});

objectConformance('in a data folder', async (quotaBytes = 1e9) => {
  const opened = async (folder: string): Promise<ObjectsUnderTest> => {
    const spool = await spoolIn(folder, { quotaBytes });
    return {
      objects: spool.objects, room: spool.room,
      transaction: (work) => spool.transaction(work),
      lying: () => objectFiles(folder),
      damage: (ref) => writeFileSync(join(folder, 'objects', ref), 'other'),
      restart: async () => {
        await spool.close();
        return opened(folder);
      },
    };
  };
  return opened(temporaryFolder());
});

describe('objects', () => {
  it('and their folder are for the owner of the process only', async () => {
    const folder = join(temporaryFolder(), 'data');
    const spool = await spoolIn(folder);
    const ref = await spool.objects.put(bytesOf('private'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'objects', ref)).mode & 0o777).toBe(0o600);
  });
});

describe('the directory', () => {
  it('is used by one server at a time, and by commands beside it', async () => {
    const folder = temporaryFolder();
    const spool = await spoolIn(folder);
    await expect(spoolIn(folder)).rejects.toMatchObject({ code: 'SPOOL_ERR_LOCKED' });
    const beside = await spoolIn(folder, { owns: false });
    const [instance] = await storedSeries(spool, '2.25.7', 1);
    await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances: [instance!] }));
    await beside.close();
    await spool.close();
    expect(readdirSync(folder).filter((name) => name.endsWith('.sock'))).toEqual([]);
    expect((await spoolIn(folder)).outbox.list()).toHaveLength(1);
  });

  it('has one owner of many processes that come at once, and is free when that one is killed', async () => {
    const folder = temporaryFolder();
    await (await spoolIn(folder)).close();
    const processes = Array.from({ length: 3 }, () => startOwner(folder));
    const said = await Promise.all(processes.map(({ said }) => said));
    expect(said.sort()).toEqual(['SPOOL_ERR_LOCKED', 'SPOOL_ERR_LOCKED', 'owned']);
    await expect(spoolIn(folder)).rejects.toMatchObject({ code: 'SPOOL_ERR_LOCKED' });
    await Promise.all(processes.map(({ kill }) => kill()));
    await spoolIn(folder);
    expect(readdirSync(folder).filter((name) => name.endsWith('.sock'))).toHaveLength(1);
  });

  it('may have a path that is too long for a socket', async () => {
    const folder = join(temporaryFolder(), 'x'.repeat(120));
    const spool = await spoolIn(folder);
    await expect(spoolIn(folder)).rejects.toMatchObject({ code: 'SPOOL_ERR_LOCKED' });
    await spool.close();
    await spoolIn(folder);
  });

  it('of a later version is refused and left as it was', async () => {
    const folder = temporaryFolder();
    const spool = await spoolIn(folder);
    await spool.close();
    const { open } = await import('lmdb');
    const environment = open({ path: join(folder, 'spool.lmdb'), encoding: 'json', maxDbs: 64 });
    await environment.openDB({ name: 'schema', encoding: 'json' }).put('schema', { version: 99 });
    await environment.close();
    await expect(spoolIn(folder)).rejects.toMatchObject({ code: 'SPOOL_ERR_SCHEMA' });
  });

  it('that cannot be made is told', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(spoolIn(file)).rejects.toMatchObject({ code: 'SPOOL_ERR_UNREADABLE' });
  });
});

describe('room', () => {
  it('is left on the disk, too', async () => {
    let free = 10_000;
    const files = { ...roomyFiles, freeBytes: () => Promise.resolve(free) };
    const spool = await spoolIn(temporaryFolder(), { files, reserveBytes: 8000 });
    await spool.objects.put(new Uint8Array(1500));
    free = 8500;
    await expect(spool.objects.put(new Uint8Array(1501))).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
  });

  it('that the disk refuses leaves nothing behind', async () => {
    const folder = temporaryFolder();
    let isFull = true;
    const files = {
      ...roomyFiles,
      write: (path: string, bytes: Uint8Array) => {
        if (!isFull) return roomyFiles.write(path, bytes);
        writeFileSync(path, bytes.subarray(0, 3));
        return Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      },
    };
    const spool = await spoolIn(folder, { files });
    await expect(spool.objects.put(bytesOf('object'))).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
    expect(spool.room.state).toMatchObject({ usedBytes: 0, isFull: true });
    expect(objectFiles(folder)).toEqual([]);
    isFull = false;
    await spool.objects.put(bytesOf('object'));
    expect(spool.room.state).toMatchObject({ usedBytes: 6, isFull: false });
  });

});

it('outlives a disk that does not take its records, and says so', async () => {
  const folder = temporaryFolder();
  const face = new URL('../../../dist/src/spool/index.js', import.meta.url).href;
  const script = `const { openSpool } = await import(${JSON.stringify(face)});
    const spool = await openSpool(${JSON.stringify(folder)});
    const table = spool.table('things');
    const told = [];
    await spool.transaction(() => table.put('k', 'x'.repeat(2e6))).catch((error) => told.push(error.code));
    table.put('k', 'x'.repeat(2e6));
    await spool.flushed().catch((error) => told.push(error.code));
    await spool.transaction(() => table.put('small', 1));
    console.log(JSON.stringify([...told, table.get('k') ?? null, table.get('small')]));
    await spool.close();`;
  // A limit on the size of files, with its signal ignored, is a disk that is full.
  const child = spawn('bash', ['-c', `trap '' XFSZ; ulimit -f 1000; exec "$0" --input-type=module -e "$1"`, process.execPath, script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [said, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect([exitCode, said.trim()]).toEqual([0, JSON.stringify(['SPOOL_ERR_COMMIT', 'SPOOL_ERR_COMMIT', null, 1])]);
});

it('keeps a folder that somebody put beside its own', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'mine'));
  const spool = await spoolIn(folder);
  await spool.close();
  expect(existsSync(join(folder, 'mine'))).toBe(true);
});
