/** Tokens: made or read at the start, compared in constant time, never written anywhere else. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { doorError } from './errors.js';

const SHORTEST_TOKEN = 32;

/** 256 bits of chance. */
export function makeToken(): string {
  return randomBytes(32).toString('base64url');
}

/** One a line; empty lines and lines that start with # are no tokens. @throws CodedError CONUS_ERR_DOOR_TOKEN_FILE */
export async function readTokens(path: string): Promise<string[]> {
  const content = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw doorError('CONUS_ERR_DOOR_TOKEN_FILE', `${path} (${cause.code ?? 'unreadable'})`, { cause });
  });
  const tokens = content.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (tokens.length === 0) throw doorError('CONUS_ERR_DOOR_TOKEN_FILE', `${path} without a token`);
  // What is wrong with a token is told by its number, never by its text.
  tokens.forEach((token, i) => {
    if (token.length < SHORTEST_TOKEN || /\s/.test(token)) throw doorError('CONUS_ERR_DOOR_TOKEN_FILE', `${path}: token ${i + 1} is too short or holds a space`);
  });
  return tokens;
}

/**
 * A set of tokens. Digests are compared, so that neither length nor content of a token shows in the time,
 * and all of them, so that the place of the right one does not.
 */
export class TokenSet {
  readonly #digests: readonly Buffer[];

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digest);
  }

  get isEmpty(): boolean {
    return this.#digests.length === 0;
  }

  has(token: string): boolean {
    const given = digest(token);
    let nEqual = 0;
    for (const known of this.#digests) nEqual += Number(timingSafeEqual(known, given));
    return nEqual > 0;
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Subprotocol by which a browser, whose WebSocket sends no headers of a page's choice, brings its token. */
const TOKEN_PROTOCOL = 'bearer.';

/** The token of a request: `Authorization: Bearer …`, or a WebSocket's subprotocol `bearer.…`. Never of its address, which is logged. */
export function tokenOf(headers: { readonly authorization?: string | undefined; readonly 'sec-websocket-protocol'?: string | undefined }): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  return protocols.find((protocol) => protocol.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length);
}
