/**
 * The truth about a simulated spine as JSON: every measurement with its unit in its name, every grade with the
 * numbers that it rests on. What each means is said at the head of the file that measures it, and in `definitions`.
 */
import { z } from 'zod';
import { scales, severities } from './grades.js';

export const truthVersion = 1;

const mm = z.number();
const severity = z.enum(severities);
const point = z.tuple([z.number(), z.number(), z.number()]).describe('LPS, mm; the isocentre is the origin');
const perSide = <Schema extends z.ZodType>(schema: Schema) => z.object({ left: schema.nullable(), right: schema.nullable() });

const recess = z.object({ grade: severity, heightMm: mm });
const foramen = z.object({
  grade: severity, widthMm: mm, heightMm: mm, areaMm2: z.number(),
  perineuralFatShare: z.number().optional(), directionsWithoutFat: z.number().optional(),
});
const facet = z.object({ grade: z.enum(scales.facetWidth.grades), jointSpaceMm: mm });
const endplate = z.object({ type: z.enum(['none', '1', '2', '3', '1/2', '2/3', '1/3']), share: z.number() });

const disc = z.object({
  level: z.string(),
  heights: z.object({ anteriorMm: mm, middleMm: mm, posteriorMm: mm, heightIndex: z.number() }).nullable(),
  degeneration: z
    .object({ pfirrmann: z.enum(['1', '2', '3', '4', '5']), nucleusT2Ms: z.number(), nucleusVariation: z.number(), signalRatio: z.number(), heightIndex: z.number() })
    .nullable(),
  displacement: z
    .object({
      type: z.enum(['none', 'bulge', 'protrusion', 'extrusion']),
      depthMm: mm,
      circumferenceShare: z.number(),
      herniation: z
        .object({
          size: z.enum(scales.herniationSize.grades), canalShare: z.number(), baseMm: mm, widthMm: mm, heightMm: mm, angleDeg: z.number(),
          zone: z.enum(['central', 'subarticular', 'foraminal', 'extraforaminal', 'anterior']),
        })
        .optional(),
    })
    .nullable(),
  centralCanal: z
    .object({
      grade: severity.nullable().describe('lumbar only: the cut-offs are those of lumbar sacs'),
      sacAreaMm2: z.number(), sacApMm: mm, sacTransverseMm: mm, canalApMm: mm, diameterGrade: z.enum(scales.canalDiameter.grades),
    })
    .nullable(),
  lateralRecess: perSide(recess).describe('lumbar only'),
  foramen: perSide(foramen).describe('lumbar only'),
  facetJoint: perSide(facet),
  listhesis: z
    .object({ direction: z.enum(['none', 'anterior', 'posterior']), slipMm: mm, share: z.number(), meyerding: z.enum(['0', '1', '2', '3', '4', '5']) })
    .nullable(),
  modic: z.object({ upper: endplate.nullable(), lower: endplate.nullable() }),
});

const vertebra = z.object({
  level: z.string(),
  centreMm: point,
  heights: z.object({ anteriorMm: mm, middleMm: mm, posteriorMm: mm, depthMm: mm }),
  fracture: z.object({ grade: z.enum(['0', '1', '2', '3']), type: z.enum(['none', 'wedge', 'biconcave', 'crush']), heightLoss: z.number() }).nullable(),
  cord: z.object({ areaMm2: z.number(), apMm: mm, transverseMm: mm }).nullable(),
});

const lesion = z.object({
  code: z.number().int().describe('in the map of lesions'),
  kind: z.string(),
  level: z.string(),
  volumeMm3: z.number(),
  centroidMm: point,
  longestAxisMm: mm,
  within: z.number().int().describe('code of the structure that it lies in'),
  axialShareOfCord: z.number().optional(),
});

const finding = z.object({
  kind: z.string(),
  level: z.string(),
  grade: z.string().optional(),
  options: z.record(z.string(), z.union([z.string(), z.number()])),
  seed: z.number(),
  target: z.number().optional(),
  measured: z.number().optional(),
  dose: z.number().describe('how strong it had to be made'),
});

export const truthSchema = z.object({
  version: z.literal(truthVersion),
  definitions: z.record(z.string(), z.object({ unit: z.string(), grades: z.array(z.string()), cutoffs: z.array(z.number()), worse: z.enum(['above', 'below']) })),
  person: z.object({ seed: z.number(), sex: z.enum(['female', 'male']), ageYears: z.number(), region: z.string(), nLumbar: z.number().int() }),
  fieldStrengthT: z.union([z.literal(1.5), z.literal(3)]),
  findings: z.array(finding).describe('what was placed'),
  vertebrae: z.array(vertebra),
  discs: z.array(disc),
  alignment: z.object({
    lumbarLordosisDeg: z.number().nullable(),
    sacralSlopeDeg: z.number().nullable(),
    cobb: z.object({ cobbDeg: z.number(), upper: z.string(), lower: z.string() }).nullable(),
  }),
  muscles: perSide(z.object({ goutallier: z.enum(scales.goutallier.grades), fatShare: z.number() })),
  lesions: z.array(lesion),
});

export type Truth = z.infer<typeof truthSchema>;

/** JSON Schema of the same, draft 2020-12. */
export function truthJsonSchema(): object {
  return z.toJSONSchema(truthSchema);
}
