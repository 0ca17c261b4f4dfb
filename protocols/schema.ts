/**
 * What an exam protocol is: one JSON file an exam. This schema checks the files, types the program and is
 * what `conus protocols schema` and docs/protocols.md are made from. Unknown keys are refused.
 */
import { z } from 'zod';

const ms = z.number().positive().max(60_000);
const mm = z.number().positive().max(2_000);
const identifier = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens').max(64);
const text = (longest: number) => z.string().trim().min(1).max(longest);
/** [smallest, largest] */
const range = z
  .tuple([z.number().min(0), z.number().min(0)])
  .refine(([smallest, largest]) => smallest <= largest, 'must be [smallest, largest]');

const contrasts = ['t1w', 't2w', 'pdw', 'stir', 't2fs', 't2star', 'dixon', 'localizer'] as const;
const orientations = ['sagittal', 'axial', 'coronal'] as const;
const axes = ['leftRight', 'anteriorPosterior', 'headFeet'] as const;
const discs = [
  'C2-C3', 'C3-C4', 'C4-C5', 'C5-C6', 'C6-C7', 'C7-T1', 'T1-T2', 'T2-T3', 'T3-T4', 'T4-T5', 'T5-T6', 'T6-T7', 'T7-T8', 'T8-T9', 'T9-T10',
  'T10-T11', 'T11-T12', 'T12-L1', 'L1-L2', 'L2-L3', 'L3-L4', 'L4-L5', 'L5-S1',
] as const;

const trMs = ms.describe('repetition time');
const flipAngleDeg = z.number().positive().max(180);
const fatSuppression = z
  .enum(['none', 'spectral'])
  .default('none')
  .describe('spectral: a frequency-selective saturation of fat before each excitation');
const bandwidthHzPerPixel = z.number().positive().max(5_000).describe('receiver bandwidth of one pixel: 1 / duration of the readout');

const echoTrain = {
  trMs,
  teMs: ms.describe('effective echo time: of the echo that fills the centre of k-space'),
  echoTrainLength: z.int().min(1).max(256).describe('echoes after one excitation'),
  echoSpacingMs: ms.describe('time between two echoes'),
  flipAngleDeg: flipAngleDeg.default(90).describe('of the excitation'),
  refocusingAngleDeg: flipAngleDeg.default(180).describe('of every refocusing pulse'),
  fatSuppression,
  bandwidthHzPerPixel,
};

const tse = z.strictObject({ kind: z.literal('tse').describe('fast (turbo) spin echo'), ...echoTrain });
const stirTse = z.strictObject({
  kind: z.literal('stirTse').describe('inversion recovery before a fast spin echo'),
  tiMs: z
    .union([ms, z.literal('auto')])
    .default('auto')
    .describe('inversion time; auto: the null of fat at this field strength and repetition time'),
  ...echoTrain,
});
const spoiledGre = z.strictObject({
  kind: z.literal('spoiledGre').describe('spoiled gradient echo, multislice'),
  trMs,
  teMs: ms.describe('echo time'),
  flipAngleDeg: flipAngleDeg.describe('of the excitation'),
  fatSuppression,
  bandwidthHzPerPixel,
});
const dixonGre = z.strictObject({
  kind: z.literal('dixonGre').describe('spoiled gradient echo with several echoes, for water and fat'),
  trMs,
  teMs: z.array(ms).min(2).max(12).describe('echo times, ascending'),
  flipAngleDeg: flipAngleDeg.describe('of the excitation'),
  bandwidthHzPerPixel,
});

const sequence = z
  .discriminatedUnion('kind', [tse, stirTse, spoiledGre, dixonGre])
  .describe('how magnetisation is prepared and read');

const pair = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({ readout: item.describe('along the readout'), phase: item.describe('along the phase encoding, before phaseFov') });

const geometry = z.strictObject({
  orientation: z.enum(orientations).describe('plane of the slices, before the tilt'),
  readout: z.enum(axes).describe('axis of the readout; the phase encoding runs along the other axis of the plane'),
  tiltDeg: z
    .strictObject({
      leftRight: z.number().min(-90).max(90).default(0).describe('about the axis to the left (x)'),
      anteriorPosterior: z.number().min(-90).max(90).default(0).describe('about the axis to posterior (y)'),
      headFeet: z.number().min(-90).max(90).default(0).describe('about the axis to the head (z)'),
    })
    .prefault({})
    .describe('right-handed turns of the stack, about x, then y, then z; two of them at most'),
  centreMm: z
    .tuple([z.number(), z.number(), z.number()])
    .default([0, 0, 0])
    .describe('centre of the stack from the middle of the region, LPS: left, posterior, head'),
  discLevels: z
    .array(z.enum(discs))
    .min(1)
    .optional()
    .describe('axial only: one block of slices at each of these discs, parallel to it; the block is placed and tilted by the disc'),
  fovMm: pair(mm).describe('field of view'),
  matrix: pair(z.int().min(16).max(2048)).describe('pixels'),
  phaseFov: z.number().min(0.25).max(1).default(1).describe('part of the field of view, and of the pixels, that is kept along the phase encoding'),
  phaseResolution: z
    .number()
    .min(0.25)
    .max(1.5)
    .default(1)
    .describe('measured lines as a fraction of what the pixels along the phase encoding ask for'),
  phaseOversampling: z.number().min(0).max(2).default(0).describe('further field of view along the phase encoding, encoded and cut off, as a fraction'),
  readoutOversampling: z.literal([1, 2]).default(2).describe('samples a pixel along the readout'),
  slices: z
    .strictObject({
      count: z.int().min(1).max(256).describe('slices of the stack, or of the block at each disc'),
      thicknessMm: mm.describe('of one slice'),
      gapMm: z.number().min(0).max(500).default(0).describe('between the edges of neighbouring slices'),
      interleaved: z.boolean().default(true).describe('odd slices before even ones, so that neighbours do not saturate each other'),
    })
    .describe('the stack'),
});

const saturationBand = z.strictObject({
  side: z.enum(['anterior', 'posterior', 'left', 'right', 'head', 'feet']).describe('of the stack, on which the band lies'),
  distanceMm: z.number().min(0).max(500).describe('from the centre of the stack to the near edge of the band'),
  thicknessMm: mm.default(80).describe('of the band'),
});

const acceleration = z.strictObject({
  factor: z.int().min(1).max(8).default(1).describe('R: one of R lines is acquired'),
  calibration: z
    .enum(['embedded', 'separate', 'none'])
    .default('none')
    .describe('calibration lines within the scan, from a scan of their own before it, or none'),
  calibrationLines: z.int().min(0).max(256).default(0).describe('lines about the centre of k-space that are acquired without gaps'),
});

const recognition = z.strictObject({
  namePatterns: z
    .array(text(64))
    .default([])
    .describe('series descriptions, upper or lower case, with * for any text; one of them is enough; ignored where the series has no name'),
  orientation: z.enum(orientations).optional().describe('plane nearest to the slices'),
  contrast: z.enum(contrasts).optional().describe('contrast, where the source tells it'),
  trMs: range.optional().describe('smallest and largest repetition time'),
  teMs: range.optional().describe('smallest and largest (effective) echo time'),
  tiMs: range.optional().describe('smallest and largest inversion time'),
  inversion: z.boolean().optional().describe('whether there is an inversion'),
});

const chain = z.strictObject({
  chain: text(64).optional().describe('name of a chain (docs/cli.md, Chains)'),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('reconstruction parameters (docs/cli.md, Parameters)'),
});

const series = z.strictObject({
  id: identifier.describe('name of the series within the protocol'),
  role: z.enum(contrasts).describe('what the series is for'),
  seriesDescription: text(64).describe('as it appears in the archive'),
  sequence,
  geometry: geometry.describe('where the slices lie, and how they are encoded'),
  averages: z.int().min(1).max(16).default(1).describe('how often every line is acquired'),
  concatenations: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe('in how many runs the slices are acquired; by default as many as the repetition time asks for'),
  acceleration: acceleration.prefault({}).describe('parallel imaging along the phase encoding'),
  partialFourier: z
    .enum(['5/8', '6/8', '7/8', '1'])
    .default('1')
    .describe('part of k-space that is acquired along the phase encoding; the first lines are left out'),
  echoFraction: z
    .number()
    .min(0.55)
    .max(1)
    .default(1)
    .describe('part of the readout that is acquired; below 1 the echo is asymmetric and the first samples are left out'),
  saturation: z
    .array(saturationBand)
    .max(8)
    .default([])
    .describe('bands outside the spine whose signal is saturated before each excitation, against what moves there'),
  dummies: z.int().min(0).max(32).default(0).describe('repetitions before the data, towards the steady state, in each concatenation'),
  recognise: recognition.prefault({}).describe('how the series is known when it comes from a scanner: every rule that is given must hold'),
  chain: chain.optional().describe('over the chain of the exam, for this series'),
  notes: text(2_000).optional().describe('for the reader'),
});

const synthesis = z.strictObject({
  id: identifier.optional().describe('name within the protocol; by default syn- and the contrast'),
  contrast: z.enum(['stir', 't2fs', 'pdfs', 't1fs', 'ct']).describe('contrast that is computed and not scanned'),
  fromSeries: z
    .array(identifier)
    .min(1)
    .describe('ids of the series that it is computed from: one of role t1w and one of role t2w; one of role dixon or t2fs helps where it is scanned'),
  seriesDescription: text(64).optional().describe('by default SYN and the contrast'),
  trMs: ms.optional().describe('repetition time of the contrast; by default 4500 (stir), 3500 (t2fs), 3000 (pdfs), 600 (t1fs)'),
  teMs: ms.optional().describe('echo time of the contrast; by default 60 (stir), 80 (t2fs), 30 (pdfs), 10 (t1fs)'),
  tiMs: z.union([ms, z.literal('auto')]).optional().describe('inversion time of stir; auto, the default: the null of fat'),
  echoTrainLength: z.int().min(1).max(256).optional().describe('echoes after one excitation; by default 16, of t1fs 3'),
  echoSpacingMs: ms.optional().describe('time between two echoes; by default 10'),
  refocusingAngleDeg: flipAngleDeg.default(180).describe('of every refocusing pulse'),
  output: z.enum(['magnitude', 'real']).default('magnitude').describe('real: stir with the sign of what the inversion has left negative'),
  deliverRed: z
    .boolean()
    .default(false)
    .describe('deliver the series also where its quality light is red; else the exam tells why there is none'),
  optional: z.boolean().default(true).describe('whether the operator may switch it off for an exam'),
});

const analysis = z.strictObject({
  task: z.enum(['structures', 'measurements', 'grades']).describe('what the analysis makes'),
  fromSeries: z.array(identifier).min(1).describe('ids of the series that it is made from'),
});

const action = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('deliver').describe('to archives and other nodes'),
      destinations: z.array(identifier).min(1).describe('names of destinations of the configuration'),
    }),
    z.strictObject({
      kind: z.literal('notify').describe('tell whoever looks on: an event of the live channel and a line of the log'),
      message: text(200).describe('what is told; nothing of a patient'),
    }),
  ])
  .describe('what happens');

const completion = z.strictObject({
  series: z.array(identifier).min(1).describe('ids of series and of syntheses; all of them have to be complete'),
  actions: z.array(action).min(1).describe('what happens then, once an exam'),
});

const deadlines = z
  .strictObject({
    lateAfterMin: z.number().min(0).max(1_440).default(10).describe('a series is late so many minutes after its turn in the protocol is over'),
    missingAfterMin: z.number().min(0).max(1_440).default(60).describe('and is missing after so many: what waits for it is given up until it comes'),
  })
  .refine(({ lateAfterMin, missingAfterMin }) => lateAfterMin <= missingAfterMin, 'must be late before it is missing');

const percent = z.number().min(0).max(100);

const operator = z.strictObject({
  denoisePercent: z
    .strictObject({
      least: percent.default(0).describe('smallest strength of denoising'),
      most: percent.default(100).describe('largest strength of denoising'),
    })
    .refine(({ least, most }) => least <= most, 'must have a least that is not above most')
    .prefault({})
    .describe('how strongly the operator may have series denoised; what chain asks for is not bound by it'),
});

export const protocolSchema = z
  .strictObject({
    name: identifier.describe('name of the protocol, and of its file'),
    title: text(128).describe('for the operator'),
    bodyPart: z.enum(['CSPINE', 'TSPINE', 'LSPINE', 'TLSPINE', 'SPINE']).describe('DICOM Body Part Examined'),
    region: z.enum(['lumbar', 'thoracolumbar', 'cervical', 'whole']).describe('part of the spine'),
    fieldStrengthT: z.literal([1.5, 3]).describe('field strength that the parameters are meant for'),
    coil: z.strictObject({ nChannels: z.int().min(1).max(256).describe('receiver channels') }).describe('receive coil'),
    basedOn: identifier.optional().describe('protocol that this one is a variant of, and is compared with'),
    source: z.array(text(1_000)).min(1).describe('where the choice of parameters was published'),
    notes: text(2_000).optional().describe('for the reader'),
    preparation: z
      .strictObject({
        adjustmentsS: z.number().min(0).max(600).default(10).describe('shim, frequency, gains and gradient ramps before each series'),
        noiseScanS: z.number().min(0).max(60).default(1).describe('noise scan of each series'),
      })
      .prefault({})
      .describe('what every series takes before its own lines'),
    series: z.array(series).min(1).max(64).describe('what is scanned, in order'),
    chain: chain.optional().describe('reconstruction, the same names as in a config text; a client that asks for another thing gets that'),
    operator: operator.prefault({}).describe('what whoever is at the scanner may choose'),
    synthesise: z.array(synthesis).default([]).describe('what is computed instead of scanned'),
    analyse: z.array(analysis).default([]).describe('what is made from the images'),
    deadlines: deadlines.prefault({}).describe('when a series that has not come is late, and when it is missing'),
    whenComplete: z
      .array(completion)
      .default([])
      .describe('what happens when which series are complete; synthesise and analyse begin by themselves when theirs are'),
  })
  .describe('an exam protocol of Conus');

/** Checks one series by itself. */
export const seriesSchema = series;

/** A protocol with every default filled in. */
export type Protocol = z.output<typeof protocolSchema>;
/** What an author writes: defaults may be left out. */
export type ProtocolSource = z.input<typeof protocolSchema>;
export type Series = Protocol['series'][number];
export type SeriesSource = ProtocolSource['series'][number];
export type Sequence = Series['sequence'];
export type SequenceKind = Sequence['kind'];
export type EchoTrainSequence = Extract<Sequence, { kind: 'tse' | 'stirTse' }>;
export type GradientEchoSequence = Extract<Sequence, { kind: 'spoiledGre' | 'dixonGre' }>;
export type SaturationBand = Series['saturation'][number];
export type SeriesGeometry = Series['geometry'];
export type SeriesRole = Series['role'];
export type Orientation = SeriesGeometry['orientation'];
export type AnatomicalAxis = SeriesGeometry['readout'];
export type DiscLevel = NonNullable<SeriesGeometry['discLevels']>[number];
export type RecognitionRules = Series['recognise'];
export type Synthesis = Protocol['synthesise'][number];
export type Analysis = Protocol['analyse'][number];
export type Completion = Protocol['whenComplete'][number];

/** What a synthesised series is called where series are named by their ids. */
export const synthesisId = ({ id, contrast }: Pick<Synthesis, 'id' | 'contrast'>): string => id ?? `syn-${contrast}`;

/** The JSON Schema (draft 2020-12) of what an author writes. */
export function protocolJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(protocolSchema, { io: 'input' });
}
