/**
 * Raw data that are kept, reconstructed once more: with other parameters, or because nobody was told of the first time. They are
 * played to a session as if the scanner sent them again, with the same onlookers and the same keeper, but nobody on the
 * wire: so what comes of it is one more attempt of the same series in its exam, and goes where series of such a
 * scan go. Identifiers follow from raw data, software and parameters (src/delivery/uids.ts): the same request twice makes the same
 * instances, other parameters make other series.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { ChainChoice } from '../chain/index.js';
import { FinalFailure, jobPriority } from '../jobs/index.js';
import type { Again, JobQueue, JobRun, NewJob } from '../jobs/index.js';
import { KeepingAnswer } from '../keeping/index.js';
import type { KeptSession, SessionKeeper } from '../keeping/index.js';
import type { Logger } from '../log.js';
import { play, Session } from '../session/index.js';
import type { SessionAnswer, SessionObserver, SessionOptions } from '../session/index.js';
import { retroError } from './errors.js';

const requestSchema = z.strictObject({
  /** As its file is called, without a folder. */
  raw: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/),
  /** That win over all others. */
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
  chain: z.string().optional(),
});

export type ReconstructRequest = z.input<typeof requestSchema>;

/** Another request is another job; the same one, as long as it has not ended, the same. @throws CodedError RETRO_ERR_REQUEST, CONUS_ERR_PARAMETER, CONUS_ERR_UNKNOWN_CONFIG */
export function reconstructJob(request: ReconstructRequest): NewJob {
  const { raw, parameters, chain } = parsed(request);
  // Found out now, not when the job's turn comes.
  new ChainChoice({ overrides: parameters, ...(chain !== undefined && { chain }) });
  const payload = { raw, parameters: Object.fromEntries(Object.entries(parameters).sort()), ...(chain !== undefined && { chain }) };
  const digest = createHash('sha256').update(JSON.stringify(payload)).digest('hex');
  return { id: `reconstruct-${digest.slice(0, 16)}`, kind: 'reconstruct', payload, priority: jobPriority('retro') };
}

export interface ReconstructOptions {
  readonly queue: JobQueue;
  readonly keeper: SessionKeeper;
  /** What a session of a scan gets. */
  readonly session: Omit<SessionOptions, 'id' | 'answer' | 'savesRaw' | 'observer' | 'epilogue'>;
  readonly observe: (sessionId: string) => SessionObserver;
  readonly log: Logger;
}

/** While another node still has the raw data. */
const ELSEWHERE_MS = 10_000;
const CHUNK_BYTES = 1 << 20;

/** Before the queue is started. */
export function openReconstruct(options: ReconstructOptions): void {
  const { queue, log } = options;
  queue.perform('reconstruct', (run) => reconstruct(run, options), {
    gaveUp: ({ id }, { code, message }) => log.error({ job: id, code }, `raw data are not reconstructed: ${message}`),
  });
}

async function reconstruct({ job, signal, progress }: JobRun, { keeper, session: given, observe, log }: ReconstructOptions): Promise<Again | undefined> {
  const { raw, parameters, chain } = surely(() => parsed(job.payload));
  const borrowed = await keeper.raw.borrow(raw);
  if (borrowed === 'elsewhere') return { againAt: Date.now() + ELSEWHERE_MS };
  if (borrowed === undefined) throw new FinalFailure(retroError('RETRO_ERR_RAW', raw));
  const id = randomBytes(6).toString('hex');
  const kept = keeper.open(id);
  let session: Session | undefined;
  const cancel = () => {
    // Before the session tells its answer that it ended: what it has made so far is nobody's.
    void kept.forget();
    session?.abort(new Error('cancelled'));
  };
  try {
    const overrides = { ...given.overrides, ...parameters };
    session = surely(() => new Session({
      ...given, id, overrides, savesRaw: true, observer: observe(id), answer: answerOfNobody(kept), ...(chain !== undefined && { chain }),
    }));
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    log.info({ job: job.id, session: id, raw }, 'raw data are reconstructed again');
    const summary = await play(createReadStream(borrowed.path, { highWaterMark: CHUNK_BYTES }), session, (nBytes) => progress(Math.min(1, nBytes / borrowed.nBytes)));
    signal.throwIfAborted();
    // The same would come of it the next time; what is complete is kept, as of a scan that ends so.
    if (summary.outcome !== 'completed') throw new FinalFailure(summary.error);
    if (!(await kept.ended)) throw retroError('RETRO_ERR_NOT_KEPT', 'none');
    return undefined;
  } catch (error) {
    if (!kept.isEnding) void kept.forget();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    await kept.ended;
    await borrowed.giveBack();
  }
}

/** @throws CodedError RETRO_ERR_REQUEST */
function parsed(request: unknown): z.output<typeof requestSchema> {
  const { success, data, error } = requestSchema.safeParse(request);
  if (!success) throw retroError('RETRO_ERR_REQUEST', error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  return data;
}

/** What is wrong with a request is so at every attempt. */
function surely<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new FinalFailure(error);
  }
}

function answerOfNobody(kept: KeptSession): SessionAnswer {
  const nothing = () => undefined;
  const nobody: SessionAnswer = {
    begin: nothing, image: nothing, returned: nothing, text: nothing, response: nothing, dependency: nothing, ready: nothing,
    notices: () => [], close: () => Promise.resolve(),
  };
  // The raw data are where they were.
  return new KeepingAnswer(nobody, kept, () => Promise.resolve());
}
