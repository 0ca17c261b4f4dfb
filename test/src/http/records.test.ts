import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { encodeClose, encodeConfigFile, encodeHeader } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Doors } from '../../../src/doors/index.js';
import { httpApp, pictureRoutes, recordRoutes, sweepRoutes } from '../../../src/http/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { RecordShelf, reconstructionRecorder, toldRecordSchema } from '../../../src/records/index.js';
import { SeriesPictures } from '../../../src/service/pictures.js';
import { joinObservers } from '../../../src/session/index.js';
import { SweepFolder } from '../../../src/sweep/index.js';
import { kept } from '../exams/kept.js';
import { play } from '../fakes.js';
import { concat, headerXml, lines } from '../streams.js';

const measurement = headerXml().replace(
  '<acquisitionSystemInformation>', '<measurementInformation><measurementID>m1</measurementID><patientPosition>HFS</patientPosition></measurementInformation><acquisitionSystemInformation>',
);
const scanOf = (sent: readonly Uint8Array[]) => concat([...encodeConfigFile('grappa'), ...encodeHeader(measurement), ...sent, ...encodeClose()]);
let app: FastifyInstance;
let at = '';
let folder = '';
let errors = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-sweeps-'));
  const { keeper } = kept({ protocols: [] });
  const shelf = new RecordShelf();
  app = httpApp({
    doors: await Doors.open(), metrics: new Metrics(), health: () => [], log: createLog('silent', { write: () => undefined }),
    plugins: [recordRoutes(keeper, shelf), pictureRoutes(new SeriesPictures(keeper, undefined)), sweepRoutes(new SweepFolder(folder))],
  });
  // The same measurement again and again; the second and the last time without a record.
  for (const [id, overrides] of [['s1', {}], ['s2', undefined], ['s3', { kernelReadout: '7' }], ['s4', undefined]] as const) {
    const recorder = overrides === undefined ? {} : reconstructionRecorder((record) => shelf.put(id, record));
    // The first lacks a line.
    await play([scanOf(id === 's1' ? lines().slice(1) : lines())], {}, { id, ...(overrides !== undefined && { overrides }), observer: joinObservers([recorder, keeper.observe(id)], () => errors++) });
  }
  const [exam] = keeper.book.exams;
  at = `/api/exams/${exam!.id}/series/${exam!.series[0]!.id}/record`;
});
afterAll(() => rm(folder, { recursive: true }));

const told = async (query = '') => toldRecordSchema.strict().parse((await app.inject(`${at}${query}`)).json());
const kernel = async (query = '') => (await told(query)).decisions.find(({ what }) => what === 'kernelReadout')!;

describe('the record of a series', () => {
  it('is that of the latest attempt that has one, with what the parameters mean', async () => {
    const record = await told();
    expect([record.attempt, record.nAttempts, errors]).toEqual([3, 4, 0]);
    expect(await kernel()).toMatchObject({ value: '7', meaning: expect.stringContaining('kernel') as string });
  });

  it('is told of an earlier attempt where that is asked for', async () => {
    expect((await kernel('?attempt=1')).value).toBe('5');
  });

  it.each([
    ['?attempt=2', 404, 'CONUS_ERR_RECORD_NONE'],
    ['?attempt=4', 404, 'CONUS_ERR_RECORD_NONE'],
    ['?attempt=5', 404, 'CONUS_ERR_RECORD_NONE'],
    ['?attempt=0', 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['?attempt=x', 400, 'CONUS_ERR_HTTP_REQUEST'],
  ])('%s: %i', async (query, status, code) => {
    const answer = await app.inject(`${at}${query}`);
    expect([answer.statusCode, (answer.json() as { error: { code: string } }).error.code]).toEqual([status, code]);
  });

  it('of an unknown series is refused', async () => {
    expect((await app.inject(at.replace(/series\/[^/]+/, 'series/none'))).json()).toMatchObject({ error: { code: 'CONUS_ERR_SERIES_UNKNOWN' } });
  });
});

describe('pictures of a series', () => {
  const images = () => at.replace(/record$/, 'images');
  const pixels = async (query: string) => (await app.inject(`${images()}/1?as=float32${query}`)).rawPayload.toString('hex');

  it('are those of the latest attempt, or of the one that is asked for', async () => {
    const latest = await pixels('');
    expect(await pixels('&attempt=3')).toBe(latest);
    expect(await pixels('&attempt=2')).toBe(latest);
    expect(await pixels('&attempt=1')).not.toBe(latest);
  });

  it('are none of an attempt that there was not', async () => {
    expect((await app.inject(`${images()}?attempt=5`)).json()).toEqual({ images: [] });
    expect((await app.inject(`${images()}/1?attempt=5`)).statusCode).toBe(410);
    expect((await app.inject(`${images()}?attempt=0`)).statusCode).toBe(400);
  });
});

describe('sweeps', () => {
  it('are listed; what is none tells why', async () => {
    await writeFile(join(folder, 'broken.json'), '{');
    expect((await app.inject('/api/sweeps')).json()).toMatchObject({ sweeps: [{ name: 'broken', nBytes: 1, reason: { code: 'CONUS_ERR_SWEEP_FILE' } }] });
    expect((await app.inject('/api/sweeps/broken')).statusCode).toBe(422);
  });

  it.each(['none', '..', '%2e%2e%2fsecret', '..%2Fsecret', '.hidden'])('%s is refused', async (name) => {
    const answer = await app.inject(`/api/sweeps/${name}`);
    expect(answer.statusCode).toBe(404);
  });
});
