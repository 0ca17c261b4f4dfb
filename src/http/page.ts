/**
 * The console: a page of static files, read into memory at the start, so that no path of a request ever reaches the file
 * system. It is open to everybody whom the Host header lets in: it holds nothing, and asks for everything with a token.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

export interface PageFile {
  /** Of the address, from /. */
  readonly path: string;
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
  /** Its name tells its content. */
  readonly isImmutable: boolean;
}

const ownFile = fileURLToPath(import.meta.url);
/** Where `npm run build` puts it. */
export const builtPage = fileURLToPath(new URL(ownFile.endsWith('.ts') ? '../../dist/console/' : '../../console/', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.woff2': 'font/woff2', '.wasm': 'application/wasm',
};

/** Scripts, styles and requests of this origin alone, and pictures that the page itself makes; no WebAssembly and no workers. */
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
} as const;

/** None where the page was not built. */
export function readPage(folder = builtPage): PageFile[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const type = types[extname(name)];
    if (type === undefined) return [];
    const bytes = readFileSync(name);
    const path = `/${relative(folder, name).split(sep).join('/')}`;
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    return [{ path: path === '/index.html' ? '/' : path, type, bytes, gzipped: gzipSync(bytes), etag, isImmutable: path.startsWith('/assets/') }];
  });
}

export function pageRoutes(files: readonly PageFile[]): (app: FastifyInstance) => void {
  return (app) => {
    for (const { path, type, bytes, gzipped, etag, isImmutable } of files) {
      app.get(path, async (request, reply) => {
        reply.headers({ ...pageHeaders, etag, vary: 'accept-encoding', 'cache-control': isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache' });
        if (request.headers['if-none-match'] === etag) return reply.code(304).send();
        const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
        return takesGzip ? reply.type(type).header('content-encoding', 'gzip').send(gzipped) : reply.type(type).send(bytes);
      });
    }
  };
}
