/**
 * A reference receiver of the hand-off contract, over HTTP. It behaves as it is told: well, late, twice, wrong, never.
 * It fetches the images of its offer as a real stage would, and answers with what it read.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { offerSchema, type Offer, type OfferAnswer, type Outcome } from '../../../src/handoff/index.js';

export interface StageBehaviour {
  /** Answer to the nth offer, counted from 1; `silence` never answers, text is sent as it is. */
  readonly answer: (offer: Offer, nth: number) => OfferAnswer | 'silence' | { readonly status: number; readonly text: string; readonly retryAfter?: string };
  /** Bodies that are POSTed to the callback after an accepted offer, in order. */
  readonly outcomes: (offer: Offer, nth: number) => readonly (Outcome | string)[] | Promise<readonly (Outcome | string)[]>;
  /** The outcome overtakes the answer. */
  readonly outcomeFirst?: boolean;
  readonly fetches?: boolean;
}

export interface RunningStage {
  readonly url: string;
  readonly offers: Offer[];
  readonly headers: IncomingMessage['headers'][];
  /** What the callback answered. */
  readonly replies: { readonly status: number; readonly body: string }[];
  /** Bytes by link. */
  readonly fetched: Map<string, Buffer>;
  close(): Promise<void>;
}

export const accepted: OfferAnswer = { answer: 'accepted' };
export const done = (offer: Offer, value: unknown = offer.series.length): Outcome => ({
  version: 1,
  offerId: offer.offerId,
  outcome: 'done',
  results: [{ kind: 'json', name: 'measurements', value: value as never }],
});

export async function startStage(behaviour: StageBehaviour): Promise<RunningStage> {
  const stage = { offers: [] as Offer[], headers: [] as IncomingMessage['headers'][], replies: [] as { status: number; body: string }[], fetched: new Map<string, Buffer>() };
  const work: Promise<void>[] = [];
  const conclude = async (offer: Offer, nth: number): Promise<void> => {
    const token = { authorization: `Bearer ${offer.callback!.token}` };
    if (behaviour.fetches === true) {
      for (const location of offer.series.flatMap(({ dicom, nifti }) => [...dicom.map((item) => item.location), nifti!])) {
        stage.fetched.set(location, Buffer.from(await (await fetch(location, { headers: token })).arrayBuffer()));
      }
    }
    for (const outcome of await behaviour.outcomes(offer, nth)) {
      const body = typeof outcome === 'string' ? outcome : JSON.stringify(outcome);
      const reply = await fetch(offer.callback!.location, { method: 'POST', headers: { ...token, 'content-type': 'application/json' }, body });
      stage.replies.push({ status: reply.status, body: await reply.text() });
    }
  };
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const offer = offerSchema.parse(JSON.parse(Buffer.concat(parts).toString('utf8')));
      const nth = stage.offers.push(offer);
      stage.headers.push(request.headers);
      const answer = behaviour.answer(offer, nth);
      const respond = () => {
        if (answer === 'silence') return;
        if ('status' in answer) response.writeHead(answer.status, answer.retryAfter === undefined ? {} : { 'retry-after': answer.retryAfter }).end(answer.text);
        else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      };
      const isAccepted = answer !== 'silence' && 'answer' in answer && answer.answer === 'accepted';
      if (behaviour.outcomeFirst === true) work.push(conclude(offer, nth).then(respond));
      else {
        respond();
        if (isAccepted) work.push(conclude(offer, nth));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...stage,
    url: `http://127.0.0.1:${port}/offers`,
    async close() {
      await Promise.allSettled(work);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
