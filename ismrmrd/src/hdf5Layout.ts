/**
 * Where the members of a header lie in a file. The C++ library writes its structs as they lie in
 * memory, h5py packs them, others align them: the names decide, the offsets come from the file. The
 * wire form, which the stream's codecs read and write, has the same members in the order below.
 */
import { ACQUISITION_HEADER_BYTES } from './acquisitionHeader.js';
import { mrdError } from './errors.js';
import { TypeClass, type Hdf5Member, type Hdf5Type } from './hdf5Library.js';
import { IMAGE_HEADER_BYTES } from './imageHeader.js';
import { WAVEFORM_HEADER_BYTES } from './waveformHeader.js';

/** A header's wire form: its members in order, either packed or each on a multiple of its own size. */
interface HeaderForm {
  readonly bytes: number;
  readonly aligned: boolean;
  readonly members: readonly string[];
}

const names = (text: string) => text.trim().split(/\s+/);

export const ACQUISITION_HEADER: HeaderForm = {
  bytes: ACQUISITION_HEADER_BYTES,
  aligned: false,
  members: names(`version flags measurement_uid scan_counter acquisition_time_stamp physiology_time_stamp
    number_of_samples available_channels active_channels channel_mask discard_pre discard_post center_sample
    encoding_space_ref trajectory_dimensions sample_time_us position read_dir phase_dir slice_dir
    patient_table_position idx user_int user_float`),
};

export const IMAGE_HEADER: HeaderForm = {
  bytes: IMAGE_HEADER_BYTES,
  aligned: false,
  members: names(`version data_type flags measurement_uid matrix_size field_of_view channels position read_dir
    phase_dir slice_dir patient_table_position average slice contrast phase repetition set
    acquisition_time_stamp physiology_time_stamp image_type image_index image_series_index user_int user_float
    attribute_string_len`),
};

export const WAVEFORM_HEADER: HeaderForm = {
  bytes: WAVEFORM_HEADER_BYTES,
  aligned: true,
  members: names(`version flags measurement_uid scan_counter time_stamp number_of_samples channels sample_time_us
    waveform_id`),
};

/** Bytes that lie together both in the file's compound and in the wire form. */
interface Run {
  readonly inFile: number;
  readonly onWire: number;
  readonly bytes: number;
}

/** Copies one kind of header between a dataset's rows and its wire form. */
export class HeaderMap {
  private constructor(
    private readonly runs: readonly Run[],
    private readonly bytes: number,
  ) {}

  /**
   * `members` are those of the header's compound; `path` names it in errors.
   * @throws MRD_ERR_HDF5_LAYOUT where a member is missing or has another size
   */
  static of(form: HeaderForm, members: readonly Hdf5Member[], path: string): HeaderMap {
    const runs: Run[] = [];
    let onWire = 0;
    for (const name of form.members) {
      const member = memberOf(members, name, path);
      const { offset: inFile, size: bytes } = member;
      if (form.aligned) onWire = Math.ceil(onWire / bytes) * bytes;
      const last = runs.at(-1);
      if (last && last.inFile + last.bytes === inFile && last.onWire + last.bytes === onWire) {
        runs[runs.length - 1] = { ...last, bytes: last.bytes + bytes };
      } else {
        runs.push({ inFile, onWire, bytes });
      }
      onWire += bytes;
    }
    const total = form.aligned ? Math.ceil(onWire / 8) * 8 : onWire;
    if (total !== form.bytes) {
      throw mrdError('MRD_ERR_HDF5_LAYOUT', `${path} with ${total} bytes of header members, not ${form.bytes}`);
    }
    return new HeaderMap(runs, form.bytes);
  }

  /** The wire form of the header that starts at `offset` of a file's rows. */
  toWire(rows: DataView, offset: number): Uint8Array {
    const wire = new Uint8Array(this.bytes);
    for (const run of this.runs) {
      wire.set(new Uint8Array(rows.buffer, rows.byteOffset + offset + run.inFile, run.bytes), run.onWire);
    }
    return wire;
  }

  /** Writes a header in wire form to `offset` of a file's rows. */
  toFile(wire: Uint8Array, rows: DataView, offset: number): void {
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset + offset);
    for (const run of this.runs) bytes.set(wire.subarray(run.onWire, run.onWire + run.bytes), run.inFile);
  }
}

/** A little-endian member by name. @throws MRD_ERR_HDF5_LAYOUT */
export function memberOf(members: readonly Hdf5Member[], name: string, path: string): Hdf5Member {
  const member = members.find((candidate) => candidate.name === name);
  if (!member) throw mrdError('MRD_ERR_HDF5_LAYOUT', `${path} without ${name}`);
  const isNumber = member.type === TypeClass.integer || member.type === TypeClass.float;
  if (isNumber && !member.littleEndian) throw mrdError('MRD_ERR_HDF5_LAYOUT', `a big-endian ${name} in ${path}`);
  return member;
}

/** The members of a compound. @throws MRD_ERR_HDF5_LAYOUT */
export function membersOf(type: Pick<Hdf5Type, 'compound_type'>, path: string): readonly Hdf5Member[] {
  if (!type.compound_type) throw mrdError('MRD_ERR_HDF5_LAYOUT', `${path} that is no compound`);
  return type.compound_type.members;
}

/** The offset of a list of 4-byte numbers of the given class. @throws MRD_ERR_HDF5_LAYOUT */
export function listOffset(members: readonly Hdf5Member[], name: string, typeClass: number, path: string): number {
  const { offset, vlen_type: element } = memberOf(members, name, path);
  if (element?.type !== typeClass || element.size !== 4 || !element.littleEndian) {
    throw mrdError('MRD_ERR_HDF5_LAYOUT', `${path} whose ${name} is not a list of 4-byte numbers`);
  }
  return offset;
}
