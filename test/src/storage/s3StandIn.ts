/** As much of S3 as the driver uses, in this process, which fails on command. It asks that requests are signed, and checks digests. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What becomes of a request in place of an answer; undefined: it is answered. `lost` is done, but its answer never arrives. */
export type Mishap = 'status500' | 'cut' | 'truncated' | 'lost' | 'silent' | 'changed' | 'denied' | 'full' | undefined;

interface Stored {
  readonly bytes: Buffer;
  readonly sha256: string | undefined;
  readonly etag: string;
}

export class S3StandIn {
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, { key: string; sha256: string | undefined; parts: Map<number, Buffer> }>();
  /** "PUT objects/a" and so on, as they came. */
  readonly requests: string[] = [];
  /** Asked once a request. */
  mishapOf: (request: string) => Mishap = () => undefined;
  pageLength = 2;
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #nUploads = 0;

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await buffer(request);
      const url = new URL(request.url ?? '', 'http://s3');
      const name = `${request.method} ${url.pathname.split('/').slice(2).join('/')}${url.search}`;
      this.requests.push(name);
      const mishap = this.mishapOf(name);
      if (mishap === 'cut') return void request.socket.destroy();
      if (mishap === 'silent') return;
      if (mishap === 'status500') return this.#error(response, 500, 'InternalError');
      if (mishap === 'denied') return this.#error(response, 403, 'InvalidAccessKeyId');
      if (mishap === 'full') return this.#error(response, 507, 'XMinioStorageFull');
      if (mishap === 'changed') body.fill(0);
      this.#serve(request, url, body, response, mishap);
    } catch {
      response.destroy();
    }
  }

  #serve(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse, mishap: Mishap): void {
    const { headers, method } = request;
    if (!/^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/[a-z0-9-]+\/s3\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/.test(headers.authorization ?? '')) {
      return this.#error(response, 403, 'AccessDenied');
    }
    if (headers['x-amz-content-sha256'] !== createHash('sha256').update(body).digest('hex')) return this.#error(response, 400, 'XAmzContentSHA256Mismatch');
    const md5 = createHash('md5').update(body).digest();
    if (headers['content-md5'] !== undefined && headers['content-md5'] !== md5.toString('base64')) return this.#error(response, 400, 'BadDigest');
    const [, bucket, ...rest] = url.pathname.split('/');
    if (bucket !== 'bucket') return this.#error(response, 404, 'NoSuchBucket');
    const key = rest.join('/');
    const query = url.searchParams;
    const uploadId = query.get('uploadId');
    const done = (status: number, text = '', more: Record<string, string> = {}) => {
      if (mishap === 'lost') return void response.destroy();
      response.writeHead(status, more).end(text);
    };
    if (key === '') return done(200, this.#page(query.get('prefix') ?? '', query.get('continuation-token') ?? ''));
    if (method === 'POST' && query.has('uploads')) {
      const id = `upload ${this.#nUploads++}<&>`;
      this.uploads.set(id, { key, sha256: headers['x-amz-meta-sha256'] as string, parts: new Map() });
      return done(200, `<InitiateMultipartUploadResult><UploadId>${id.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (uploadId !== null) {
      const upload = this.uploads.get(uploadId);
      if (upload === undefined) return this.#error(response, 404, 'NoSuchUpload');
      if (method === 'PUT') {
        upload.parts.set(Number(query.get('partNumber')), body);
        return done(200, '', { etag: `"${md5.toString('hex')}"` });
      }
      this.uploads.delete(uploadId);
      if (method === 'DELETE') return done(204);
      const parts = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;([0-9a-f]{32})&quot;<\/ETag>/g)];
      const bytes = Buffer.concat(parts.map(([, number]) => upload.parts.get(Number(number))!));
      this.objects.set(key, { bytes, sha256: upload.sha256, etag: `"${parts.length}-parts"` });
      return done(200, '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>');
    }
    if (method === 'PUT') {
      this.objects.set(key, { bytes: body, sha256: headers['x-amz-meta-sha256'] as string, etag: `"${md5.toString('hex')}"` });
      return done(200, '', { etag: `"${md5.toString('hex')}"` });
    }
    const found = this.objects.get(key);
    if (method === 'DELETE') {
      this.objects.delete(key);
      return done(204);
    }
    if (found === undefined) return method === 'HEAD' ? done(404) : this.#error(response, 404, 'NoSuchKey');
    if (headers['if-match'] !== undefined && headers['if-match'] !== found.etag) return this.#error(response, 412, 'PreconditionFailed');
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
    const bytes = range === null ? found.bytes : found.bytes.subarray(Number(range[1]), Number(range[2]) + 1);
    response.writeHead(range === null ? 200 : 206, { 'content-length': bytes.length, etag: found.etag, ...(found.sha256 !== undefined && { 'x-amz-meta-sha256': found.sha256 }) });
    if (method === 'HEAD') return void response.end();
    if (mishap !== 'truncated') return void response.end(bytes);
    response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
  }

  #page(prefix: string, after: string): string {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, this.pageLength);
    const contents = page.map((key) => `<Contents><Key>${key}</Key><LastModified>${new Date().toISOString()}</LastModified><ETag>&quot;x&quot;</ETag><Size>${this.objects.get(key)!.bytes.length}</Size></Contents>`);
    const isTruncated = keys.length > page.length;
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? `<NextContinuationToken>${page.at(-1)!}</NextContinuationToken>` : ''}${contents.join('')}</ListBucketResult>`;
  }

  #error(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status).end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
  }
}
