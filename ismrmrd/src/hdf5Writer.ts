/**
 * Writes an ISMRMRD HDF5 file. It starts as a copy of a template whose group `~` holds empty datasets
 * of the types that h5wasm cannot create; each is linked to its name when it is first needed, and the
 * link to `~` is dropped when the file is closed (see template/make_template.py).
 */
import { open, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { ACQUISITION_HEADER_BYTES, encodeAcquisitionHeader } from './acquisitionHeader.js';
import { bytesOf, encodeString } from './binary.js';
import { mrdError } from './errors.js';
import { ACQUISITION_HEADER, HeaderMap, IMAGE_HEADER, WAVEFORM_HEADER, listOffset, memberOf, membersOf } from './hdf5Layout.js';
import { Hdf5File, TypeClass, type RowWriter } from './hdf5Library.js';
import { elementTypeOf } from './hdf5Pixels.js';
import { TEMPLATE, TEMPLATE_IMAGE_GROUPS, TEMPLATE_ROOT_NODE } from './hdf5Template.generated.js';
import { IMAGE_HEADER_BYTES, encodeImageHeader } from './imageHeader.js';
import { isPixelArray } from './pixels.js';
import type { Acquisition, MrdImage, Waveform } from './types.js';
import { WAVEFORM_HEADER_BYTES, encodeWaveformHeader } from './waveformHeader.js';

const BOX = '/~';
/** Names in the dataset's group that are not image groups. */
const RESERVED = ['xml', 'data', 'waveforms'];

export interface CreateOptions {
  /** Group of the dataset in the file. Default `dataset`, where the peers' tools look. */
  readonly group?: string;
  /** Acquisitions and waveforms are copied and written together once they hold this much. Default 4 MiB. */
  readonly batchBytes?: number;
}

/**
 * Creates a file, or replaces the one that is there.
 * @throws MRD_ERR_HDF5_NAME, MRD_ERR_HDF5_WRITE, MRD_ERR_HDF5_OPEN
 */
export async function createMrdFile(path: string, options: CreateOptions = {}): Promise<MrdFileWriter> {
  const { group = 'dataset', batchBytes = 4 * 2 ** 20 } = options;
  assertName(group);
  try {
    await writeFile(path, gunzipSync(Buffer.from(TEMPLATE, 'base64')));
  } catch (cause) {
    throw mrdError('MRD_ERR_HDF5_WRITE', `${path} (${(cause as Error).message})`, { cause });
  }
  const file = await Hdf5File.open(path, 'write');
  file.createGroup(`/${group}`);
  return new MrdFileWriter(file, `/${group}`, batchBytes);
}

/** Names that sort before `~`, so that the link to drop is the last of the root group. */
function assertName(name: string): void {
  if (!/^[\w.-]+$/.test(name) || /^\.+$/.test(name)) throw mrdError('MRD_ERR_HDF5_NAME', JSON.stringify(name.slice(0, 80)));
}

/** A list of records that is appended to in batches. */
class Batches<Record> {
  private pending: Record[] = [];
  private pendingBytes = 0;
  private length = 0;

  constructor(
    private readonly file: Hdf5File,
    private readonly path: string,
    private readonly batchBytes: number,
    private readonly fill: (rows: RowWriter, records: readonly Record[]) => void,
  ) {}

  append(record: Record, bytes: number): void {
    this.pending.push(record);
    this.pendingBytes += bytes;
    if (this.pendingBytes >= this.batchBytes) this.flush();
  }

  flush(): void {
    const { pending } = this;
    if (pending.length === 0) return;
    this.pending = [];
    this.pendingBytes = 0;
    this.file.appendRows(this.path, this.length, pending.length, (rows) => this.fill(rows, pending));
    this.length += pending.length;
  }
}

interface ImageSeries {
  readonly path: string;
  readonly kind: string;
  length: number;
}

/** A file being written. Nothing is certain to be on disk before `close`, without which the file is not complete. */
export class MrdFileWriter {
  private acquisitions: Batches<Acquisition> | undefined;
  private waveforms: Batches<Waveform> | undefined;
  private readonly series = new Map<string, ImageSeries>();
  private hasHeader = false;
  private isOpen = true;

  constructor(
    private readonly file: Hdf5File,
    private readonly group: string,
    private readonly batchBytes: number,
  ) {}

  /** @throws MRD_ERR_HDF5_TWICE, MRD_ERR_HDF5_WRITE */
  writeHeaderXml(xml: string): void {
    this.file.assertOpen();
    if (this.hasHeader) throw mrdError('MRD_ERR_HDF5_TWICE', `a second header for ${this.file.path}`);
    this.hasHeader = true;
    this.file.createString(`${this.group}/xml`, xml);
  }

  /**
   * The samples are copied: the caller may use its arrays again.
   * @throws MRD_ERR_HDF5_LENGTH, MRD_ERR_HDF5_WRITE, MRD_ERR_HDF5_MEMORY
   */
  appendAcquisition({ header, trajectory, data }: Acquisition): void {
    this.file.assertOpen();
    const { nSamples, nChannels, trajectoryDimensions } = header;
    assertLength(data.length, 2 * nChannels * nSamples, 'samples of an acquisition');
    assertLength(trajectory.length, nSamples * trajectoryDimensions, 'trajectory values of an acquisition');
    this.acquisitions ??= this.acquisitionBatches();
    const copy = { header, trajectory: trajectory.slice(), data: data.slice() };
    this.acquisitions.append(copy, ACQUISITION_HEADER_BYTES + trajectory.byteLength + data.byteLength);
  }

  /** As `appendAcquisition`. */
  appendWaveform({ header, data }: Waveform): void {
    this.file.assertOpen();
    assertLength(data.length, header.nChannels * header.nSamples, 'samples of a waveform');
    this.waveforms ??= this.waveformBatches();
    this.waveforms.append({ header, data: data.slice() }, WAVEFORM_HEADER_BYTES + data.byteLength);
  }

  /**
   * Appends an image to a group; `image_` and its series index unless told otherwise.
   * @throws MRD_ERR_HDF5_LENGTH, MRD_ERR_HDF5_NAME, MRD_ERR_HDF5_IMAGE_GROUPS, MRD_ERR_HDF5_IMAGE_SERIES,
   * MRD_ERR_HDF5_WRITE, MRD_ERR_HDF5_MEMORY
   */
  appendImage(image: MrdImage, name = `image_${image.header.imageSeriesIndex}`): void {
    this.file.assertOpen();
    const { header, data } = image;
    const [x, y, z] = header.matrixSize;
    const shape = [header.nChannels, z, y, x];
    if (!isPixelArray(header.dataType, data, header.nChannels * z * y * x)) {
      throw mrdError('MRD_ERR_HDF5_LENGTH', `${data.length} numbers for ${header.dataType} [${shape.join(', ')}]`);
    }
    const kind = `${header.dataType} [${shape.join(', ')}]`;
    const series = this.series.get(name) ?? this.createSeries(name, kind, image);
    if (series.kind !== kind) throw mrdError('MRD_ERR_HDF5_IMAGE_SERIES', `${kind} in ${name}, which holds ${series.kind}`);

    const [attributes] = image.attributes.split('\0', 1);
    const text = encodeString(attributes!);
    const wire = new Uint8Array(IMAGE_HEADER_BYTES);
    encodeImageHeader(header, text.length, new DataView(wire.buffer));
    const headers = this.headerMap(IMAGE_HEADER, `${series.path}/header`);
    const { length } = series;
    this.file.appendRows(`${series.path}/data`, length, 1, (rows) => bytesOf(rows.bytes()).set(bytesOf(data)));
    this.file.appendRows(`${series.path}/attributes`, length, 1, (rows) => {
      const address = rows.store(Uint8Array.of(...text, 0));
      rows.bytes().setUint32(0, address, true);
    });
    this.file.appendRows(`${series.path}/header`, length, 1, (rows) => headers.toFile(wire, rows.bytes(), 0));
    series.length += 1;
  }

  /** Writes what is pending and completes the file. Closing again does nothing. @throws MRD_ERR_HDF5_WRITE */
  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    try {
      this.acquisitions?.flush();
      this.waveforms?.flush();
    } finally {
      this.file.close();
    }
    await dropBox(this.file.path);
  }

  private acquisitionBatches(): Batches<Acquisition> {
    const path = `${this.group}/data`;
    this.file.link(`${BOX}/acquisitions`, path);
    const { size, ...type } = this.file.typeOf(path);
    const members = membersOf(type, path);
    const head = memberOf(members, 'head', path);
    const headers = HeaderMap.of(ACQUISITION_HEADER, membersOf(head, path), path);
    const trajectoryAt = listOffset(members, 'traj', TypeClass.float, path);
    const dataAt = listOffset(members, 'data', TypeClass.float, path);
    const wire = new Uint8Array(ACQUISITION_HEADER_BYTES);
    const wireView = new DataView(wire.buffer);
    return new Batches(this.file, path, this.batchBytes, (rows, records) => {
      for (const [i, { header, trajectory, data }] of records.entries()) {
        encodeAcquisitionHeader(header, wireView);
        putList(rows, i * size + trajectoryAt, trajectory);
        putList(rows, i * size + dataAt, data);
        headers.toFile(wire, rows.bytes(), i * size + head.offset);
      }
    });
  }

  private waveformBatches(): Batches<Waveform> {
    const path = `${this.group}/waveforms`;
    this.file.link(`${BOX}/waveforms`, path);
    const { size, ...type } = this.file.typeOf(path);
    const members = membersOf(type, path);
    const head = memberOf(members, 'head', path);
    const headers = HeaderMap.of(WAVEFORM_HEADER, membersOf(head, path), path);
    const dataAt = listOffset(members, 'data', TypeClass.integer, path);
    const wire = new Uint8Array(WAVEFORM_HEADER_BYTES);
    const wireView = new DataView(wire.buffer);
    return new Batches(this.file, path, this.batchBytes, (rows, records) => {
      for (const [i, { header, data }] of records.entries()) {
        encodeWaveformHeader(header, wireView);
        putList(rows, i * size + dataAt, data);
        headers.toFile(wire, rows.bytes(), i * size + head.offset);
      }
    });
  }

  private createSeries(name: string, kind: string, { header }: MrdImage): ImageSeries {
    assertName(name);
    if (RESERVED.includes(name)) throw mrdError('MRD_ERR_HDF5_NAME', `${name}, which is not for images`);
    if (this.series.size === TEMPLATE_IMAGE_GROUPS) {
      throw mrdError('MRD_ERR_HDF5_IMAGE_GROUPS', `image group ${name} after ${this.series.size} others`);
    }
    const path = `${this.group}/${name}`;
    const [x, y, z] = header.matrixSize;
    this.file.createGroup(path);
    this.file.link(`${BOX}/image${this.series.size}`, `${path}/header`);
    this.file.createStringList(`${path}/attributes`);
    this.file.createRows(`${path}/data`, elementTypeOf(header.dataType), [header.nChannels, z, y, x]);
    const series = { path, kind, length: 0 };
    this.series.set(name, series);
    return series;
  }

  private headerMap(form: typeof IMAGE_HEADER, path: string): HeaderMap {
    return HeaderMap.of(form, membersOf(this.file.typeOf(path), path), path);
  }
}

function assertLength(got: number, expected: number, what: string): void {
  if (got !== expected) throw mrdError('MRD_ERR_HDF5_LENGTH', `${got} ${what}, whose header says ${expected}`);
}

/** Writes a variable-length value: its length and the address of a copy of it. */
function putList(rows: RowWriter, at: number, values: Float32Array | Uint32Array): void {
  const address = rows.store(values);
  const bytes = rows.bytes();
  bytes.setUint32(at, values.length, true);
  bytes.setUint32(at + 4, address, true);
}

/**
 * Drops the link to the box, which h5wasm has no call for: the root group's symbol table node lists
 * the dataset's group and, as the last, the box; it is told that it has one entry. What was linked
 * from the box stays; the rest of it is a few kilobytes that nothing refers to.
 */
async function dropBox(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const node = Buffer.alloc(8);
    await handle.read(node, 0, node.length, TEMPLATE_ROOT_NODE);
    if (node.toString('latin1', 0, 4) !== 'SNOD' || node.readUInt16LE(6) !== 2) {
      throw mrdError('MRD_ERR_HDF5_WRITE', `a root group with other than two entries in ${path}`);
    }
    node.writeUInt16LE(1, 6);
    await handle.write(node, 0, node.length, TEMPLATE_ROOT_NODE);
  } finally {
    await handle.close();
  }
}
