/**
 * Every parameter of a session, once: this schema checks `--set`, the JSON of clients and the
 * header's user parameters, and is what `conus explain` and docs/cli.md are made from.
 */
import { z } from 'zod';
import { defaultReconParameters as defaults } from '../../recon/index.js';
import { chainError } from './errors.js';

// The command line and OpenRecon send numbers and truth values as text ("5", "False").
const number = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    (value) => (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : value),
    schema,
  );
const truth = z.preprocess((value) => {
  if (typeof value !== 'string') return value;
  const word = value.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : value;
}, z.boolean());

const lightFallback = number(z.union([z.enum(['deliver', 'end']), z.int().min(1).max(100)]));

const schema = z.object({
  combine: z
    .enum(['auto', 'maps', 'rss'])
    .default(defaults.combine)
    .describe('coil combination; auto: coil maps where there are calibration data, else root-sum-of-squares'),
  unalias: z
    .enum(['auto', 'grappa', 'sense', 'l1', 'none'])
    .default(defaults.unalias)
    .describe('how missing lines are found; sense: CG-SENSE; l1: compressed sensing, SENSE with wavelets; auto: GRAPPA where it applies'),
  coilMapMethod: z
    .enum(['auto', 'walsh', 'inati', 'espirit'])
    .default(defaults.coilMapMethod)
    .describe('how coil maps are estimated; auto: espirit for sense and l1, else walsh'),
  espiritSets: number(z.union([z.enum(['auto']), z.int().min(1).max(2)]))
    .default(defaults.espiritSets)
    .describe('sets of ESPIRiT maps of sense and l1; auto: two where the eigenvalues say that the field of view is smaller than the object'),
  kernelReadout: number(z.int().min(1).max(15).refine(isOdd, 'must be odd'))
    .default(defaults.kernelReadout)
    .describe('GRAPPA kernel extent along the readout, samples, odd'),
  kernelPhase: number(z.int().min(2).max(8).refine(isEven, 'must be even'))
    .default(defaults.kernelPhase)
    .describe('GRAPPA kernel extent along the phase encoding, acquired lines, even'),
  kernelSlice: number(z.int().min(2).max(6).refine(isEven, 'must be even'))
    .default(defaults.kernelSlice)
    .describe('GRAPPA kernel extent along the partitions of a 3D scan, acquired ones, even'),
  grappaRegularization: number(z.number().min(0).max(1))
    .default(defaults.grappaRegularization)
    .describe('Tikhonov weight, as a fraction of the mean diagonal of the Gram matrix'),
  senseRegularization: number(z.number().min(0).max(1))
    .default(defaults.senseRegularization)
    .describe('Tikhonov weight of sense; 1 is that of the data of a fully sampled scan'),
  senseIterations: number(z.int().min(1).max(200))
    .default(defaults.senseIterations)
    .describe('conjugate-gradient iterations of sense'),
  l1Regularization: number(z.number().min(0).max(100))
    .default(defaults.l1Regularization)
    .describe("weight of the wavelets' l1 norm of l1, in standard deviations of the noise"),
  l1Iterations: number(z.int().min(1).max(1000))
    .default(defaults.l1Iterations)
    .describe('iterations of l1'),
  keepCalibrationLines: truth
    .default(defaults.keepCalibrationLines)
    .describe('measured calibration lines replace the synthesised ones'),
  prewhiten: truth.default(defaults.prewhiten).describe('whiten the coils with the noise readouts, where there are any'),
  coilCompression: number(z.union([z.enum(['auto', 'off']), z.int().min(1).max(256)]))
    .default(defaults.coilCompression)
    .describe('virtual coils in place of many: off, a number, or auto, which takes as many as coilCompressionEnergy asks for where there are more than 16 coils'),
  coilCompressionEnergy: number(z.number().min(0.5).max(1))
    .default(defaults.coilCompressionEnergy)
    .describe("part of the signal's energy that virtual coils hold"),
  partialFourier: z
    .enum(['auto', 'zeroFill', 'homodyne', 'pocs'])
    .default(defaults.partialFourier)
    .describe('how k-space that partial Fourier or an asymmetric echo left out is completed; auto: by how smooth the phase of the first image is'),
  rawFilter: z
    .enum(['none', 'hann', 'gaussian'])
    .default(defaults.rawFilter)
    .describe('window that k-space is multiplied with; less noise and ringing, less resolution'),
  rawFilterStrength: number(z.number().min(0).max(1))
    .default(defaults.rawFilterStrength)
    .describe('how much of the raw filter'),
  gibbsRemoval: truth.default(defaults.gibbsRemoval).describe('take Gibbs ringing out, by local subvoxel shifts'),
  intensityCorrection: z
    .enum(['off', 'auto', 'scan', 'estimate'])
    .default(defaults.intensityCorrection)
    .describe("even out the intensity that the array's coils give; scan: by a surface-coil reference scan (flag 29); estimate: by what varies smoothly in the image; auto: by the scan where there is one"),
  denoise: number(z.number().min(0).max(100))
    .default(defaults.denoise)
    .describe('how much of the denoised image a second series shows, per cent; 0: there is none'),
  denoiseDataConsistency: z
    .enum(['auto', 'on', 'off'])
    .default(defaults.denoiseDataConsistency)
    .describe('put the measured lines back into the denoised image; auto: in 2D GRAPPA scans from R = 3 on, where that was found to help'),
  denoiseModel: z
    .string()
    .max(64)
    .default('')
    .describe('id of the model that denoises; empty: the first one that is in order'),
  onAmber: lightFallback
    .default(defaults.onAmber)
    .describe('what becomes of a denoised image whose quality light is amber; deliver: it goes out with its light; a number: so many per cent of it at most, and of those after it, in a series of their own; end: the denoised series ends before it, the conventional image stands alone'),
  onRed: lightFallback.default(defaults.onRed).describe('the same where the light is red'),
  residualMap: truth.default(defaults.residualMap).describe('deliver what denoising took out of each slice, at full strength, as a further series'),
  gFactorMap: truth.default(defaults.gFactorMap).describe('deliver a g-factor map of each slice as a further series'),
  noiseMap: truth.default(defaults.noiseMap).describe('deliver a noise map of each slice as a further series'),
  snrMap: truth.default(defaults.snrMap).describe('deliver an SNR map of each slice as a further series: image over noise map'),
  coilMaps: truth.default(defaults.coilMaps).describe('deliver the coil maps of each slice as a further series, one image a coil'),
  psf: truth.default(defaults.psf).describe('deliver the point-spread function of each slice, at the centre of the image, as a further series'),
  pixelType: z
    .enum(['uint16', 'int16', 'float32', 'complex64'])
    .default('uint16')
    .describe('pixels of the delivered images; integers with one recorded scale a series'),
  sendOriginal: truth
    .default(true)
    .describe('deliver the conventional series beside a processed one; delivered always where there is no other'),
  seriesDescription: z
    .string()
    .max(64)
    .default('')
    .describe("series description in place of the header's protocol name"),
});

function isOdd(value: number): boolean {
  return value % 2 === 1;
}
function isEven(value: number): boolean {
  return value % 2 === 0;
}

export type Parameters = z.output<typeof schema>;
export type ParameterName = keyof Parameters;

/** The ways to fill missing lines that can be asked for by name. */
export const unaliasMethods = schema.shape.unalias.unwrap().options.filter((name) => name !== 'auto' && name !== 'none');
export type UnaliasMethod = (typeof unaliasMethods)[number];

export const defaultParameters: Parameters = schema.parse({});

export function isParameterName(name: string): name is ParameterName {
  return Object.hasOwn(schema.shape, name);
}

/**
 * @param value as it came: JSON, or text of the command line
 * @param source where it came from, for the error
 * @throws CodedError CONUS_ERR_PARAMETER
 */
export function parseParameter<Name extends ParameterName>(name: Name, value: unknown, source: string): Parameters[Name] {
  const result = schema.shape[name].safeParse(value);
  if (result.success) return result.data as Parameters[Name];
  const shown = JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
  const reason = result.error.issues[0]?.message ?? 'not valid';
  throw chainError('CONUS_ERR_PARAMETER', `${name} = ${shown} from ${source} (${reason})`);
}

/** One row of the documentation. */
export interface ParameterFacts {
  readonly name: ParameterName;
  readonly values: string;
  readonly default: string;
  readonly description: string;
}

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
}

function valuesOf({ type, enum: names, anyOf, minimum, maximum }: JsonSchema): string {
  if (anyOf !== undefined) return anyOf.map(valuesOf).join(', ');
  if (names !== undefined) return names.join(', ');
  return minimum === undefined ? String(type) : `${type} ${minimum} to ${maximum}`;
}

/** Every parameter as the documentation lists it, from the schema itself. */
export function parameterFacts(): ParameterFacts[] {
  const json = z.toJSONSchema(schema, { io: 'output' }) as { properties: Record<ParameterName, JsonSchema> };
  return (Object.keys(schema.shape) as ParameterName[]).map((name) => {
    const facts = json.properties[name];
    return {
      name,
      values: valuesOf(facts),
      default: facts.default === '' ? '(none)' : String(facts.default),
      description: facts.description ?? '',
    };
  });
}
