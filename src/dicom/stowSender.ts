/**
 * STOW-RS (PS3.18, 10.5): the instances of a series as parts of POST requests, each answered instance by instance.
 * A request holds as many objects as stay within some 64 MiB, so that memory is bounded. Node's fetch trusts the system's
 * authorities and those of NODE_EXTRA_CA_CERTS.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { dicomError } from './errors.js';
import { failed, stored } from './sender.js';
import type { LoadedInstance, Sender, SendResult } from './sender.js';

export interface StowOptions {
  /** Of the service's studies, `https://host/dicom-web/studies`. */
  readonly url: string;
  readonly credentials?: { readonly bearer: string } | { readonly user: string; readonly password: string };
  readonly timeoutMs: number;
}

const MAX_REQUEST_BYTES = 64 * 2 ** 20;

const sequence = z.object({ Value: z.array(z.record(z.string(), z.unknown())).optional() }).optional();
/** Store Instances Response Module (PS3.18, I.2): failed (0008,1198) and referenced (0008,1199) instances. */
const answerSchema = z.object({ '00081198': sequence, '00081199': sequence });
const uidSchema = z.object({ '00081155': z.object({ Value: z.tuple([z.string()]) }) });
const reasonSchema = z.object({ '00081197': z.object({ Value: z.tuple([z.number()]) }) });

export class StowSender implements Sender {
  readonly #options: StowOptions;

  constructor(options: StowOptions) {
    this.#options = options;
  }

  async send(instances: readonly LoadedInstance[], signal: AbortSignal): Promise<readonly SendResult[]> {
    const results: SendResult[] = [];
    for (const batch of batchesOf(instances)) {
      results.push(...(signal.aborted ? failedAll(batch, 'DICOM_ERR_CANCELLED', 'a request to stop', true) : await this.#post(batch, signal)));
    }
    return results;
  }

  async echo(signal: AbortSignal): Promise<void> {
    const response = await this.#fetch(`${this.#options.url}?limit=1`, { headers: { ...this.#authorization(), accept: 'application/dicom+json' } }, signal).catch((error: unknown) => {
      throw dicomError('DICOM_ERR_HTTP', causeOf(error));
    });
    await response.body?.cancel();
    if (!response.ok) throw dicomError('DICOM_ERR_HTTP', `HTTP status ${response.status}`);
  }

  async #post(batch: readonly LoadedInstance[], signal: AbortSignal): Promise<SendResult[]> {
    const boundary = `conus-${randomBytes(16).toString('hex')}`;
    const parts: Uint8Array[] = [];
    try {
      for (const instance of batch) {
        parts.push(Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`), await instance.bytes(), Buffer.from('\r\n'));
      }
    } catch {
      return failedAll(batch, 'DICOM_ERR_OBJECT_STORE', 'an object that cannot be read', true);
    }
    parts.push(Buffer.from(`--${boundary}--\r\n`));
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(
        this.#options.url,
        {
          method: 'POST',
          headers: {
            ...this.#authorization(),
            'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
            accept: 'application/dicom+json',
          },
          body: Buffer.concat(parts),
        },
        signal,
      );
      text = await response.text();
    } catch (error) {
      return failedAll(batch, signal.aborted ? 'DICOM_ERR_CANCELLED' : 'DICOM_ERR_HTTP', causeOf(error), true);
    }
    // 200: all stored; 202 and 409: some or all were not, and the body tells which.
    if (![200, 202, 409].includes(response.status)) {
      const isTransient = response.status >= 500 || [401, 403, 408, 429].includes(response.status);
      return failedAll(batch, 'DICOM_ERR_HTTP', `HTTP status ${response.status}`, isTransient);
    }
    return perInstance(batch, text);
  }

  #fetch(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    return fetch(url, { ...init, redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]) });
  }

  #authorization(): Record<string, string> {
    const { credentials } = this.#options;
    if (credentials === undefined) return {};
    if ('bearer' in credentials) return { authorization: `Bearer ${credentials.bearer}` };
    return { authorization: `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}` };
  }
}

/** What the answer does not name was not stored as far as anybody knows. */
function perInstance(batch: readonly LoadedInstance[], text: string): SendResult[] {
  const answer = answerSchema.safeParse(parseJson(text));
  if (!answer.success) return failedAll(batch, 'DICOM_ERR_HTTP', 'an answer that is no DICOM JSON', true);
  const accepted = new Set((answer.data['00081199']?.Value ?? []).flatMap((item) => uidSchema.safeParse(item).data?.['00081155'].Value ?? []));
  const reasons = new Map(
    (answer.data['00081198']?.Value ?? []).map((item) => [
      uidSchema.safeParse(item).data?.['00081155'].Value[0], reasonSchema.safeParse(item).data?.['00081197'].Value[0],
    ]),
  );
  return batch.map(({ sopInstanceUid }) => {
    if (accepted.has(sopInstanceUid)) return stored(sopInstanceUid);
    const reason = reasons.get(sopInstanceUid);
    const text = reason === undefined ? 'an instance that the answer does not name as stored' : `failure reason ${reason.toString(16).toUpperCase().padStart(4, '0')}`;
    return failed(sopInstanceUid, 'DICOM_ERR_REFUSED', text, reason === undefined || reason >>> 8 === 0xa7 || reason === 0x0110);
  });
}

function batchesOf(instances: readonly LoadedInstance[]): LoadedInstance[][] {
  const batches: LoadedInstance[][] = [];
  let nBytes = Infinity;
  for (const instance of instances) {
    if (nBytes + instance.nBytes > MAX_REQUEST_BYTES) {
      batches.push([]);
      nBytes = 0;
    }
    batches.at(-1)!.push(instance);
    nBytes += instance.nBytes;
  }
  return batches;
}

function failedAll(batch: readonly LoadedInstance[], ...why: [Parameters<typeof failed>[1], string, boolean]): SendResult[] {
  return batch.map(({ sopInstanceUid }) => failed(sopInstanceUid, ...why));
}

/** fetch says `fetch failed`, and why in its cause. */
function causeOf(error: unknown): string {
  const { name, cause } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? name;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
