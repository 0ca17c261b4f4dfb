/** Addresses: which are loopback, which are allowed, and which doors may be opened where. */
import { BlockList, isIP } from 'node:net';
import { doorError } from './errors.js';

/** `metrics` is a path of `http`, and has its guards. */
export type DoorName = 'mrd' | 'http' | 'live' | 'dicom';

/** What stands before a door. */
export interface DoorGuards {
  readonly tokens?: boolean;
  readonly tls?: boolean;
  /** TLS that lets in only who has a certificate of our authority. */
  readonly clientCertificates?: boolean;
  /** Only AE titles that are known are answered. */
  readonly knownAeTitles?: boolean;
  /** Only addresses that are listed are answered. */
  readonly listedAddresses?: boolean;
}

/** Whether a name or address leads to this machine only; an empty one stands for all interfaces. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (name === 'localhost' || name === '::1') return true;
  return /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name) && isIP(name) !== 0;
}

const required: Readonly<Record<DoorName, { readonly isMet: (guards: DoorGuards) => boolean; readonly what: string }>> = {
  mrd: { isMet: ({ listedAddresses }) => listedAddresses === true, what: 'a list of addresses' },
  http: { isMet: ({ tokens, clientCertificates }) => tokens === true || clientCertificates === true, what: 'a token' },
  live: { isMet: ({ tokens, clientCertificates }) => tokens === true || clientCertificates === true, what: 'a token' },
  dicom: { isMet: ({ tls, knownAeTitles, clientCertificates }) => tls === true && (knownAeTitles === true || clientCertificates === true), what: 'TLS and known AE titles' },
};

/**
 * To be called before a door listens.
 * @throws CodedError CONUS_ERR_DOOR_UNGUARDED
 */
export function checkDoor(door: DoorName, host: string, guards: DoorGuards): void {
  const { isMet, what } = required[door];
  if (isLoopback(host) || isMet(guards)) return;
  throw doorError('CONUS_ERR_DOOR_UNGUARDED', `${door} on ${host === '' ? 'all addresses' : host} without ${what}`);
}

/** Addresses and ranges. An empty list allows loopback only. */
export class AddressList {
  readonly #list = new BlockList();
  readonly isEmpty: boolean;

  /** @throws CodedError CONUS_ERR_DOOR_ADDRESS */
  constructor(entries: readonly string[]) {
    this.isEmpty = entries.length === 0;
    for (const entry of entries) this.#add(entry);
  }

  allows(address: string): boolean {
    // What comes over IPv4 to a socket of both families.
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
    const family = isIP(plain);
    if (family === 0) return false;
    return isLoopback(plain) || this.#list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }

  #add(entry: string): void {
    const [address = '', bits, ...more] = entry.split('/');
    const family = isIP(address);
    const longest = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
    if (family === 0 || more.length > 0 || !(prefix <= longest)) throw doorError('CONUS_ERR_DOOR_ADDRESS', JSON.stringify(entry));
    this.#list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
}
