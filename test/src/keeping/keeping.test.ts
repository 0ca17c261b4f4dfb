import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeClose, parseMessages } from 'ismrmrd';
import type { MrdMessage } from 'ismrmrd';
import dcmjs from 'dcmjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KeepingAnswer, rawFolderIn, rerunnable, SessionKeeper } from '../../../src/keeping/index.js';
import { createLog } from '../../../src/log.js';
import { Session, WireAnswer } from '../../../src/session/index.js';
import type { SpoolOptions, Spool } from '../../../src/spool/index.js';
import { FakeReconstructions, MemorySink } from '../fakes.js';
import { roomyFiles, spoolIn, temporaryFolder } from '../spool/data.js';
import { concat, scan } from '../streams.js';

const silent = createLog('silent', { write: () => undefined });

interface Site {
  readonly spool: Spool;
  readonly keeper: SessionKeeper;
  /** Plays a stream to a session of its own. */
  play(stream: Uint8Array, id?: string, staysOpen?: boolean): { session: Session; messages: () => MrdMessage[] };
}

async function site(folder: string, options: Partial<SpoolOptions> = {}): Promise<Site> {
  const spool = await spoolIn(folder, options);
  const keeper = new SessionKeeper({ spool, destinationsFor: () => ['pacs'], log: silent });
  onTestFinished(() => keeper.close());
  return {
    spool,
    keeper,
    play(stream, id = 'session', staysOpen = false) {
      const sink = new MemorySink();
      const answer = new KeepingAnswer(new WireAnswer(sink), keeper.open(id), () => Promise.resolve());
      const session = new Session({ id, reconstructions: new FakeReconstructions(), answer });
      void (async () => {
        for (let at = 0; at < stream.length; at += 500) await session.write(stream.subarray(at, at + 500));
        if (session.takesInput && !staysOpen) await session.end();
      })();
      return { session, messages: () => parseMessages(sink.bytes) };
    },
  };
}

const kinds = (messages: readonly MrdMessage[]) => messages.map(({ kind }) => kind);

async function objectsOf(spool: Spool): Promise<Record<string, unknown>[]> {
  const instances = spool.outbox.list().flatMap((job) => job.instances);
  return Promise.all(
    instances.map(async ({ ref }) => {
      const bytes = await spool.objects.read(ref);
      return dcmjs.data.DicomMetaDictionary.naturalizeDataset(dcmjs.data.DicomMessage.readFile(new Uint8Array(bytes).buffer).dict);
    }),
  );
}

describe('a session that is kept', () => {
  it('is in the outbox, on the disk, when CLOSE acknowledges it; its images do not wait for the disk', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let writes = 0;
    const files = {
      ...roomyFiles,
      write: async (path: string, bytes: Uint8Array) => {
        writes++;
        await gate;
        await roomyFiles.write(path, bytes);
      },
    };
    const { spool, keeper, play } = await site(temporaryFolder(), { files });
    const { session, messages } = play(scan());
    while (writes === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(kinds(messages())).toEqual(['image']);
    expect(spool.outbox.list()).toEqual([]);
    expect(keeper.sessions()).toMatchObject([{ id: 'session', state: 'open' }]);
    release();
    await session.closed;
    expect(kinds(messages())).toEqual(['image', 'close']);
    const [job] = spool.outbox.list();
    expect(job).toMatchObject({ destination: 'pacs', state: 'waiting', isIncomplete: false });
    expect(keeper.sessions()).toMatchObject([{ state: 'acknowledged', nImages: 1, jobs: [job!.id] }]);
    const [object] = await objectsOf(spool);
    expect(object).toMatchObject({ SOPInstanceUID: job!.instances[0]!.sopInstanceUid, SeriesInstanceUID: job!.instances[0]!.seriesInstanceUid });
  });

  it('twice is one job with the objects of the first time', async () => {
    const { spool, play } = await site(temporaryFolder());
    await play(scan(), 'first').session.closed;
    const [first] = spool.outbox.list();
    await play(scan(), 'second').session.closed;
    expect(spool.outbox.list().map(({ instances }) => instances)).toEqual([first!.instances]);
  });

  it('and ended in an error delivers what is complete in a series of its own that says so', async () => {
    const stream = concat([scan().subarray(0, -2), Uint8Array.of(99, 99)]);
    const { spool, keeper, play } = await site(temporaryFolder());
    await play(scan(), 'whole').session.closed;
    const { session, messages } = play(stream, 'broken');
    const summary = await session.closed;
    expect(summary.outcome).toBe('failed');
    expect(kinds(messages())).toEqual(['image', 'text', 'close']);
    const [whole, broken] = spool.outbox.list();
    expect(broken).toMatchObject({ isIncomplete: true });
    expect(keeper.sessions().find(({ id }) => id === 'broken')).toMatchObject({ state: 'acknowledged', errorCode: summary.errorCode });
    const [complete, marked] = await objectsOf(spool);
    expect(marked!['SeriesDescription']).toBe(`${String(complete!['SeriesDescription'])} INCOMPLETE`);
    expect(String(marked!['ImageComments'])).toMatch(/^INCOMPLETE: /);
    expect(marked!['PixelData']).toEqual(complete!['PixelData']);
    for (const name of ['SOPInstanceUID', 'SeriesInstanceUID']) expect(marked![name]).not.toBe(complete![name]);
    expect([marked!['SOPInstanceUID'], marked!['SeriesInstanceUID']]).toEqual([broken!.instances[0]!.sopInstanceUid, broken!.instances[0]!.seriesInstanceUid]);
    expect(marked!['StudyInstanceUID']).toBe(complete!['StudyInstanceUID']);
    expect(whole!.isIncomplete).toBe(false);
  });

  it('and lost its client keeps what was complete, marked', async () => {
    const { spool, keeper, play } = await site(temporaryFolder());
    const stream = scan();
    const { session, messages } = play(stream.subarray(0, -2).slice(), 'session', true);
    while (!kinds(messages()).includes('image')) await new Promise((resolve) => setTimeout(resolve, 5));
    session.abort(new Error('gone'));
    await keeper.close();
    expect(spool.outbox.list()).toMatchObject([{ isIncomplete: true }]);
  });

  it('without room is answered all the same, and the client and the operator are told', async () => {
    const folder = temporaryFolder();
    const { spool, keeper, play } = await site(folder, { quotaBytes: 10 });
    const { session, messages } = play(scan());
    expect((await session.closed).outcome).toBe('completed');
    expect(kinds(messages())).toEqual(['image', 'text', 'close']);
    expect(messages().flatMap((message) => (message.kind === 'text' ? [message.text] : []))[0]).toMatch(/^WRN CONUS_WARN_NOT_KEPT: 1 images .*SPOOL_ERR_FULL/);
    expect(spool.room.state.isFull).toBe(true);
    expect([keeper.nNotKept, spool.outbox.list()]).toEqual([1, []]);
    expect(readdirSync(join(folder, 'objects'))).toEqual([]);
  });

  it('that the end of the process cut is known as such, and nothing of it is there', async () => {
    const folder = temporaryFolder();
    const first = await site(folder);
    const { messages } = first.play(scan().subarray(0, -2).slice(), 'session', true);
    while (!kinds(messages()).includes('image')) await new Promise((resolve) => setTimeout(resolve, 5));
    while (readdirSync(join(folder, 'objects')).filter((name) => !name.endsWith('.partial')).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await first.spool.flushed();
    await first.spool.close();
    const second = await site(folder);
    expect(await second.keeper.recover()).toMatchObject([{ id: 'session', state: 'cut' }]);
    expect(second.spool.outbox.list()).toEqual([]);
    expect(readdirSync(join(folder, 'objects'))).toEqual([]);
    expect(await second.keeper.recover()).toEqual([]);
  });
});

describe('raw data', () => {
  it('of acknowledged sessions go when room is needed, those of others stay', async () => {
    const folder = temporaryFolder();
    const raw = rawFolderIn(folder);
    mkdirSync(raw, { recursive: true });
    writeFileSync(join(raw, 'cut.mrd.partial'), new Uint8Array(1000));
    const { spool, keeper } = await site(folder, { quotaBytes: 3000 });
    const cut = keeper.open('cut');
    cut.savesRaw(join(raw, 'cut.mrd'));
    await keeper.recover();
    expect(spool.room.state.usedBytes).toBe(1000);
    const kept = keeper.open('kept');
    writeFileSync(join(raw, 'kept.mrd'), new Uint8Array(1000));
    kept.savesRaw(join(raw, 'kept.mrd'));
    expect(await kept.end()).toEqual([]);
    expect(spool.room.state.usedBytes).toBe(2000);
    await spool.objects.put(new Uint8Array(1500));
    expect(readdirSync(raw)).toEqual(['cut.mrd.partial']);
    await expect(spool.objects.put(new Uint8Array(1900))).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
    expect(readdirSync(raw)).toEqual(['cut.mrd.partial']);
    expect(await rerunnable({ id: 'cut', openedAt: 0, state: 'cut', raw: join(raw, 'cut.mrd') })).toBe(join(raw, 'cut.mrd.partial'));
  });

  it('are on the disk before CLOSE', async () => {
    const spool = await spoolIn(temporaryFolder());
    const keeper = new SessionKeeper({ spool, destinationsFor: () => [], log: silent });
    const sink = new MemorySink();
    let release: () => void = () => undefined;
    const flushed = new Promise<void>((resolve) => (release = resolve));
    const answer = new KeepingAnswer(new WireAnswer(sink), keeper.open('s'), () => flushed);
    const closing = answer.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sink.bytes.length).toBe(0);
    release();
    await closing;
    expect(kinds(parseMessages(sink.bytes))).toEqual(['close']);
  });
});

it('leaves no record of sessions that brought nothing', async () => {
  const { spool, keeper, play } = await site(temporaryFolder());
  await play(concat([encodeClose()].flat())).session.closed;
  await spool.flushed();
  expect(keeper.sessions()).toEqual([]);
});
