/**
 * A bucket of an S3-compatible store. What is put says its MD5, which the store checks, and the SHA-256 of the whole, which
 * whoever gets it checks. Files go up in parts, which become an object only with their completion, and come down in ranges of one
 * version (If-Match), so that a connection that is cut costs one part.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { S3Config } from '../config/storage.js';
import { checkedKey, isKey } from './blobStore.js';
import type { Blob, BlobStore } from './blobStore.js';
import { storageError } from './errors.js';
import { probe } from './probe.js';
import { S3Requests } from './s3Requests.js';
import type { S3Answer } from './s3Requests.js';

/** Of the whole; the ETag is none where a store encrypts, or an object came in parts. */
const SHA256_HEADER = 'x-amz-meta-sha256';
/** S3 takes 10 000; more bytes need larger parts. */
const MOST_PARTS = 9000;

export class S3Store implements BlobStore {
  readonly #requests: S3Requests;
  readonly #prefix: string;
  readonly #partBytes: number;

  private constructor(requests: S3Requests, { prefix, partMebibytes }: S3Config) {
    this.#requests = requests;
    this.#prefix = prefix;
    this.#partBytes = Math.floor(partMebibytes * 2 ** 20);
  }

  /** @throws CodedError STORAGE_ERR_CREDENTIALS */
  static async open(config: S3Config, environment: NodeJS.ProcessEnv = process.env): Promise<S3Store> {
    return new S3Store(await S3Requests.open(config, environment), config);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await this.#requests.send({ method: 'PUT', key: checkedKey(key), headers: { 'content-md5': md5(bytes), [SHA256_HEADER]: sha256 }, body: bytes });
  }

  async putFile(key: string, path: string): Promise<void> {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size <= this.#partBytes) await this.put(key, await part(handle, 0, size));
      else await this.#putParts(checkedKey(key), handle, size, await sha256Of(path));
    } finally {
      await handle.close();
    }
  }

  async get(key: string): Promise<Uint8Array> {
    const answer = await this.#requests.send({ method: 'GET', key: checkedKey(key), nBytesExpected: this.#partBytes });
    const nBytes = lengthOf(answer);
    if (answer.bytes.length !== nBytes) throw storageError('STORAGE_ERR_DAMAGED', `${answer.bytes.length} bytes of ${nBytes} under ${key}`);
    checkHash(key, answer, createHash('sha256').update(answer.bytes));
    return answer.bytes;
  }

  async readInto(key: string, path: string): Promise<void> {
    const head = await this.#requests.send({ method: 'HEAD', key: checkedKey(key) });
    const [nBytes, version] = [lengthOf(head), head.headers.get('etag')];
    const handle = await open(path, 'w', 0o600);
    try {
      const hash = createHash('sha256');
      for (let start = 0; start < nBytes; start += this.#partBytes) {
        const end = Math.min(start + this.#partBytes, nBytes);
        const headers = { range: `bytes=${start}-${end - 1}`, ...(version !== null && { 'if-match': version }) };
        const { bytes } = await this.#requests.send({ method: 'GET', key, headers, nBytesExpected: end - start });
        if (bytes.length !== end - start) throw storageError('STORAGE_ERR_DAMAGED', `${bytes.length} bytes of ${end - start} from ${start} under ${key}`);
        hash.update(bytes);
        await handle.writeFile(bytes);
      }
      checkHash(key, head, hash);
      await handle.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  }

  async has(key: string): Promise<boolean> {
    return (await this.size(key)) !== undefined;
  }

  async size(key: string): Promise<number | undefined> {
    const answer = await this.#requests.send({ method: 'HEAD', key: checkedKey(key) }, [404]);
    return answer.status === 404 ? undefined : lengthOf(answer);
  }

  async remove(key: string): Promise<void> {
    const answer = await this.#requests.send({ method: 'DELETE', key: checkedKey(key) }, [404]);
    if (answer.status === 404 && answer.bytes.length > 0 && textOf(answer).includes('NoSuchBucket')) throw storageError('STORAGE_ERR_BUCKET', this.#requests.address);
  }

  async *list(prefix: string): AsyncIterable<Blob> {
    let token: string | undefined;
    do {
      const query = { 'list-type': '2', prefix: `${this.#prefix}${prefix}`, ...(token !== undefined && { 'continuation-token': token }) };
      const page = textOf(await this.#requests.send({ method: 'GET', query, nBytesExpected: 2 ** 20 }));
      for (const [, content] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const key = element(content!, 'Key')?.slice(this.#prefix.length);
        // What others keep in the bucket is none of ours.
        if (key === undefined || !isKey(key)) continue;
        yield { key, nBytes: Number(element(content!, 'Size')), modifiedAt: Date.parse(element(content!, 'LastModified') ?? '') };
      }
      token = element(page, 'IsTruncated') === 'true' ? element(page, 'NextContinuationToken') : undefined;
    } while (token !== undefined);
  }

  /** A bucket does not say. */
  freeBytes(): Promise<number> {
    return Promise.resolve(Infinity);
  }

  check(): Promise<void> {
    return probe(this);
  }

  async #putParts(key: string, handle: FileHandle, nBytes: number, sha256: string): Promise<void> {
    const begun = textOf(await this.#requests.send({ method: 'POST', key, query: { uploads: '' }, headers: { [SHA256_HEADER]: sha256 } }));
    const uploadId = element(begun, 'UploadId');
    if (uploadId === undefined) throw storageError('STORAGE_ERR_UNREACHABLE', `${this.#requests.address}, which answers without the id of an upload`);
    try {
      const partBytes = Math.max(this.#partBytes, Math.ceil(nBytes / MOST_PARTS));
      const parts: string[] = [];
      for (let start = 0; start < nBytes; start += partBytes) {
        const body = await part(handle, start, Math.min(partBytes, nBytes - start));
        const query = { partNumber: String(parts.length + 1), uploadId };
        const { headers } = await this.#requests.send({ method: 'PUT', key, query, headers: { 'content-md5': md5(body) }, body });
        parts.push(`<Part><PartNumber>${parts.length + 1}</PartNumber><ETag>${escaped(headers.get('etag') ?? '')}</ETag></Part>`);
      }
      const body = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
      const answer = await this.#requests.send({ method: 'POST', key, query: { uploadId }, body }, [404]);
      // A completion that was sent twice finds no upload any more: then the object is there.
      const isComplete = answer.status !== 404 || (await this.#requests.send({ method: 'HEAD', key })).headers.get(SHA256_HEADER) === sha256;
      if (!isComplete) throw storageError('STORAGE_ERR_MISSING', `an upload of ${key} that the store has forgotten`);
    } catch (error) {
      // Parts that nobody completes would be paid for and counted.
      await this.#requests.send({ method: 'DELETE', key, query: { uploadId } }, [404]).catch(() => undefined);
      throw error;
    }
  }
}

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('base64');

const textOf = ({ bytes }: S3Answer) => new TextDecoder().decode(bytes);

const lengthOf = ({ headers }: S3Answer) => Number(headers.get('content-length'));

/** The text of the first element of this name in an answer of S3, whose elements have no attributes. */
function element(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function checkHash(key: string, { headers }: S3Answer, hash: Hash): void {
  const expected = headers.get(SHA256_HEADER);
  if (expected !== null && hash.digest('hex') !== expected) throw storageError('STORAGE_ERR_DAMAGED', `other bytes under ${key} than were put`);
}

/** Bytes of a file that does not change. */
async function part(handle: FileHandle, start: number, nBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(nBytes);
  for (let nRead = 0; nRead < nBytes; ) {
    const { bytesRead } = await handle.read(bytes, nRead, nBytes - nRead, start + nRead);
    if (bytesRead === 0) throw storageError('STORAGE_ERR_DAMAGED', 'a file that became shorter while it was read');
    nRead += bytesRead;
  }
  return bytes;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
