/**
 * The doors of the service: who may come in over HTTP and the live channel, and behind what.
 *
 *   1. a rate a client; a wrong token costs many requests
 *   2. Origin, which browsers send: a page of elsewhere that leads here is refused, tokens or not
 *   3. a token, where there are tokens
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { CodedError } from 'ismrmrd';
import { AddressList, checkDoor, isLoopback } from './address.js';
import type { DoorGuards, DoorName } from './address.js';
import { doorError } from './errors.js';
import { RateLimiter } from './rateLimit.js';
import { loadTls } from './tls.js';
import type { TlsFiles, TlsOptions } from './tls.js';
import { makeToken, readTokens, TokenSet, tokenOf } from './tokens.js';

export interface DoorRequest {
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  /** `live`: a WebSocket. */
  readonly door: 'http' | 'live';
}

export type Admission =
  | { readonly isAdmitted: true }
  | { readonly isAdmitted: false; readonly status: 401 | 403 | 429; readonly error: CodedError };

export interface DoorOptions {
  readonly tokenFile?: string | undefined;
  /** Make a token at every start. */
  readonly makeToken?: boolean;
  readonly tls?: TlsFiles | undefined;
  /** Of pages that may come in beside our own, e.g. https://console.example. */
  readonly origins?: readonly string[];
  /** Names that the Host header may have beside those of loopback. */
  readonly hostNames?: readonly string[];
  /** Addresses and ranges that MRD sessions may come from beside loopback. */
  readonly mrdAllow?: readonly string[];
  readonly requestsPerSecond?: number;
  readonly burst?: number;
}

/** What a wrong token costs, in requests. */
const WRONG_TOKEN_COST = 20;

export class Doors {
  /** Of a token that was made: to be shown once, to whoever started the service. */
  readonly madeToken: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly hostNames: readonly string[];
  readonly #tokens: TokenSet;
  readonly #origins: ReadonlySet<string>;
  readonly #mrdAllow: AddressList;
  readonly #limiter: RateLimiter;

  private constructor(options: DoorOptions, tokens: readonly string[], made: string | undefined, tls: TlsOptions | undefined) {
    this.madeToken = made;
    this.tls = tls;
    this.hostNames = (options.hostNames ?? []).map((name) => name.toLowerCase());
    this.#tokens = new TokenSet(tokens);
    this.#origins = new Set(options.origins);
    this.#mrdAllow = new AddressList(options.mrdAllow ?? []);
    this.#limiter = new RateLimiter({ perSecond: options.requestsPerSecond ?? 50, burst: options.burst ?? 200 });
  }

  /** @throws CodedError CONUS_ERR_DOOR_TOKEN_FILE, CONUS_ERR_DOOR_TLS, CONUS_ERR_DOOR_ADDRESS */
  static async open(options: DoorOptions = {}): Promise<Doors> {
    const made = options.makeToken === true ? makeToken() : undefined;
    const read = options.tokenFile === undefined ? [] : await readTokens(options.tokenFile);
    const tls = options.tls === undefined ? undefined : await loadTls(options.tls);
    return new Doors(options, made === undefined ? read : [...read, made], made, tls);
  }

  /** Whether whoever comes over HTTP or the live channel has to show something. */
  get areGuarded(): boolean {
    return !this.#tokens.isEmpty || this.#requiresCertificates;
  }

  get #requiresCertificates(): boolean {
    return this.tls?.requestCert === true;
  }

  /**
   * To be called before a door listens.
   * @param further guards that the door has of its own: known AE titles
   * @throws CodedError CONUS_ERR_DOOR_UNGUARDED
   */
  check(door: DoorName, host: string, further: DoorGuards = {}): void {
    checkDoor(door, host, {
      tokens: !this.#tokens.isEmpty,
      tls: this.tls !== undefined,
      clientCertificates: this.#requiresCertificates,
      listedAddresses: !this.#mrdAllow.isEmpty,
      ...further,
    });
  }

  /** Whether an MRD session may come from this address. */
  admitsMrd(remoteAddress: string): boolean {
    return this.#mrdAllow.allows(remoteAddress);
  }

  authorise({ headers, remoteAddress }: DoorRequest): Admission {
    if (!this.#limiter.take(remoteAddress)) return refusal(429, doorError('CONUS_ERR_DOOR_RATE', 'too many requests'));
    if (!this.#isOwnOrigin(headers)) return refusal(403, doorError('CONUS_ERR_DOOR_ORIGIN', 'another origin'));
    if (this.#tokens.isEmpty) return { isAdmitted: true };
    const token = tokenOf(headers);
    if (token !== undefined && this.#tokens.has(token)) return { isAdmitted: true };
    this.#limiter.charge(remoteAddress, WRONG_TOKEN_COST);
    return refusal(401, doorError('CONUS_ERR_DOOR_DENIED', token === undefined ? 'no token' : 'another token'));
  }

  /** Browsers send Origin with every WebSocket; what is no browser has none, and no page to be misled by. */
  #isOwnOrigin({ origin, host }: IncomingHttpHeaders): boolean {
    if (origin === undefined || this.#origins.has(origin)) return true;
    const scheme = this.tls === undefined ? 'http' : 'https';
    // The Host header alone proves nothing: a name of elsewhere may lead here.
    const name = (host ?? '').toLowerCase().replace(/:\d+$/, '');
    const isOurs = isLoopback(name) || this.hostNames.includes(name);
    return isOurs && origin.toLowerCase() === `${scheme}://${(host ?? '').toLowerCase()}`;
  }
}

function refusal(status: 401 | 403 | 429, error: CodedError): Admission {
  return { isAdmitted: false, status, error };
}
