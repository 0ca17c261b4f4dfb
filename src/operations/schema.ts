/** What whoever looks after the service is told, over HTTP. No patient is in it: exams are told by their ids. */
import { z } from 'zod';
import { jobKinds, jobStates } from '../jobs/index.js';

const time = z.number().describe('ms since 1970');
const count = z.int().min(0);
const bytes = z.number().min(0);
const reason = z.object({ code: z.string().describe('docs/errors.md'), text: z.string() });

const destinationStats = z.object({
  destination: z.string(),
  waiting: count,
  sending: count,
  dead: count,
  oldestAt: time.optional().describe('when the oldest job that is not delivered was made; dead ones do not count'),
  jobsDelivered: count,
  instancesDelivered: count,
  instancesResent: count,
  jobsDead: count.describe('that were ever given up'),
});

const delivery = z.object({
  id: z.string(),
  destination: z.string(),
  examId: z.string(),
  seriesId: z.string().optional(),
  state: z.enum(['waiting', 'sending', 'dead']),
  attempts: count,
  nInstances: count,
  nAcknowledged: count,
  isIncomplete: z.boolean().describe('its session ended in an error'),
  createdAt: time,
  nextAttemptAt: time,
  lastError: reason.optional(),
});

const kindStats = z.object({
  kind: z.enum(jobKinds),
  waiting: count,
  active: count,
  delayed: count,
  dead: count,
  oldestAt: time.optional().describe('when the oldest job that has not ended was added; dead ones do not count'),
  tally: z.object({ done: count, failed: count.describe('attempts'), dead: count, cancelled: count }).describe('since the data folder, or the server that nodes share, is there'),
});

const job = z.object({
  id: z.string(),
  kind: z.enum(jobKinds),
  examId: z.string().optional(),
  seriesId: z.string().optional(),
  state: z.enum(jobStates).describe('delayed: waits for its time, or for its next attempt; dead: given up'),
  isCancelled: z.boolean().describe('nothing is begun for it any more'),
  lane: z.string().optional().describe('of deliveries, the destination'),
  node: z.string().optional().describe('that runs it'),
  progress: z.object({ fraction: z.number().describe('0 to 1'), text: z.string().optional() }).optional(),
  attempts: count.describe('that failed'),
  addedAt: time,
  notBefore: time.optional(),
  lastError: reason.optional(),
});

const model = z.object({
  id: z.string(),
  version: z.string().optional(),
  task: z.string().optional(),
  sha256: z.string(),
  state: z.enum(['listed', 'ready', 'refused']).describe('listed: in order as far as its files tell; ready: loaded and tried'),
  reason: reason.optional(),
  nRuns: count,
  nFailures: count,
});

export const operationsSchema = z.object({
  version: z.string(),
  startedAt: time,
  health: z.array(z.object({ part: z.string(), trouble: z.string().optional().describe('why it cannot do its work now') })),
  outbox: z.object({
    destinations: z.array(destinationStats),
    jobs: z.array(delivery).describe('those that were given up first, then the others, each the latest first; 200 at most'),
    nJobs: count.describe('all that are not delivered'),
  }),
  jobs: z.object({
    kinds: z.array(kindStats),
    latest: z.array(job).describe('those that were given up first, the latest first; then what runs, then the others as they come; 200 at most'),
    nJobs: count.describe('all that have not ended'),
  }).optional().describe('absent without a data folder, and while the queue does not answer'),
  nodes: z.array(z.object({ name: z.string(), version: z.string(), startedAt: time, isOwn: z.boolean().describe('the one that tells this') }))
    .optional().describe('that share records and jobs; absent where this one is alone'),
  models: z.array(model),
  disk: z.object({
    usedBytes: bytes, quotaBytes: bytes, isFull: z.boolean().describe('room was refused when it was asked for last'), freeBytes: bytes.describe('of the disk'),
  }).optional().describe('of the data folder'),
  memory: z.object({ rssBytes: bytes, heapUsedBytes: bytes, externalBytes: bytes, systemFreeBytes: bytes, picturesBytes: bytes.describe('latest pictures, of which `exams.pictureMebibytes` are kept'), modelHostBytes: bytes.describe('of the process of the networks') }),
  sessionsOpen: count,
  destinations: z.array(z.object({ name: z.string(), kind: z.enum(['dicom', 'stow', 'folder']).optional(), host: z.string().optional(), canEcho: z.boolean() })),
});
export type OperationsView = z.infer<typeof operationsSchema>;
export type OutboxJobView = OperationsView['outbox']['jobs'][number];
export type JobView = NonNullable<OperationsView['jobs']>['latest'][number];

export const echoSchema = z.object({
  ok: z.boolean(),
  ms: z.number().min(0),
  error: z.object({ code: z.string(), message: z.string(), expected: z.string(), action: z.string() }).optional(),
});
export type EchoView = z.infer<typeof echoSchema>;

export const logSchema = z.object({
  entries: z.array(z.object({ at: time, level: z.string(), text: z.string(), fields: z.record(z.string(), z.unknown()) })).describe('the latest first'),
});
export type LogView = z.infer<typeof logSchema>;

/** Who asks for a change. */
export const askedBySchema = z.strictObject({ by: z.string().trim().min(1).max(64).regex(/^\P{Cc}+$/u, 'must be a name on one line') });

export const logQuerySchema = z.object({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('trace').describe('the least one'),
  text: z.string().max(200).default('').describe('to be found in the entry; case does not count'),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});
