import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodedError, parseMeta, serializeMeta } from 'ismrmrd';
import { xmlText } from './mrdHeaders.js';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('meta attributes', () => {
  it('read back what was written, in order', () => {
    const metas = fc
      .uniqueArray(fc.tuple(xmlText, fc.array(xmlText, { maxLength: 4 })), { selector: ([name]) => name, maxLength: 6 })
      .map((entries) => new Map(entries));
    fc.assert(
      fc.property(metas, (meta) => {
        const again = parseMeta(serializeMeta(meta));
        expect([...again]).toEqual([...meta]);
      }),
      { numRuns: 300 },
    );
  });

  it('write plain objects and numbers', () => {
    const xml = serializeMeta({ DataRole: 'Image', EchoTime: 80.5, ImageRowDir: [1, 0, -1] });
    expect([...parseMeta(xml)]).toEqual([
      ['DataRole', ['Image']],
      ['EchoTime', ['80.5']],
      ['ImageRowDir', ['1', '0', '-1']],
    ]);
  });

  it('take names that objects have by nature', () => {
    const meta = new Map([['__proto__', ['a']], ['constructor', ['b']]]);
    expect([...parseMeta(serializeMeta(meta))]).toEqual([...meta]);
  });

  it('are empty where there is nothing', () => {
    for (const xml of ['', ' \n', '\0', '<ismrmrdMeta/>', '<?xml version="1.0"?><ismrmrdMeta>\n</ismrmrdMeta>']) {
      expect(parseMeta(xml).size).toBe(0);
    }
  });

  it('add the values of a name that occurs again, as the peers do', () => {
    const xml = '<ismrmrdMeta><meta><name>a</name><value>1</value></meta><meta><name>b</name></meta><meta><name>a</name><value>2</value><value>3</value></meta></ismrmrdMeta>';
    expect([...parseMeta(xml)]).toEqual([['a', ['1', '2', '3']], ['b', []]]);
  });

  it('are refused with a code where they are none', () => {
    expect(codeOf(() => parseMeta('<ismrmrdMeta>'))).toBe('MRD_ERR_META_NOT_XML');
    expect(codeOf(() => parseMeta('DataRole=Image'))).toBe('MRD_ERR_META_NOT_XML');
    expect(codeOf(() => parseMeta('<ismrmrdHeader/>'))).toBe('MRD_ERR_META_ROOT');
    expect(codeOf(() => parseMeta('<ismrmrdMeta><meta><value>1</value></meta></ismrmrdMeta>'))).toBe('MRD_ERR_META_ENTRY');
    expect(codeOf(() => parseMeta('<ismrmrdMeta><data><name>a</name></data></ismrmrdMeta>'))).toBe('MRD_ERR_META_ENTRY');
    expect(codeOf(() => parseMeta('<!DOCTYPE ismrmrdMeta><ismrmrdMeta/>'))).toBe('MRD_ERR_XML_DOCTYPE');
    expect(codeOf(() => serializeMeta({ a: '\u0000' }))).toBe('MRD_ERR_XML_CHARACTER');
  });
});
