/** Pictures of series from memory and from DICOM objects: the same ones, whichever is asked. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { MrdHeader } from 'ismrmrd';
import { pointOf, readNifti, transformPoint, affineLps } from '../../../imaging/index.js';
import type { ReconImage, ReconImageKind } from '../../../recon/index.js';
import { DicomObjectMaker, syntheticDicom } from '../../../src/delivery/index.js';
import type { SyntheticKind } from '../../../src/delivery/index.js';
import { readIdentity } from '../../../src/dicom/index.js';
import { synthesisedSeriesId } from '../../../src/exams/index.js';
import type { ExamKeeper, ExamPicture, ListedPicture, PicturePlace } from '../../../src/exams/index.js';
import { httpApp, pictureRoutes } from '../../../src/http/index.js';
import { Doors } from '../../../src/doors/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import type { SessionRecord } from '../../../src/keeping/index.js';
import { SeriesPictures } from '../../../src/service/pictures.js';
import type { StoredInstance } from '../../../src/spool/index.js';
import { header as headerOf, image, obliqueGeometry, settings, subjects, syntheticSeries } from '../delivery/fixtures.js';
import { kept } from '../exams/kept.js';
import { begin, facts, received, scan } from '../exams/scenes.js';

const [rows, columns, nSlices] = [12, 10, 3];
const gapMm = 5;

/** Three slices of a stack, two echoes each; brighter from slice to slice. */
function images(kind: ReconImageKind): ReconImage[] {
  const first = obliqueGeometry(columns, rows);
  // As an interleaved scan delivers them.
  return [2, 0, 1].flatMap((slice) => [0, 1].map((contrast) => image({
    kind, snrUnits: true,
    counters: { slice, contrast, phase: 0, repetition: 0, set: 0, average: 0 },
    geometry: { ...first, centreMm: [0, 1, 2].map((axis) => first.centreMm[axis]! + slice * gapMm * first.sliceDirection[axis]!) as unknown as typeof first.centreMm },
  }, Float32Array.from({ length: rows * columns }, (_, index) => (kind === 'gFactor' ? 0.01 : 1) * (1 + slice + 10 * contrast) * (index + 1)))));
}

function twoEchoes(): MrdHeader {
  const header = headerOf();
  const [encoding] = header.encoding;
  return { ...header, encoding: [{ ...encoding!, encodingLimits: { ...encoding!.encodingLimits, contrast: { minimum: 0, maximum: 1, center: 0 } } }] };
}

/** A data folder in memory. */
function shelf(keeper: ExamKeeper) {
  const objects = new Map<string, Uint8Array>();
  const instances = new Map<string, StoredInstance>();
  const sessions = new Map<string, SessionRecord>();
  const receivedInstances = new Map<string, StoredInstance[]>();
  const syntheses = new Map<string, { kind: string; description: string; seriesInstanceUid: string; instances: StoredInstance[] }[]>();
  let nReads = 0;
  const store = (bytes: Uint8Array): StoredInstance => {
    const identity = readIdentity(bytes);
    const stored = { ...identity, ref: `object ${objects.size}`, nBytes: bytes.length };
    objects.set(stored.ref, bytes);
    instances.set(identity.sopInstanceUid, stored);
    return stored;
  };
  return {
    store, objects, sessions, syntheses, receivedInstances,
    get nReads() {
      return nReads;
    },
    images: {
      exams: keeper,
      spool: { objects: { has: (ref: string) => objects.has(ref), read: (ref: string) => (nReads++, objects.has(ref) ? Promise.resolve(objects.get(ref)!) : Promise.reject(new Error('gone'))) } },
      keeper: { session: (id: string) => sessions.get(id), instance: (uid: string) => instances.get(uid) },
      received: (uid: string) => receivedInstances.get(uid) ?? [],
      synthesised: (examId: string, seriesId: string) => {
        const series = syntheses.get(`${examId} ${seriesId}`);
        return series === undefined ? undefined : { light: 'amber' as const, series };
      },
    } as unknown as ConstructorParameters<typeof SeriesPictures>[1] & object,
  };
}

/** A scan with denoised images and residuals, made and kept. @param pictureBytes memory for pictures */
function scanned(pictureBytes: number, enhanced = false) {
  const { keeper } = kept({ protocols: [], pictureBytes });
  const disk = shelf(keeper);
  keeper.apply(scan('s1', facts('T2w'), begin)[0]!);
  const [observer, maker] = [keeper.observe('s1'), new DicomObjectMaker(twoEchoes(), settings, { enhanced })];
  observer.described?.(twoEchoes());
  const series = new Map<ReconImageKind, string[]>();
  const keep = (made: ReturnType<DicomObjectMaker['make']>) => {
    if (made === undefined) return;
    series.set(made.output, [...(series.get(made.output) ?? []), disk.store(made.bytes).sopInstanceUid]);
  };
  for (const kind of ['image', 'gFactor', 'denoised', 'residual'] as const) {
    for (const one of images(kind)) {
      observer.imageMade?.(one);
      keep(maker.make(one));
    }
  }
  maker.end().forEach(keep);
  disk.sessions.set('s1', {
    id: 's1', openedAt: 0, state: 'acknowledged',
    series: [...series].map(([output, sopInstanceUids]) => ({ seriesInstanceUid: '1.2', description: '', output, sopInstanceUids })),
  });
  const [exam] = keeper.book.exams;
  return { keeper, disk, examId: exam!.id, seriesId: exam!.series[0]!.id };
}

const of = (list: readonly ListedPicture[], output: string) => list.filter((one) => one.output === output);

describe('pictures of a scan', () => {
  it('are the same from memory and from the data folder: number, place, loops, window, values', async () => {
    const { keeper, disk, examId, seriesId } = scanned(1 << 20);
    const inMemory = new SeriesPictures(keeper, disk.images);
    const fresh = await inMemory.list(examId, seriesId);
    expect(disk.nReads).toBe(0);
    const gone = scanned(1);
    const fromDisk = new SeriesPictures(gone.keeper, gone.disk.images);
    const old = await fromDisk.list(gone.examId, gone.seriesId);
    expect(fresh.map(({ isKept }) => isKept)).not.toContain(false);
    expect(old.map(({ output, number, slice, contrast, repetition }) => [output, number, slice, contrast, repetition]))
      .toEqual(fresh.map(({ output, number, slice, contrast, repetition }) => [output, number, slice, contrast, repetition]));
    expect(of(old, 'image').map(({ slice, contrast }) => [slice, contrast])).toEqual([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]);
    for (const [index, one] of old.entries()) {
      const other = fresh[index]!;
      for (const key of ['originMm', 'rowStepMm', 'columnStepMm'] as const) one.geometry![key].forEach((value, axis) => expect(value).toBeCloseTo(other.geometry![key][axis]!, 4));
      expect(one.window.width / other.window.width).toBeCloseTo(1, 1);
      expect([one.unit, one.rows, one.columns, one.geometry!.thicknessMm]).toEqual([other.unit, other.rows, other.columns, other.geometry!.thicknessMm]);
      const [a, b] = [await fromDisk.picture(gone.examId, gone.seriesId, one.output, one.number), await inMemory.picture(examId, seriesId, one.output, one.number)];
      // Stored values are a tenth of the noise apart, a thousandth of g.
      a.values.forEach((value, pixel) => expect(Math.abs(value - b.values[pixel]!)).toBeLessThan(0.051));
    }
  });

  it('lie where DICOM and the volume say', async () => {
    const { keeper, disk, examId, seriesId } = scanned(1 << 20);
    const list = of(await new SeriesPictures(keeper, disk.images).list(examId, seriesId), 'image');
    const { geometry } = images('image').find(({ counters }) => counters.slice === 1)!;
    const { originMm, columnStepMm, rowStepMm } = list.find(({ slice }) => slice === 1)!.geometry!;
    pointOf(geometry!, [3, 7, 0]).forEach((value, axis) => expect(originMm[axis]! + 3 * columnStepMm[axis]! + 7 * rowStepMm[axis]!).toBeCloseTo(value, 6));
  });

  it.each([['memory', 1 << 20], ['the data folder', 1]])('from %s have one window for image and denoised image, and a symmetric one for what was taken out', async (_where, pictureBytes) => {
    const { keeper, disk, examId, seriesId } = scanned(pictureBytes);
    const list = await new SeriesPictures(keeper, disk.images).list(examId, seriesId);
    const windows = (output: string) => [...new Set(of(list, output).map(({ window }) => JSON.stringify(window)))];
    expect(windows('image')).toHaveLength(1);
    expect(windows('denoised')).toEqual(windows('image'));
    const [residual] = of(list, 'residual');
    expect([windows('residual').length, residual!.window.centre, residual!.window.width > 0]).toEqual([1, 0, true]);
  });

  it('come from the data folder as soon as memory has not all of an output, and are read once', async () => {
    const nBytes = 4 * rows * columns;
    const { keeper, disk, examId, seriesId } = scanned(8 * nBytes);
    const pictures = new SeriesPictures(keeper, disk.images);
    // Memory has the residuals and two denoised images.
    expect(keeper.recentPictures(examId, seriesId).pictures).toHaveLength(8);
    const list = await pictures.list(examId, seriesId);
    expect(['image', 'gFactor', 'denoised', 'residual'].map((output) => of(list, output).length)).toEqual([6, 6, 6, 6]);
    const before = disk.nReads;
    await pictures.list(examId, seriesId);
    await pictures.picture(examId, seriesId, 'residual', 3);
    expect(disk.nReads).toBe(before);
    await pictures.picture(examId, seriesId, 'image', 3);
    await pictures.picture(examId, seriesId, 'image', 3);
    expect(disk.nReads).toBe(before + 1);
    // At the same time, too, and the values are those of the pictures.
    const read = await Promise.all([1, 2, 1, 2].map((number) => pictures.picture(examId, seriesId, 'image', number)));
    expect(read.map(({ number }) => number)).toEqual([1, 2, 1, 2]);
    expect(Math.max(...read[1]!.values) / Math.max(...read[0]!.values)).toBeCloseTo(11, 1);
  });

  it('that are frames of one object are told one by one', async () => {
    const { keeper, disk, examId, seriesId } = scanned(1, true);
    const pictures = new SeriesPictures(keeper, disk.images);
    const list = of(await pictures.list(examId, seriesId), 'image');
    expect(list.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(list[0]!.window.width).toBeCloseTo(of(await pictures.list(examId, seriesId), 'denoised')[0]!.window.width, 6);
    const before = disk.nReads;
    for (const { number } of list) await pictures.picture(examId, seriesId, 'image', number);
    // Each of the two objects, one an echo, is read once for all of its frames.
    expect(disk.nReads - before).toBeLessThanOrEqual(2);
    const brightest = Math.max(...(await pictures.picture(examId, seriesId, 'image', 6)).values);
    expect(brightest).toBeLessThanOrEqual(13 * rows * columns + 0.05);
    // The window is in the unit of the values: white is near the brightest pixel of the first image.
    expect(list[0]!.window.width).toBeGreaterThan(0.9 * 3 * rows * columns);
    expect(list[0]!.window.width).toBeLessThan(1.1 * 3 * rows * columns);
  });

  it('are gone where neither has them', async () => {
    const { keeper, disk, examId, seriesId } = scanned(1);
    const pictures = new SeriesPictures(keeper, disk.images);
    await pictures.list(examId, seriesId);
    await expect(pictures.picture(examId, seriesId, 'image', 99)).rejects.toMatchObject({ code: 'CONUS_ERR_IMAGE_GONE' });
    disk.objects.clear();
    await expect(pictures.picture(examId, seriesId, 'image', 1)).rejects.toMatchObject({ code: 'CONUS_ERR_IMAGE_GONE' });
    expect(await pictures.list(examId, seriesId)).toEqual([]);
    await expect(pictures.list(examId, 'x')).rejects.toMatchObject({ code: 'CONUS_ERR_SERIES_UNKNOWN' });
  });
});

describe('pictures of what nobody scanned here', () => {
  it('of a received series are those of its objects', async () => {
    const { keeper } = kept({ protocols: [] });
    const disk = shelf(keeper);
    const maker = new DicomObjectMaker(twoEchoes(), settings);
    const stored = images('image').filter(({ counters }) => counters.contrast === 1).map((one) => disk.store(maker.make(one)!.bytes));
    received('1.2.3.4', facts('T2w'), 3, begin).forEach((event) => keeper.apply(event));
    disk.receivedInstances.set('1.2.3.4', stored);
    const [exam] = keeper.book.exams;
    const list = await new SeriesPictures(keeper, disk.images).list(exam!.id, exam!.series[0]!.id);
    expect(list.map(({ output, slice, contrast, isKept }) => [output, slice, contrast, isKept])).toEqual([0, 1, 2].map((slice) => ['image', slice, 0, true]));
    expect(await new SeriesPictures(keeper, undefined).list(exam!.id, exam!.series[0]!.id)).toEqual([]);
  });

  it('of a synthesis are its images and maps, and are shown to whoever looks on', async () => {
    const { keeper } = kept({ protocols: [] });
    const disk = shelf(keeper);
    scan('s1', facts('T1w'), begin).forEach((event) => keeper.apply(event));
    const [exam] = keeper.book.exams;
    const outputs: SyntheticKind[] = ['image', 'low', 'fatFraction'];
    keeper.apply({
      kind: 'synthesised', at: begin, examId: exam!.id,
      series: { id: 'stir', contrast: 'stir', description: 'SYN STIR', isSimulated: false, light: 'amber', outputs: Object.fromEntries(outputs.map((kind) => [kind, 3])), reasons: [] },
    });
    const seriesId = synthesisedSeriesId('stir');
    disk.syntheses.set(`${exam!.id} ${seriesId}`, outputs.map((kind) => {
      const instances = syntheticDicom(syntheticSeries(kind, subjects[0]!), new Date(begin)).map(({ bytes }) => disk.store(bytes));
      return { kind, description: '', seriesInstanceUid: instances[0]!.seriesInstanceUid, instances };
    }));
    const shown: [ExamPicture, PicturePlace][] = [];
    keeper.listen({ picture: (...picture) => void shown.push(picture) });
    const pictures = new SeriesPictures(keeper, disk.images);
    await pictures.show(exam!.id, seriesId);
    const list = await pictures.list(exam!.id, seriesId);
    expect(list.map(({ output, number }) => [output, number])).toEqual(['fatFraction', 'image', 'low'].flatMap((output) => [1, 2, 3].map((number) => [output, number])));
    expect(of(list, 'low')[0]!.window).toEqual(of(list, 'image')[0]!.window);
    expect(of(list, 'fatFraction')[0]!.window).toEqual({ centre: 0.5, width: 1 });
    expect(shown.map(([{ output, number }, place]) => [output, number, place.seriesId]).sort()).toEqual(list.map(({ output, number }) => [output, number, seriesId]).sort());
    expect(Math.abs(shown[0]![1].at - Date.now())).toBeLessThan(60_000);
  });
});

describe('the volume of an output', () => {
  const appOf = async (pictures: SeriesPictures) => httpApp({
    doors: await Doors.open(), metrics: new Metrics(), health: () => [], log: createLog('silent', { write: () => undefined }), plugins: [pictureRoutes(pictures)],
  });

  it.each([['memory', 1 << 20], ['the data folder', 1]])('from %s has every slice where it lies', async (_where, pictureBytes) => {
    const { keeper, disk, examId, seriesId } = scanned(pictureBytes);
    const pictures = new SeriesPictures(keeper, disk.images);
    const app = await appOf(pictures);
    const answer = await app.inject(`/api/exams/${examId}/series/${seriesId}/volume?output=denoised&contrast=1`);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/gzip']);
    const { geometry, data } = readNifti(gunzipSync(answer.rawPayload));
    expect(geometry.matrixSize).toEqual([columns, rows, nSlices]);
    for (const { number, geometry: plane } of of(await pictures.list(examId, seriesId), 'denoised').filter(({ contrast }) => contrast === 1)) {
      const { values } = await pictures.picture(examId, seriesId, 'denoised', number);
      const slice = [0, 1, 2].find((index) => Math.hypot(...transformPoint(affineLps(geometry), [0, 0, index]).map((value, axis) => value - plane!.originMm[axis]!)) < 0.01)!;
      expect(data.slice(slice * rows * columns, (slice + 1) * rows * columns)).toEqual(values);
    }
  });

  it('has slices that tell where they lie', async () => {
    const { keeper, disk, examId, seriesId } = scanned(1);
    const pictures = new SeriesPictures(keeper, disk.images);
    const answer = await (await appOf(pictures)).inject(`/api/exams/${examId}/series/${seriesId}/images/2?as=float32`);
    const [, second] = of(await pictures.list(examId, seriesId), 'image');
    expect([JSON.parse(String(answer.headers['x-conus-geometry'])), answer.headers['x-conus-unit']]).toEqual([second!.geometry, '1']);
  });

  it.each([
    ['?output=snr', 410, 'CONUS_ERR_IMAGE_GONE'],
    ['?contrast=two', 400, 'CONUS_ERR_HTTP_REQUEST'],
  ])('%s is refused with %i %s', async (query, status, code) => {
    const { keeper, disk, examId, seriesId } = scanned(1 << 20);
    const answer = await (await appOf(new SeriesPictures(keeper, disk.images))).inject(`/api/exams/${examId}/series/${seriesId}/volume${query}`);
    expect([answer.statusCode, (answer.json() as { error: { code: string } }).error.code]).toEqual([status, code]);
  });
});
