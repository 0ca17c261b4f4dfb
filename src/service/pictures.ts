/**
 * Pictures of every series: of what was just made from memory, of everything else from the DICOM objects in the data folder.
 * An output comes from one of the two: from memory where all of it is still there.
 */
import { parseDicom } from '../dicom/index.js';
import type { DicomFrame, DicomImage } from '../dicom/index.js';
import { chosenWindow, examError, inListOrder, isShown, listed, wallClockMs, windowOf, windowOwner } from '../exams/index.js';
import type { ExamKeeper, ExamPicture, ListedPicture, PictureSource, SeriesView } from '../exams/index.js';
import type { PixelWindow, SlicePlane } from '../../imaging/index.js';
import type { StoredInstance } from '../spool/index.js';
import { keptOutputsOf } from './keptSeries.js';
import type { KeptImages } from './keptSeries.js';

/** Where a picture is read from, and all of it but the values. */
interface KeptPicture extends Omit<ExamPicture, 'values'> {
  readonly instance: StoredInstance;
  /** Of its object, from 1. */
  readonly frame: number;
}

/** Of pictures that were read; whoever scrolls comes back to them. */
const mostReadBytes = 128 * 2 ** 20;
/** Objects whose headers were read. */
const mostKnown = 8192;
/** Outputs whose pictures were told. */
const mostOutputs = 64;

export class SeriesPictures implements PictureSource {
  readonly #exams: ExamKeeper;
  readonly #kept: KeptImages | undefined;
  /** By object; the last one that was asked for comes last. */
  readonly #found = new Map<string, Promise<readonly FoundFrame[]>>();
  /** By output and objects. */
  readonly #outputs = new Map<string, Promise<readonly KeptPicture[]>>();
  readonly #read = new Map<string, ExamPicture>();
  #nReadBytes = 0;
  /** The object that was parsed last: its frames are asked for one after the other. */
  #parsed: { readonly ref: string; readonly image: Promise<DicomImage> } | undefined;

  /** @param kept absent where there is no data folder */
  constructor(exams: ExamKeeper, kept: KeptImages | undefined) {
    this.#exams = exams;
    this.#kept = kept;
  }

  async list(examId: string, seriesId: string, attempt?: number): Promise<readonly ListedPicture[]> {
    const recent = this.#exams.recentPictures(examId, seriesId, attempt);
    const keptInstances = this.#keptOutputs(examId, seriesId, attempt);
    const lists: ListedPicture[] = recent.pictures
      .filter(({ output }) => this.#isInMemory(recent, output, keptInstances))
      .map((picture) => listed(picture, keptInstances.has(picture.output)));
    for (const [output, instances] of keptInstances) {
      if (this.#isInMemory(recent, output, keptInstances)) continue;
      for (const picture of await this.#ofOutput(output, keptInstances, instances)) lists.push(listed(picture, true));
    }
    return lists.sort(inListOrder);
  }

  async picture(examId: string, seriesId: string, output: string, number: number, attempt?: number): Promise<ExamPicture> {
    const recent = this.#exams.recentPictures(examId, seriesId, attempt);
    const keptInstances = this.#keptOutputs(examId, seriesId, attempt);
    if (this.#isInMemory(recent, output, keptInstances)) {
      const found = recent.pictures.find((picture) => picture.output === output && picture.number === number);
      if (found !== undefined) return found;
    }
    const pictures = await this.#ofOutput(output, keptInstances, keptInstances.get(output) ?? []);
    const found = pictures.find((picture) => picture.number === number);
    if (found === undefined) throw examError('CONUS_ERR_IMAGE_GONE', 'an image that is neither in memory nor kept');
    return this.#values(found);
  }

  /** Tells whoever looks on of pictures that no session made. */
  async show(examId: string, seriesId: string): Promise<void> {
    const at = wallClockMs();
    const keptInstances = this.#keptOutputs(examId, seriesId);
    for (const [output, instances] of keptInstances) {
      for (const picture of await this.#ofOutput(output, keptInstances, instances)) this.#exams.showPicture(await this.#values(picture), { examId, seriesId, at });
    }
  }

  #isInMemory({ pictures, nMade }: ReturnType<ExamKeeper['recentPictures']>, output: string, keptInstances: ReadonlyMap<string, unknown>): boolean {
    const nPictures = pictures.filter((picture) => picture.output === output).length;
    return nPictures > 0 && (nPictures >= nMade(output) || !keptInstances.has(output));
  }

  /** What the data folder has of a series, by output. */
  #keptOutputs(examId: string, seriesId: string, attempt?: number): ReadonlyMap<string, readonly StoredInstance[]> {
    const view = this.#exams.exam(examId).series.find(({ id }) => id === seriesId);
    if (view === undefined) throw examError('CONUS_ERR_SERIES_UNKNOWN', 'another id');
    return this.#kept === undefined ? new Map() : keptInstancesOf(examId, view, this.#kept, attempt);
  }

  /** In the window of its owner, where that is kept. */
  async #ofOutput(output: string, kept: ReadonlyMap<string, readonly StoredInstance[]>, instances: readonly StoredInstance[]): Promise<readonly KeptPicture[]> {
    const pictures = await this.#described(output, instances);
    const owner = windowOwner(output);
    const ofOwner = owner === output ? [] : await this.#described(owner, kept.get(owner) ?? []);
    return ofOwner[0] === undefined ? pictures : pictures.map((picture) => ({ ...picture, window: ofOwner[0]!.window }));
  }

  #described(output: string, instances: readonly StoredInstance[]): Promise<readonly KeptPicture[]> {
    return remembered(this.#outputs, `${output} ${instances.map(({ ref }) => ref).join(' ')}`, mostOutputs, () => this.#describe(output, instances));
  }

  async #describe(output: string, instances: readonly StoredInstance[]): Promise<readonly KeptPicture[]> {
    const found: FoundFrame[] = [];
    for (const instance of instances) found.push(...(await this.#framesOf(instance)));
    const placed = inPlaces(found);
    const middle = found[found.length >> 1];
    if (middle === undefined) return [];
    const window = windowOf(output, middle.window ?? chosenWindow(await this.#valuesOf(middle), middle.unit));
    return placed.map((picture) => ({ ...picture, output, window }));
  }

  #framesOf(instance: StoredInstance): Promise<readonly FoundFrame[]> {
    return remembered(this.#found, instance.ref, mostKnown, async () => framesOf(instance, await this.#image(instance)));
  }

  async #values({ instance, frame, ...picture }: KeptPicture): Promise<ExamPicture> {
    const key = `${picture.output} ${instance.ref} ${frame}`;
    const known = this.#read.get(key);
    this.#read.delete(key);
    const read = { ...picture, values: known?.values ?? (await this.#valuesOf({ instance, frame })) };
    // Somebody else may have read it meanwhile.
    if (known === undefined && !this.#read.has(key)) this.#nReadBytes += read.values.byteLength;
    this.#read.set(key, read);
    for (const [oldest, { values }] of this.#read) {
      if (this.#nReadBytes <= mostReadBytes) break;
      this.#read.delete(oldest);
      this.#nReadBytes -= values.byteLength;
    }
    return read;
  }

  async #valuesOf({ instance, frame }: { readonly instance: StoredInstance; readonly frame: number }): Promise<Float32Array> {
    const { frames } = await this.#image(instance);
    return frames[frame - 1]!.values();
  }

  #image(instance: StoredInstance): Promise<DicomImage> {
    if (this.#parsed?.ref === instance.ref) return this.#parsed.image;
    const image = this.#bytes(instance).then(parseDicom);
    this.#parsed = { ref: instance.ref, image };
    image.catch(() => (this.#parsed = undefined));
    return image;
  }

  #bytes({ ref }: StoredInstance): Promise<Uint8Array> {
    return this.#kept!.spool.objects.read(ref).catch((cause: unknown) => {
      throw examError('CONUS_ERR_IMAGE_GONE', 'an image that is not kept any more', { cause });
    });
  }
}

/** What was found out about a key, the latest ones; what failed is tried again the next time. */
function remembered<Found>(known: Map<string, Promise<Found>>, key: string, most: number, find: () => Promise<Found>): Promise<Found> {
  const found = known.get(key) ?? find();
  known.delete(key);
  known.set(key, found);
  found.catch(() => known.delete(key));
  for (const oldest of known.keys()) {
    if (known.size <= most) break;
    known.delete(oldest);
  }
  return found;
}

/** By output; several DICOM series of one output are one list. */
function keptInstancesOf(examId: string, view: SeriesView, kept: KeptImages, attempt?: number): Map<string, readonly StoredInstance[]> {
  const outputs = new Map<string, readonly StoredInstance[]>();
  for (const { output, instances } of keptOutputsOf(examId, view, kept, attempt)) {
    if (isShown(output) && instances.length > 0) outputs.set(output, [...(outputs.get(output) ?? []), ...instances]);
  }
  return outputs;
}

interface FoundFrame {
  readonly instance: StoredInstance;
  readonly frame: number;
  readonly nFrames: number;
  readonly instanceNumber: number;
  readonly rows: number;
  readonly columns: number;
  readonly geometry: SlicePlane | undefined;
  readonly unit: string | undefined;
  readonly window: PixelWindow | undefined;
  readonly echoTimeMs: DicomFrame['echoTimeMs'];
}

function framesOf(instance: StoredInstance, { facts, frames }: DicomImage): FoundFrame[] {
  return frames.map(({ number, plane, scaling, echoTimeMs, window }) => ({
    instance, frame: number, nFrames: frames.length, instanceNumber: facts.instanceNumber ?? 0, rows: facts.rows, columns: facts.columns,
    geometry: plane === undefined ? undefined : slicePlaneOfDicom(plane), unit: scaling.unit, window, echoTimeMs,
  }));
}

/**
 * Numbers, and which slice, contrast and repetition each is: frames at one place are contrasts where their echo times differ,
 * else repetitions. The order is that of instance numbers, whatever the order in which objects came.
 */
function inPlaces(found: FoundFrame[]): Omit<KeptPicture, 'output' | 'window'>[] {
  found.sort((a, b) => a.instanceNumber - b.instanceNumber || (a.instance.sopInstanceUid < b.instance.sopInstanceUid ? -1 : a.instance.sopInstanceUid > b.instance.sopInstanceUid ? 1 : a.frame - b.frame));
  const echoes = [...new Set(found.map(({ echoTimeMs }) => echoTimeMs))].sort((a, b) => (a ?? 0) - (b ?? 0));
  const places = new Map<string, number>();
  const nAtPlace = new Map<string, number>();
  let last = 0;
  return found.map(({ instance, frame, nFrames, instanceNumber, rows, columns, geometry, unit, echoTimeMs }, index) => {
    const place = geometry === undefined ? `${index}` : placeOf(geometry);
    const slice = places.get(place) ?? places.size;
    places.set(place, slice);
    const contrast = echoes.indexOf(echoTimeMs);
    const repetition = nAtPlace.get(`${place} ${contrast}`) ?? 0;
    nAtPlace.set(`${place} ${contrast}`, repetition + 1);
    last = nFrames === 1 && instanceNumber > last ? instanceNumber : last + 1;
    return { number: last, slice, contrast, repetition, rows, columns, instance, frame, ...(geometry !== undefined && { geometry }), ...(unit !== undefined && { unit }) };
  });
}

const placeOf = ({ originMm, rowStepMm, columnStepMm }: SlicePlane) => [...originMm, ...rowStepMm, ...columnStepMm].map((value) => value.toFixed(2)).join(' ');

function slicePlaneOfDicom({ firstMm, rowDirection, columnDirection, pixelSpacingMm: [betweenRows, betweenColumns], thicknessMm = 0 }: NonNullable<DicomFrame['plane']>): SlicePlane {
  const step = (direction: SlicePlane['originMm'], mm: number): SlicePlane['originMm'] => [mm * direction[0], mm * direction[1], mm * direction[2]];
  return { originMm: firstMm, columnStepMm: step(rowDirection, betweenColumns), rowStepMm: step(columnDirection, betweenRows), thicknessMm };
}
