/**
 * The report of an analysis as JSON: what was used, what was found and with which numbers, what was not assessed and why,
 * a draft sentence a level, how soon somebody should look, and what the reader changed. The schema checks every report
 * that comes from outside, types the program, and is exported as JSON Schema.
 */
import { z } from 'zod';
import { ANALYSIS_NOTES, type NotAssessedCode } from '../errors.js';
import { findingKinds, units } from '../types.js';
import { gradeValues, type GradeScale } from '../gradeValues.js';

export const REPORT_VERSION = 1;
export const researchStatement = 'Research use only. Not a medical device; not for diagnosis. To be checked by a radiologist.';

const keysOf = <Key extends string>(table: Readonly<Record<Key, unknown>>) => Object.keys(table) as [Key, ...Key[]];
const words = z.string().min(1).max(2000);
const name = z.string().min(1).max(64);
const level = z.string().regex(/^[CTLS]\d{1,2}(-[CTLS]\d{1,2})?$/, 'must be a vertebra or a segment').describe('vertebra or segment, `L4` or `L4-L5`');
const side = z.enum(['left', 'right']);
const severity = z.enum(['normal', 'mild', 'moderate', 'severe']);
const share = z.number().min(0).max(1);
const point = z.tuple([z.number(), z.number(), z.number()]).readonly().describe('LPS, mm');
const instant = z.iso.datetime().describe('UTC');
const scale = z.enum(keysOf(gradeValues));

const series = z.strictObject({
  seriesInstanceUid: z.string().regex(/^[0-9.]{1,64}$/, 'must be a DICOM UID').exactOptional(),
  description: z.string().max(256),
  contrast: z.enum(['t1w', 't2w', 'pdw', 'stir', 't2fs', 't1fs', 'pdfs', 'ct', 'syntheticCt']),
  orientation: z.enum(['sagittal', 'axial', 'coronal']),
  synthetic: z.boolean().describe('computed, not scanned'),
  denoised: z.boolean(),
  qualityLight: z.enum(['green', 'amber', 'red']).exactOptional(),
});

const model = z.strictObject({ id: name, version: name, sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits').exactOptional() });

const drawing = z.strictObject({
  seriesIndex: z.int().min(0),
  sliceIndex: z.int().min(0),
  centreMm: point,
  extentMm: z.number().positive(),
  outlines: z.array(z.int().min(0)).readonly().describe('codes whose outlines are drawn'),
  lines: z.array(z.strictObject({ fromMm: point, toMm: point, text: z.string().max(64) })).readonly(),
  areas: z.array(z.strictObject({ pointsMm: z.array(point).readonly(), text: z.string().max(64) })).readonly(),
});

const grade = z.strictObject({
  scale,
  value: z.string().min(1).max(32),
  severity: severity.exactOptional(),
  marginShare: z.number().min(0).exactOptional().describe('distance of the measure to the nearest cut-off, as a share of it'),
});

const finding = z.strictObject({
  id: name.describe('stable: kind, level and side'),
  kind: z.enum(findingKinds),
  level: level.exactOptional(),
  side: side.exactOptional(),
  measures: z.array(z.strictObject({ name, value: z.number(), unit: z.enum(units) })).readonly(),
  grades: z.array(grade).readonly(),
  signs: z.array(z.string().min(1).max(256)).readonly(),
  basis: z.strictObject({ seriesIndices: z.array(z.int().min(0)).readonly(), synthetic: z.boolean() }).describe('of the series of the report'),
  confidence: share,
  drawing: drawing.exactOptional(),
});

const notAssessed = z.strictObject({
  kind: z.enum(findingKinds),
  level: level.exactOptional(),
  side: side.exactOptional(),
  code: z.enum(keysOf<NotAssessedCode>(ANALYSIS_NOTES)),
  got: words.describe('what was missing'),
});

const sentence = z.strictObject({
  level: level.exactOptional().describe('absent: the whole spine'),
  draft: z.string().min(1).max(8000).describe('from templates; follows the grades'),
  edited: z
    .strictObject({ text: z.string().max(8000), by: name, at: instant })
    .exactOptional()
    .describe("the reader's own words, which no later draft replaces"),
});

const change = z.strictObject({
  findingId: name,
  scale,
  from: z.string().max(32),
  to: z.string().max(32),
  by: name.describe('who'),
  at: instant,
});

export const reportSchema = z
  .strictObject({
    version: z.literal(REPORT_VERSION),
    statement: z.literal(researchStatement),
    created: instant,
    software: z.strictObject({ name, version: name }),
    models: z.array(model).readonly(),
    syntheticData: z.boolean().describe('something rests on computed images; whatever is made from it carries the mark on'),
    series: z.array(series).readonly().describe('that were given to the analysis; findings name them by their place here'),
    numbering: z.strictObject({
      certain: z.boolean(), probability: z.number().min(0).max(1).optional().describe('that all names of levels are right'), reasons: z.array(words).readonly(),
    }),
    levels: z.array(level).readonly().describe('vertebrae and segments from head to foot'),
    notes: z.array(words).readonly().describe('what a reader should know before the findings'),
    findings: z.array(finding).readonly(),
    notAssessed: z.array(notAssessed).readonly(),
    sentences: z.array(sentence).readonly(),
    priority: z.strictObject({ level: z.enum(['routine', 'soon', 'urgent']), reason: z.string().min(1).max(1000) }),
    changes: z.array(change).readonly().describe('grades that the reader changed, oldest first'),
  })
  .describe('report of an analysis');

export type Report = Readonly<z.output<typeof reportSchema>>;
export type ReportedFinding = Report['findings'][number];
export type Sentence = Report['sentences'][number];
export type Priority = Report['priority'];
export type { GradeScale };

/** JSON Schema of a report, draft 2020-12. */
export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema, { io: 'input' });
}
