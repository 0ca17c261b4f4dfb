/** DICOM_WITHNAME: file, name, meta attributes, each after its length. */
import { decodeString, readLength } from './binary.js';
import { type MrdErrorCode, mrdError } from './errors.js';
import type { ParserLimits } from './limits.js';
import type { MessageReader, StreamInput } from './streamInput.js';
import type { MrdSink } from './types.js';

interface Part {
  readonly lengthBytes: 4 | 8;
  readonly limit: keyof ParserLimits;
  readonly tooLong: MrdErrorCode;
}

/** In the order of the wire. */
const parts: readonly Part[] = [
  { lengthBytes: 4, limit: 'maxDicomBytes', tooLong: 'MRD_ERR_DICOM_TOO_LARGE' },
  { lengthBytes: 8, limit: 'maxDicomNameBytes', tooLong: 'MRD_ERR_DICOM_NAME_TOO_LONG' },
  { lengthBytes: 8, limit: 'maxAttributeBytes', tooLong: 'MRD_ERR_DICOM_ATTRIBUTES_TOO_LONG' },
];

export class DicomReader implements MessageReader {
  readonly #input: StreamInput;
  readonly #sink: MrdSink;
  readonly #limits: ParserLimits;
  #state: 'length' | 'part' = 'length';
  #read: Uint8Array[] = [];

  constructor(input: StreamInput, sink: MrdSink, limits: ParserLimits) {
    this.#input = input;
    this.#sink = sink;
    this.#limits = limits;
  }

  begin(): void {
    this.#state = 'length';
    this.#read = [];
  }

  read(): boolean {
    while (this.#read.length < parts.length) {
      if (this.#state === 'length') {
        if (!this.#expectPart(parts[this.#read.length]!)) return false;
        this.#state = 'part';
      }
      const bytes = this.#input.payload();
      if (bytes === undefined) return false;
      this.#read.push(bytes);
      this.#state = 'length';
    }
    const [file, name, attributes] = this.#read as [Uint8Array, Uint8Array, Uint8Array];
    this.#read = [];
    this.#sink.dicom?.(file, decodeString(name), decodeString(attributes));
    return true;
  }

  #expectPart({ lengthBytes, limit, tooLong }: Part): boolean {
    if (!this.#input.gather(lengthBytes)) return false;
    const { view } = this.#input;
    const nBytes = lengthBytes === 4 ? view.getUint32(0, true) : readLength(view, 0);
    if (nBytes > this.#limits[limit]) throw mrdError(tooLong, `${nBytes} bytes`);
    this.#input.expect(nBytes);
    return true;
  }
}
