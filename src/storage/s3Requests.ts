/**
 * Signed requests to an S3-compatible store: path-style addresses, time-outs, and repetition of what the network or the
 * store failed at (AWS Signature Version 4 by aws4fetch, loaded where a bucket is configured). Every request may be sent
 * twice: those that are made here change nothing the second time.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { AwsV4Signer } from 'aws4fetch';
import type { S3Config } from '../config/storage.js';
import { storageError } from './errors.js';

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Undefined for the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Bytes that the answer may have, for its time-out. */
  readonly nBytesExpected?: number;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** A connection that is slower than this is taken for a broken one. */
const SLOWEST_BYTES_PER_MS = 1000;

const emptySha256 = createHash('sha256').digest('hex');

export class S3Requests {
  readonly #config: S3Config;
  readonly #address: string;
  readonly #credentials: Credentials;
  readonly #Signer: typeof AwsV4Signer;
  /** Keys that are derived for a day. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  private constructor(config: S3Config, credentials: Credentials, Signer: typeof AwsV4Signer) {
    this.#config = config;
    this.#credentials = credentials;
    this.#Signer = Signer;
    const endpoint = config.endpoint ?? `https://s3.${config.region}.amazonaws.com`;
    this.#address = `${endpoint.replace(/\/+$/, '')}/${config.bucket}`;
  }

  /** @throws CodedError STORAGE_ERR_CREDENTIALS */
  static async open(config: S3Config, environment: NodeJS.ProcessEnv): Promise<S3Requests> {
    const credentials = await credentialsOf(config, environment);
    const signing = await import('aws4fetch');
    return new S3Requests(config, credentials, signing.AwsV4Signer);
  }

  /** For people: where the bucket is. */
  get address(): string {
    return this.#address;
  }

  /**
   * @param absence statuses that are an answer, and no error
   * @throws CodedError STORAGE_ERR_MISSING, STORAGE_ERR_DENIED, STORAGE_ERR_BUCKET, STORAGE_ERR_FULL, STORAGE_ERR_UNREACHABLE
   */
  async send(request: S3Request, absence: readonly number[] = []): Promise<S3Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#once(request).catch((error: unknown) => error as Error);
      const isLast = attempt >= this.#config.attempts;
      if (answer instanceof Error) {
        if (isLast) throw storageError('STORAGE_ERR_UNREACHABLE', `${this.#nameOf(request)} (${reasonOf(answer)})`, { cause: answer });
      } else if (absence.includes(answer.status)) {
        return answer;
      } else if (answer.status < 300) {
        // A store that has begun to answer a POST may still fail: then the failure is in the body.
        if (request.method !== 'POST' || errorCodeOf(answer) === undefined) return answer;
        if (isLast) throw this.#failure(request, answer);
      } else if (isLast || !mayPass(answer)) {
        throw this.#failure(request, answer);
      }
      // Half of it by chance, so that many nodes do not come back at once.
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
      await delay(pauseMs * (0.5 + 0.5 * Math.random()));
    }
  }

  async #once({ method, key, query = {}, headers = {}, body, nBytesExpected = 0 }: S3Request): Promise<S3Answer> {
    const url = new URL(key === undefined ? this.#address : `${this.#address}/${this.#config.prefix}${key}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const signed = await new this.#Signer({
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': body === undefined ? emptySha256 : createHash('sha256').update(body).digest('hex') },
      service: 's3',
      region: this.#config.region,
      cache: this.#signingKeys,
      ...this.#credentials,
    }).sign();
    const limitMs = this.#config.timeoutS * 1000 + ((body?.length ?? 0) + nBytesExpected) / SLOWEST_BYTES_PER_MS;
    const answer = await fetch(signed.url, {
      method,
      headers: signed.headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.ceil(limitMs)),
      ...(body !== undefined && { body: body as Uint8Array<ArrayBuffer> }),
    });
    return { status: answer.status, headers: answer.headers, bytes: new Uint8Array(await answer.arrayBuffer()) };
  }

  #failure(request: S3Request, answer: S3Answer): Error {
    const code = errorCodeOf(answer);
    const got = `${this.#nameOf(request)}: status ${answer.status}${code === undefined ? '' : ` ${code}`}`;
    if (code === 'NoSuchBucket' || (answer.status >= 300 && answer.status < 400)) return storageError('STORAGE_ERR_BUCKET', got);
    if (answer.status === 507 || code === 'QuotaExceeded' || code === 'XMinioStorageFull') return storageError('STORAGE_ERR_FULL', got);
    if (answer.status === 404 || answer.status === 412) return storageError('STORAGE_ERR_MISSING', got);
    if (answer.status === 401 || answer.status === 403) return storageError('STORAGE_ERR_DENIED', got);
    return storageError('STORAGE_ERR_UNREACHABLE', got);
  }

  #nameOf({ method, key }: S3Request): string {
    return `${method} ${this.#address}${key === undefined ? '' : `/${this.#config.prefix}${key}`}`;
  }
}

/** Of an answer in XML. */
function errorCodeOf({ bytes }: S3Answer): string | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, 4096));
  return text.includes('<Error') ? (/<Code>([A-Za-z0-9.]+)<\/Code>/.exec(text)?.[1] ?? 'unknown') : undefined;
}

/** Whether it may go well the next time. Bytes that were changed on their way are refused by their digest, and sent again. */
function mayPass(answer: S3Answer): boolean {
  if (answer.status === 507) return false;
  return answer.status >= 500 || answer.status === 429 || answer.status === 408 || ['BadDigest', 'RequestTimeout', 'XAmzContentSHA256Mismatch'].includes(errorCodeOf(answer) ?? '');
}

function reasonOf(error: Error): string {
  const { cause } = error as { readonly cause?: { readonly code?: string } };
  return cause?.code ?? (error.name === 'TimeoutError' ? 'no answer in time' : error.message);
}

async function credentialsOf(config: S3Config, environment: NodeJS.ProcessEnv): Promise<Credentials> {
  const accessKeyId = await secretIn(config.accessKeyIdFile, environment['AWS_ACCESS_KEY_ID']);
  const secretAccessKey = await secretIn(config.secretAccessKeyFile, environment['AWS_SECRET_ACCESS_KEY']);
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw storageError('STORAGE_ERR_CREDENTIALS', `no ${accessKeyId === undefined ? 'access key' : 'secret of the access key'}`);
  }
  // A session token belongs to the key of the environment, not to one of files.
  const sessionToken = config.accessKeyIdFile === undefined ? environment['AWS_SESSION_TOKEN'] : undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

async function secretIn(file: string | undefined, otherwise: string | undefined): Promise<string | undefined> {
  const text = file === undefined ? otherwise : await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw storageError('STORAGE_ERR_CREDENTIALS', `${file} (${cause.code ?? 'unreadable'})`, { cause });
  });
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}
