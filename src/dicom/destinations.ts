/** Destinations by name, as the configuration has them, or as they are written on a command line. */
import { readFile } from 'node:fs/promises';
import type { DestinationConfig, DestinationRules, DicomConfig } from '../config/dicom.js';
import type { CommitmentReports } from './commitment.js';
import { dicomError } from './errors.js';
import { FolderSender } from './folderSender.js';
import type { ReceiverOptions } from './receiver.js';
import type { Sender } from './sender.js';
import { StoreScu } from './storeScu.js';
import { StowSender } from './stowSender.js';

/** What rules look at. */
export interface DeliverableSeries {
  readonly role?: string;
  readonly description?: string;
  readonly modality: string;
  readonly sopClassUid: string;
}

/** Whether a series goes to a destination with these rules. */
export function fits(rules: Omit<DestinationRules, 'received'>, series: DeliverableSeries): boolean {
  const matches = (patterns: readonly string[] | undefined, value: string | undefined) =>
    patterns === undefined || (value !== undefined && patterns.some((pattern) => globOf(pattern).test(value)));
  return (
    matches(rules.roles, series.role) &&
    matches(rules.descriptions, series.description) &&
    matches(rules.modalities, series.modality) &&
    (rules.sopClasses === undefined || rules.sopClasses.includes(series.sopClassUid))
  );
}

/** The names of the destinations that a series goes to. */
export function destinationsFor(config: DicomConfig, series: DeliverableSeries): string[] {
  return Object.entries(config.destinations).filter(([, { rules }]) => fits(rules, series)).map(([name]) => name);
}

/** The names of the destinations that a series from elsewhere is passed on to; never the node that it came from. */
export function destinationsForReceived(config: DicomConfig, series: DeliverableSeries, callingAe: string): string[] {
  const isSource = (destination: DestinationConfig) => destination.kind === 'dicom' && destination.aeTitle === callingAe;
  return destinationsFor(config, series).filter((name) => {
    const destination = config.destinations[name]!;
    return destination.rules.received && !isSource(destination);
  });
}

function globOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'is');
}

/** Reads keys and tokens, so that what is missing is known at the start. @throws DICOM_ERR_DESTINATION, the name in it */
export async function openSender(name: string, destination: DestinationConfig, ownAeTitle: string, reports?: CommitmentReports): Promise<Sender> {
  const read = (path: string) => readText(name, path);
  const maybe = async <Key extends string>(key: Key, path: string | undefined) =>
    (path === undefined ? {} : { [key]: (await read(path)).trim() }) as Partial<Record<Key, string>>;
  switch (destination.kind) {
    case 'folder':
      return new FolderSender(destination.folder);
    case 'stow': {
      const { bearer } = await maybe('bearer', destination.tokenFile);
      const { password } = await maybe('password', destination.passwordFile);
      if ((destination.user === undefined) !== (password === undefined)) throw dicomError('DICOM_ERR_DESTINATION', `${name}: user without passwordFile, or the other way round`);
      const credentials = bearer !== undefined ? { bearer } : destination.user !== undefined ? { user: destination.user, password: password! } : undefined;
      return new StowSender({
        url: destination.url.replace(/\/+$/, ''), timeoutMs: destination.timeoutS * 1000, ...(credentials !== undefined && { credentials }),
      });
    }
    case 'dicom': {
      const { tls } = destination;
      return new StoreScu({
        host: destination.host, port: destination.port, calledAe: destination.aeTitle, callingAe: destination.callingAeTitle ?? ownAeTitle,
        maxAssociations: destination.maxAssociations, timeoutMs: destination.timeoutS * 1000,
        ...(destination.commitment && reports !== undefined && { commitment: reports }),
        ...(tls !== undefined && {
          tls: {
            ...(await maybe('authorities', tls.authorityFile)), ...(await maybe('key', tls.keyFile)), ...(await maybe('certificate', tls.certificateFile)),
          },
        }),
      });
    }
  }
}

/**
 * A destination as a command line has it: a name of the configuration, `dicom://AETITLE@host:port`, the address of a
 * STOW-RS service, or a folder.
 * @throws DICOM_ERR_DESTINATION
 */
export function destinationOf(text: string, config: DicomConfig, parse: (destination: unknown) => DestinationConfig): DestinationConfig {
  const known = config.destinations[text];
  if (known !== undefined) return known;
  const peer = /^dicom:\/\/([\w.-]{1,16})@([^:/@]+|\[[\da-fA-F:]+\]):(\d+)$/.exec(text);
  if (peer !== null) return parse({ kind: 'dicom', aeTitle: peer[1], host: peer[2]!.replace(/[[\]]/g, ''), port: Number(peer[3]) });
  if (/^https?:\/\//.test(text)) return parse({ kind: 'stow', url: text });
  if (/[/\\]/.test(text) || text === '.') return parse({ kind: 'folder', folder: text });
  throw dicomError('DICOM_ERR_DESTINATION', text);
}

/** What the receiver is opened with; undefined where no port is set. @throws DICOM_ERR_DESTINATION */
export async function receiverOptionsOf({ receiver }: DicomConfig): Promise<ReceiverOptions | undefined> {
  const { port, tls, callingAeTitles } = receiver;
  if (port === undefined) return undefined;
  const read = (path: string) => readText('receiver', path);
  return {
    host: receiver.host,
    port,
    aeTitles: receiver.aeTitles,
    ...(callingAeTitles !== undefined && { callingAeTitles }),
    ...(tls !== undefined && {
      tls: {
        key: await read(tls.keyFile),
        certificate: await read(tls.certificateFile),
        ...(tls.authorityFile !== undefined && { clientAuthorities: await read(tls.authorityFile) }),
      },
    }),
    maxAssociations: receiver.maxAssociations,
    maxObjectBytes: receiver.maxObjectMebibytes * 2 ** 20,
    idleTimeoutMs: receiver.idleTimeoutS * 1000,
  };
}

/** @throws DICOM_ERR_DESTINATION */
function readText(of: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw dicomError('DICOM_ERR_DESTINATION', `${of}: ${path} (${cause.code ?? 'unreadable'})`, { cause });
  });
}
