/** Section `jobs`: which work this node takes, how much of it at once, and how it is tried again (src/jobs). */
import { z } from 'zod';

const kinds = ['synthesise', 'analyse', 'deliver', 'reconstruct'] as const;

/** A value for each kind of job. */
function byKind(value: z.ZodType<number, number>, defaults: Readonly<Record<(typeof kinds)[number], number>>, what: string) {
  const of = (kind: (typeof kinds)[number]) => value.prefault(defaults[kind]).describe(`${what}: ${kind}`);
  return z.strictObject({ synthesise: of('synthesise'), analyse: of('analyse'), deliver: of('deliver'), reconstruct: of('reconstruct') }).prefault({});
}

export const jobsSection = z.strictObject({
  take: z.array(z.enum(kinds)).default([...kinds]).describe('kinds of jobs that this node does; an empty list: none'),
  memoryMebibytes: z.number().positive().optional().describe('most that the jobs of this node may hold together; one that needs more runs alone; half of the memory of the machine where absent'),
  concurrency: byKind(z.int().min(1), { synthesise: 2, analyse: 2, deliver: 64, reconstruct: 1 }, 'jobs at once on this node').describe('jobs of each kind that run at once on this node; a destination has its own limit beside'),
  attempts: byKind(z.int().min(1), { synthesise: 3, analyse: 3, deliver: 10_000, reconstruct: 3 }, 'attempts').describe('attempts before a job is given up until an operator retries it; a delivery is given up as spool.maxAttempts and spool.maxAgeHours say'),
  firstDelayS: byKind(z.number().positive(), { synthesise: 2, analyse: 5, deliver: 1, reconstruct: 10 }, 'seconds').describe('a failed job is tried again within so long, twice as long after each further failure'),
  longestDelayS: byKind(z.number().positive(), { synthesise: 60, analyse: 300, deliver: 300, reconstruct: 600 }, 'seconds').describe('up to so long'),
});

export type JobsConfig = z.output<typeof jobsSection>;
