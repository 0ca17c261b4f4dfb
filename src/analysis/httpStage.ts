/**
 * The stage by itself: a server that takes offers of the hand-off contract (docs/handoff.md) over HTTP, fetches their
 * images, and sends outcomes to the callback. One exam at a time: who comes meanwhile is asked to come again.
 */
import { timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { CodedError } from 'ismrmrd';
import { offerSchema } from '../handoff/index.js';
import type { Offer, OfferAnswer, Outcome } from '../handoff/index.js';
import type { Logger } from '../log.js';
import type { Analyst } from './analyst.js';
import { analysisFlowError } from './errors.js';
import { analysable, failureOf, outcomeOf, sourceOf } from './outcome.js';

export interface StageServerOptions {
  readonly analyst: Pick<Analyst, 'perform' | 'model' | 'close'>;
  /** Bearer token that offers must come with; none where only this machine can reach the server. */
  readonly token?: string;
  readonly log: Logger;
  /** Before an outcome that could not be sent is sent again; doubled each time. */
  readonly firstPauseMs?: number;
}

const mostOfferBytes = 4 << 20;
/** Of all images of an offer: three times a whole spine in thin slices. */
const mostImageBytes = 2 ** 31;
const mostSendings = 8;
/** Outcomes that are remembered for offers that are made again. */
const mostRemembered = 64;
const retryAfterS = 5;

export class StageServer {
  readonly #options: StageServerOptions;
  readonly #app: FastifyInstance;
  readonly #working = new Set<string>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #ending = new AbortController();

  constructor(options: StageServerOptions) {
    this.#options = options;
    this.#app = Fastify({ logger: false, bodyLimit: mostOfferBytes, forceCloseConnections: true });
    this.#app.get('/health', async () => ({ status: 'ok' }));
    this.#app.post('/offers', async (request, reply) => {
      if (!this.#isAuthorised(request.headers.authorization)) return reply.code(401).send(refusal('an offer without the token of this stage'));
      const parsed = offerSchema.safeParse(request.body);
      if (!parsed.success) return reply.code(422).send(refusal(`an offer that does not fit the contract (${parsed.error.issues[0]?.path.join('.') ?? ''})`));
      const answer = this.#answer(parsed.data);
      if (answer.answer === 'busy') return reply.code(503).header('retry-after', String(retryAfterS)).send(answer);
      return answer;
    });
  }

  async listen(port: number, host: string): Promise<string> {
    return this.#app.listen({ port, host });
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#app.close();
    await this.#options.analyst.close();
  }

  #isAuthorised(header: string | undefined): boolean {
    const { token } = this.#options;
    if (token === undefined) return true;
    const [wanted, given] = [Buffer.from(`Bearer ${token}`), Buffer.from(header ?? '')];
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #answer(offer: Offer): OfferAnswer {
    const { offerId, callback } = offer;
    if (callback === undefined) return { answer: 'refused', reason: 'an offer without a callback' };
    // Nobody makes this stage fetch from, or send to, a third place.
    const origin = new URL(callback.location).origin;
    if (offer.series.some(({ dicom }) => dicom.some(({ location }) => new URL(location, origin).origin !== origin))) return { answer: 'refused', reason: 'images at another place than the callback' };
    if (this.#working.has(offerId)) return { answer: 'accepted' };
    const known = this.#outcomes.get(offerId);
    if (known === undefined && this.#working.size > 0) return { answer: 'busy', retryAfterS };
    this.#working.add(offerId);
    void this.#work(offer, callback, known).finally(() => this.#working.delete(offerId));
    return { answer: 'accepted' };
  }

  async #work(offer: Offer, callback: NonNullable<Offer['callback']>, known: Outcome | undefined): Promise<void> {
    const { offerId, tasks, outcomeBy } = offer;
    const { analyst, log } = this.#options;
    try {
      const outcome = known ?? (await this.#analyse(offer, callback.token).then((performed) => outcomeOf(offerId, tasks, performed), (error: unknown) => failureOf(offerId, error)));
      if (this.#ending.signal.aborted) return;
      this.#remember(offerId, outcome);
      log.info({ offerId, outcome: outcome.outcome, model: analyst.model?.id, inTime: Date.now() < Date.parse(outcomeBy) }, 'analysed');
      await this.#send(callback, outcome);
    } catch (error) {
      log.warn({ offerId, code: error instanceof CodedError ? error.code : undefined }, 'an outcome could not be sent');
    }
  }

  async #analyse(offer: Offer, token: string) {
    let nBytes = 0;
    const sources = [];
    for (const series of analysable(offer.series)) {
      const files: Uint8Array[] = [];
      for (const { location } of series.dicom) {
        const answer = await fetch(location, { headers: { authorization: `Bearer ${token}` }, signal: this.#ending.signal });
        if (!answer.ok) throw analysisFlowError('CONUS_ERR_ANALYSIS_SOURCE', `status ${answer.status} for an image`);
        const file = new Uint8Array(await answer.arrayBuffer());
        nBytes += file.length;
        if (nBytes > mostImageBytes) throw analysisFlowError('CONUS_ERR_ANALYSIS_SOURCE', `more than ${mostImageBytes} bytes of images`);
        files.push(file);
      }
      sources.push(sourceOf(series, files));
    }
    return this.#options.analyst.perform(sources, this.#ending.signal);
  }

  async #send({ location, token }: NonNullable<Offer['callback']>, outcome: Outcome): Promise<void> {
    const { firstPauseMs = 2_000 } = this.#options;
    for (let sending = 0; sending < mostSendings; sending++) {
      if (sending > 0) await pause(firstPauseMs * 2 ** (sending - 1), this.#ending.signal);
      const status = await fetch(location, {
        method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(outcome), signal: this.#ending.signal,
      }).then((answer) => answer.status, () => 0);
      if (status === 200) return;
      // What is refused once is refused again.
      if (status >= 400 && status < 500) break;
      if (this.#ending.signal.aborted) return;
    }
    throw analysisFlowError('CONUS_ERR_ANALYSIS_STAGE', 'an outcome that was not taken');
  }

  #remember(offerId: string, outcome: Outcome): void {
    this.#outcomes.set(offerId, outcome);
    for (const oldest of this.#outcomes.keys()) {
      if (this.#outcomes.size <= mostRemembered) break;
      this.#outcomes.delete(oldest);
    }
  }
}

function refusal(got: string) {
  const { code, message, expected, action } = analysisFlowError('CONUS_ERR_ANALYSIS_STAGE', got);
  return { error: { code, message, expected, action } };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
