/**
 * What a model says of itself: `manifest.json` beside `model.onnx`. This schema checks the files, types the
 * program and is what `conus models schema` and docs/model-manifest.md are made from. Unknown keys are refused.
 */
import { z } from 'zod';
import { modelError } from './errors.js';

const text = (longest: number) => z.string().trim().min(1).max(longest);
/** [smallest, largest] */
const range = z
  .tuple([z.number(), z.number()])
  .refine(([smallest, largest]) => smallest <= largest, 'must be [smallest, largest]');

export const modelTasks = ['denoise-mr', 'denoise-ct', 'synthesis', 'segmentation', 'grading', 'other'] as const;
const contrasts = ['t1w', 't2w', 'pdw', 'stir', 't2fs', 't2star', 'dixon', 'localizer', 'ct'] as const;

const dimension = z.union([z.int().min(1).max(65_536), z.string().regex(/^[a-z][a-zA-Z]*$/, 'must be a number or a name').max(32)]);

const port = z.strictObject({
  shape: z.array(dimension).min(1).max(6).describe('sizes in order; a name for one that may vary, the same wherever the size is the same; n is the number of images'),
  unit: text(64).describe('unit or scale of the values: HU, SNR, the same as another input'),
  meaning: text(500).describe('what it holds, channel by channel'),
});

const metric = z.strictObject({
  name: text(64).describe('what was measured'),
  value: z.number().describe('in its unit'),
  unit: text(32).optional().describe('dB, mm, ms; none for a ratio'),
  measuredOn: text(500).describe('the data, and which of them the model had never seen'),
});

const validatedOn = z.strictObject({
  contrasts: z.array(z.enum(contrasts)).min(1).describe('image contrasts'),
  fieldStrengthsT: z.array(z.number().positive()).default([]).describe('field strengths; none for CT'),
  anatomy: text(200).describe('parts of the body'),
  orientations: z.array(z.enum(['sagittal', 'axial', 'coronal'])).min(1).describe('planes'),
  matrix: range.describe('smallest and largest number of rows or columns'),
  pixelSpacingMm: range.describe('smallest and largest distance of pixels'),
  sliceThicknessMm: range.optional().describe('smallest and largest thickness of slices'),
  snr: range.optional().describe('smallest and largest signal-to-noise ratio of what shows signal'),
  acceleration: range.optional().describe('smallest and largest acceleration factor'),
});

const patch = z
  .strictObject({
    size: z.int().min(16).max(8_192).optional().describe('largest number of rows and of columns in one run; larger images are run in tiles; none: whole images'),
    overlap: z.int().min(0).max(1_024).default(0).describe('rows and columns that neighbouring tiles have in common, at least; they are blended there'),
    multipleOf: z.int().min(1).max(256).default(1).describe('rows and columns are filled up to a multiple of this, by reflection, and cut off again'),
  })
  .refine(({ size, overlap }) => size === undefined || 3 * overlap <= size, 'overlap must be at most a third of size')
  .refine(({ size, multipleOf }) => size === undefined || size % multipleOf === 0, 'size must be a multiple of multipleOf');

export const manifestSchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens').max(64).describe('name of the model, and of its folder'),
    version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be major.minor.patch').describe('goes into every image that the model made'),
    title: text(128).describe('for the operator'),
    licence: text(64).describe('SPDX identifier of the licence of the weights'),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits').describe('of model.onnx'),
    task: z.enum(modelTasks).describe('what the model is asked to do'),
    inputs: z.record(z.string(), port).describe('inputs of the graph by name, all float32'),
    outputs: z.record(z.string(), port).describe('outputs of the graph by name, all float32'),
    patch: patch.prefault({}).describe('sizes that the graph takes along rows and columns'),
    validatedOn: validatedOn.describe('what the model was tried on; images outside are told from it'),
    intendedUse: text(2_000).describe('what it is for, and what it is not for'),
    trainingData: z.array(text(1_000)).min(1).describe('what it was trained on, with licences'),
    metrics: z.array(metric).default([]).describe('what was measured; the card tells more'),
    researchOnly: z.boolean().default(true).describe('whether its images are marked as research'),
    timeoutMs: z.int().min(10).max(600_000).default(10_000).describe('longest time of one run; then its process is ended and started again'),
  })
  .refine(({ inputs, outputs }) => Object.keys(inputs).length > 0 && Object.keys(outputs).length > 0, 'must have inputs and outputs')
  .describe('a model of Conus');

/** A manifest with every default filled in. */
export type Manifest = z.output<typeof manifestSchema>;
export type ModelTask = Manifest['task'];
export type Port = Manifest['inputs'][string];

/** The JSON Schema (draft 2020-12) of what an author writes. */
export function manifestJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(manifestSchema, { io: 'input' });
}

/**
 * @param source text of manifest.json
 * @throws CodedError MODEL_ERR_MANIFEST: everything that is wrong, each with its place
 */
export function parseManifest(source: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (cause) {
    throw modelError('MODEL_ERR_MANIFEST', `no JSON (${(cause as Error).message})`, { cause });
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.map(({ path, message }) => `${path.length === 0 ? 'the manifest' : path.join('.')}: ${message}`);
  throw modelError('MODEL_ERR_MANIFEST', findings.join('; '));
}
