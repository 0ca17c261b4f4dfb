/** A sweep as a file: every figure of every setting, with small pictures. `conus sweep -o x.json` writes it, GET /api/sweeps tells it. */
import { z } from 'zod';
import type { Limits } from './limits.js';

const count = z.int().min(0);
const optional = z.number().optional();
const picture = z.string().regex(/^data:image\/png;base64,[A-Za-z0-9+/=]+$/).describe('a PNG as a data URI');
const scale = z.object({ low: z.number(), high: z.number(), unit: z.string().optional(), ramp: picture.describe('the colours from low to high') }).describe('what the colours of the pictures mean');

const rowSchema = z.object({
  setting: z
    .object({ acceleration: z.number(), calibrationLines: count, method: z.string(), denoisePercent: z.number().default(0).describe('0: the conventional image') })
    .optional()
    .describe('absent for the data as they are'),
  nLines: count.describe('of one image in one average, with calibration lines'),
  minutes: optional,
  figures: z
    .object({ nRmse: z.number(), ssim: z.number(), gMean: optional, g99: optional, snr: optional.describe('median; a ratio in SNR units only') })
    .optional()
    .describe('absent where there are no images'),
  relativeSnr: optional.describe('over that of the data as they are'),
  violations: z.array(z.string()).describe('what is not within the limits, or went wrong'),
  remarks: z.array(z.string()),
  pictures: z.object({ image: picture, error: picture.optional(), gFactor: picture.optional() }).optional(),
});

const headSchema = z.object({
  version: z.literal(1),
  softwareVersion: z.string(),
  scan: z.object({
    name: z.string().optional(), acceleration: z.number(), matrix: z.tuple([count, count]).describe('columns, rows'), nSlices: count, nCoils: count.optional(), fieldStrengthT: optional,
  }),
  timing: z.object({ trMs: z.number(), echoTrainLength: z.number(), concatenations: z.number() }).optional().describe('without it minutes are unknown'),
  snrUnits: z.boolean(),
  limits: z.object({ maxNRmse: optional, minSsim: optional, maxGMean: optional, maxG99: optional, minSnr: optional, maxMinutes: optional } satisfies Record<keyof Limits, unknown>),
  pictures: z
    .object({ slice: count, rows: count, columns: count, scales: z.object({ image: scale, error: scale, gFactor: scale }) })
    .optional()
    .describe('what the pictures show'),
  fastest: count.optional().describe('the row that is within all limits and fastest'),
});

export const sweepFileSchema = headSchema.extend({ rows: z.array(rowSchema).min(1).max(1000).describe('the data as they are first') });
export type SweepFile = z.infer<typeof sweepFileSchema>;

/** Without pictures. */
export type SweepRow = Omit<z.infer<typeof rowSchema>, 'pictures'>;
export type SweepHead = Omit<SweepFile, 'rows'> & { readonly rows: readonly SweepRow[] };

export function headOf({ rows, ...head }: SweepFile): SweepHead {
  return { ...head, rows: rows.map((row) => ({ ...row, pictures: undefined })) };
}
