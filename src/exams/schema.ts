/** What is told of an exam, over HTTP and the live channel. The schemas type the program and make the JSON Schemas and the pages. */
import { z } from 'zod';

const time = z.number().describe('ms since 1970');
const optionalTime = time.optional();
const id = z.string().describe('opaque');
const count = z.int().min(0);

const reason = z
  .object({ code: z.string().describe('docs/errors.md'), text: z.string().describe('in words; nothing of the patient') })
  .describe('why it stands as it does');

const delivery = z.object({
  jobId: z.string().describe('of the outbox: one job takes one kind of image to one destination'),
  destination: z.string(),
  state: z.enum(['queued', 'delivered', 'dead']).describe('dead: given up; conus outbox tells more'),
  at: time,
  reason: reason.optional(),
});

const output = z.object({
  kind: z.string().describe('image, denoised, residual, gFactor, noise, snr, coilMap, psf; of syntheses image, low, high, fatFraction, pairResidual'),
  nImages: count,
  nExpected: count.optional(),
  light: z.enum(['green', 'amber', 'red']).optional().describe('of the worst image'),
});

export const seriesSchema = z.object({
  id,
  source: z.enum(['scan', 'dicom', 'synthesis']).describe('reconstructed here from raw data, received as DICOM, or computed from other series'),
  number: z.number().optional(),
  description: z.string().optional(),
  role: z.string().optional().describe('contrast, as far as the rules of the protocol tell'),
  protocolSeries: z.string().optional().describe('id of the series in the protocol'),
  candidates: z.array(z.string()).describe('ids of the series in protocols that it could be'),
  state: z.enum(['scanning', 'reconstructing', 'receiving', 'complete', 'delivered', 'failed']).describe('delivered: complete and at every destination that it was sent to'),
  reason: reason.optional(),
  openedAt: time,
  endedAt: optionalTime,
  lines: z.object({ nAcquired: count, nExpected: count.optional() }).optional().describe('without noise and separate calibration lines'),
  outputs: z.array(output),
  nAttempts: count.describe('sessions that sent it'),
  remarks: z.array(z.string()).describe('codes of what the session said'),
  denoising: z
    .object({
      percent: z.number(),
      origin: z.enum(['default', 'chain', 'protocol', 'header', 'client', 'operator']),
      source: z.string().describe('field, message, option or person that decided'),
    })
    .optional()
    .describe('of a scan: the strength that it was denoised with; 0: not at all'),
  reasons: z.array(reason).optional().describe('of a synthesis: why its light is not green, and what else is to be known'),
  deliveries: z.array(delivery),
  facts: z
    .object({
      modality: z.string().optional(),
      orientation: z.string().optional(),
      trMs: z.number().optional(),
      teMs: z.number().optional(),
      tiMs: z.number().optional(),
      acceleration: z.number().optional(),
      fieldStrengthT: z.number().optional(),
      isSimulated: z.boolean().optional(),
    })
    .describe('what the source told'),
});

export const promiseSchema = z.object({
  id: z.string().describe('id of the series or the synthesis in the protocol'),
  origin: z.enum(['scanned', 'synthesised']),
  role: z.string(),
  description: z.string(),
  state: z.enum(['awaited', 'late', 'missing', 'underway', 'came', 'failed', 'notAvailable']),
  seriesId: z.string().optional().describe('the series that kept it'),
  dueAt: optionalTime.describe('end of its turn in the protocol, counted from the begin of the exam'),
  lateAt: optionalTime,
  missingAt: optionalTime,
  reason,
});

export const actionSchema = z.object({
  id: z.string(),
  kind: z.enum(['deliver', 'notify', 'synthesise', 'analyse']),
  what: z.string().describe('destination, message, contrast or task'),
  series: z.array(z.string()).describe('what it needs, by ids of the protocol'),
  state: z.enum(['waiting', 'offered', 'running', 'done', 'failed', 'notAvailable']),
  reason: reason.optional(),
});

const settingValue = z.union([z.string(), z.number(), z.boolean(), z.null()]).describe('null: as it is where nobody chooses');
const settings = z
  .object({
    protocol: z.string().optional().describe('name of the protocol that the operator chose'),
    denoisePercent: z.number().optional().describe('strength of denoising that the operator chose for scans that have not begun'),
    syntheses: z.record(z.string(), z.boolean()).describe('by id: those that the operator switched off, or on again'),
    changes: z
      .array(z.object({
        at: time, by: z.string(), what: z.string().describe('protocol, denoisePercent, or syntheses. and the id'), from: settingValue, to: settingValue,
      }))
      .describe('all, from the first to the last'),
  })
  .describe('what the operator chose');

/** Who changes something says who. */
export const personSchema = z.string().trim().min(1).max(64).describe('who changes it');

export const settingsRequestSchema = z.strictObject({
  by: personSchema,
  protocol: z.string().max(64).nullable().optional().describe('name; null: chosen as if nobody had'),
  denoisePercent: z.number().min(0).max(100).nullable().optional().describe('null: what protocol and client say'),
  syntheses: z.record(z.string().max(64), z.boolean()).optional().describe('by id of the protocol'),
});
export type SettingsRequest = z.infer<typeof settingsRequestSchema>;

/** The most pressing first. */
export const priorities = ['urgent', 'soon', 'routine'] as const;
const priority = z.object({ level: z.enum(priorities), reason: z.string() }).describe('a proposal for the work list: research software, to be checked');
const analysis = z.object({
  offerId: id.describe('of the hand-off'),
  stage: z.string(),
  at: time,
  tasks: z.array(z.string()),
  results: z.array(z.string()).describe('names of JSON results, and `dicom` for each DICOM object'),
  priority: priority.optional(),
});

const readingState = z.enum(['draft', 'changed', 'confirmed']);
const reading = z
  .object({
    state: readingState.describe('changed: somebody changed it, and nobody confirmed what is there now'),
    revision: count,
    at: time,
    by: z.string().optional().describe('who spoke last'),
    delivery: z.enum(['queued', 'delivered', 'dead']).optional().describe('of the documents of the latest confirmation, where any destination takes them'),
    earlier: z.object({ state: readingState, at: time, by: z.string().optional() }).optional().describe('what became of the reading before the exam was analysed again'),
  })
  .describe('how far a reader is with the report of the latest analysis');

export const examHeadSchema = z.object({
  id,
  formerIds: z.array(z.string()).describe('of exams that turned out to be this one'),
  state: z.enum(['active', 'complete', 'incomplete']).describe('incomplete: nothing more is awaited, and something is missing or failed'),
  openedAt: time,
  lastActivityAt: time,
  patient: z.object({ id: z.string().optional(), name: z.string().optional(), birthDate: z.string().optional(), sex: z.string().optional() }),
  study: z.object({
    instanceUid: z.string().optional(), id: z.string().optional(), description: z.string().optional(),
    accessionNumber: z.string().optional(), bodyPart: z.string().optional(), station: z.string().optional(),
  }),
  protocol: z.object({ name: z.string(), title: z.string() }).optional(),
  protocolCandidates: z.array(z.string()).describe('where none is chosen: those that could be it'),
  remarks: z.array(reason),
  settings,
  analyses: z.array(analysis).describe('what downstream stages made of it, the latest last'),
  priority: priority.optional().describe('the most pressing one of its analyses, as a reader left it'),
  reading: reading.optional(),
});

export const examSchema = examHeadSchema.extend({
  series: z.array(seriesSchema).describe('from the first to the last'),
  promises: z.array(promiseSchema).describe('every series that the protocol promises, in its order'),
  actions: z.array(actionSchema),
});

export type Reason = z.infer<typeof reason>;
export type SeriesView = z.infer<typeof seriesSchema>;
export type PromiseView = z.infer<typeof promiseSchema>;
export type ActionView = z.infer<typeof actionSchema>;
export type ExamSettings = z.infer<typeof settings>;
export type ExamHead = z.infer<typeof examHeadSchema>;
export type ExamView = z.infer<typeof examSchema>;

const vector = z.tuple([z.number(), z.number(), z.number()]);
const pixelWindow = z.object({ centre: z.number(), width: z.number() }).describe('in the unit of the values');
export const slicePlaneSchema = z
  .object({
    originMm: vector.describe('centre of the first pixel, LPS'),
    rowStepMm: vector.describe('one pixel down a column'),
    columnStepMm: vector.describe('one pixel to the right'),
    thicknessMm: z.number(),
  })
  .describe('where its pixels are: r(column, row) = originMm + column columnStepMm + row rowStepMm; absent where that is not known');

/** One image of a series. */
export const listedPictureSchema = z.object({
  output: z.string().describe('kind of the output'),
  number: z.int().min(1).describe('within the output: the instance number of its DICOM object'),
  slice: count,
  contrast: count,
  repetition: count,
  rows: z.int().min(1),
  columns: z.int().min(1),
  window: pixelWindow.describe('one for all of an output, and one for images and denoised images; that of a residual is symmetric about 0'),
  unit: z.string().optional().describe('UCUM, or HU; `1` in SNR units'),
  geometry: slicePlaneSchema.optional(),
  isKept: z.boolean().describe('whether the data folder has it, too'),
});
export type ListedPicture = z.infer<typeof listedPictureSchema>;

/** One row of the list of exams. */
export const examRowSchema = examHeadSchema
  .pick({ id: true, state: true, openedAt: true, lastActivityAt: true, patient: true, protocol: true, priority: true })
  .extend({ nSeries: count, nComplete: count, nPromised: count, nMissing: count, worstLight: z.enum(['green', 'amber', 'red']).optional() });
export type ExamRow = z.infer<typeof examRowSchema>;

export function examRow(exam: ExamView): ExamRow {
  const { id, state, openedAt, lastActivityAt, patient, protocol, priority: proposed, series, promises } = exam;
  const lights = new Set(series.flatMap(({ outputs }) => outputs.map(({ light }) => light)));
  const worstLight = (['red', 'amber', 'green'] as const).find((light) => lights.has(light));
  return {
    id, state, openedAt, lastActivityAt, patient,
    ...(protocol !== undefined && { protocol }),
    ...(proposed !== undefined && { priority: proposed }),
    nSeries: series.length,
    nComplete: series.filter((one) => one.state === 'complete' || one.state === 'delivered').length,
    nPromised: promises.length,
    nMissing: promises.filter((promise) => promise.state === 'missing').length,
    ...(worstLight !== undefined && { worstLight }),
  };
}

const change = <Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, meaning: string, shape: Shape) =>
  z.object({ kind: z.literal(kind).describe(meaning), sequence: z.int().min(1).describe('one more than that of the change before'), at: time, examId: id, ...shape });

export const changeSchema = z.discriminatedUnion('kind', [
  change('exam', 'an exam began, or its head changed', { exam: examHeadSchema }),
  change('series', 'a series began or changed', { series: seriesSchema }),
  change('promises', 'the whole list', { promises: z.array(promiseSchema) }),
  change('actions', 'the whole list', { actions: z.array(actionSchema) }),
  change('notify', 'what the protocol asked to be told', { message: z.string() }),
  change('gone', 'the exam is not kept in memory any more, or turned out to be another one', { into: z.string().optional().describe('that other one') }),
]);
export type ExamChange = z.infer<typeof changeSchema>;
