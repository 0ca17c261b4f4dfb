/** Whole messages, for those who need no back-pressure and no say in where samples go. */
import type { ParserLimits } from './limits.js';
import { MrdParser } from './parser.js';
import type { MrdMessage, MrdSink } from './types.js';

/** A sink that hands every message to `receive`. */
export function messageSink(receive: (message: MrdMessage) => void): MrdSink {
  return {
    configFile: (name) => receive({ kind: 'configFile', name }),
    configText: (text) => receive({ kind: 'configText', text }),
    header: (xml) => receive({ kind: 'header', xml }),
    close: () => receive({ kind: 'close' }),
    text: (text) => receive({ kind: 'text', text }),
    query: (correlationId, query) => receive({ kind: 'query', correlationId, query }),
    response: (correlationId, response) => receive({ kind: 'response', correlationId, response }),
    acquisition: (acquisition) => receive({ kind: 'acquisition', acquisition }),
    dicom: (file, name, attributes) => receive({ kind: 'dicom', file, name, attributes }),
    dependency: (attributes) => receive({ kind: 'dependency', attributes }),
    image: (image) => receive({ kind: 'image', image }),
    waveform: (waveform) => receive({ kind: 'waveform', waveform }),
    ndarray: (array) => receive({ kind: 'ndarray', array }),
  };
}

/** The messages of a whole stream. @throws CodedError MRD_ERR_*, as MrdParser */
export function parseMessages(bytes: Uint8Array, limits?: Partial<ParserLimits>): MrdMessage[] {
  const messages: MrdMessage[] = [];
  const parser = new MrdParser(messageSink((message) => void messages.push(message)), limits);
  parser.write(bytes);
  parser.end();
  return messages;
}

/**
 * The messages of a stream as they come. Those before an error are yielded before it is thrown. Ends
 * with the source; leaving the loop early, e.g. at CLOSE, ends the source.
 * @throws CodedError MRD_ERR_*, as MrdParser
 */
export async function* readMessages(
  source: AsyncIterable<Uint8Array>,
  limits?: Partial<ParserLimits>,
): AsyncGenerator<MrdMessage, void, undefined> {
  let messages: MrdMessage[] = [];
  const parser = new MrdParser(messageSink((message) => void messages.push(message)), limits);
  for await (const chunk of source) {
    let failure: { readonly error: unknown } | undefined;
    try {
      parser.write(chunk);
    } catch (error) {
      failure = { error };
    }
    yield* messages;
    messages = [];
    if (failure !== undefined) throw failure.error;
  }
  parser.end();
}
