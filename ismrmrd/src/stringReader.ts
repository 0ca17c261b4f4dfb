/** The messages that are one string: names, texts, the header, queries and their answers. */
import { decodeString, readLength } from './binary.js';
import { type MrdErrorCode, mrdError } from './errors.js';
import type { ParserLimits } from './limits.js';
import { MessageId } from './messageIds.js';
import type { MessageReader, StreamInput } from './streamInput.js';
import type { MrdSink } from './types.js';

export const CONFIG_FILE_BYTES = 1024;

/** CONFIG_FILE: char[1024], the name up to the first NUL. */
export class ConfigFileReader implements MessageReader {
  readonly #input: StreamInput;
  readonly #sink: MrdSink;

  constructor(input: StreamInput, sink: MrdSink) {
    this.#input = input;
    this.#sink = sink;
  }

  begin(): void {
    // All of it is in the one fixed-size part.
  }

  read(): boolean {
    if (!this.#input.gather(CONFIG_FILE_BYTES)) return false;
    this.#sink.configFile?.(decodeString(this.#input.fixedBytes(CONFIG_FILE_BYTES)));
    return true;
  }
}

interface StringMessage {
  /**
   * The length ends the head: a uint32 where the head is just that, else a uint64. A correlation id
   * of 8 bytes stands before it in QUERY and RESPONSE.
   */
  readonly headBytes: 4 | 8 | 16 | 24;
  readonly limit: keyof ParserLimits;
  readonly tooLong: MrdErrorCode;
  readonly deliver: (sink: MrdSink, text: string, correlationId: bigint) => void;
}

const stringMessages = new Map<number, StringMessage>([
  [
    MessageId.configText,
    {
      headBytes: 4,
      limit: 'maxConfigTextBytes',
      tooLong: 'MRD_ERR_CONFIG_TEXT_TOO_LONG',
      deliver: (sink, text) => sink.configText?.(text),
    },
  ],
  [
    MessageId.header,
    {
      headBytes: 4,
      limit: 'maxHeaderXmlBytes',
      tooLong: 'MRD_ERR_HEADER_TOO_LONG',
      deliver: (sink, text) => sink.header?.(text),
    },
  ],
  [
    MessageId.text,
    {
      headBytes: 4,
      limit: 'maxTextBytes',
      tooLong: 'MRD_ERR_TEXT_TOO_LONG',
      deliver: (sink, text) => sink.text?.(text),
    },
  ],
  [
    MessageId.query,
    {
      headBytes: 24,
      limit: 'maxTextBytes',
      tooLong: 'MRD_ERR_QUERY_TOO_LONG',
      deliver: (sink, text, correlationId) => sink.query?.(correlationId, text),
    },
  ],
  [
    MessageId.response,
    {
      headBytes: 16,
      limit: 'maxTextBytes',
      tooLong: 'MRD_ERR_RESPONSE_TOO_LONG',
      deliver: (sink, text, correlationId) => sink.response?.(correlationId, text),
    },
  ],
  [
    MessageId.dependency,
    {
      headBytes: 8,
      limit: 'maxAttributeBytes',
      tooLong: 'MRD_ERR_DEPENDENCY_TOO_LONG',
      deliver: (sink, text) => sink.dependency?.(text),
    },
  ],
]);

export class StringReader implements MessageReader {
  readonly #input: StreamInput;
  readonly #sink: MrdSink;
  readonly #limits: ParserLimits;
  #state: 'head' | 'string' = 'head';
  #message!: StringMessage;
  #correlationId = 0n;

  constructor(input: StreamInput, sink: MrdSink, limits: ParserLimits) {
    this.#input = input;
    this.#sink = sink;
    this.#limits = limits;
  }

  begin(id: number): void {
    this.#message = stringMessages.get(id)!;
    this.#state = 'head';
  }

  read(): boolean {
    if (this.#state === 'head') {
      if (!this.#input.gather(this.#message.headBytes)) return false;
      this.#expectString();
      this.#state = 'string';
    }
    const bytes = this.#input.payload();
    if (bytes === undefined) return false;
    this.#message.deliver(this.#sink, decodeString(bytes), this.#correlationId);
    return true;
  }

  #expectString(): void {
    const { view } = this.#input;
    const { headBytes, limit, tooLong } = this.#message;
    const nBytes = headBytes === 4 ? view.getUint32(0, true) : readLength(view, headBytes - 8);
    if (nBytes > this.#limits[limit]) throw mrdError(tooLong, `${nBytes} bytes`);
    this.#correlationId = headBytes >= 16 ? view.getBigUint64(headBytes - 16, true) : 0n;
    this.#input.expect(nBytes);
  }
}
