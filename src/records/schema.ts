/**
 * What is kept of how a scan was reconstructed: every decision with what made it, the noise of the coils, what was
 * sampled, and when what happened. Nothing of the patient. The schema types the program and is told to clients.
 */
import { z } from 'zod';

const count = z.int().min(0);
const ms = z.number().describe('ms since the first readout');
/** JSON has no NaN. */
const known = z.number().nullable();

const decision = z.object({
  kind: z.enum(['parameter', 'header']).describe('chain and parameters, or how the header was read'),
  what: z.string(),
  value: z.string(),
  because: z.string(),
  source: z.string().describe('the field, flag, message or option that decided'),
  origin: z.string().optional().describe('who decided: default, chain, header, client, operator, …'),
});

const noise = z.object({
  nSamples: count.describe('a coil'),
  enoughSamples: z.boolean(),
  storedMeasurement: z.string().optional().describe('the noise is that of this measurement, kept from another session'),
  coils: z.array(z.object({ name: z.string(), std: known.describe('of the real part, in raw units'), isBroken: z.boolean(), fault: z.string().optional() })),
  correlation: z.array(z.array(known)).describe('|Psi_ab| / sqrt(Psi_aa Psi_bb), a row a coil; null where a coil has no noise'),
  largestCorrelation: known.describe('between two coils'),
  bandwidth: z.object({
    relativeReceiverNoiseBandwidth: z.number(),
    isOfHeader: z.boolean().describe('false: the header has none'),
    noiseDwellTimeUs: z.number().optional(),
    dwellTimeUs: z.number().optional().describe('of the imaging readouts'),
  }),
});

const sampling = z.object({
  slice: count,
  nLines: count.describe('that a full k-space has'),
  nPartitions: count,
  firstLine: z.int().describe('counter of the first of them'),
  centreLine: z.int(),
  nAverages: count,
  nReadouts: count.describe('of this image, with those that calibrate it'),
  nMeasured: z.object({ imaging: count, calibrationAndImaging: count, calibration: count, missing: count }).describe('places of k-space'),
  pattern: z.array(z.string()).describe('a text a partition, a character a line: . missing, i imaging, c calibration, b both; empty where there are too many to tell'),
  order: z.array(z.int()).describe('the lines in the order of their acquisition, the first ones where there are too many to tell'),
});

const timeline = z.object({
  scan: z.tuple([ms, ms]).describe('first and last readout'),
  inputEndedMs: ms.optional(),
  slices: z.array(
    z.object({
      slice: count,
      firstLineMs: ms.optional().describe('absent for the slices of a volume, whose lines are those of all'),
      lastLineMs: ms.optional(),
      images: z.array(z.object({ kind: z.string(), atMs: ms })),
    }),
  ),
  stages: z.record(z.string(), z.number()).describe('ms of work over all threads'),
  lastReadoutToLastImageMs: z.number().optional(),
});

const outcome = z
  .object({
    method: z.string(),
    partialFourier: z.string(),
    postProcessing: z.array(z.string()),
    accelerationPhase: z.number(),
    accelerationSlice: z.number(),
    nCoils: count,
    nVirtualCoils: count,
    nCalibrationLines: count,
    nMissingLines: count,
    rows: count,
    columns: count,
    fovMm: z.tuple([z.number(), z.number(), z.number()]),
    snrUnits: z.boolean().describe('values are in units of the noise'),
    hasGeometry: z.boolean(),
  })
  .describe('what the first image says of itself');

const denoising = z.object({
  strengthPercent: z.number().describe('of the first image'),
  noiseSource: z.string().describe('of the noise map: measured, edge, dose or estimated'),
  dataConsistency: z.boolean().describe('whether measured lines were put back'),
  model: z.object({ id: z.string(), version: z.string(), sha256: z.string() }),
  images: z.array(z.object({ slice: count, light: z.enum(['green', 'amber', 'red']), strengthPercent: z.number().optional().describe('where it is less'), residualStd: known, edgeCorrelation: known, largestStructure: known })),
});

export const recordSchema = z.object({
  startedAt: z.number().describe('ms since 1970, the first readout'),
  chain: z.string(),
  /** Of the session. */
  outcome: z.enum(['running', 'completed', 'failed', 'aborted']),
  reason: z.object({ code: z.string() }).optional(),
  nReadouts: count,
  decisions: z.array(decision),
  result: outcome.optional(),
  noise: noise.optional(),
  sampling: sampling.optional(),
  timeline,
  denoising: denoising.optional(),
  remarks: z.array(z.object({ severity: z.enum(['info', 'warning', 'error']), code: z.string(), text: z.string() })),
});
export type ReconstructionRecord = z.infer<typeof recordSchema>;

/** As it is told of a series: which attempt it is, and what the parameters mean. */
export const toldRecordSchema = recordSchema.extend({
  attempt: z.int().min(1).describe('1 is the first'),
  nAttempts: count,
  decisions: z.array(decision.extend({ meaning: z.string().optional() })),
});
export type ToldRecord = z.infer<typeof toldRecordSchema>;
