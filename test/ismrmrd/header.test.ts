import { existsSync, readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { validateXML } from 'xmllint-wasm';
import { describe, expect, it } from 'vitest';
import { CodedError, parseHeader, serializeHeader, type MrdHeader, type XmlElement } from 'ismrmrd';
import { headers, smallHeader } from './mrdHeaders.js';

const schema = readFileSync(new URL('ismrmrd.xsd', import.meta.url), 'utf8');

async function schemaErrors(...documents: string[]): Promise<string[]> {
  const xml = documents.map((contents, i) => ({ fileName: `header${i}.xml`, contents }));
  const result = await validateXML({ xml, schema: [schema] });
  return result.errors.map((error) => error.message);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'no error';
}

/** The small header with a piece of its XML replaced. */
function altered(piece: string | RegExp, by: string): string {
  const xml = serializeHeader(smallHeader());
  const result = xml.replace(piece, by);
  expect(result).not.toBe(xml);
  return result;
}

describe('the MRD header', () => {
  it('reads back what it wrote, whatever a valid header holds', () => {
    fc.assert(
      fc.property(headers, (header) => {
        expect(parseHeader(serializeHeader(header))).toEqual(header);
      }),
      { numRuns: 300 },
    );
  });

  it('writes what the ISMRMRD schema accepts', async () => {
    const sample = fc.sample(headers, 100);
    expect(await schemaErrors(...sample.map(serializeHeader))).toEqual([]);
  });

  it('is checked against a schema that refuses elements out of order', async () => {
    const xml = serializeHeader(smallHeader()).replace(/( *<experimentalConditions>[^]*<\/experimentalConditions>\n)([^]*<\/encoding>\n)/, '$2$1');
    expect(xml).toMatch(/<encoding>[^]*<experimentalConditions>/);
    expect(await schemaErrors(xml)).not.toEqual([]);
  });

  it('does not depend on the order, the prefixes or the layout of the elements', () => {
    const header = { ...smallHeader(), version: 5 };
    const xml = serializeHeader(header)
      .replace(/(<version>.*<\/version>)([^]*)(<\/ismrmrdHeader>)/, '$2$1$3')
      .replaceAll(/<(\/?)(\w)/g, '<$1mrd:$2')
      .replace('xmlns=', 'xmlns:mrd=')
      .replaceAll(/\n */g, '\r\n\t<!-- a remark -->');
    expect(parseHeader(`\ufeff  ${xml}\0\0rest`)).toEqual(header);
  });

  it('accepts any version and none', () => {
    expect(parseHeader(altered('<experimentalConditions>', '<version>99</version>$&')).version).toBe(99);
    expect(parseHeader(serializeHeader(smallHeader())).version).toBeUndefined();
  });

  it('reads a header without an encoding as one with an empty list', () => {
    const xml = altered(/<encoding>[^]*<\/encoding>/, '');
    expect(parseHeader(xml).encoding).toEqual([]);
  });

  it('keeps what the schema does not know, at every level and through every round trip', () => {
    const xml = altered('<ismrmrdHeader ', '<ismrmrdHeader xmlns:v="urn:vendor" ')
      .replace('<experimentalConditions>', '<v:shim unit="&quot;Hz&quot;&#10;"><v:x>1 &lt; 2</v:x><v:x/></v:shim>$&')
      .replace('<trajectory>', '<echoSpacing2>0.5</echoSpacing2><flow/>$&');
    const header = parseHeader(xml);
    expect(header.unknown?.map(({ name }) => name)).toEqual(['v:shim']);
    expect(header.encoding[0]!.unknown?.map(({ name }) => name)).toEqual(['echoSpacing2', 'flow']);
    const shim = header.unknown![0]!;
    expect(new Map(shim.attributes)).toEqual(new Map([['unit', '"Hz"\n'], ['xmlns:v', 'urn:vendor']]));
    const again = serializeHeader(header);
    expect(parseHeader(again)).toEqual(header);
    expect(serializeHeader(parseHeader(again))).toBe(again);
  });

  it('keeps the order of unknown elements of which some share a name', () => {
    const xml = altered('<experimentalConditions>', '<x-a/><x-b/><x-a/>$&');
    expect(parseHeader(xml).unknown?.map(({ name }) => name)).toEqual(['x-a', 'x-b', 'x-a']);
  });

  it('keeps arbitrary unknown trees', () => {
    const name = fc.stringMatching(/^[a-z][a-zA-Z0-9_.-]{0,8}$/);
    const text = fc.stringMatching(/^[a-zA-Z<>&"'äé][^]{0,5}$/u).map((value) => value.replace(/[^\t\n\u0020-\ud7ff]/g, '?'));
    const { element } = fc.letrec<{ element: XmlElement }>((tie) => ({
      element: fc.record({
        name: name.map((value) => `x-${value}`),
        attributes: fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, maxLength: 2 }),
        children: fc.oneof(
          { maxDepth: 3 },
          fc.array(text, { maxLength: 1 }),
          fc.array(tie('element'), { maxLength: 2 }),
          fc.tuple(text, tie('element'), text),
        ),
      }),
    }));
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 3 }), (unknown) => {
        const header: MrdHeader = { ...smallHeader(), unknown };
        expect(parseHeader(serializeHeader(header))).toEqual(header);
      }),
    );
  });

  it('keeps the elements that came with later schemas', () => {
    const header: MrdHeader = {
      ...smallHeader(),
      subjectInformation: { patientHeight_m: 1.8 },
      sequenceParameters: {
        TR: [2000],
        TE: [30, 80],
        TI: [],
        flipAngle_deg: [],
        echo_spacing: [],
        diffusionDimension: 'user_0',
        diffusion: [{ gradientDirection: { rl: 1, ap: 0, fh: 0 }, bvalue: 800 }],
        diffusionScheme: 'monopolar',
      },
    };
    header.encoding[0]!.encodingLimits.user_5 = { minimum: 0, maximum: 7, center: 4 };
    header.encoding[0]!.parallelImaging = {
      accelerationFactor: { kspace_encoding_step_1: 2, kspace_encoding_step_2: 1 },
      multiband: {
        spacing: [{ dZ: [-10, 10] }],
        deltaKz: 0.5,
        multiband_factor: 2,
        calibration: 'separable2D',
        calibration_encoding: 0,
      },
    };
    expect(parseHeader(serializeHeader(header))).toEqual(header);
  });

  it('takes the values that the schema gives to empty elements', () => {
    const header = parseHeader(altered('<x>64</x>', '<x/>'));
    expect(header.encoding[0]!.encodedSpace.matrixSize.x).toBe(1);
    const blank = altered('<experimentalConditions>', '<subjectInformation><patientWeight_kg> </patientWeight_kg><patientName/></subjectInformation>$&');
    expect(parseHeader(blank).subjectInformation).toEqual({ patientName: '' });
  });

  it('accepts white space and any notation around the same number', () => {
    for (const text of [' 63500000\n', '6.35e7', '+63500000.0', '063500000']) {
      expect(parseHeader(altered('63500000', text)).experimentalConditions.H1resonanceFrequency_Hz).toBe(63_500_000);
    }
  });

  it('names the element whose value is none', () => {
    const cases: [string, string, string][] = [
      ['<x>64</x>', '<x>NaN</x>', 'encoding[0].encodedSpace.matrixSize.x'],
      ['<x>64</x>', '<x>-1</x>', 'encoding[0].encodedSpace.matrixSize.x'],
      ['<x>64</x>', '<x>65536</x>', 'encoding[0].encodedSpace.matrixSize.x'],
      ['<x>64</x>', '<x>1.5</x>', 'encoding[0].encodedSpace.matrixSize.x'],
      ['<x>64</x>', '<x>0x40</x>', 'encoding[0].encodedSpace.matrixSize.x'],
      ['<y>150.5</y>', '<y>INF</y>', 'encoding[0].encodedSpace.fieldOfView_mm.y'],
      ['<y>150.5</y>', '<y>1e999</y>', 'encoding[0].encodedSpace.fieldOfView_mm.y'],
      ['<y>150.5</y>', '<y>1,5</y>', 'encoding[0].encodedSpace.fieldOfView_mm.y'],
      ['<y>150.5</y>', '<y/>', 'encoding[0].encodedSpace.fieldOfView_mm.y'],
      ['<y>150.5</y>', '<y><z/></y>', 'encoding[0].encodedSpace.fieldOfView_mm.y'],
      ['63500000', '9007199254740993', 'experimentalConditions.H1resonanceFrequency_Hz'],
      ['cartesian', 'zigzag', 'encoding[0].trajectory'],
    ];
    for (const [piece, by, path] of cases) {
      const xml = altered(piece, by);
      expect(codeOf(() => parseHeader(xml))).toBe('MRD_ERR_HEADER_VALUE');
      expect(() => parseHeader(xml)).toThrow(path);
    }
  });

  it('names the element that is missing or that is there twice', () => {
    const missing = altered(/<experimentalConditions>[^]*<\/experimentalConditions>/, '');
    expect(codeOf(() => parseHeader(missing))).toBe('MRD_ERR_HEADER_MISSING');
    const deep = altered('<z>1</z>', '');
    expect(codeOf(() => parseHeader(deep))).toBe('MRD_ERR_HEADER_MISSING');
    expect(() => parseHeader(deep)).toThrow('encoding[0].encodedSpace.matrixSize.z');
    const twice = altered('<z>1</z>', '<z>1</z><z>2</z>');
    expect(codeOf(() => parseHeader(twice))).toBe('MRD_ERR_HEADER_REPEATED');
    expect(() => parseHeader(twice)).toThrow('encoding[0].encodedSpace.matrixSize.z');
  });

  it('refuses what is not an ISMRMRD header', () => {
    const garbage = ['', '\0<a/>', 'hello', '{"a":1}', '<a>', '<a></b>', '<a/><b/>', '<a>&undefined;</a>', '<a>&#0;</a>', '<a>&#x110000;</a>', '<a>\u0001</a>', '<a><![CDATA[</a>', '<a b=1/>', '\u0000'];
    for (const xml of garbage) expect([xml, codeOf(() => parseHeader(xml))]).toEqual([xml, 'MRD_ERR_HEADER_NOT_XML']);
    expect(codeOf(() => parseHeader('<ismrmrdMeta/>'))).toBe('MRD_ERR_HEADER_ROOT');
  });

  it('expands no entities but those of XML, and each once', () => {
    const bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><ismrmrdHeader>&c;</ismrmrdHeader>';
    expect(codeOf(() => parseHeader(bomb))).toBe('MRD_ERR_XML_DOCTYPE');
    const xml = altered('<experimentalConditions>', '<subjectInformation><patientName>&amp;lt;&#x41;<![CDATA[&lt;]]></patientName></subjectInformation>$&');
    expect(parseHeader(xml).subjectInformation?.patientName).toBe('&lt;A&lt;');
  });

  it('refuses documents that are too long, too deep or of too many parts', () => {
    expect(codeOf(() => parseHeader(' '.repeat(2 ** 22 + 1)))).toBe('MRD_ERR_XML_TOO_LARGE');
    expect(codeOf(() => parseHeader(`<a>${'<b/>'.repeat(2 ** 16)}</a>`))).toBe('MRD_ERR_XML_TOO_LARGE');
    const attributes = Array.from({ length: 2 ** 16 + 1 }, (_, i) => `a${i}=""`).join(' ');
    expect(codeOf(() => parseHeader(`<a ${attributes}/>`))).toBe('MRD_ERR_XML_TOO_LARGE');
    expect(codeOf(() => parseHeader(`${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`))).toBe('MRD_ERR_HEADER_NOT_XML');
  });

  it('keeps as many unknown elements as the limits let through', () => {
    const xml = altered('<experimentalConditions>', `${'<more/>'.repeat(60_000)}$&`);
    expect(parseHeader(xml).unknown?.length).toBe(60_000);
  });

  it('leaves prototypes alone', () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const xml = altered('<experimentalConditions>', `<${name}><polluted>1</polluted></${name}>$&`);
      codeOf(() => parseHeader(xml));
      expect('polluted' in {}).toBe(false);
      expect('polluted' in Object).toBe(false);
    }
  });

  it('gives an error or a header for any damage, and a header that it can write', () => {
    const xml = serializeHeader(fc.sample(headers, { numRuns: 1, seed: 7 })[0]!);
    const damage = fc.tuple(fc.nat(xml.length), fc.nat(8), fc.oneof(fc.constantFrom('<', '>', '&', '"', ']]>', '<!--', '</'), fc.string({ maxLength: 4 })));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        const damaged = damages.reduce((text, [at, n, by]) => text.slice(0, at) + by + text.slice(at + n), xml);
        codeOf(() => serializeHeader(parseHeader(damaged)));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses to write numbers and text that the schema or XML cannot hold', () => {
    const withName = (patientName: string) => ({ ...smallHeader(), subjectInformation: { patientName } });
    for (const bad of ['\0', '\u001f', '\ud800', '\uffff']) expect(codeOf(() => serializeHeader(withName(bad)))).toBe('MRD_ERR_XML_CHARACTER');
    for (const version of [NaN, Infinity, 1.5, 2 ** 53]) {
      expect(codeOf(() => serializeHeader({ ...smallHeader(), version }))).toBe('MRD_ERR_HEADER_VALUE');
    }
  });
});

const golden = new URL('../../../shared/data/golden/', import.meta.url);
const captures = existsSync(golden) ? readdirSync(golden).filter((name) => name.endsWith('.bin')) : [];

describe.runIf(captures.length > 0)('headers of third-party programs', () => {
  const found = captures.flatMap((name) => {
    const text = readFileSync(new URL(name, golden)).toString('latin1');
    const end = text.indexOf('</ismrmrdHeader>');
    const start = Math.max(text.lastIndexOf('<?xml', end), text.lastIndexOf('<ismrmrdHeader', end));
    const from = text.lastIndexOf('<?xml', start) >= 0 ? text.lastIndexOf('<?xml', end) : start;
    return end < 0 ? [] : [{ name, xml: Buffer.from(text.slice(from, end + 16), 'latin1').toString('utf8') }];
  });

  it.each(found)('$name is read, written validly and read alike', async ({ xml }) => {
    const header = parseHeader(xml);
    expect(header.encoding.length).toBeGreaterThan(0);
    expect(header.unknown).toBeUndefined();
    const again = serializeHeader(header);
    expect(parseHeader(again)).toEqual(header);
    expect(await schemaErrors(again)).toEqual([]);
  });
});
