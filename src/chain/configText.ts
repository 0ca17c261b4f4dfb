/**
 * A configuration sent as text (CONFIG_TEXT), in the three forms that clients send: a chain's name,
 * our JSON `{"chain": "grappa", "parameters": {"combine": "rss"}}`, or XML. XML is a Gadgetron stream
 * configuration, known by its gadgets, or an element with the name of a chain.
 */
import { z } from 'zod';
import { chainNamed } from './chains.js';
import { chainError } from './errors.js';

export interface ConfigText {
  readonly chain: string;
  /** What in the text named the chain. */
  readonly because: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

const jsonConfig = z.object({
  chain: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).default({}),
});

/** Gadgets that decide which chain a Gadgetron configuration is. */
const reconstructingGadgets: ReadonlyMap<string, string> = new Map([
  ['GenericReconCartesianGrappaGadget', 'grappa'],
  ['GrappaGadget', 'grappa'],
  ['SimpleReconGadget', 'default'],
  ['FFTGadget', 'default'],
]);

/** Gadgets whose work every chain here does, so that leaving them to it changes nothing. */
const coveredGadgets: ReadonlySet<string> = new Set([
  ...reconstructingGadgets.keys(),
  'NoiseAdjustGadget',
  'AsymmetricEchoAdjustROGadget',
  'RemoveROOversamplingGadget',
  'AcquisitionAccumulateTriggerGadget',
  'BucketToBufferGadget',
  'GenericReconCartesianReferencePrepGadget',
  'GrappaUnmixingGadget',
  'CombineGadget',
  'CropAndCombineGadget',
  'ExtractGadget',
  'ComplexToFloatGadget',
  'AutoScaleGadget',
  'FloatToUShortGadget',
  'ImageArraySplitGadget',
  'ImageArraySendMixin',
  'ImageFinishGadget',
]);

const gadgetronParameters: ReadonlyMap<string, string> = new Map([
  ['grappa_kSize_RO', 'kernelReadout'],
  ['grappa_kSize_E1', 'kernelPhase'],
  ['grappa_reg_lamda', 'grappaRegularization'],
]);

/** @throws CodedError CONUS_ERR_CONFIG_TEXT, CONUS_ERR_UNKNOWN_CONFIG */
export function parseConfigText(text: string): ConfigText {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return fromJson(trimmed);
  if (trimmed.startsWith('<')) return fromXml(trimmed);
  return { chain: chainNamed(trimmed).name, because: `config text ${JSON.stringify(trimmed)}`, parameters: {} };
}

function fromJson(text: string): ConfigText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw chainError('CONUS_ERR_CONFIG_TEXT', 'text that starts with a brace and is not JSON', { cause });
  }
  const result = jsonConfig.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw chainError('CONUS_ERR_CONFIG_TEXT', `JSON with ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { chain = 'default', parameters } = result.data;
  return {
    chain: chainNamed(chain).name,
    because: result.data.chain === undefined ? 'JSON config text without "chain"' : `"chain": ${JSON.stringify(chain)}`,
    parameters,
  };
}

function fromXml(text: string): ConfigText {
  const xml = text.replace(/<!--[\s\S]*?-->/g, '');
  const gadgets = Array.from(xml.matchAll(/<classname>\s*([^<]*?)\s*<\/classname>/g), (match) => match[1]!);
  const unknown = gadgets.filter((gadget) => !coveredGadgets.has(gadget));
  if (unknown.length > 0) {
    throw chainError('CONUS_ERR_CONFIG_TEXT', `a Gadgetron configuration with gadgets that have no like here: ${unknown.slice(0, 8).join(', ').slice(0, 200)}`);
  }
  const gadget = gadgets.find((name) => reconstructingGadgets.has(name));
  if (gadget !== undefined) {
    return {
      chain: reconstructingGadgets.get(gadget)!,
      because: `the configuration has a ${gadget}`,
      parameters: gadgetProperties(xml),
    };
  }
  const name = /^(?:<\?[^>]*\?>\s*)?<[A-Za-z][^>]*?\sname="([^"]*)"/.exec(xml)?.[1];
  if (name !== undefined) {
    return { chain: chainNamed(name).name, because: `name="${name}" in the config text`, parameters: {} };
  }
  throw chainError('CONUS_ERR_CONFIG_TEXT', 'XML with neither a gadget that reconstructs nor the name of a chain');
}

function gadgetProperties(xml: string): Record<string, unknown> {
  const properties = xml.matchAll(/<name>\s*([^<]*?)\s*<\/name>\s*<value>\s*([^<]*?)\s*<\/value>/g);
  const parameters: Record<string, unknown> = {};
  for (const [, name, value] of properties) {
    const ours = gadgetronParameters.get(name!);
    if (ours !== undefined) parameters[ours] = value;
  }
  return parameters;
}
