import { decode } from 'fast-png';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { Doors } from '../../../src/doors/index.js';
import { examSchema } from '../../../src/exams/index.js';
import { examRoutes, httpApp, pictureRoutes } from '../../../src/http/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { SeriesPictures } from '../../../src/service/pictures.js';
import { kept, reconImage } from '../exams/kept.js';
import { begin, facts, minute, scan } from '../exams/scenes.js';

describe('exams over HTTP', () => {
  let app: FastifyInstance;
  let log: string[];
  let [exam, series] = ['', ''];

  beforeEach(async () => {
    const { keeper } = kept({ now: () => begin + minute });
    log = [];
    app = httpApp({
      doors: await Doors.open(), metrics: new Metrics(), health: () => [], log: createLog('trace', { write: (line: string) => void log.push(line) }),
      plugins: [examRoutes(keeper, () => ({ path: '/api/live', protocol: 'p', epoch: 'e', latestSequence: keeper.book.sequence })), pictureRoutes(new SeriesPictures(keeper, undefined))],
    });
    keeper.apply(scan('s1', facts('T1w sag'), begin)[0]!);
    const observer = keeper.observe('s1');
    observer.imageMade?.(reconImage(0, 2));
    observer.imageMade?.(reconImage(7, 3));
    exam = keeper.book.exams[0]!.id;
    series = keeper.book.exams[0]!.series[0]!.id;
  });

  it('are listed, and each is told as its schema says', async () => {
    expect((await app.inject('/api/exams')).json()).toMatchObject({ exams: [{ id: exam, patient: { name: 'Doe^Jane' }, nSeries: 1, nComplete: 0, nPromised: 3, state: 'active' }] });
    const body: unknown = (await app.inject(`/api/exams/${exam}`)).json();
    expect(examSchema.strict().parse(body)).toMatchObject({ id: exam, promises: [{ state: 'underway' }, { state: 'awaited' }, { state: 'awaited' }] });
    expect((await app.inject('/api/events')).json()).toMatchObject({ path: '/api/live' });
    expect((await app.inject('/api/schema')).json()).toMatchObject({ exam: { type: 'object' }, change: { oneOf: expect.any(Array) as unknown } });
  });

  it('show images as pictures, in one window, and as numbers', async () => {
    const images = `/api/exams/${exam}/series/${series}/images`;
    expect((await app.inject(images)).json()).toMatchObject({ images: [{ number: 1, slice: 0 }, { number: 8, slice: 7, rows: 4, columns: 6, isKept: false }] });
    const picture = await app.inject(`${images}/8`);
    expect(picture.headers['content-type']).toBe('image/png');
    const { width, height, data } = decode(picture.rawPayload);
    // Pixel 0 is above white of the window that the first image gave.
    expect([width, height, data[0], data[1]! > 0 && data[1]! < 255]).toEqual([6, 4, 255, true]);
    const numbers = await app.inject(`${images}/8?as=float32`);
    const values = new Float32Array(numbers.rawPayload.buffer.slice(numbers.rawPayload.byteOffset, numbers.rawPayload.byteOffset + numbers.rawPayload.byteLength));
    expect([numbers.headers['x-conus-rows'], numbers.headers['x-conus-columns'], values.length, values[1]]).toEqual(['4', '6', 24, 1]);
    expect(values[0]).toBeCloseTo(3, 5);
  });

  it.each([
    ['/api/exams/nobody', 404, 'CONUS_ERR_EXAM_UNKNOWN'],
    ['/api/exams/EXAM/series/none/images', 404, 'CONUS_ERR_SERIES_UNKNOWN'],
    ['/api/exams/EXAM/series/SERIES/images/3', 410, 'CONUS_ERR_IMAGE_GONE'],
    ['/api/exams/EXAM/series/SERIES/images/1?output=denoised', 410, 'CONUS_ERR_IMAGE_GONE'],
    ['/api/exams/EXAM/series/SERIES/images/x', 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['/api/exams/EXAM/series/SERIES/images/1?as=exe', 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['/api/exams/Doe%5EJane', 404, 'CONUS_ERR_EXAM_UNKNOWN'],
  ])('%s is refused with %i and a code, and names nobody', async (path, status, code) => {
    const answer = await app.inject(path.replace('EXAM', exam).replace('SERIES', series));
    expect([answer.statusCode, (answer.json() as { error: { code: string } }).error.code]).toEqual([status, code]);
    expect(answer.payload + log.join('')).not.toContain('Doe');
  });
});
