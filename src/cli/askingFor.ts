/** A stream that asks for parameters of its own: they go in behind its header, as a TEXT message (docs/lifecycle.md). */
import { encodeText, MessageId } from 'ismrmrd';
import { cliError } from './errors.js';

/** Config and header of a scan are far smaller. */
const mostHeadBytes = 64 << 20;
const configFileBytes = 1024;

/**
 * Everything else passes as it is, byte for byte.
 * @throws CodedError CONUS_ERR_INPUT where data come before a header
 */
export async function* askingFor(bytes: AsyncIterable<Uint8Array>, parameters: Readonly<Record<string, string>>): AsyncIterable<Uint8Array> {
  let head = Buffer.alloc(0);
  let hasAsked = false;
  for await (const chunk of bytes) {
    if (hasAsked) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = endOfHeader(head);
    if (end === undefined) {
      if (head.length > mostHeadBytes) throw cliError('CONUS_ERR_INPUT', `a stream whose header has not ended after ${head.length} bytes`);
      continue;
    }
    yield head.subarray(0, end);
    yield* encodeText(JSON.stringify({ parameters }));
    yield head.subarray(end);
    hasAsked = true;
  }
  if (!hasAsked) throw cliError('CONUS_ERR_INPUT', 'a stream without a header, to which no parameter can be added');
}

/** Where the first message after the header begins; undefined where that is not read yet. */
function endOfHeader(bytes: Buffer): number | undefined {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const id = bytes.readUInt16LE(at);
    if (id !== MessageId.configFile && id !== MessageId.configText && id !== MessageId.header && id !== MessageId.text) {
      throw cliError('CONUS_ERR_INPUT', `a stream with a message ${id} before its header, to which no parameter can be added`);
    }
    if (id !== MessageId.configFile && at + 6 > bytes.length) return undefined;
    at += 2 + (id === MessageId.configFile ? configFileBytes : 4 + bytes.readUInt32LE(at + 2));
    if (id === MessageId.header && at <= bytes.length) return at;
  }
  return undefined;
}
