/** IMAGE: header, attributes, pixels. */
import { decodeString, readLength } from './binary.js';
import { mrdError } from './errors.js';
import { decodeImageHeader, IMAGE_HEADER_BYTES } from './imageHeader.js';
import type { ParserLimits } from './limits.js';
import { elementBytes, pixelsOver } from './pixels.js';
import type { MessageReader, StreamInput } from './streamInput.js';
import type { ImageHeader, MrdSink } from './types.js';

export class ImageReader implements MessageReader {
  readonly #input: StreamInput;
  readonly #sink: MrdSink;
  readonly #limits: ParserLimits;
  #state: 'header' | 'attributes' | 'pixels' = 'header';
  #header!: ImageHeader;
  #nPixels = 0;
  #attributes = '';

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
      if (!this.#input.gather(IMAGE_HEADER_BYTES + 8)) return false;
      this.#beginImage();
      this.#state = 'attributes';
    }
    if (this.#state === 'attributes') {
      const bytes = this.#input.payload();
      if (bytes === undefined) return false;
      this.#attributes = decodeString(bytes);
      this.#input.expect(this.#nPixels * elementBytes(this.#header.dataType));
      this.#state = 'pixels';
    }
    const bytes = this.#input.payload();
    if (bytes === undefined) return false;
    const header = this.#header;
    const data = pixelsOver(header.dataType, bytes.buffer);
    this.#sink.image?.({ header, attributes: this.#attributes, data });
    return true;
  }

  #beginImage(): void {
    const header = decodeImageHeader(this.#input.view);
    const [columns, rows, slices] = header.matrixSize;
    this.#nPixels = columns * rows * slices * header.nChannels;
    const shape = `${columns} x ${rows} x ${slices} pixels in ${header.nChannels} channels`;
    if (this.#nPixels === 0) throw mrdError('MRD_ERR_IMAGE_EMPTY', shape);
    if (this.#nPixels > this.#limits.maxImagePixels) throw mrdError('MRD_ERR_IMAGE_TOO_LARGE', shape);
    const attributeBytes = readLength(this.#input.view, IMAGE_HEADER_BYTES);
    if (attributeBytes > this.#limits.maxAttributeBytes) {
      throw mrdError('MRD_ERR_IMAGE_ATTRIBUTES_TOO_LONG', `${attributeBytes} bytes`);
    }
    this.#header = header;
    this.#input.expect(attributeBytes);
  }
}
