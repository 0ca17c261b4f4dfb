/**
 * The one door to dcmjs-dimse (PS3.7 and PS3.8): what it says of patients is silenced, what it sends is the stored bytes.
 *
 * The library is kept for its message codec and its association handling; its Client and Server are not used. Client wants
 * every request before it connects, passes over requests that no accepted context fits, and sets no TCP_NODELAY (44 ms an
 * object); Server listens on every interface. Its network layer underneath, public through `Scp`, takes one request
 * after the other over any socket, and that is what both sides use here.
 */
import dimse from 'dcmjs-dimse';
import type { Socket } from 'node:net';
import type { PduGuard } from './pduGuard.js';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION } from './part10.js';
import './quietDcmjs.js';

// It logs every unit with its tags, which are the patient's.
dimse.log.disableAll();
dimse.Implementation.setImplementationClassUid(IMPLEMENTATION_CLASS_UID);
dimse.Implementation.setImplementationVersion(IMPLEMENTATION_VERSION);

export { dimse };
export type Association = InstanceType<typeof dimse.association.Association>;
export type PresentationContext = InstanceType<typeof dimse.association.PresentationContext>;
export type EchoRequest = InstanceType<typeof dimse.requests.CEchoRequest>;
export type EchoResponse = InstanceType<typeof dimse.responses.CEchoResponse>;
export type StoreRequest = InstanceType<typeof dimse.requests.CStoreRequest>;
export type StoreResponse = InstanceType<typeof dimse.responses.CStoreResponse>;
export type EventReport = InstanceType<typeof dimse.requests.NEventReportRequest>;
export type EventReportResponse = InstanceType<typeof dimse.responses.NEventReportResponse>;
export type Request = InstanceType<typeof dimse.requests.Request>;
export type Response = InstanceType<typeof dimse.responses.Response>;

/** What we tell the peer to keep its units within. */
export const MAX_PDU_BYTES = 128 * 1024;
dimse.Implementation.setMaxPduLength(MAX_PDU_BYTES);

/** A data set that goes out as it was stored: nothing is decoded, nothing written anew, nothing there to be logged. */
export class StoredDataset extends dimse.Dataset {
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array, identity: { sopClassUid: string; sopInstanceUid: string; transferSyntaxUid: string }) {
    super({ SOPClassUID: identity.sopClassUid, SOPInstanceUID: identity.sopInstanceUid }, identity.transferSyntaxUid);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  override getDenaturalizedDataset(): Buffer {
    return this.#bytes;
  }
}

/** The guard has of a socket what the library uses. */
export const asSocket = (guard: PduGuard): Socket => guard as unknown as Socket;

/**
 * The library collects the responses of an association in one stream that it never empties, and reads all of it for
 * each of them. To be called at every response.
 */
export function forgetResponses(network: object): void {
  (network as { dimseStream?: unknown }).dimseStream = undefined;
}
