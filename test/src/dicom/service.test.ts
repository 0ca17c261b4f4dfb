/** What comes in is on the disk before it is acknowledged, is told to the exams, and completes its series. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dicomSection } from '../../../src/config/dicom.js';
import { CommitmentReports, destinationsFor, fits, ReceivedSeries, StoreScu } from '../../../src/dicom/index.js';
import type { CompleteSeries } from '../../../src/dicom/index.js';
import type { ExamEvent } from '../../../src/exams/index.js';
import { createLog } from '../../../src/log.js';
import { startDicom } from '../../../src/service/dicom.js';
import { openSpool } from '../../../src/spool/index.js';
import { classicSeries, classicSlice, encode, loaded, obliqueVolume, PATIENT, PATIENT_ID, SERIES, STUDY } from './fixtures.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

const never = new AbortController().signal;

describe('the DICOM part of the service', () => {
  it('keeps objects under their references, and tells the exams of a patient whom no log names', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'conus-dicom-service-'));
    closers.push(() => rm(folder, { recursive: true }));
    const spool = await openSpool(folder);
    closers.push(() => spool.close());
    const events: ExamEvent[] = [];
    const lines: string[] = [];
    const config = dicomSection.parse({
      receiver: { port: 0, quietTimeS: 0.2 },
      destinations: {
        archive: { kind: 'folder', folder: '/x', rules: { received: true, modalities: ['MR'] } },
        ct: { kind: 'folder', folder: '/x', rules: { received: true, modalities: ['CT'] } },
        own: { kind: 'folder', folder: '/x' },
        source: { kind: 'dicom', host: '127.0.0.1', port: 1, aeTitle: 'SCANNER', rules: { received: true } },
      },
    });
    const part = (await startDicom(config, {
      spool, exams: { apply: (event) => void events.push(event), settled: () => Promise.resolve(), book: { ofReceived: () => ({ examId: 'e', seriesId: 's' }), roleAt: () => undefined } }, reports: new CommitmentReports(),
      log: createLog('trace', { write: (line: string) => void lines.push(line) }),
    }))!;
    closers.push(() => part.close());

    const files = classicSeries();
    const sender = new StoreScu({ host: '127.0.0.1', port: part.address.port, callingAe: 'SCANNER', calledAe: 'CONUS', timeoutMs: 20_000, maxAssociations: 1 });
    expect((await sender.send(loaded(files), never)).map(({ outcome }) => outcome)).toEqual(files.map(() => 'stored'));
    const kept = part.instancesOf(SERIES);
    expect(kept.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(loaded(files).map(({ sopInstanceUid }) => sopInstanceUid));
    for (const { ref, nBytes } of kept) expect((await spool.objects.read(ref)).length).toBe(nBytes);

    const received = events.filter((event) => event.kind === 'dicomReceived');
    expect(received).toHaveLength(files.length);
    expect(received[0]).toMatchObject({
      seriesInstanceUid: SERIES,
      facts: { patient: { id: PATIENT_ID, name: PATIENT, sex: 'F' }, studyInstanceUid: STUDY, seriesDescription: 't2_tse_sag', modality: 'MR', trMs: 3500, teMs: 82.1 },
    });
    await expect.poll(() => events.filter((event) => event.kind === 'dicomSeriesComplete').length, { timeout: 10_000 }).toBe(1);
    expect(lines.join('')).not.toMatch(/Geheim|SECRET|19610203/);
    await expect.poll(() => spool.outbox.list().map(({ destination, examId, instances }) => [destination, examId, instances.length])).toEqual([['archive', 'e/s', files.length]]);

    // The same instance with other bytes takes the place of the first one.
    const corrected = encode(classicSlice(obliqueVolume(), 0, { SeriesDescription: 'corrected' }));
    await sender.send(loaded([corrected]), never);
    const again = part.instancesOf(SERIES);
    expect(again).toHaveLength(files.length);
    expect(again[0]!.ref).not.toBe(kept[0]!.ref);
    expect(spool.objects.holders(kept[0]!.ref)).not.toContain(`dicom/${kept[0]!.sopInstanceUid}`);
  });

  it('is not opened to other machines without knowing who calls', async () => {
    const neighbours = { spool: {} as never, exams: undefined, reports: new CommitmentReports(), log: createLog('silent', { write: () => undefined }) };
    for (const guard of [{}, { callingAeTitles: ['SCANNER'] }]) {
      const open = startDicom(dicomSection.parse({ receiver: { port: 11112, host: '0.0.0.0', ...guard } }), neighbours);
      await expect(open).rejects.toMatchObject({ code: 'CONUS_ERR_DOOR_UNGUARDED' });
    }
    expect(await startDicom(dicomSection.parse({}), neighbours)).toBeUndefined();
    await expect(startDicom(dicomSection.parse({ receiver: { port: 0 } }), { ...neighbours, spool: undefined })).rejects.toMatchObject({ code: 'DICOM_ERR_OBJECT_STORE' });
  });
});

describe('a received series is complete', () => {
  const object = (uid: string, associationId: string, imagesInAcquisition?: number) => ({
    associationId,
    identity: { sopInstanceUid: uid, seriesInstanceUid: SERIES, studyInstanceUid: STUDY, sopClassUid: '', transferSyntaxUid: '' },
    facts: { ...(imagesInAcquisition !== undefined && { imagesInAcquisition }) } as never,
  });

  function listening() {
    vi.useFakeTimers();
    const series = new ReceivedSeries(1000);
    const complete: CompleteSeries[] = [];
    series.on('complete', (event) => complete.push(event));
    return { series, counts: () => complete.map(({ nInstances, revision }) => [nInstances, revision]) };
  }

  it('a quiet time after its last association', () => {
    const { series, counts } = listening();
    series.add(object('1', 'a'));
    series.add(object('2', 'b'));
    series.associationClosed('a');
    vi.advanceTimersByTime(5000);
    expect(counts()).toEqual([]);
    series.associationClosed('b');
    vi.advanceTimersByTime(999);
    expect(counts()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(counts()).toEqual([[2, 1]]);
  });

  it('at the number of images that its scanner told, and not again for nothing', () => {
    const { series, counts } = listening();
    series.add(object('1', 'a', 2));
    series.add(object('2', 'a', 2));
    expect(counts()).toEqual([[2, 1]]);
    series.associationClosed('a');
    vi.advanceTimersByTime(5000);
    expect(counts()).toEqual([[2, 1]]);
  });

  it('once more when images come late', () => {
    const { series, counts } = listening();
    series.add(object('1', 'a'));
    series.associationClosed('a');
    vi.advanceTimersByTime(1000);
    series.add(object('2', 'b'));
    series.associationClosed('b');
    vi.advanceTimersByTime(1000);
    expect(counts()).toEqual([[1, 1], [2, 2]]);
  });
});

describe('rules', () => {
  const series = { role: 't2', description: 'T2 TSE sag', modality: 'MR', sopClassUid: '1.2.840.10008.5.1.4.1.1.4' };

  it('choose destinations', () => {
    const config = dicomSection.parse({
      destinations: {
        all: { kind: 'folder', folder: '/x' },
        t2: { kind: 'folder', folder: '/x', rules: { descriptions: ['*t2*'], modalities: ['MR'] } },
        ct: { kind: 'folder', folder: '/x', rules: { modalities: ['CT'] } },
        roles: { kind: 'folder', folder: '/x', rules: { roles: ['stir'] } },
      },
    });
    expect(destinationsFor(config, series)).toEqual(['all', 't2']);
    expect(fits({ descriptions: ['T2.TSE*'] }, series)).toBe(false);
  });

  it('of unknown keys or kinds are refused', () => {
    expect(dicomSection.safeParse({ destinations: { a: { kind: 'dicom', host: 'h', port: 1, aeTitle: 'TOO-LONG-A-TITLE-17' } } }).success).toBe(false);
    expect(dicomSection.safeParse({ receiver: { callingAeTitle: ['A'] } }).success).toBe(false);
  });
});
