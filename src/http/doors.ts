/** Who may come in. What tokens and origins there are is for the doors to know; this is all that HTTP and the live channel ask. */
import type { IncomingHttpHeaders } from 'node:http';
import type { CodedError } from 'ismrmrd';

export interface DoorRequest {
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  /** `live`: a WebSocket, whose Origin is checked as well. */
  readonly door: 'http' | 'live';
}

export type Admission =
  | { readonly isAdmitted: true }
  | { readonly isAdmitted: false; readonly status: 401 | 403 | 429; readonly error: CodedError };

export interface Doors {
  /** Whether whoever comes from another machine has to show something. */
  readonly areGuarded: boolean;
  authorise(request: DoorRequest): Admission;
}

/** For a service that listens on loopback only. */
export const openDoors: Doors = { areGuarded: false, authorise: () => ({ isAdmitted: true }) };

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}
