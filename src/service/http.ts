/** The HTTP part of the service: listens, and closes. */
import type { AddressInfo } from 'node:net';
import { httpApp, httpError, isLoopback } from '../http/index.js';
import type { HttpAppOptions } from '../http/index.js';
import { listening } from '../server/index.js';
import type { Address } from '../server/index.js';
import type { ServicePart } from './parts.js';

/** @throws CodedError CONUS_ERR_OPEN_DOOR, CONUS_ERR_LISTEN */
export async function startHttp(at: Address, options: HttpAppOptions): Promise<{ part: ServicePart; address: Address }> {
  if (!isLoopback(at.host) && !options.doors.areGuarded) throw httpError('CONUS_ERR_OPEN_DOOR', `${at.host} without tokens`);
  const app = httpApp({ ...options, hostNames: [at.host, ...(options.hostNames ?? [])] });
  await listening(at, () => app.listen({ host: at.host, port: at.port })).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  const { address, port } = app.server.address() as AddressInfo;
  return { part: { name: 'http', close: () => app.close() }, address: { host: address, port } };
}
