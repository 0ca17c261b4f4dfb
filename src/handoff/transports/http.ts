/** A stage behind HTTP: the offer is POSTed, images are fetched by links, the outcome comes to the callback. */
import { answerSchema, type Offer, type OfferAnswer } from '../contract.js';
import { handoffError } from '../errors.js';
import type { Transport } from '../transport.js';

export interface HttpStage {
  /** Where offers are POSTed. */
  readonly url: string;
  /** Sent as a bearer token with each offer. */
  readonly token?: string;
  /** Under which the stage reaches this server, without a slash at the end. */
  readonly ownUrl: () => string;
}

/** An answer is a few words. */
const mostAnswerBytes = 64 * 1024;

/** @param tokenOf the bearer token of an offer, for its links and its callback */
export function httpTransport(stage: HttpStage, tokenOf: (offerId: string) => string): Transport {
  const base = (offerId: string) => `${stage.ownUrl()}/handoff/${offerId}`;
  return {
    locations: (offerId, series) => ({
      dicom: series.instances.map(({ sopInstanceUid }) => ({
        sopInstanceUid,
        location: `${base(offerId)}/series/${series.seriesInstanceUid}/instances/${sopInstanceUid}`,
      })),
      nifti: `${base(offerId)}/series/${series.seriesInstanceUid}/nifti`,
    }),
    callback: (offerId) => ({ location: `${base(offerId)}/outcome`, token: tokenOf(offerId) }),
    async offer(offer: Offer, _exam, _material, signal): Promise<OfferAnswer> {
      const response = await fetch(stage.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': offer.offerId,
          ...(stage.token === undefined ? {} : { authorization: `Bearer ${stage.token}` }),
        },
        body: JSON.stringify(offer),
        redirect: 'error',
        signal,
      });
      // Servers and proxies that are overloaded speak for their stage.
      if (response.status === 429 || response.status === 503) {
        await response.body?.cancel();
        const retryAfterS = Number(response.headers.get('retry-after') ?? Number.NaN);
        return { answer: 'busy', ...(Number.isFinite(retryAfterS) ? { retryAfterS: Math.min(86_400, Math.max(0, retryAfterS)) } : {}) };
      }
      if (!response.ok) {
        await response.body?.cancel();
        throw handoffError('HANDOFF_ERR_ANSWER', `HTTP status ${response.status}`);
      }
      return readAnswer(await shortText(response));
    },
  };
}

/** @throws CodedError HANDOFF_ERR_ANSWER */
export function readAnswer(text: string): OfferAnswer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw handoffError('HANDOFF_ERR_ANSWER', 'an answer that is not JSON');
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) throw handoffError('HANDOFF_ERR_ANSWER', `an answer with wrong ${fieldsOf(parsed.error.issues)}`);
  return parsed.data;
}

/** Names of fields only: values may be a patient's. */
export function fieldsOf(issues: readonly { readonly path: readonly PropertyKey[] }[]): string {
  const names = issues.map(({ path }) => path.map(String).join('.') || 'content');
  return [...new Set(names)].slice(0, 5).join(', ');
}

async function shortText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let nBytes = 0;
  for await (const part of response.body ?? []) {
    nBytes += part.length;
    if (nBytes > mostAnswerBytes) throw handoffError('HANDOFF_ERR_ANSWER', `an answer of more than ${mostAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
