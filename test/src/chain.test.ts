import { parseHeader } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { ChainChoice, CHAINS, chainNamed, defaultParameters, knownConfigNames, parameterFacts, parseConfigText, parseParameter } from '../../src/chain/index.js';
import type { ParameterName } from '../../src/chain/index.js';
import { headerXml } from './streams.js';

describe('config names', () => {
  it.each([
    ['default', 'default'], ['default.xml', 'default'], ['DEFAULT.XML', 'default'],
    ['grappa', 'grappa'], ['grappa.xml', 'grappa'], ['Generic_Cartesian_Grappa.xml', 'grappa'],
    ['simplefft', 'simplefft'], ['openrecon', 'openrecon'], ['null', 'null'], ['savedataonly', 'savedataonly'],
    ['invertcontrast', 'invertcontrast'], ['gtquery.xml', 'dependencies'],
  ])('%s is the chain %s', (name, chain) => {
    expect(chainNamed(name).name).toBe(chain);
  });

  it.each(['does_not_exist.xml', '../../etc/passwd', '/opt/chains/default.xml', 'default.xml/..', '', 'constructor', '__proto__'])(
    '%j is refused with the list of the known ones',
    (name) => {
      expect(() => chainNamed(name)).toThrow(/CONUS_ERR_UNKNOWN_CONFIG.*grappa\.xml/);
    },
  );

  it('no two chains share a name', () => {
    const names = knownConfigNames.map((name) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(CHAINS.every(({ name }) => names.includes(name))).toBe(true);
  });
});

describe('config texts', () => {
  it.each([
    ['grappa', 'grappa', {}],
    ['{"chain":"grappa.xml","parameters":{"combine":"rss"}}', 'grappa', { combine: 'rss' }],
    ['{}', 'default', {}],
    ['<?xml version="1.0"?><config name="grappa"><property name="kernel" value="5x4"/></config>', 'grappa', {}],
    [
      '<gadgetronStreamConfiguration><gadget><classname>NoiseAdjustGadget</classname></gadget>' +
        '<gadget><classname>GenericReconCartesianGrappaGadget</classname>' +
        '<property><name>grappa_kSize_RO</name><value>7</value></property></gadget></gadgetronStreamConfiguration>',
      'grappa',
      { kernelReadout: '7' },
    ],
    ['<c><!-- <classname>MysteryGadget</classname> --><classname>SimpleReconGadget</classname></c>', 'default', {}],
  ])('%s', (text, chain, parameters) => {
    expect(parseConfigText(text)).toMatchObject({ chain, parameters });
  });

  it.each([
    ['{"chain":', 'CONUS_ERR_CONFIG_TEXT'],
    ['{"chain":7}', 'CONUS_ERR_CONFIG_TEXT'],
    ['{"chain":"nonesuch"}', 'CONUS_ERR_UNKNOWN_CONFIG'],
    ['<c><classname>PythonGadget</classname></c>', 'CONUS_ERR_CONFIG_TEXT'],
    ['<c/>', 'CONUS_ERR_CONFIG_TEXT'],
    ['nonesuch', 'CONUS_ERR_UNKNOWN_CONFIG'],
  ])('%s is refused with %s', (text, code) => {
    expect(() => parseConfigText(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe('parameters', () => {
  it('every default is a value of its own parameter, given as such or as text', () => {
    for (const [name, value] of Object.entries(defaultParameters) as [ParameterName, unknown][]) {
      expect(parseParameter(name, value, 'test')).toBe(value);
      expect(parseParameter(name, String(value), 'test')).toBe(value);
    }
  });

  it.each<[ParameterName, unknown]>([
    ['combine', 'RSS'], ['kernelReadout', 4], ['kernelReadout', '5.5'], ['kernelReadout', ''], ['kernelPhase', 3], ['kernelPhase', null],
    ['grappaRegularization', -1], ['grappaRegularization', 'NaN'], ['grappaRegularization', 'Infinity'],
    ['prewhiten', 'yes'], ['prewhiten', 1], ['pixelType', 'int32'], ['seriesDescription', 'x'.repeat(65)],
  ])('%s refuses %j', (name, value) => {
    expect(() => parseParameter(name, value, 'test')).toThrow(expect.objectContaining({ code: 'CONUS_ERR_PARAMETER' }));
  });

  it('takes truth values as OpenRecon writes them', () => {
    expect(parseParameter('sendOriginal', 'False', 'test')).toBe(false);
    expect(parseParameter('sendOriginal', 'True', 'test')).toBe(true);
  });

  it('every one is documented', () => {
    expect(parameterFacts().map(({ name }) => name)).toEqual(Object.keys(defaultParameters));
    expect(parameterFacts().every(({ values, description }) => values !== '' && description !== '')).toBe(true);
  });
});

describe('the choice', () => {
  const withUserParameter = (name: string, value: string) =>
    parseHeader(
      headerXml().replace(
        '</ismrmrdHeader>',
        `<userParameters><userParameterString><name>${name}</name><value>${value}</value></userParameterString></userParameters></ismrmrdHeader>`,
      ),
    );

  it('lets later sources win, and says which one did', () => {
    const choice = new ChainChoice({ overrides: { noiseMap: 'true' } });
    choice.configText('{"chain":"simplefft","parameters":{"kernelPhase":6,"pixelType":"float32"}}');
    choice.header(withUserParameter('pixelType', 'int16'));
    choice.text('{"parameters":{"kernelPhase":"2","noiseMap":false}}');
    const { parameters, decisions } = choice.choose();
    expect(parameters).toMatchObject({ combine: 'rss', kernelPhase: 2, pixelType: 'float32', noiseMap: true, kernelReadout: 5 });
    const sourceOf = (what: string) => decisions.find((decision) => decision.what === what)?.source;
    expect(sourceOf('combine')).toBe('chain simplefft');
    expect(sourceOf('kernelPhase')).toContain('TEXT');
    expect(sourceOf('pixelType')).toContain('CONFIG_TEXT');
    expect(sourceOf('noiseMap')).toBe('--set noiseMap');
    expect(sourceOf('kernelReadout')).toBe('default');
  });

  it('takes parameters from the header, and leaves those of other systems alone', () => {
    const choice = new ChainChoice();
    choice.configFile('openrecon');
    choice.header(withUserParameter('combine', 'rss'));
    choice.header(withUserParameter('MysteryScannerSetting', 'rss'));
    expect(choice.choose()).toMatchObject({ parameters: { combine: 'rss', pixelType: 'int16' }, notices: [] });
    expect(() => choice.header(withUserParameter('combine', 'average'))).toThrow(/CONUS_ERR_PARAMETER/);
  });

  it('follows the chain that the JSON of FIRE names, customconfig before config', () => {
    const choice = new ChainChoice();
    choice.configFile('openrecon');
    expect(choice.text('{"version":"1.1.0","parameters":{"config":"simplefft","customconfig":"","options":""}}')).toEqual([]);
    expect(choice.chain.name).toBe('simplefft');
    choice.text('{"version":"1.1.0","parameters":{"config":"simplefft","customconfig":"grappa"}}');
    expect(choice.chain.name).toBe('grappa');
    expect(() => choice.text('{"parameters":{"config":"nonesuch"}}')).toThrow(/CONUS_ERR_UNKNOWN_CONFIG/);
  });

  it('remarks on unknown names and broken JSON, and takes other text as text', () => {
    const choice = new ChainChoice();
    expect(choice.text('{"parameters":{"colour":"red","combine":"rss"}}')).toMatchObject([{ code: 'CONUS_WARN_UNKNOWN_PARAMETER', message: expect.stringContaining('colour') as string }]);
    expect(choice.text('{"parameters"')).toMatchObject([{ code: 'CONUS_WARN_TEXT_IGNORED' }]);
    expect(choice.text('hello')).toEqual([]);
    expect(choice.choose().parameters.combine).toBe('rss');
  });

  it('remarks when there is no processed series to send alone, and that nothing is inverted', () => {
    const choice = new ChainChoice();
    choice.configFile('invertcontrast');
    choice.text('{"parameters":{"sendOriginal":"False"}}');
    expect(choice.choose().notices.map(({ code }) => code)).toEqual(['CONUS_WARN_NOT_INVERTED', 'CONUS_WARN_NO_PROCESSED_SERIES']);
  });

  it('lets the protocol of the exam go before the client and the operator behind it, each with its reason', () => {
    const guidance = {
      protocol: { chain: 'grappa', parameters: { denoise: 40, kernelPhase: 6, noiseMap: true }, source: 'protocol short' },
      operator: { denoisePercent: 60, because: 'the operator chose it', source: 'console, Ann at noon' },
    };
    const choice = new ChainChoice({ overrides: { noiseMap: 'false' } });
    choice.configFile('default');
    choice.text('{"parameters":{"denoise":10,"kernelPhase":2}}');
    choice.guided(guidance);
    const { chain, parameters, decisions, notices } = choice.choose();
    const decisionOn = (what: string) => decisions.find((decision) => decision.what === what);
    expect(chain.name).toBe('grappa');
    expect(decisionOn('chain')).toMatchObject({ source: 'protocol short', origin: 'protocol' });
    expect(parameters).toMatchObject({ denoise: 60, kernelPhase: 2, noiseMap: false, kernelReadout: 5 });
    expect(decisionOn('denoise')).toMatchObject({ because: 'the operator chose it', source: 'console, Ann at noon', origin: 'operator' });
    expect(notices).toMatchObject([{ code: 'CONUS_WARN_OPERATOR_STRENGTH', message: expect.stringMatching(/10 of TEXT message.* 60 of the console, Ann/) as string }]);

    const asked = new ChainChoice({ overrides: { denoise: '5' } });
    asked.configFile('simplefft');
    asked.text('{"parameters":{"denoise":10}}');
    asked.guided(guidance);
    expect(asked.choose()).toMatchObject({ chain: { name: 'simplefft' }, parameters: { denoise: 5 }, notices: [] });
    const quiet = new ChainChoice();
    quiet.guided({ protocol: { parameters: { denoise: 40 }, source: 'protocol short' } });
    expect(quiet.choose().decisions.find(({ what }) => what === 'denoise')).toMatchObject({ value: '40', origin: 'protocol', source: 'protocol short' });
  });

  it('a chain of the command line wins over every config', () => {
    const choice = new ChainChoice({ chain: 'simplefft' });
    choice.configFile('nonesuch');
    choice.text('{"parameters":{"config":"grappa"}}');
    expect(choice.chain.name).toBe('simplefft');
  });

  it('refuses options of the command line that do not exist', () => {
    expect(() => new ChainChoice({ overrides: { colour: 'red' } })).toThrow(/CONUS_ERR_PARAMETER/);
    expect(() => new ChainChoice({ chain: 'nonesuch' })).toThrow(/CONUS_ERR_UNKNOWN_CONFIG/);
  });
});
