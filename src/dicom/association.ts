/**
 * The requesting side of one association (PS3.8, 7): opened, used by one request after the other, and released. The
 * socket has TCP_NODELAY: without it each message waits for the peer's delayed acknowledgement, 40 ms.
 */
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { CodedError } from 'ismrmrd';
import { asSocket, dimse, forgetResponses, MAX_PDU_BYTES } from './dimse.js';
import type { Association, EventReport, EventReportResponse, Request, Response } from './dimse.js';
import { dicomError } from './errors.js';
import type { DicomErrorCode } from './errors.js';
import { PduGuard } from './pduGuard.js';

export interface PeerTls {
  /** Who has to have signed the peer's certificate; the system's authorities where it is absent. */
  readonly authorities?: string;
  /** Ours, where the peer asks for one. */
  readonly key?: string;
  readonly certificate?: string;
}

export interface DicomPeer {
  readonly host: string;
  readonly port: number;
  readonly callingAe: string;
  readonly calledAe: string;
  readonly tls?: PeerTls;
  /** Longest wait for a connection, an association, or an answer. */
  readonly timeoutMs: number;
}

/** One SOP class in one transfer syntax: what the peer accepts is then what can be sent. */
export interface ProposedContext {
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  /** We also want to be the provider (storage commitment: the report comes to us). */
  readonly bothRoles?: boolean;
}

export class OpenAssociation {
  readonly #network: Network;
  readonly #guard: PduGuard;
  readonly #accepted: ReadonlySet<string>;
  readonly #timeoutMs: number;
  readonly #failure: Promise<never>;

  private constructor(network: Network, guard: PduGuard, accepted: ReadonlySet<string>, timeoutMs: number, failure: Promise<never>) {
    this.#network = network;
    this.#guard = guard;
    this.#accepted = accepted;
    this.#timeoutMs = timeoutMs;
    this.#failure = failure;
  }

  /**
   * @param contexts at most 128
   * @param onReport what the peer says of storage it committed itself to; whether somebody waits for it
   * @throws DICOM_ERR_CONNECTION, DICOM_ERR_TIMEOUT, DICOM_ERR_REJECTED, DICOM_ERR_CANCELLED, DICOM_ERR_PDU
   */
  static async open(
    peer: DicomPeer, contexts: readonly ProposedContext[], signal: AbortSignal, onReport?: (report: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<OpenAssociation> {
    if (signal.aborted) throw cancelled();
    const socket = await connected(peer, signal);
    const guard = new PduGuard(socket, 'requestor', { maxPduBytes: MAX_PDU_BYTES, maxObjectBytes: 2 ** 20 });
    const network = new Network(asSocket(guard), peer.timeoutMs, onReport);
    const failure = new Promise<never>((_, reject) => {
      guard.on('violation', reject);
      guard.on('error', (error: NodeJS.ErrnoException) => reject(dicomError('DICOM_ERR_CONNECTION', error.code ?? 'a broken connection')));
      guard.on('close', () => reject(dicomError('DICOM_ERR_CONNECTION', 'a connection that the peer closed')));
      network.on('networkError', () => reject(dicomError('DICOM_ERR_PDU', 'an answer that cannot be read')));
      network.on('abort', () => reject(dicomError('DICOM_ERR_CONNECTION', 'an association that the peer aborted')));
      onAbort(signal, socket, () => reject(cancelled()));
    });
    failure.catch(() => socket.destroy());

    const association = new dimse.association.Association(peer.callingAe, peer.calledAe);
    for (const { sopClassUid, transferSyntaxUid, bothRoles } of contexts) {
      const id = association.addPresentationContext(sopClassUid);
      association.addTransferSyntaxToPresentationContext(id, transferSyntaxUid);
      if (bothRoles === true) {
        association.getPresentationContext(id).setUserRole(true);
        association.getPresentationContext(id).setProviderRole(true);
      }
    }
    const answered = new Promise<Association>((resolve, reject) => {
      network.on('associationAccepted', resolve);
      network.on('associationRejected', ({ result, reason }: { result: number; reason: number }) => {
        reject(new RejectedAssociation(dicomError('DICOM_ERR_REJECTED', `a rejection, result ${result}, reason ${reason}`), result));
      });
    });
    network.sendAssociationRequest(association);
    try {
      const accepted = await within(peer.timeoutMs, Promise.race([answered, failure]));
      const keys = accepted
        .getPresentationContexts()
        .filter(({ context }) => context.getResult() === dimse.constants.PresentationContextResult.Accept)
        .map(({ context }) => contextKey(context.getAbstractSyntaxUid(), context.getAcceptedTransferSyntaxUid()));
      return new OpenAssociation(network, guard, new Set(keys), peer.timeoutMs, failure);
    } catch (error) {
      socket.destroy();
      if (error instanceof RejectedAssociation) throw error.coded;
      throw error;
    }
  }

  accepts(sopClassUid: string, transferSyntaxUid: string): boolean {
    return this.#accepted.has(contextKey(sopClassUid, transferSyntaxUid));
  }

  /** @throws DICOM_ERR_TIMEOUT, DICOM_ERR_CONNECTION, DICOM_ERR_PDU, DICOM_ERR_CANCELLED: the association is then gone */
  async request(request: Request): Promise<Response> {
    const response = new Promise<Response>((resolve) => {
      request.on('response', (answer: Response) => {
        forgetResponses(this.#network);
        if (answer.getStatus() !== dimse.constants.Status.Pending) resolve(answer);
      });
    });
    this.#network.sendRequests(request);
    try {
      return await within(this.#timeoutMs, Promise.race([response, this.#failure]));
    } catch (error) {
      this.#guard.destroy();
      throw error;
    }
  }

  /** In good order where the peer plays along; never fails. */
  async release(): Promise<void> {
    const released = new Promise<void>((resolve) => {
      this.#network.on('associationReleaseResponse', () => resolve());
    });
    this.#network.sendAssociationReleaseRequest();
    await within(this.#timeoutMs, Promise.race([released, this.#failure])).catch(() => undefined);
    this.#guard.end();
    setTimeout(() => this.#guard.destroy(), 1000).unref();
  }
}

class RejectedAssociation extends Error {
  constructor(readonly coded: CodedError<DicomErrorCode>, readonly result: number) {
    super(coded.message);
  }
}

/** The library's network layer, from the requestor's side. */
class Network extends dimse.Scp {
  readonly #onReport: ((report: Readonly<Record<string, unknown>>) => boolean) | undefined;

  constructor(socket: Socket, timeoutMs: number, onReport?: (report: Readonly<Record<string, unknown>>) => boolean) {
    // Its own time-outs count from the last unit, and a large object may take longer; ours count answers.
    super(socket, { connectTimeout: 0, associationTimeout: 2 ** 31, pduTimeout: 2 ** 31 + timeoutMs });
    this.#onReport = onReport;
  }

  override abort(): void {
    // `failure` has it from the event.
  }

  override nEventReportRequest(request: EventReport, answer: (response: EventReportResponse) => void): void {
    const response = dimse.responses.NEventReportResponse.fromRequest(request);
    const isExpected = this.#onReport?.({ ...request.getDataset()?.getElements(), EventTypeID: request.getEventTypeId() }) === true;
    response.setStatus(isExpected ? dimse.constants.Status.Success : dimse.constants.Status.NoSuchObjectInstance);
    answer(response);
  }
}

async function connected(peer: DicomPeer, signal: AbortSignal): Promise<Socket> {
  const { host, port, tls } = peer;
  const socket =
    tls === undefined
      ? connectTcp({ host, port })
      : connectTls({
          host, port, minVersion: 'TLSv1.2', ca: tls.authorities, key: tls.key, cert: tls.certificate,
          ...(isIP(host) === 0 && { servername: host }),
        });
  const ready = new Promise<void>((resolve, reject) => {
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => resolve());
    socket.once('error', (error: NodeJS.ErrnoException) => reject(dicomError('DICOM_ERR_CONNECTION', error.code ?? 'a connection that failed')));
    socket.once('close', () => reject(dicomError('DICOM_ERR_CONNECTION', 'a connection that the peer closed')));
    onAbort(signal, socket, () => reject(cancelled()));
  });
  try {
    await within(peer.timeoutMs, ready);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  }
}

/** Until the socket is closed: a signal outlives many associations. */
function onAbort(signal: AbortSignal, socket: Socket, stop: () => void): void {
  signal.addEventListener('abort', stop);
  socket.once('close', () => signal.removeEventListener('abort', stop));
}

const contextKey = (sopClassUid: string, transferSyntaxUid: string | undefined) => `${sopClassUid} ${transferSyntaxUid ?? ''}`;

const cancelled = () => dicomError('DICOM_ERR_CANCELLED', 'a request to stop');

/** @throws DICOM_ERR_TIMEOUT */
export async function within<Result>(timeoutMs: number, result: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(dicomError('DICOM_ERR_TIMEOUT', `nothing for ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
