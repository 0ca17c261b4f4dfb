/** The HTTP part of the service: listens, and closes. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Doors } from '../doors/index.js';
import { httpApp } from '../http/index.js';
import type { HttpAppOptions } from '../http/index.js';
import { listening } from '../server/index.js';
import type { Address } from '../server/index.js';
import type { ServicePart } from './parts.js';

export interface HttpPartOptions extends Omit<HttpAppOptions, 'host' | 'doors'> {
  readonly doors: Doors;
}

/**
 * @param ready is given the server as soon as it listens
 * @throws CodedError CONUS_ERR_DOOR_UNGUARDED, CONUS_ERR_LISTEN
 */
export async function startHttp(at: Address, options: HttpPartOptions, ready: (server: Server) => void): Promise<{ part: ServicePart; address: Address }> {
  options.doors.check('http', at.host);
  const app = httpApp({ ...options, host: at.host });
  await listening(at, () => app.listen({ host: at.host, port: at.port })).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  ready(app.server);
  const { address, port } = app.server.address() as AddressInfo;
  return { part: { name: 'http', close: () => app.close() }, address: { host: address, port } };
}
