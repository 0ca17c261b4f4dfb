/**
 * The HDF5 library (h5wasm, HDF5 compiled to WebAssembly), reduced to what MRD files need. It is
 * loaded on first use, so that whoever speaks only the stream never pays for it. The file is read and
 * written in place by the library; only what is asked for comes into memory.
 *
 * Rows are exchanged as raw bytes in the library's memory: h5wasm's own conversion makes array members
 * into JavaScript numbers, which loses bits of a 64-bit channel mask. On a damaged file the library
 * gives its own account on stderr, beside our error.
 */
import type { Module as H5wasmModule } from 'h5wasm/node';
import { bytesOf, decodeString } from './binary.js';
import { CodedError, mrdError } from './errors.js';

type Hdf5Module = typeof H5wasmModule;
export type Hdf5Type = ReturnType<Hdf5Module['get_dataset_metadata']>;
export type Hdf5Member = NonNullable<Hdf5Type['compound_type']>['members'][number];

/** HDF5's numbers for the classes of types that occur in MRD files. */
export const TypeClass = { integer: 0, float: 1, compound: 6, variableLength: 9 } as const;

/** A variable-length value in memory: u32 length (elements), u32 pointer. */
export const VLEN_BYTES = 8;

const UNLIMITED = 0xffff_ffff_ffff_ffffn;
const asciiString = { type: 3, size: 4, vlen: true, cset: 0, signed: false, littleEndian: true };

/** One open file. Paths are absolute; "rows" are elements along a dataset's first dimension. */
export class Hdf5File {
  private isOpen = true;

  private constructor(
    private readonly module: Hdf5Module,
    private readonly id: bigint,
    readonly path: string,
  ) {}

  /** @throws MRD_ERR_HDF5_OPEN */
  static async open(path: string, mode: 'read' | 'write'): Promise<Hdf5File> {
    const { ready } = (await import('h5wasm/node')).default;
    const module = await ready;
    // The oldest format that holds the content: what the peers' libraries read.
    const id =
      mode === 'read'
        ? module.open(path, module.H5F_ACC_RDONLY, false, -1, -1)
        : module.open(path, module.H5F_ACC_RDWR, false, module.H5F_LIBVER_EARLIEST, module.H5F_LIBVER_V110);
    if (id < 0n) throw mrdError('MRD_ERR_HDF5_OPEN', `${path}, which the HDF5 library cannot open`);
    return new Hdf5File(module, id, path);
  }

  /** @throws MRD_ERR_HDF5_CLOSED */
  assertOpen(): void {
    if (!this.isOpen) throw mrdError('MRD_ERR_HDF5_CLOSED', `a use of ${this.path} after close()`);
  }

  /** Closing again does nothing. Everything else throws MRD_ERR_HDF5_CLOSED from then on. */
  close(): void {
    if (!this.isOpen) return;
    this.attempt('MRD_ERR_HDF5_WRITE', 'close', this.path, ({ close_file }, id) => close_file(id));
    this.isOpen = false;
  }

  isGroup(path: string): boolean {
    return this.kindOf(path) === this.module.H5G_GROUP;
  }

  isDataset(path: string): boolean {
    return this.kindOf(path) === this.module.H5G_DATASET;
  }

  /** Names in a group. */
  names(group: string): string[] {
    return this.attempt('MRD_ERR_HDF5_READ', 'list', group, ({ get_names }, id) => get_names(id, group, false));
  }

  /** Type and shape of a dataset. @throws MRD_ERR_HDF5_READ */
  typeOf(path: string): Hdf5Type {
    return this.attempt('MRD_ERR_HDF5_READ', 'describe', path, ({ get_dataset_metadata }, id) => get_dataset_metadata(id, path));
  }

  /**
   * Reads `count` rows from row `first` and hands their bytes to `use`, with the heap that
   * variable-length pointers refer to. Both are the library's memory, valid during the call only.
   * @throws MRD_ERR_HDF5_READ, MRD_ERR_HDF5_MEMORY
   */
  readRows<T>(path: string, first: number, count: number, use: (rows: DataView, heap: Uint8Array) => T): T {
    const type = this.typeOf(path);
    const counts = (type.shape ?? []).map((extent, i) => BigInt(i === 0 ? count : extent));
    const bytes = type.size * Number(counts.reduce((product, extent) => product * extent, 1n));
    const pointer = this.allocate(bytes, path);
    try {
      this.heap.fill(0, pointer, pointer + bytes);
      const { selected, offset, stride } = select(counts, first);
      this.attempt('MRD_ERR_HDF5_READ', `read rows ${first} to ${first + count - 1} of`, path, ({ get_dataset_data }, id) =>
        get_dataset_data(id, path, selected, offset, stride, BigInt(pointer)),
      );
      try {
        return use(new DataView(this.heap.buffer, pointer, bytes), this.heap);
      } finally {
        this.module.reclaim_vlen_memory_count(this.id, path, '', BigInt(pointer), counts);
      }
    } finally {
      this.module._free(pointer);
    }
  }

  /** One string of a dataset, of fixed or variable length, cut at its first NUL. */
  readString(path: string, row: number): string {
    const isPointer = this.typeOf(path).vlen;
    return this.readRows(path, row, 1, (rows, heap) => {
      const address = isPointer ? rows.getUint32(0, true) : rows.byteOffset;
      if (address === 0) return '';
      return decodeString(heap.subarray(address, isPointer ? undefined : address + rows.byteLength));
    });
  }

  /**
   * Appends `count` rows along the first dimension of a dataset that now has `length` rows.
   * `fill` writes their bytes; what `store` copies for it stays where it is until the rows are written.
   * @throws MRD_ERR_HDF5_WRITE, MRD_ERR_HDF5_MEMORY
   */
  appendRows(path: string, length: number, count: number, fill: (rows: RowWriter) => void): void {
    const type = this.typeOf(path);
    const counts = type.shape!.map((extent, i) => BigInt(i === 0 ? count : extent));
    const bytes = type.size * Number(counts.reduce((product, extent) => product * extent, 1n));
    const pointers = [this.allocate(bytes, path)];
    const rows = pointers[0]!;
    const store = (values: ArrayBufferView): number => {
      if (values.byteLength === 0) return 0;
      const pointer = this.allocate(values.byteLength, path);
      pointers.push(pointer);
      this.heap.set(bytesOf(values), pointer);
      return pointer;
    };
    try {
      this.heap.fill(0, rows, rows + bytes);
      fill({ store, bytes: () => new DataView(this.heap.buffer, rows, bytes) });
      const extents = type.shape!.map((extent, i) => BigInt(i === 0 ? length + count : extent));
      const { selected, offset, stride } = select(counts, length);
      this.change('extend', path, ({ resize_dataset }, id) => resize_dataset(id, path, extents));
      this.change('write', path, ({ set_dataset_data }, id) =>
        set_dataset_data(id, path, selected, offset, stride, BigInt(rows)),
      );
    } finally {
      for (const pointer of pointers) this.module._free(pointer);
    }
  }

  createGroup(path: string): void {
    this.change('create', path, ({ create_group }, id) => create_group(id, path, false));
  }

  /** Gives an existing dataset a further name. */
  link(target: string, path: string): void {
    this.change('link', path, ({ create_hard_link }, id) => create_hard_link(id, target, path));
  }

  /** A dataset of one string that never grows. The bytes are UTF-8; the type says ASCII, as the peers' files do. */
  createString(path: string, text: string): void {
    const type = { ...asciiString, ...extent([1n], [1n], null) };
    this.change('create', path, (module, id) => module.create_vlen_str_dataset(id, path, [text], type));
  }

  /** An empty dataset of strings. */
  createStringList(path: string): void {
    const type = { ...asciiString, ...extent([0n], [UNLIMITED], [8n]) };
    this.change('create', path, (module, id) => module.create_vlen_str_dataset(id, path, [], type));
  }

  /** An empty dataset of `type` with rows of `rowShape`, one row a chunk. */
  createRows(path: string, type: ElementType, rowShape: readonly number[]): void {
    const row = rowShape.map(BigInt);
    const metadata = { ...type, ...extent([0n, ...row], [UNLIMITED, ...row], [1n, ...row]) };
    this.change('create', path, ({ create_dataset }, id) => create_dataset(id, path, 0n, metadata));
  }

  /** Walks down by listing: asking the library for what is not there makes it complain on stderr. */
  private kindOf(path: string): number | undefined {
    let parent = '';
    let kind: number | undefined = this.module.H5G_GROUP;
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (kind !== this.module.H5G_GROUP || !this.names(parent || '/').includes(name)) return undefined;
      parent = `${parent}/${name}`;
      kind = this.kindOfExisting(parent);
    }
    return kind;
  }

  /** The library's memory; a new object after every call that may have grown it. */
  private get heap(): Uint8Array {
    return this.module.HEAPU8;
  }

  private allocate(bytes: number, path: string): number {
    const pointer = bytes > this.module.MAXIMUM_MEMORY ? 0 : this.module._malloc(Math.max(bytes, 1));
    if (pointer === 0) throw mrdError('MRD_ERR_HDF5_MEMORY', `${bytes} bytes for ${path}`);
    return pointer;
  }

  private kindOfExisting(path: string): number {
    return this.attempt('MRD_ERR_HDF5_READ', 'find', path, ({ get_type }, id) => get_type(id, path));
  }

  private change(action: string, path: string, call: (module: Hdf5Module, id: bigint) => number): void {
    this.attempt('MRD_ERR_HDF5_WRITE', action, path, call);
  }

  /** Calls the library, which tells a failure by a negative status or by throwing. */
  private attempt<T>(
    code: 'MRD_ERR_HDF5_READ' | 'MRD_ERR_HDF5_WRITE',
    action: string,
    path: string,
    call: (module: Hdf5Module, id: bigint) => T,
  ): T {
    this.assertOpen();
    let cause: unknown;
    try {
      const result = call(this.module, this.id);
      if (typeof result !== 'number' || result >= 0) return result;
    } catch (error) {
      if (error instanceof CodedError) throw error;
      cause = error;
    }
    throw mrdError(code, `a failure to ${action} ${path} in ${this.path}`, { cause });
  }
}

/** The rows from `first` on, as the library takes a selection; a scalar has none. */
function select(counts: bigint[], first: number) {
  if (counts.length === 0) return { selected: null, offset: null, stride: null };
  return { selected: counts, offset: counts.map((_, i) => BigInt(i === 0 ? first : 0)), stride: counts.map(() => 1n) };
}

/** What fills the rows of an append. */
export interface RowWriter {
  /** Copies values into the library's memory and returns their address. */
  store(values: ArrayBufferView): number;
  /** The rows; ask again after each `store`, which may have moved the memory. */
  bytes(): DataView;
}

/** A type of pixels, as h5wasm's create_dataset takes it. */
export interface ElementType {
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly vlen: boolean;
  readonly littleEndian: boolean;
  readonly compound_type?: { readonly nmembers: number; readonly members: Hdf5Member[] };
}

function extent(shape: bigint[], maxshape: bigint[], chunks: bigint[] | null) {
  const total_size = 0;
  return { shape, maxshape, chunks, total_size, compression: 0, compression_opts: [], track_order: false };
}
