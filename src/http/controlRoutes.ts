/** What the operator may choose, and chooses: protocols, the settings of an exam, and what a code means. docs/exams.md lists the paths. */
import type { FastifyInstance } from 'fastify';
import type { ErrorEntry } from 'ismrmrd';
import { z } from 'zod';
import { examTimingOf, synthesisDescription, synthesisId } from '../../protocols/index.js';
import type { Protocol } from '../../protocols/index.js';
import { settingsRequestSchema } from '../exams/index.js';
import type { ExamKeeper } from '../exams/index.js';
import { bodyOf } from './body.js';
import { httpError } from './errors.js';

const minutes = z.number().describe('of the scanner, preparation included');

export const protocolListSchema = z.object({
  protocols: z.array(z.object({
    name: z.string(),
    title: z.string(),
    region: z.string(),
    fieldStrengthT: z.number(),
    minutes,
    basedOn: z.string().optional().describe('protocol that this one is a variant of'),
    basedOnMinutes: minutes.optional(),
    series: z.array(z.object({ id: z.string(), role: z.string(), description: z.string(), orientation: z.string(), minutes })),
    syntheses: z.array(z.object({
      id: z.string(), contrast: z.string(), description: z.string(), fromSeries: z.array(z.string()),
      optional: z.boolean().describe('whether it may be switched off'),
    })),
    operator: z.object({
      denoisePercent: z.object({ least: z.number(), most: z.number(), standard: z.number().describe('where neither operator nor client choose') }),
    }),
  })),
});
export type ProtocolList = z.infer<typeof protocolListSchema>;

export interface ControlOptions {
  readonly exams: ExamKeeper;
  /** Strength of denoising where neither operator nor client choose. */
  readonly standardOf: (protocol: Protocol) => number;
  /** Of every code that there is. */
  readonly meaningOf: (code: string) => ErrorEntry | undefined;
}

interface Names {
  readonly id: string;
  readonly code: string;
}

/** A plug-in of the HTTP application. */
export function controlRoutes({ exams, standardOf, meaningOf }: ControlOptions) {
  // They stay as they are as long as the service runs, and their scan times take a while to count.
  let list: ProtocolList | undefined;
  return (app: FastifyInstance): void => {
    app.get('/api/protocols', async () => (list ??= { protocols: exams.protocols.map((protocol) => summaryOf(protocol, exams, standardOf(protocol))) }));
    app.put<{ Params: Names }>('/api/exams/:id/settings', { bodyLimit: 16 << 10 }, async ({ params, body }) =>
      exams.changeSettings(params.id, bodyOf(settingsRequestSchema, body)),
    );
    app.get<{ Params: Names }>('/api/errors/:code', async ({ params: { code } }) => {
      const meaning = meaningOf(code);
      if (meaning === undefined) throw httpError('CONUS_ERR_HTTP_NOT_FOUND', 'a code that there is not');
      const { expected, action } = meaning;
      return { code, expected, action };
    });
  };
}

function summaryOf(protocol: Protocol, exams: ExamKeeper, standard: number): ProtocolList['protocols'][number] {
  const { name, title, region, fieldStrengthT, basedOn, series, synthesise } = protocol;
  const timing = examTimingOf(protocol);
  const other = exams.protocols.find((one) => one.name === basedOn);
  return {
    name, title, region, fieldStrengthT,
    minutes: inMinutes(timing.totalMs),
    ...(other !== undefined && { basedOn: other.name, basedOnMinutes: inMinutes(examTimingOf(other).totalMs) }),
    series: series.map(({ id, role, seriesDescription, geometry }, index) => ({
      id, role, description: seriesDescription, orientation: geometry.orientation, minutes: inMinutes(timing.series[index]!.totalMs),
    })),
    syntheses: synthesise.map((synthesis) => ({
      id: synthesisId(synthesis), contrast: synthesis.contrast, description: synthesisDescription(synthesis),
      fromSeries: synthesis.fromSeries, optional: synthesis.optional,
    })),
    operator: { denoisePercent: { ...exams.strengthLimits(protocol), standard } },
  };
}

const inMinutes = (ms: number) => Number((ms / 60_000).toFixed(2));
