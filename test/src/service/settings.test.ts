/** What the operator chooses on the page, as a scanner and an exam meet it: HTTP, a real socket, a model process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeMessage, parseMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { examSchema } from '../../../src/exams/index.js';
import type { ExamView } from '../../../src/exams/index.js';
import { protocolListSchema } from '../../../src/http/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { startService } from '../../../src/service/index.js';
import type { Service } from '../../../src/service/index.js';
import { SimulatedScan } from '../../../simulator/index.js';
import { temporaryFolder, writeModel } from '../../models/folders.js';
import { halfTheNoise } from '../../models/onnx.js';
import { played } from './tinyExam.js';
import type { Answer } from './tinyExam.js';

let service: Service;
let folder: string;
/** By which the series are told. */
const names: Readonly<Record<string, string>> = { 'sag-t1w': 'first', 'sag-t2w': 'second', 'sag-stir': 'third' };
const standard = await loadUnresolvedProtocol('lumbar-standard');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-settings-'));
  const models = temporaryFolder();
  writeModel(models, 'half', halfTheNoise());
  const protocol = join(folder, 'site.json');
  await writeFile(protocol, JSON.stringify({
    ...standard, name: 'site', analyse: [],
    series: standard.series.flatMap((series) => (series.id in names ? [{ ...series, recognise: { namePatterns: [names[series.id]] } }] : [])),
    operator: { denoisePercent: { least: 20, most: 80 } },
    chain: { parameters: { denoise: 40, denoiseModel: 'half', onRed: 'deliver' } },
  }));
  service = await startService(
    {
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1,
      http: { host: '127.0.0.1', port: 0 }, denoising: { models: [models], threads: 1 }, exams: { protocol },
    },
    createLog('silent', { write: () => undefined }),
    new Metrics(),
  );
}, 60_000);
afterAll(async () => {
  await service.close(0);
  await rm(folder, { recursive: true });
});

/** @param text that the client sends after its header */
function scanOf(seriesId: string, text?: string): Promise<Answer> {
  const scan = new SimulatedScan({ matrix: [64, 48], nSlices: 2, nCoils: 6, acceleration: 2, calibrationLines: 16, noiseStd: 0.005 });
  return played(service.address.port, [...scan.messages()].flatMap((message) => {
    if (message.kind !== 'header') return encodeMessage(message);
    const xml = message.xml
      .replace('<studyInformation>', '<studyInformation><studyInstanceUID>1.2.3</studyInstanceUID>')
      .replace('simulated_1', seriesId)
      .replace('t2_tse_sag_simulated', names[seriesId]!);
    return [...encodeMessage({ kind: 'header', xml }), ...(text === undefined ? [] : encodeMessage({ kind: 'text', text }))];
  }));
}

const metaOf = ({ attributes }: MrdImage) => Object.fromEntries([...parseMeta(attributes)].map(([name, values]) => [name, values.join(' ')]));
const ofKind = ({ images }: Answer, kind: string) => images.filter((image) => metaOf(image)['ConusKind'] === kind);
const strengths = (answer: Answer) => ofKind(answer, 'denoised').map((image) => metaOf(image)['ConusDenoise']);

/** How much denoising changed, over all pixels. */
function changeOf(answer: Answer): number {
  const [conventional, denoised] = ['image', 'denoised'].map((kind) => ofKind(answer, kind).flatMap(({ data }) => [...(data as Uint16Array)]));
  return conventional!.reduce((sum, value, index) => sum + Math.abs(value - denoised![index]!), 0);
}

const at = () => `http://127.0.0.1:${service.httpAddress!.port}`;
async function theExam(): Promise<ExamView> {
  const { exams } = (await (await fetch(`${at()}/api/exams`)).json()) as { exams: { id: string }[] };
  expect(exams).toHaveLength(1);
  return examSchema.parse(await (await fetch(`${at()}/api/exams/${exams[0]!.id}`)).json());
}
const put = async (settings: object): Promise<Response> =>
  fetch(`${at()}/api/exams/${(await theExam()).id}/settings`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(settings) });
const denoisingOf = (exam: ExamView) => exam.series.map(({ protocolSeries, denoising }) => [protocolSeries, denoising?.percent, denoising?.origin]);

it('a strength that the operator sets denoises the next scan, and is recorded on series and exam', async () => {
  const [first, second] = ['sag-t1w', 'sag-t2w'] as const;
  const before = await scanOf(first);
  expect(strengths(before)).toEqual(['40', '40']);
  expect(denoisingOf(await theExam())).toEqual([[first, 40, 'protocol']]);

  expect((await put({ by: 'Ann', denoisePercent: 80 })).status).toBe(200);
  const after = await scanOf(second, '{"parameters":{"denoise":10}}');
  expect(strengths(after)).toEqual(['80', '80']);
  expect(after.texts.join('\n')).toMatch(/WRN CONUS_WARN_OPERATOR_STRENGTH: denoise = 10 of TEXT message, parameters\.denoise gives way to 80 of the console, Ann at 20/);
  const exam = await theExam();
  // What was scanned before keeps its own.
  expect(denoisingOf(exam)).toEqual([[first, 40, 'protocol'], [second, 80, 'operator']]);
  expect(exam.series[1]!.denoising!.source).toMatch(/^console, Ann at 20\d\d-\d\d-\d\dT/);
  expect(exam.settings).toMatchObject({ denoisePercent: 80, changes: [{ by: 'Ann', what: 'denoisePercent', from: null, to: 80 }] });

  // Taken back, the same scan is denoised as its client asks; the pixels tell the strengths apart.
  expect((await put({ by: 'Ben', denoisePercent: null })).status).toBe(200);
  const again = await scanOf(second, '{"parameters":{"denoise":20}}');
  expect([strengths(again), again.texts.filter((text) => text.includes('OPERATOR'))]).toEqual([['20', '20'], []]);
  expect(ofKind(again, 'image').map(({ data }) => data)).toEqual(ofKind(after, 'image').map(({ data }) => data));
  expect(changeOf(after) / changeOf(again)).toBeGreaterThan(3);
  expect(changeOf(after) / changeOf(again)).toBeLessThan(5);
  expect((await theExam()).series[1]).toMatchObject({ nAttempts: 2, denoising: { percent: 20, origin: 'client' } });
}, 60_000);

it('what the protocol does not allow is refused, and changes nothing', async () => {
  const { settings } = await theExam();
  const { protocols } = protocolListSchema.parse(await (await fetch(`${at()}/api/protocols`)).json());
  expect(protocols[0]).toMatchObject({ name: 'site', operator: { denoisePercent: { least: 20, most: 80, standard: 40 } } });
  const refused = await put({ by: 'Ann', denoisePercent: 81 });
  expect([refused.status, await refused.json()]).toMatchObject([422, { error: { code: 'CONUS_ERR_SETTING_STRENGTH', message: expect.stringContaining('81 % where 20 to 80 % are allowed') as string } }]);
  expect((await put({ denoisePercent: 50 })).status).toBe(400);
  expect((await theExam()).settings).toEqual(settings);
});

it('another protocol is the one of the exam, with its own limits', async () => {
  expect((await put({ by: 'Ann', protocol: 'lumbar-fast', denoisePercent: 90 })).status).toBe(200);
  expect(await theExam()).toMatchObject({ protocol: { name: 'lumbar-fast' }, settings: { protocol: 'lumbar-fast', denoisePercent: 90 } });
  // Back under the first protocol, the strength is brought within its limits.
  expect((await put({ by: 'Ann', protocol: null })).status).toBe(200);
  expect(strengths(await scanOf('sag-stir'))).toEqual(['80', '80']);
}, 60_000);
