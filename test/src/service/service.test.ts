import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/index.js';
import { examSchema } from '../../../src/exams/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { defaultPolicy } from '../../../src/outbox/index.js';
import type { Sender } from '../../../src/outbox/index.js';
import { toldRecordSchema } from '../../../src/records/index.js';
import { startService } from '../../../src/service/index.js';
import type { Service } from '../../../src/service/index.js';
import { cleanUp, Client } from '../live/clients.js';
import { scanned, tinyExam } from './tinyExam.js';

const log: string[] = [];
/** Takes everything. */
const archive: Sender = { send: async (instances) => instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'stored' })) };
let folder: string;
let metrics: Metrics;
let service: Service;

const started = (): Promise<Service> => {
  metrics = new Metrics();
  return startService(
    {
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1,
      http: { host: '127.0.0.1', port: 0 }, data: { folder },
      exams: { maps: ['gFactor', 'snr'] },
      delivery: { destinations: new Map([['archive', { sender: archive, parallel: 1 }]]), destinationsFor: () => ['archive'], policy: defaultPolicy },
    },
    createLog('trace', { write: (line: string) => void log.push(line) }),
    metrics,
  );
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-service-'));
  service = await started();
});
afterAll(async () => {
  await cleanUp();
  await service.close(0);
  await rm(folder, { recursive: true });
});

const recordOf = async (examId: string, seriesId: string) =>
  toldRecordSchema.parse(await (await fetch(`http://127.0.0.1:${service.httpAddress!.port}/api/exams/${examId}/series/${seriesId}/record`)).json());

async function conus(...argv: string[]): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  expect(await main(argv, { stdin: Readable.from([]), stdout, stderr, showsProgress: false, stop: new AbortController().signal })).toBe(0);
  return (stdout.read() as Buffer).toString();
}

describe('the service', () => {
  it('makes one exam of a simulated one, with its roles and pictures, over HTTP and the live channel, and names nobody in its log', async () => {
    const at = `http://127.0.0.1:${service.httpAddress!.port}`;
    const client = await new Client(service.httpAddress!.port).saying({ kind: 'subscribe', pictures: 'slices' });
    const spec = await tinyExam();
    await scanned(spec, service.address.port);
    const { exams } = (await (await fetch(`${at}/api/exams`)).json()) as { exams: { id: string }[] };
    expect(exams).toHaveLength(1);
    const told = async () => examSchema.parse(await (await fetch(`${at}/api/exams/${exams[0]!.id}`)).json());
    let exam = await told();
    for (; exam.series.some(({ state }) => state === 'complete'); exam = await told()) await sleep(50);
    expect(exam.patient.name).toBe('Simulated^Spine^7');
    expect(exam.protocol?.name).toBe('lumbar-standard');
    expect(exam.series.map(({ protocolSeries, state, role }) => [protocolSeries, role, state])).toEqual(
      spec.protocol.series.map(({ id, role }) => [id, role, 'delivered']),
    );
    for (const { lines, outputs, facts, deliveries } of exam.series) {
      expect(deliveries).toMatchObject([{ destination: 'archive', state: 'delivered' }]);
      expect(lines!.nAcquired).toBe(lines!.nExpected);
      expect(outputs).toEqual(['gFactor', 'image', 'snr'].map((kind) => ({ kind, nImages: 2, nExpected: 2 })));
      expect(facts).toMatchObject({ orientation: 'sagittal', acceleration: 2, isSimulated: true });
    }
    expect(exam.promises.filter(({ state }) => state !== 'came').map(({ role, state }) => [role, state])).toEqual([['t2w', 'awaited']]);

    // The maps that were asked for whoever looks on are neither outputs of the wire nor of the archive.
    const record = await recordOf(exam.id, exam.series[0]!.id);
    expect(record).toMatchObject({ nAttempts: 1, chain: 'default', noise: { coils: [{ isBroken: false }, { isBroken: false }] }, sampling: { nLines: 32 } });
    expect(record.sampling!.pattern[0]).toBe('i.i.i.i.bcbcbcbcbcbcbcbci.i.i.i.');
    expect(new Set(record.timeline.slices.flatMap(({ images }) => images.map(({ kind }) => kind)))).toEqual(new Set(['image', 'gFactor', 'snr']));

    const picture = await fetch(`${at}/api/exams/${exam.id}/series/${exam.series[0]!.id}/images/1`);
    expect([picture.status, picture.headers.get('x-conus-rows')]).toEqual([200, '32']);
    await client.upTo(((await (await fetch(`${at}/api/events`)).json()) as { latestSequence: number }).latestSequence);
    expect([...client.exams.values()]).toEqual([exam]);
    expect(client.kinds().filter((kind) => kind === 'picture').length).toBeGreaterThan(0);
    expect(client.nGaps).toBe(0);

    expect((await fetch(`${at}/ready`)).status).toBe(200);
    expect(log.length).toBeGreaterThan(0);
    expect(log.join('') + (await metrics.registry.metrics())).not.toMatch(/Simulated\^Spine|SIMULATED-7/);
  });

  it('tells its exams on the command line, and has them again after a restart', async () => {
    const url = `http://127.0.0.1:${service.httpAddress!.port}`;
    const rows = JSON.parse(await conus('exams', 'list', '--url', url, '--json')) as { id: string; nComplete: number }[];
    expect(rows).toMatchObject([{ nComplete: 3 }]);
    const shown = await conus('exams', 'show', rows[0]!.id, '--url', url);
    expect(shown).toMatch(/sag-stir +scanned +came/);
    expect(shown).toMatch(/ax-t2w +scanned +awaited +CONUS_INFO_EXAM_AWAITED/);
    // With a live client still there.
    await service.close(0);
    expect(await conus('exams', 'show', rows[0]!.id, '--data', folder)).toBe(shown);
    service = await started();
    const again = (await (await fetch(`http://127.0.0.1:${service.httpAddress!.port}/api/exams`)).json()) as { exams: unknown[] };
    expect(again.exams).toEqual(rows);
    const { series } = examSchema.parse(await (await fetch(`http://127.0.0.1:${service.httpAddress!.port}/api/exams/${rows[0]!.id}`)).json());
    expect(await recordOf(rows[0]!.id, series[0]!.id)).toMatchObject({ outcome: 'completed', nAttempts: 1 });
  });
});
