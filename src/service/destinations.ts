/** Where images go, from the configuration and the command line. */
import type { DicomConfig, DestinationConfig } from '../config/dicom.js';
import { dicomDestinationSchema } from '../config/dicom.js';
import type { SpoolConfig } from '../config/spool.js';
import { Pseudonymiser } from '../delivery/index.js';
import { destinationOf, destinationsFor, openSender } from '../dicom/index.js';
import type { CommitmentReports } from '../dicom/index.js';
import type { Destination } from '../outbox/index.js';
import type { QuotaOptions } from '../spool/index.js';
import type { DeliveryOptions } from './delivery.js';
import { pseudonymousSender } from './pseudonymousSender.js';

const MEBI = 2 ** 20;
/** Series that are sent at once to destinations that do not say how many associations they take. */
const PARALLEL = 2;

/**
 * @param more destinations as they are written on a command line, each of which takes every series
 * @param reports that the receiver shares with those destinations that commit themselves to what they store
 * @throws CodedError DICOM_ERR_DESTINATION
 */
export async function deliveryOf(
  dicom: DicomConfig, spool: SpoolConfig, more: readonly string[], reports: CommitmentReports,
): Promise<DeliveryOptions> {
  const given = more.map((text) => [text, destinationOf(text, dicom, (settings) => dicomDestinationSchema.parse(settings))] as const);
  const all: Readonly<Record<string, DestinationConfig>> = { ...dicom.destinations, ...Object.fromEntries(given) };
  const destinations = new Map<string, Destination>();
  for (const [name, destination] of Object.entries(all)) {
    const plain = await openSender(name, destination, dicom.receiver.aeTitles[0]!, reports);
    const { pseudonymise } = destination;
    const sender = pseudonymise === undefined ? plain : pseudonymousSender(plain, await Pseudonymiser.fromKeyFile(pseudonymise.keyFile, pseudonymise.dates));
    const parallel = destination.kind === 'dicom' ? destination.maxAssociations : PARALLEL;
    destinations.set(name, { sender, parallel, about: aboutOf(destination), echo: (signal) => plain.echo(signal) });
  }
  return {
    destinations,
    destinationsFor: (series) => destinationsFor({ ...dicom, destinations: all }, series),
    enhanced: dicom.enhanced,
    policy: {
      firstDelayMs: spool.firstDelayS * 1000, longestDelayMs: spool.longestDelayS * 1000,
      maxAttempts: spool.maxAttempts, maxAgeMs: spool.maxAgeHours * 3_600_000,
    },
  };
}

/** Nothing that opens a door: a URL may hold a password. */
function aboutOf(destination: DestinationConfig): NonNullable<Destination['about']> {
  const { kind } = destination;
  if (kind === 'folder') return { kind };
  return { kind, host: kind === 'dicom' ? `${destination.host}:${destination.port}` : new URL(destination.url).host };
}

export function quotaOf({ quotaMebibytes, reserveMebibytes }: SpoolConfig): QuotaOptions {
  return { quotaBytes: quotaMebibytes * MEBI, reserveBytes: reserveMebibytes * MEBI };
}
