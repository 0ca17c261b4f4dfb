/** Synthesis as a scanner, an archive and whoever looks on meet it: a real socket, a thread, a model process, an outbox. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeMessage, parseMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { volumeOf } from '../../../imaging/index.js';
import type { Series } from '../../../protocols/index.js';
import { synthesisSection } from '../../../src/config/synthesis.js';
import { parseDicom } from '../../../src/dicom/index.js';
import type { DicomImage } from '../../../src/dicom/index.js';
import { examSchema, listedPictureSchema } from '../../../src/exams/index.js';
import type { ExamView } from '../../../src/exams/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import type { Sender } from '../../../src/outbox/index.js';
import { defaultPolicy } from '../../../src/outbox/index.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { startService } from '../../../src/service/index.js';
import type { Service, ServiceOptions } from '../../../src/service/index.js';
import { PreparedExam } from '../../../src/simulation/index.js';
import type { ExamSpec } from '../../../src/simulation/index.js';
import { drawPatient } from '../../../simulator/index.js';
import { uncalibrated } from '../../../synth/index.js';
import { temporaryFolder, writeModel } from '../../models/folders.js';
import { brightnessAsHu, ctManifest, oneTissue, synthesisManifest } from '../../models/onnx.js';
import { played } from './tinyExam.js';
import type { Answer } from './tinyExam.js';

const synthesise = [
  { contrast: 'stir' as const, fromSeries: ['sag-t1w', 'sag-t2w'], seriesDescription: 'SYN STIR sag', trMs: 5500, teMs: 54, tiMs: 'auto' as const },
  { contrast: 't2fs' as const, fromSeries: ['sag-t1w', 'sag-t2w'] },
];
const standard = await loadUnresolvedProtocol('lumbar-standard');
const small = standard.series
  .filter(({ id }) => id === 'sag-t1w' || id === 'sag-t2w')
  .map((series) => ({
    ...series, averages: 1, saturation: [], acceleration: { factor: 1, calibration: 'none' as const, calibrationLines: 0 },
    geometry: { ...series.geometry, fovMm: { readout: 150, phase: 150 }, matrix: { readout: 80, phase: 80 }, phaseResolution: 1, phaseOversampling: 0.8, slices: { ...series.geometry.slices, count: 2 } },
  }));
const examOf = (seed: number): ExamSpec => ({
  protocol: { ...standard, coil: { nChannels: 2 }, series: small },
  subject: { kind: 'patient', record: drawPatient({ seed, region: 'lumbar' }, 1.5) }, scan: { seed, snr: 5, pulsation: undefined }, ct: {},
});

/** @param changed what becomes of the header */
function streamOf(spec: ExamSpec, seriesId: string, changed = (xml: string) => xml): Uint8Array[] {
  const scan = new PreparedExam(spec).scan(seriesId);
  return [...scan.messages((slice) => scan.sliceReadouts(slice))].flatMap((message) => [...encodeMessage(message.kind === 'header' ? { ...message, xml: changed(message.xml) } : message)]);
}

/** A patient, scanned once for all tests. */
const patient = examOf(3);
const [t1wStream, t2wStream] = [streamOf(patient, 'sag-t1w'), streamOf(patient, 'sag-t2w')];

/** Something bright in the middle, that takes no time to scan. */
const picture: ExamSpec['subject'] = {
  kind: 'picture', gain: 1,
  volume: volumeOf(
    { centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0], fovMm: [150, 150, 60], matrixSize: [20, 20, 3] },
    Float32Array.from({ length: 20 * 20 * 3 }, (_, index) => (Math.abs((index % 20) - 10) < 6 && Math.abs((Math.floor(index / 20) % 20) - 10) < 6 ? 1 : 0)),
  ),
};
function pictureOf(seed: number, changes: Readonly<Record<string, (series: Series) => Partial<Series>>> = {}): ExamSpec {
  const spec = examOf(seed);
  return { ...spec, subject: picture, protocol: { ...spec.protocol, series: spec.protocol.series.map((series) => ({ ...series, ...changes[series.id]?.(series) })) } };
}

const metaOf = ({ attributes }: MrdImage) => Object.fromEntries([...parseMeta(attributes)].map(([name, values]) => [name, values.join(' ')]));

const gate = (score: number) => ({ ...uncalibrated, gate: { ...uncalibrated.gate, evidence: { bias: score, weights: {} }, amber: 10, red: 20 } });

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

interface Running {
  readonly service: Service;
  readonly archived: Map<string, Uint8Array>;
  readonly exam: (holds: (exam: ExamView) => boolean) => Promise<ExamView>;
  readonly log: string[];
}

/** @param score of the pair: from 10 on amber, from 20 on red */
async function running(score: number, changes: { protocol?: object; data?: string; options?: Partial<ServiceOptions>; ctModel?: string; enhanced?: boolean } = {}): Promise<Running> {
  const models = temporaryFolder();
  const folder = writeModel(models, 'one-tissue', oneTissue(), synthesisManifest);
  await writeFile(join(folder, 'calibration.json'), JSON.stringify(gate(score)));
  writeModel(models, 'plain-ct', brightnessAsHu(), ctManifest);
  const data = changes.data ?? (await mkdtemp(join(tmpdir(), 'conus-synthesis-')));
  closing.push(() => rm(data, { recursive: true, force: true }));
  const protocol = join(data, 'short.json');
  await writeFile(protocol, JSON.stringify({ ...standard, name: 'short', analyse: [], basedOn: undefined, series: standard.series.filter(({ id }) => id === 'sag-t1w' || id === 'sag-t2w'), synthesise, ...changes.protocol }));
  const archived = new Map<string, Uint8Array>();
  const archive: Sender = {
    async send(instances) {
      for (const one of instances) archived.set(one.sopInstanceUid, await one.bytes());
      return instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'stored' as const }));
    },
  };
  const log: string[] = [];
  const service = await startService(
    {
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1, overrides: { denoise: '0' },
      denoising: { models: [models], threads: 1 }, synthesis: synthesisSection.parse({ model: 'one-tissue', ctModel: changes.ctModel ?? 'plain-ct', waitS: 120, maps: ['interval', 'fatFraction', 'pairResidual'] }),
      http: { host: '127.0.0.1', port: 0 }, data: { folder: join(data, 'kept') }, exams: { protocol },
      delivery: { destinations: new Map([['archive', { sender: archive, parallel: 1 }]]), destinationsFor: () => ['archive'], policy: { ...defaultPolicy, firstDelayMs: 10 }, enhanced: changes.enhanced ?? false },
      ...changes.options,
    },
    createLog('trace', { write: (line: string) => void log.push(line) }),
    new Metrics(),
  );
  closing.push(() => service.close(0));
  const exam = async (holds: (exam: ExamView) => boolean): Promise<ExamView> => {
    const url = `http://127.0.0.1:${service.httpAddress!.port}/api/exams`;
    let found: ExamView | undefined;
    for (let n = 0; n < 3000; n++) {
      const { exams } = (await (await fetch(url)).json()) as { exams: { id: string }[] };
      if (exams.length > 0) {
        found = examSchema.parse(await (await fetch(`${url}/${exams[0]!.id}`)).json());
        if (holds(found)) return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`it never came: ${JSON.stringify(found?.promises)} ${JSON.stringify(found?.actions)}`);
  };
  return { service, archived, exam, log };
}

const isDone = ({ actions }: ExamView) => actions.every(({ state }) => state === 'done' || state === 'failed' || state === 'notAvailable');
const imagesIn = (archived: Map<string, Uint8Array>): Promise<DicomImage[]> => Promise.all([...archived.values()].map(parseDicom));

describe('a scan of T1w and T2w', () => {
  let all: Running;
  let t1w: Answer;
  let t2w: Answer;
  beforeAll(async () => {
    all = await running(0);
    t1w = await played(all.service.address.port, t1wStream);
    t2w = await played(all.service.address.port, t2wStream);
  }, 120_000);

  it('gives back, on the connection that completed the pair, what was not scanned, marked', () => {
    expect(t1w.images.map((image) => metaOf(image)['ConusKind'])).toEqual(['image', 'image']);
    const synthetic = t2w.images.filter((image) => metaOf(image)['ConusSynthetic'] === 'true');
    expect(t2w.images.length - synthetic.length).toBe(2);
    // The acquired images come first, and as they would without a synthesis.
    expect(t2w.images.slice(0, 2).map((image) => metaOf(image)['ConusKind'])).toEqual(['image', 'image']);
    const names = [...new Set(synthetic.map((image) => metaOf(image)['SeriesDescription']))];
    expect(names.sort()).toEqual(['SYN STIR sag', 'SYN STIR sag FAT', 'SYN STIR sag HIGH', 'SYN STIR sag LOW', 'SYN STIR sag PAIR', 'SYN T2FS', 'SYN T2FS HIGH', 'SYN T2FS LOW']);
    for (const image of synthetic) {
      expect(metaOf(image)).toMatchObject({ ImageType: expect.stringMatching(/^DERIVED.*SYNTHETIC$/) as string, ConusModel: 'one-tissue', ImageComments: expect.stringMatching(/^SYNTHETIC: computed, not measured; .*phantom/) as string });
      expect(image.header.dataType).toBe('int16');
    }
    // One series index, one kind of image.
    const indices = new Map(synthetic.map((image) => [metaOf(image)['SeriesDescription'], image.header.imageSeriesIndex]));
    expect(new Set(indices.values()).size).toBe(names.length);
    expect(t2w.images.slice(0, 2).map(({ header }) => header.imageSeriesIndex)).not.toContain([...indices.values()][0]);
  });

  it('sends the same to the archive, with everything that marks it', async () => {
    await all.exam(isDone);
    await expect.poll(() => all.archived.size, { timeout: 30_000 }).toBe(4 + 16);
    const images = await imagesIn(all.archived);
    const acquired = images.filter(({ facts }) => !facts.imageType.includes('SYNTHETIC'));
    const stir = images.filter(({ facts }) => facts.seriesDescription === 'SYN STIR sag');
    expect(stir).toHaveLength(2);
    const [{ facts, identity, patientAndStudy, frames }] = stir as [DicomImage];
    expect(facts).toMatchObject({
      modality: 'MR', isSynthetic: true, imageType: ['DERIVED', 'PRIMARY', 'M', 'SYNTHETIC'], scanningSequence: ['SE', 'IR'], repetitionTimeMs: 5500, echoTimeMs: 54,
      fieldStrengthT: 1.5, bodyPart: 'LSPINE',
    });
    expect(facts.inversionTimeMs).toBeGreaterThan(100);
    const { identity: scanned, patientAndStudy: patient } = acquired[0]!;
    expect(identity.studyInstanceUid).toBe(scanned.studyInstanceUid);
    for (const keyword of ['PatientID', 'StudyID', 'FrameOfReferenceUID']) expect(patientAndStudy[keyword]).toEqual(patient[keyword]);
    // As bright as the wire said.
    const [wire] = t2w.images.filter((image) => metaOf(image)['SeriesDescription'] === 'SYN STIR sag');
    const pixels = [...frames[0]!.values()].map((value) => Math.round(4000 * value));
    const places = stir.map(({ frames: [frame] }) => frame!.plane!.firstMm[0]);
    expect(new Set(places).size).toBe(2);
    expect(Math.max(...pixels)).toBe(Math.max(...(wire!.data as Int16Array)));
    const file = Buffer.from(all.archived.get(identity.sopInstanceUid)!).toString('latin1');
    for (const source of acquired) expect(file).toContain(source.identity.sopInstanceUid);
    expect(file).toMatch(/109100/);
    expect(file).toMatch(/model SHA-256 [0-9a-f]{64}/);
    expect(file).toMatch(/relative scale known from the scans/);
    expect(file).toMatch(/t1w conventional, TR \d+ ms, TE 1\d(\.\d)? ms, \d+ echoes every [\d.]+ ms/);
  }, 60_000);

  it('tells the exam the light, the reasons and that the series came', async () => {
    const exam = await all.exam((one) => isDone(one) && one.series.every(({ state }) => state === 'delivered'));
    expect(exam.promises.map(({ id, state }) => [id, state])).toEqual([['sag-t1w', 'came'], ['sag-t2w', 'came'], ['syn-stir', 'came'], ['syn-t2fs', 'came']]);
    const stir = exam.series.find(({ protocolSeries }) => protocolSeries === 'syn-stir')!;
    expect(stir).toMatchObject({ source: 'synthesis', role: 'stir', description: 'SYN STIR sag', facts: { isSimulated: true } });
    expect(stir.outputs.map(({ kind, nImages }) => [kind, nImages])).toEqual([['fatFraction', 2], ['high', 2], ['image', 2], ['low', 2], ['pairResidual', 2]]);
    expect(['green', 'amber']).toContain(stir.outputs[0]!.light);
    expect(exam.promises[2]!.seriesId).toBe(stir.id);
    expect(exam.state).toBe('complete');
    expect(all.log.join('')).not.toMatch(/Simulated\^Spine|SIMULATED-3/);
  }, 60_000);

  it('shows what was synthesised beside what was scanned, in the same place', async () => {
    const exam = await all.exam(isDone);
    const list = async (id: string) => {
      const answer = await fetch(`http://127.0.0.1:${all.service.httpAddress!.port}/api/exams/${exam.id}/series/${id}/images`);
      return z.object({ images: z.array(listedPictureSchema.strict()) }).strict().parse(await answer.json()).images;
    };
    const stir = await list(exam.series.find(({ protocolSeries }) => protocolSeries === 'syn-stir')!.id);
    const t2 = await list(exam.series.find(({ protocolSeries }) => protocolSeries === 'sag-t2w')!.id);
    expect([...new Set(stir.map(({ output }) => output))]).toEqual(['fatFraction', 'high', 'image', 'low', 'pairResidual']);
    const heights = (images: typeof t2) => images.filter(({ output }) => output === 'image').map(({ geometry }) => geometry!.originMm[0]!.toFixed(2)).sort();
    expect(heights(stir)).toEqual(heights(t2));
    expect(stir.every(({ isKept }) => isKept)).toBe(true);
    expect(all.log.join('')).not.toContain('could not be shown');
  }, 60_000);
});

describe('where images go out as multi-frame objects', () => {
  it('synthetic series do, too, and are counted and shown by their slices', async () => {
    const all = await running(0, { enhanced: true });
    await played(all.service.address.port, t1wStream);
    const { images } = await played(all.service.address.port, t2wStream);
    expect(images.filter((image) => metaOf(image)['SeriesDescription'] === 'SYN STIR sag')).toHaveLength(2);
    const exam = await all.exam((one) => isDone(one) && one.series.every(({ state }) => state === 'delivered'));
    await expect.poll(() => all.archived.size, { timeout: 30_000 }).toBe(2 + 8);
    const objects = await imagesIn(all.archived);
    expect([...new Set(objects.map(({ identity }) => identity.sopClassUid))]).toEqual(['1.2.840.10008.5.1.4.1.1.4.1']);
    const stir = objects.find(({ facts }) => facts.seriesDescription === 'SYN STIR sag')!;
    expect(stir.facts).toMatchObject({ nFrames: 2, isSynthetic: true });
    const acquired = objects.filter(({ facts }) => facts.imageType[3] === 'NONE');
    for (const { identity } of acquired) expect(Buffer.from(all.archived.get(stir.identity.sopInstanceUid)!).toString('latin1')).toContain(identity.sopInstanceUid);
    const series = exam.series.find(({ protocolSeries }) => protocolSeries === 'syn-stir')!;
    expect(series.outputs.map(({ kind, nImages }) => [kind, nImages])).toEqual([['fatFraction', 2], ['high', 2], ['image', 2], ['low', 2], ['pairResidual', 2]]);
    const listed = await fetch(`http://127.0.0.1:${all.service.httpAddress!.port}/api/exams/${exam.id}/series/${series.id}/images`);
    expect(((await listed.json()) as { images: unknown[] }).images).toHaveLength(10);
  }, 120_000);
});

describe('a synthetic CT', () => {
  const wanted = [{ contrast: 'ct' as const, fromSeries: ['sag-t1w', 'sag-t2w'] }, ...synthesise.slice(0, 1)];

  it('goes back and to the archive as CT, beside other contrasts', async () => {
    const all = await running(0, { protocol: { synthesise: wanted } });
    await played(all.service.address.port, t1wStream);
    const { images } = await played(all.service.address.port, t2wStream);
    const ct = images.filter((image) => metaOf(image)['SeriesDescription'] === 'SYN CT');
    expect(ct).toHaveLength(2);
    expect(metaOf(ct[0]!)).toMatchObject({ ConusUnit: 'HU', ConusSynthetic: 'true', ConusModel: 'plain-ct', ImageComments: expect.stringMatching(/sagittal planes only/) as string });
    const exam = await all.exam((one) => isDone(one) && one.series.every(({ state }) => state === 'delivered'));
    expect(exam.promises.map(({ id, state }) => [id, state]).slice(2)).toEqual([['syn-ct', 'came'], ['syn-stir', 'came']]);
    await expect.poll(() => all.archived.size, { timeout: 30_000 }).toBe(4 + 6 + 10);
    const archived = await imagesIn(all.archived);
    expect(archived.filter(({ facts }) => facts.modality === 'CT').map(({ facts }) => facts.seriesDescription).sort()).toEqual(['SYN CT', 'SYN CT', 'SYN CT HIGH', 'SYN CT HIGH', 'SYN CT LOW', 'SYN CT LOW']);
    expect(archived.filter(({ facts }) => facts.seriesDescription === 'SYN STIR sag FAT')).toHaveLength(2);
    expect(all.log.join('')).not.toContain('could not be shown');
  }, 120_000);

  it('is not there without a model for it, and the other contrast is', async () => {
    const all = await running(0, { protocol: { synthesise: wanted }, ctModel: 'none-such' });
    await played(all.service.address.port, t1wStream);
    const { images, texts } = await played(all.service.address.port, t2wStream);
    expect(images.some((image) => metaOf(image)['SeriesDescription'] === 'SYN STIR sag')).toBe(true);
    expect(texts.find((text) => text.startsWith('WRN CONUS_WARN_SYNTHESIS_NONE'))).toContain('CONUS_ERR_SYNTHESIS_MODEL');
  }, 120_000);
});

describe('what is no pair', () => {
  let all: Running;
  /** Told by name alone, as a site might do it. */
  const named = small.map((series) => ({ ...series, recognise: { namePatterns: [`*${series.role.slice(0, 2)}*`] } }));
  beforeAll(async () => {
    all = await running(0, { protocol: { series: named, synthesise: synthesise.slice(0, 1) } });
  }, 120_000);

  const te = (teMs: number, trMs: number) => ({ sequence }: Series) => ({ sequence: { ...sequence, trMs, teMs, echoTrainLength: 3, echoSpacingMs: 10 } as Series['sequence'] });
  const gradientEcho = ({ sequence }: Series) => ({ sequence: { kind: 'spoiledGre', trMs: 500, teMs: 5, flipAngleDeg: 70, fatSuppression: 'none', bandwidthHzPerPixel: sequence.bandwidthHzPerPixel } as Series['sequence'] });

  const elsewhere = ({ geometry }: Series) => ({ geometry: { ...geometry, centreMm: [45, 0, 0] } as Series['geometry'] });

  it.each<[string, string, ExamSpec, ((xml: string) => string)?]>([
    ['a gradient echo as T1w', 'SYNTH_ERR_GRADIENT_ECHO', pictureOf(11, { 'sag-t1w': gradientEcho })],
    ['T1 weighting in the place of T2w', 'SYNTH_ERR_CONTRAST', pictureOf(12, { 'sag-t2w': te(10, 620) })],
    ['two parts of the body', 'SYNTH_ERR_NO_OVERLAP', pictureOf(15, { 'sag-t2w': elsewhere })],
    ['two patients in one study', 'SYNTH_ERR_PATIENTS', pictureOf(13), (xml) => xml.replaceAll('SIMULATED-13', 'SIMULATED-14')],
  ])('is refused with its code, and delivered as it was scanned: %s', async (_what, code, spec, changed) => {
    const before = all.archived.size;
    await played(all.service.address.port, streamOf(spec, 'sag-t1w'));
    const answer = await played(all.service.address.port, streamOf(spec, 'sag-t2w', changed));
    expect(answer.images).toHaveLength(2);
    expect(answer.texts.find((text) => text.startsWith('WRN CONUS_WARN_SYNTHESIS_NONE'))).toContain(code);
    const exam = await all.exam((one) => one.series.length === 2 && isDone(one) && one.series.every(({ state }) => state === 'delivered'));
    expect(exam.promises.find(({ id }) => id === 'syn-stir')).toMatchObject({ state: 'failed', reason: { code } });
    expect(all.archived.size).toBe(before + 4);
  }, 120_000);

  it('waits for the one that is missing, and the exam says so', async () => {
    await played(all.service.address.port, streamOf(pictureOf(16), 'sag-t1w'));
    const exam = await all.exam(({ series }) => series.length === 1 && series[0]!.state === 'delivered');
    expect(exam.promises.find(({ id }) => id === 'syn-stir')).toMatchObject({ state: 'awaited', reason: { code: 'CONUS_WARN_EXAM_INPUT', text: expect.stringMatching(/it waits for sag-t2w/) as string } });
  }, 120_000);
});

describe('a pair that is not to be trusted', () => {
  it('is not delivered unless the protocol says so, and the reasons are told on the wire and in the exam', async () => {
    const all = await running(30, { protocol: { synthesise: [synthesise[0], { ...synthesise[1], deliverRed: true }] } });
    await played(all.service.address.port, t1wStream);
    const { images, texts } = await played(all.service.address.port, t2wStream);
    const names = new Set(images.flatMap((image) => (metaOf(image)['ConusSynthetic'] === 'true' ? [metaOf(image)['SeriesDescription']] : [])));
    expect([...names].sort()).toEqual(['SYN T2FS', 'SYN T2FS FAT', 'SYN T2FS HIGH', 'SYN T2FS LOW', 'SYN T2FS PAIR']);
    expect(texts.filter((text) => text.startsWith('WRN CONUS_WARN_SYNTHESIS'))).toEqual([
      expect.stringMatching(/NONE: there is no synthetic stir: CONUS_ERR_SYNTHESIS_RED: got a red quality light: .+/), expect.stringMatching(/LIGHT: synthetic t2fs is red: .+/),
    ]);
    const exam = await all.exam(isDone);
    expect(exam.promises.map(({ id, state, reason }) => [id, state, reason.code]).slice(2)).toEqual([['syn-stir', 'failed', 'CONUS_ERR_SYNTHESIS_RED'], ['syn-t2fs', 'came', 'CONUS_INFO_EXAM_AWAITED']]);
    const t2fs = exam.series.find(({ protocolSeries }) => protocolSeries === 'syn-t2fs')!;
    expect(t2fs.outputs.map(({ light }) => light)).toEqual(['red', 'red', 'red', 'red', 'red']);
    expect(t2fs.reasons!.length).toBeGreaterThan(0);
    await expect.poll(() => all.archived.size, { timeout: 30_000 }).toBe(4 + 10);
    for (const { facts } of (await imagesIn(all.archived)).filter(({ facts: one }) => one.imageType.includes('SYNTHETIC'))) expect(facts.seriesDescription).toMatch(/^SYN T2FS/);
  }, 180_000);
});

describe('a synthesis', () => {
  it('goes to the archive where its scan does not wait for it, once, and over a restart', async () => {
    const data = await mkdtemp(join(tmpdir(), 'conus-synthesis-'));
    const first = await running(0, { data, options: { synthesis: synthesisSection.parse({ model: 'one-tissue', waitS: 0 }) } });
    await played(first.service.address.port, t1wStream);
    const { images, texts } = await played(first.service.address.port, t2wStream);
    expect(images).toHaveLength(2);
    expect(texts.filter((text) => text.includes('CONUS_WARN_SYNTHESIS_LATE'))).toHaveLength(2);
    // The service ends while it computes.
    await first.service.close(0);
    expect([...first.archived.values()].length).toBeLessThanOrEqual(4);
    const second = await running(0, { data });
    const exam = await second.exam(isDone);
    expect(exam.actions.map(({ state }) => state)).toEqual(['done', 'done']);
    const synthetic = async () => (await imagesIn(second.archived)).filter(({ facts }) => facts.imageType.includes('SYNTHETIC') && facts.imageType.includes('M'));
    await expect.poll(async () => (await synthetic()).length, { timeout: 60_000 }).toBe(4);
  }, 240_000);
});
