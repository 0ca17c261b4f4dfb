/** The stage over HTTP, with an analyst who answers at once: what it takes, fetches, sends and refuses. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError } from 'ismrmrd';
import { afterEach, describe, expect, it } from 'vitest';
import type { Report } from '../../../analysis/index.js';
import { StageServer } from '../../../src/analysis/index.js';
import type { AnalysisSource, PerformedAnalysis } from '../../../src/analysis/index.js';
import { outcomeSchema } from '../../../src/handoff/index.js';
import type { Offer, Outcome } from '../../../src/handoff/index.js';
import { createLog } from '../../../src/log.js';

const performed = { report: { findings: [], priority: { level: 'soon', reason: 'a test' } } as unknown as Report, objects: [], outlines: { version: 1, series: [] }, evidence: [] } satisfies PerformedAnalysis;
const token = 't'.repeat(32);
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The server whose exams are offered: images, and a callback that answers with these statuses, the last one for ever. */
async function origin(statuses: readonly number[] = [200]) {
  const outcomes: Outcome[] = [];
  const fetched: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
    if (request.method === 'GET') {
      fetched.push(request.url!);
      return void response.end(Buffer.from([1, 2, 3]));
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      outcomes.push(outcomeSchema.parse(JSON.parse(Buffer.concat(parts).toString('utf8'))));
      response.writeHead(statuses[Math.min(outcomes.length, statuses.length) - 1]!).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, outcomes, fetched };
}

async function stage(perform: (sources: readonly AnalysisSource[]) => Promise<PerformedAnalysis>, stageToken?: string) {
  const server = new StageServer({
    analyst: { perform, model: undefined, close: () => Promise.resolve() }, log: createLog('silent', { write: () => undefined }), firstPauseMs: 5, ...(stageToken !== undefined && { token: stageToken }),
  });
  const url = await server.listen(0, '127.0.0.1');
  closing.push(() => server.close());
  const offer = (body: unknown, headers: Record<string, string> = {}) => fetch(`${url}/offers`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  return { offer };
}

function offerOf(url: string, id = 'a', changes: Partial<Offer> = {}): Offer {
  const series = (uid: string, extra: Partial<Offer['series'][number]>): Offer['series'][number] => ({
    seriesInstanceUid: uid, role: 't2w', description: 'T2w', modality: 'MR', synthetic: false, denoised: false,
    dicom: [{ sopInstanceUid: `${uid}.1`, location: `${url}/images/${uid}` }], ...extra,
  });
  return {
    version: 1, offerId: id.repeat(32), attempt: 1, examId: 'exam', studyInstanceUid: '1.2', tasks: ['grades'], answerBy: new Date().toISOString(), outcomeBy: new Date(Date.now() + 60_000).toISOString(),
    series: [series('1.2.1', { scan: 's' }), series('1.2.2', { scan: 's', denoised: true }), series('1.2.3', { role: 'stir', synthetic: true, qualityLight: 'red' })],
    callback: { location: `${url}/outcome`, token }, ...changes,
  };
}

const until = async (reached: () => boolean) => {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('the analysis as a stage of its own', () => {
  it('fetches the denoised of two series of one scan, no red one, and sends what came of it with a priority', async () => {
    const { url, outcomes, fetched } = await origin();
    const given: (readonly AnalysisSource[])[] = [];
    const { offer } = await stage((sources) => (given.push(sources), Promise.resolve(performed)));
    expect(await (await offer(offerOf(url))).json()).toEqual({ answer: 'accepted' });
    await until(() => outcomes.length === 1);
    expect(fetched).toEqual(['/images/1.2.2']);
    expect(given[0]).toMatchObject([{ files: [Uint8Array.from([1, 2, 3])], hints: { role: 't2w', denoised: true } }]);
    expect(outcomes[0]).toMatchObject({ outcome: 'done', priority: { level: 'soon' }, results: [{ kind: 'json', name: 'report' }, { kind: 'json', name: 'evidence', value: [] }, { kind: 'json', name: 'outlines', value: { version: 1, series: [] } }] });
  });

  it('analyses an offer that is made again only once, and sends its outcome again', async () => {
    const { url, outcomes } = await origin();
    let analyses = 0;
    const { offer } = await stage(() => (analyses++, Promise.resolve(performed)));
    await offer(offerOf(url));
    await until(() => outcomes.length === 1);
    await offer(offerOf(url, 'a', { attempt: 2 }));
    await until(() => outcomes.length === 2);
    expect(analyses).toBe(1);
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it('is busy while it works on another exam', async () => {
    const { url, outcomes } = await origin();
    const finishing: ((value: PerformedAnalysis) => void)[] = [];
    const { offer } = await stage(() => new Promise((resolve) => finishing.push(resolve)));
    await offer(offerOf(url));
    const second = await offer(offerOf(url, 'b'));
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '5']);
    await until(() => finishing.length === 1);
    finishing[0]!(performed);
    await until(() => outcomes.length === 1);
    while ((await offer(offerOf(url, 'b'))).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
    await until(() => finishing.length === 2);
    finishing[1]!(performed);
    await until(() => outcomes.length === 2);
    expect(outcomes.map(({ offerId }) => offerId[0])).toEqual(['a', 'b']);
  });

  it('sends an outcome until it is taken, and a failure with its code', async () => {
    const { url, outcomes } = await origin([500, 500, 200]);
    const { offer } = await stage(() => Promise.reject(new CodedError('ANALYSIS_ERR_X', 'nothing', { expected: 'a spine', action: 'look' })));
    await offer(offerOf(url));
    await until(() => outcomes.length === 3);
    expect(outcomes[2]).toMatchObject({ outcome: 'failed', reason: 'ANALYSIS_ERR_X: got nothing; look' });
  });

  it.each([
    ['without its token', (url: string) => offerOf(url), {}, 401],
    ['of another form', () => ({ version: 1 }), { authorization: `Bearer ${token}` }, 422],
  ])('refuses an offer %s', async (_name, body, headers, status) => {
    const { url } = await origin();
    const { offer } = await stage(() => Promise.resolve(performed), token);
    const answer = await offer(body(url), headers);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: { code: string } }).error.code).toBe('CONUS_ERR_ANALYSIS_STAGE');
  });

  it('fetches from nowhere but where the callback is', async () => {
    const { url } = await origin();
    const { offer } = await stage(() => Promise.resolve(performed));
    const elsewhere = offerOf('http://192.0.2.1', 'a', { callback: { location: `${url}/outcome`, token } });
    expect(await (await offer(elsewhere)).json()).toMatchObject({ answer: 'refused' });
    expect(await (await offer(offerOf(url, 'a', { callback: undefined }))).json()).toMatchObject({ answer: 'refused' });
  });
});
