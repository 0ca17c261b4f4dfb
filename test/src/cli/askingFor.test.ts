import { encodeClose, encodeConfigText, encodeHeader, encodeText, parseMessages } from 'ismrmrd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askingFor } from '../../../src/cli/askingFor.js';
import { acquisition, concat, headerXml, scan } from '../streams.js';

async function asked(stream: Uint8Array, cuts: readonly number[] = []): Promise<Buffer> {
  const places = [...new Set([0, ...cuts.filter((cut) => cut < stream.length), stream.length])].sort((a, b) => a - b);
  async function* pieces() {
    for (let i = 1; i < places.length; i++) yield stream.subarray(places[i - 1], places[i]);
  }
  const parts: Uint8Array[] = [];
  for await (const part of askingFor(pieces(), { denoise: '0' })) parts.push(part);
  return Buffer.concat(parts);
}

describe('a stream that asks for parameters', () => {
  const own = concat([...encodeConfigText('{"version":"1"}'), ...encodeText('hello'), ...encodeHeader(headerXml()), acquisition(0), ...encodeClose()]);

  it('asks behind its header and is the same otherwise, however it is cut', async () => {
    const text = concat(encodeText('{"parameters":{"denoise":"0"}}'));
    for (const stream of [own, scan()]) {
      const whole = await asked(stream);
      const messages = parseMessages(whole);
      const header = messages.findIndex(({ kind }) => kind === 'header');
      expect(messages[header + 1]).toMatchObject({ kind: 'text', text: '{"parameters":{"denoise":"0"}}' });
      const at = whole.indexOf(text);
      expect(Buffer.concat([whole.subarray(0, at), whole.subarray(at + text.length)]).equals(stream)).toBe(true);
      await fc.assert(fc.asyncProperty(fc.array(fc.nat(3000), { maxLength: 6 }), async (cuts) => {
        expect((await asked(stream, cuts)).equals(whole)).toBe(true);
      }), { numRuns: 30 });
    }
  });

  it.each([['data come first', acquisition(0)], ['it ends before its header', own.subarray(0, 40)], ['there is nothing', new Uint8Array(0)]])('is refused where %s', async (_what, stream) => {
    await expect(asked(stream)).rejects.toThrow('CONUS_ERR_INPUT');
  });
});
