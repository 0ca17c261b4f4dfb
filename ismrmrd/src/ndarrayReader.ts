/** NDARRAY: data type, version, rank, dimensions, elements. */
import { readLength } from './binary.js';
import { mrdError } from './errors.js';
import type { ParserLimits } from './limits.js';
import { dataTypeName, elementBytes, pixelsOver } from './pixels.js';
import type { MessageReader, StreamInput } from './streamInput.js';
import type { ImageDataTypeName, MrdSink } from './types.js';

export const NDARRAY_HEADER_BYTES = 6;

export class NdArrayReader implements MessageReader {
  readonly #input: StreamInput;
  readonly #sink: MrdSink;
  readonly #limits: ParserLimits;
  #state: 'header' | 'dimensions' | 'elements' = 'header';
  #dataType!: ImageDataTypeName;
  #version = 0;
  #rank = 0;
  #dimensions: number[] = [];

  constructor(input: StreamInput, sink: MrdSink, limits: ParserLimits) {
    this.#input = input;
    this.#sink = sink;
    this.#limits = limits;
  }

  begin(): void {
    this.#state = 'header';
  }

  read(): boolean {
    if (this.#state === 'header') {
      if (!this.#input.gather(NDARRAY_HEADER_BYTES)) return false;
      this.#beginArray();
      this.#state = 'dimensions';
    }
    if (this.#state === 'dimensions') {
      while (this.#dimensions.length < this.#rank) {
        if (!this.#input.gather(8)) return false;
        this.#dimensions.push(readLength(this.#input.view, 0));
      }
      this.#expectElements();
      this.#state = 'elements';
    }
    const bytes = this.#input.payload();
    if (bytes === undefined) return false;
    this.#sink.ndarray?.({
      version: this.#version,
      dataType: this.#dataType,
      dimensions: this.#dimensions,
      data: pixelsOver(this.#dataType, bytes.buffer),
    });
    return true;
  }

  #beginArray(): void {
    const { view } = this.#input;
    const dataType = dataTypeName(view.getUint16(0, true));
    if (dataType === undefined) throw mrdError('MRD_ERR_NDARRAY_DATA_TYPE', `data type ${view.getUint16(0, true)}`);
    this.#dataType = dataType;
    this.#version = view.getUint16(2, true);
    this.#rank = view.getUint16(4, true);
    this.#dimensions = [];
    if (this.#rank === 0 || this.#rank > this.#limits.maxNdArrayRank) {
      throw mrdError('MRD_ERR_NDARRAY_RANK', `${this.#rank} dimensions`);
    }
  }

  #expectElements(): void {
    // A product beyond 2^53 is rounded and one beyond 2^1024 infinite: both are over every limit.
    const nElements = this.#dimensions.reduce((product, size) => product * size, 1);
    const shape = this.#dimensions.join(' x ');
    if (this.#dimensions.includes(0)) throw mrdError('MRD_ERR_NDARRAY_EMPTY', shape);
    if (nElements > this.#limits.maxNdArrayElements) throw mrdError('MRD_ERR_NDARRAY_TOO_LARGE', shape);
    this.#input.expect(nElements * elementBytes(this.#dataType));
  }
}
