import { beforeEach, describe, expect, it } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { Doors } from '../../../src/doors/index.js';
import { meaningOf } from '../../../src/errors.js';
import { examSchema } from '../../../src/exams/index.js';
import { controlRoutes, httpApp, protocolListSchema } from '../../../src/http/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { kept } from '../exams/kept.js';
import { begin, facts, minute, protocol, scan } from '../exams/scenes.js';

const standard = { ...protocol(), name: 'standard' };
const short = protocol({
  name: 'short', basedOn: 'standard', operator: { denoisePercent: { least: 20, most: 50 } },
  series: standard.series.filter(({ id }) => id !== 'sag-stir'), synthesise: [{ contrast: 'stir', fromSeries: ['sag-t1w', 'sag-t2w'] }],
});

describe('what the operator may choose', () => {
  let app: FastifyInstance;
  let exam = '';

  beforeEach(async () => {
    const { keeper, log } = kept({ now: () => begin + minute, protocols: [standard, short] });
    app = httpApp({
      doors: await Doors.open(), metrics: new Metrics(), health: () => [], log: createLog('trace', { write: (line: string) => void log.push(line) }),
      plugins: [controlRoutes({ exams: keeper, standardOf: ({ name }) => (name === 'short' ? 40 : 75), meaningOf })],
    });
    keeper.apply(scan('s1', facts('T1w sag'), begin)[0]!);
    exam = keeper.book.exams[0]!.id;
  });

  const put = (payload: object | string, headers: Record<string, string> = { 'content-type': 'application/json' }, id = exam) =>
    app.inject({ method: 'PUT', url: `/api/exams/${id}/settings`, headers, payload: typeof payload === 'string' ? payload : JSON.stringify(payload) });
  const codeOf = (answer: { json: () => unknown }) => (answer.json() as { error: { code: string } }).error.code;

  it('is listed with minutes, limits and syntheses', async () => {
    const { protocols } = protocolListSchema.strict().parse((await app.inject('/api/protocols')).json());
    const [long, fast] = protocols;
    expect(long).toMatchObject({ name: 'standard', title: 'Example of three', region: 'lumbar', fieldStrengthT: 1.5, operator: { denoisePercent: { least: 0, most: 100, standard: 75 } } });
    expect(long).not.toHaveProperty('basedOn');
    expect(fast).toMatchObject({
      name: 'short', basedOn: 'standard', basedOnMinutes: long!.minutes, operator: { denoisePercent: { least: 20, most: 50, standard: 40 } },
      syntheses: [{ id: 'syn-stir', contrast: 'stir', description: 'SYN STIR', fromSeries: ['sag-t1w', 'sag-t2w'], optional: true }],
    });
    expect(fast!.series).toMatchObject([{ id: 'sag-t1w', role: 't1w', description: 'T1w TSE sag', orientation: 'sagittal' }, { id: 'sag-t2w' }]);
    // Rounded one by one.
    expect(Math.abs(fast!.series.reduce((sum, { minutes }) => sum + minutes, 0) - fast!.minutes)).toBeLessThan(0.02);
    expect(fast!.minutes).toBeLessThan(long!.minutes);
  });

  it('changes the exam, which tells it', async () => {
    const answer = await put({ by: ' Ann ', protocol: 'short', denoisePercent: 30, syntheses: { 'syn-stir': false } });
    expect(answer.statusCode).toBe(200);
    const told = examSchema.strict().parse(answer.json());
    expect(told).toMatchObject({ protocol: { name: 'short' }, settings: { protocol: 'short', denoisePercent: 30, syntheses: { 'syn-stir': false } } });
    expect(told.settings.changes.map(({ by, what, from, to }) => [by, what, from, to])).toEqual([
      ['Ann', 'protocol', null, 'short'], ['Ann', 'denoisePercent', null, 30], ['Ann', 'syntheses.syn-stir', true, false],
    ]);
  });

  it.each<[string, object | string, number, string]>([
    ['nobody', { denoisePercent: 30 }, 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['blanks', { by: '  ', denoisePercent: 30 }, 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['a long name', { by: 'x'.repeat(65) }, 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['an unknown key', { by: 'Ann', colour: 'Doe^Jane' }, 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['a number in words', { by: 'Ann', denoisePercent: 'Doe^Jane' }, 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['no JSON', 'Doe^Jane', 400, 'CONUS_ERR_HTTP_REQUEST'],
    ['a body without end', { by: 'Ann', protocol: 'x'.repeat(20_000) }, 413, 'CONUS_ERR_HTTP_REQUEST'],
    ['a protocol that there is not', { by: 'Ann', protocol: 'Doe^Jane' }, 422, 'CONUS_ERR_SETTING_PROTOCOL'],
    ['too much', { by: 'Ann', protocol: 'short', denoisePercent: 60 }, 422, 'CONUS_ERR_SETTING_STRENGTH'],
    ['a synthesis that there is not', { by: 'Ann', syntheses: { 'Doe^Jane': false } }, 422, 'CONUS_ERR_SETTING_SYNTHESIS'],
  ])('is refused with a code: %s', async (_what, payload, status, code) => {
    const answer = await put(payload);
    expect([answer.statusCode, codeOf(answer)]).toEqual([status, code]);
    expect(answer.payload).not.toContain('Doe');
  });

  it('is refused as a form or plain text, for another exam, and by another method', async () => {
    expect((await put('by=Ann', { 'content-type': 'application/x-www-form-urlencoded' })).statusCode).toBe(415);
    expect((await put({ by: 'Ann' }, { 'content-type': 'text/plain' })).statusCode).toBe(400);
    expect(codeOf(await put({ by: 'Ann' }, undefined, 'nobody'))).toBe('CONUS_ERR_EXAM_UNKNOWN');
    const posted = await app.inject({ method: 'POST', url: `/api/exams/${exam}/settings`, headers: { 'content-type': 'application/json' }, payload: '{}' });
    expect([posted.statusCode, codeOf(posted)]).toEqual([405, 'CONUS_ERR_HTTP_METHOD']);
  });
});

it('a code tells what was expected and what to do', async () => {
  const app = httpApp({
    doors: await Doors.open(), metrics: new Metrics(), health: () => [], log: createLog('silent', { write: () => undefined }),
    plugins: [controlRoutes({ exams: kept().keeper, standardOf: () => 0, meaningOf })],
  });
  expect((await app.inject('/api/errors/CONUS_WARN_EXAM_MISSING')).json()).toEqual({
    code: 'CONUS_WARN_EXAM_MISSING', expected: 'the series within the deadline of the protocol', action: 'scan or send it; it is taken whenever it comes',
  });
  for (const code of ['NONESUCH', 'constructor', '__proto__']) expect((await app.inject(`/api/errors/${code}`)).statusCode).toBe(404);
});
