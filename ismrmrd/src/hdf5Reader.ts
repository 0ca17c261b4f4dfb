/**
 * Reads an ISMRMRD HDF5 file: a group with `xml` (the header), `data` (acquisitions), `waveforms`, and
 * a group for each image series with `header`, `attributes` and `data`. The file stays on disk; a
 * batch of records is in memory at a time.
 */
import { open } from 'node:fs/promises';
import { decodeAcquisitionHeader } from './acquisitionHeader.js';
import { mrdError } from './errors.js';
import { ACQUISITION_HEADER, HeaderMap, IMAGE_HEADER, WAVEFORM_HEADER, listOffset, memberOf, membersOf } from './hdf5Layout.js';
import { Hdf5File, TypeClass } from './hdf5Library.js';
import { copyPixels, pixelTypeOf } from './hdf5Pixels.js';
import { decodeImageHeader } from './imageHeader.js';
import { ImageDataType, type Acquisition, type MrdImage, type Waveform } from './types.js';
import { decodeWaveformHeader } from './waveformHeader.js';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** Bytes that `isHdf5` needs to see to be sure of a file whose HDF5 part does not start at 0. */
const SIGNATURE_SEARCH_BYTES = 2048 + SIGNATURE.length;

/** Whether a file that starts with these bytes is HDF5; the signature stands at 0, 512, 1024 or 2048. */
export function isHdf5(bytes: Uint8Array): boolean {
  return [0, 512, 1024, 2048].some((at) => SIGNATURE.every((byte, i) => bytes[at + i] === byte));
}

const DEFAULT_BATCH_BYTES = 16 * 2 ** 20;
/** Records of a batch, however small those before it were: sizes may change from one to the next. */
const MAX_BATCH_RECORDS = 256;

export interface BatchOptions {
  /** What a batch of records may hold in memory, about; one record is always read. Default 16 MiB. */
  readonly batchBytes?: number;
}

export interface ImageGroup {
  readonly name: string;
  readonly nImages: number;
}

/**
 * Opens the dataset in `group`, or the only one in the file, or `dataset` where there are several.
 * @throws MRD_ERR_HDF5_OPEN, MRD_ERR_HDF5_SIGNATURE, MRD_ERR_HDF5_GROUP
 */
export async function openMrdFile(path: string, options: { readonly group?: string } = {}): Promise<MrdFileReader> {
  if (!isHdf5(await firstBytes(path))) throw mrdError('MRD_ERR_HDF5_SIGNATURE', path);
  const file = await Hdf5File.open(path, 'read');
  try {
    return new MrdFileReader(file, datasetGroup(file, options.group));
  } catch (error) {
    file.close();
    throw error;
  }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(SIGNATURE_SEARCH_BYTES), 0, SIGNATURE_SEARCH_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw mrdError('MRD_ERR_HDF5_OPEN', `${path} (${(cause as Error).message})`, { cause });
  }
}

function datasetGroup(file: Hdf5File, wanted: string | undefined): string {
  const groups = file.names('/').filter((name) => file.isGroup(`/${name}`));
  const candidates = groups.filter((name) => isDataset(file, `/${name}`));
  const found = wanted ?? (candidates.length === 1 ? candidates[0] : candidates.find((name) => name === 'dataset'));
  if (found === undefined || !groups.includes(found)) {
    const what = wanted === undefined ? `${candidates.length} datasets` : `no group ${wanted}`;
    throw mrdError('MRD_ERR_HDF5_GROUP', `${what} in ${file.path} (groups: ${groups.join(', ') || 'none'})`);
  }
  return `/${found}`;
}

function isDataset(file: Hdf5File, group: string): boolean {
  const hasRecords = ['xml', 'data', 'waveforms'].some((name) => file.isDataset(`${group}/${name}`));
  return hasRecords || file.names(group).some((name) => file.isDataset(`${group}/${name}/header`));
}

/** An open file. Read it from one place at a time, and close it. */
export class MrdFileReader {
  readonly nAcquisitions: number;
  readonly nWaveforms: number;
  readonly imageGroups: readonly ImageGroup[];

  constructor(
    private readonly file: Hdf5File,
    /** Path of the group in the file. */
    readonly group: string,
  ) {
    this.nAcquisitions = this.nRows(`${group}/data`);
    this.nWaveforms = this.nRows(`${group}/waveforms`);
    this.imageGroups = file
      .names(group)
      .filter((name) => file.isDataset(`${group}/${name}/header`))
      .map((name) => ({ name, nImages: this.nRows(`${group}/${name}/header`) }));
  }

  /** The XML header; undefined where the file has none. @throws MRD_ERR_HDF5_READ */
  headerXml(): string | undefined {
    const path = `${this.group}/xml`;
    return this.file.isDataset(path) ? this.file.readString(path, 0) : undefined;
  }

  /**
   * The acquisitions in order, from number `first` on.
   * @throws MRD_ERR_HDF5_LAYOUT, MRD_ERR_HDF5_LENGTH, MRD_ERR_HDF5_READ, MRD_ERR_HDF5_MEMORY
   */
  *acquisitions(options: BatchOptions & { readonly first?: number } = {}): Generator<Acquisition, void, undefined> {
    const path = `${this.group}/data`;
    if (this.nAcquisitions === 0) return;
    const type = this.file.typeOf(path);
    const members = membersOf(type, path);
    const head = memberOf(members, 'head', path);
    const headers = HeaderMap.of(ACQUISITION_HEADER, membersOf(head, `${path}.head`), `${path}.head`);
    const trajectoryAt = listOffset(members, 'traj', TypeClass.float, path);
    const dataAt = listOffset(members, 'data', TypeClass.float, path);

    const take = (rows: DataView, heap: Uint8Array, at: number, number: number): Acquisition => {
      const header = decodeAcquisitionHeader(viewOf(headers.toWire(rows, at + head.offset)));
      const { nSamples, nChannels, trajectoryDimensions } = header;
      const what = `acquisition ${number}`;
      return {
        header,
        trajectory: new Float32Array(copyList(rows, heap, at + trajectoryAt, nSamples * trajectoryDimensions, what)),
        data: new Float32Array(copyList(rows, heap, at + dataAt, 2 * nChannels * nSamples, what)),
      };
    };
    const sizeOf = ({ trajectory, data }: Acquisition) => trajectory.byteLength + data.byteLength;
    yield* this.records(path, options.first ?? 0, this.nAcquisitions, options.batchBytes, take, sizeOf);
  }

  /** The waveforms in order. @throws as `acquisitions` */
  *waveforms(options: BatchOptions = {}): Generator<Waveform, void, undefined> {
    const path = `${this.group}/waveforms`;
    if (this.nWaveforms === 0) return;
    const members = membersOf(this.file.typeOf(path), path);
    const head = memberOf(members, 'head', path);
    const headers = HeaderMap.of(WAVEFORM_HEADER, membersOf(head, `${path}.head`), `${path}.head`);
    const dataAt = listOffset(members, 'data', TypeClass.integer, path);

    const take = (rows: DataView, heap: Uint8Array, at: number, number: number): Waveform => {
      const header = decodeWaveformHeader(viewOf(headers.toWire(rows, at + head.offset)));
      const length = header.nSamples * header.nChannels;
      return { header, data: new Uint32Array(copyList(rows, heap, at + dataAt, length, `waveform ${number}`)) };
    };
    yield* this.records(path, 0, this.nWaveforms, options.batchBytes, take, ({ data }) => data.byteLength);
  }

  /**
   * The images of one group in order, one in memory at a time. The pixel type is that of the stored
   * pixels, whatever the header says.
   * @throws MRD_ERR_HDF5_GROUP, MRD_ERR_HDF5_LAYOUT, MRD_ERR_HDF5_LENGTH, MRD_ERR_HDF5_READ, MRD_ERR_HDF5_MEMORY
   */
  *images(name: string): Generator<MrdImage, void, undefined> {
    const found = this.imageGroups.find((candidate) => candidate.name === name);
    if (!found) throw mrdError('MRD_ERR_HDF5_GROUP', `no image group ${name} in ${this.group}`);
    if (found.nImages === 0) return;
    const path = `${this.group}/${name}`;
    const headers = HeaderMap.of(IMAGE_HEADER, membersOf(this.file.typeOf(`${path}/header`), `${path}/header`), `${path}/header`);
    if (!this.file.isDataset(`${path}/data`)) throw mrdError('MRD_ERR_HDF5_LAYOUT', `${path} without data`);
    const pixels = this.file.typeOf(`${path}/data`);
    const dataType = pixelTypeOf(pixels, `${path}/data`);
    const [nImages = 0, ...shape] = pixels.shape ?? [];
    if (nImages < found.nImages) {
      throw mrdError('MRD_ERR_HDF5_LENGTH', `${found.nImages} headers and ${nImages} images in ${path}`);
    }
    for (let i = 0; i < found.nImages; i += 1) {
      const wire = this.file.readRows(`${path}/header`, i, 1, (rows) => headers.toWire(rows, 0));
      viewOf(wire).setUint16(2, ImageDataType[dataType], true);
      const header = decodeImageHeader(viewOf(wire));
      const [x, y, z] = header.matrixSize;
      if (String(shape) !== String([header.nChannels, z, y, x])) {
        throw mrdError('MRD_ERR_HDF5_LENGTH', `image ${i} of ${path} with shape ${String(shape)}, header ${[header.nChannels, z, y, x].join()}`);
      }
      const data = this.file.readRows(`${path}/data`, i, 1, (rows) => copyPixels(dataType, rows));
      yield { header, attributes: this.attributes(path, i), data };
    }
  }

  /** Closes the file; reading after it is an error, closing again is not. */
  close(): void {
    this.file.close();
  }

  private attributes(path: string, i: number): string {
    const attributes = `${path}/attributes`;
    return this.nRows(attributes) > i ? this.file.readString(attributes, i) : '';
  }

  private nRows(path: string): number {
    return this.file.isDataset(path) ? (this.file.typeOf(path).shape?.[0] ?? 0) : 0;
  }

  /** Reads records in batches that grow to what `batchBytes` holds of the largest so far. */
  private *records<Record>(
    path: string,
    first: number,
    total: number,
    batchBytes = DEFAULT_BATCH_BYTES,
    take: (rows: DataView, heap: Uint8Array, at: number, number: number) => Record,
    sizeOf: (record: Record) => number,
  ): Generator<Record, void, undefined> {
    const rowBytes = this.file.typeOf(path).size;
    let count = 1;
    let largest = 0;
    for (let next = first; next < total; ) {
      const n = Math.min(count, total - next);
      const batch = this.file.readRows(path, next, n, (rows, heap) =>
        Array.from({ length: n }, (_, i) => take(rows, heap, i * rowBytes, next + i)),
      );
      yield* batch;
      next += n;
      largest = Math.max(largest, ...batch.map((record) => rowBytes + sizeOf(record)));
      count = Math.max(1, Math.min(2 * count, MAX_BATCH_RECORDS, Math.floor(batchBytes / largest)));
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy of the 4-byte numbers that the variable-length value at `at` refers to. */
function copyList(rows: DataView, heap: Uint8Array, at: number, length: number, what: string): ArrayBuffer {
  const stored = rows.getUint32(at, true);
  const address = rows.getUint32(at + 4, true);
  if (stored !== length) throw mrdError('MRD_ERR_HDF5_LENGTH', `${what} with ${stored} values, its header says ${length}`);
  const copy = new Uint8Array(4 * length);
  copy.set(heap.subarray(address, address + copy.length));
  return copy.buffer;
}
