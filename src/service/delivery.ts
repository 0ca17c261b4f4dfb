/** The parts that see that nothing is lost: the data folder, the keeper of what sessions make, and the driver of the outbox. */
import { rerunnable, SessionKeeper } from '../keeping/index.js';
import type { DeliverableSeries } from '../keeping/index.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import { OutboxDriver } from '../outbox/index.js';
import type { Destination, OutboxPolicy } from '../outbox/index.js';
import { openSpool } from '../spool/index.js';
import type { QuotaOptions, Spool } from '../spool/index.js';
import type { ServicePart } from './parts.js';

export interface DataOptions {
  readonly folder: string;
  readonly quota?: Partial<QuotaOptions>;
}

export interface DeliveryOptions {
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly destinationsFor: (series: DeliverableSeries) => readonly string[];
  readonly policy: OutboxPolicy;
}

/** @throws CodedError SPOOL_ERR_LOCKED, SPOOL_ERR_SCHEMA, SPOOL_ERR_UNREADABLE */
export async function startSpool({ folder, quota }: DataOptions, log: Logger): Promise<{ part: ServicePart; spool: Spool }> {
  const spool = await openSpool(folder, quota);
  spool.room.on('full', (state) => log.error({ code: 'SPOOL_ERR_FULL', ...state }, 'no room for images: they go back to the scanner and nowhere else'));
  spool.room.on('room', (state) => log.info(state, 'room for images again'));
  if (spool.nInterrupted > 0) log.warn({ jobs: spool.nInterrupted }, 'deliveries that the end of the last process cut are taken up again');
  return {
    spool,
    part: {
      name: 'data',
      trouble: () => (spool.room.state.isFull ? 'no room for images' : undefined),
      close: () => spool.close(),
    },
  };
}

export async function startDelivery(
  spool: Spool, { destinations, destinationsFor, policy }: DeliveryOptions, log: Logger, metrics: Metrics,
): Promise<{ part: ServicePart; keeper: SessionKeeper }> {
  const keeper = new SessionKeeper({ spool, destinationsFor, log });
  for (const record of await keeper.recover()) {
    const raw = await rerunnable(record);
    log.warn({ session: record.id, ...(raw !== undefined && { raw }) }, raw === undefined ? 'a session was cut and is not acknowledged' : 'a session was cut and is not acknowledged; conus recon can still reconstruct its raw data');
  }
  const driver = new OutboxDriver({ spool, destinations, policy, log });
  driver.start();
  metrics.watchSpool(spool, () => keeper.nNotKept);
  return {
    keeper,
    part: {
      name: 'outbox',
      trouble: () => (driver.unknownDestinations.length > 0 ? 'jobs wait for a destination that the configuration does not name' : undefined),
      close: async () => {
        await driver.stop();
        await keeper.close();
      },
    },
  };
}
