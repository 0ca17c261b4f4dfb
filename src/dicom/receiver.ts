/**
 * The storage SCP: C-ECHO and C-STORE on a port (PS3.4, annexes A and B).
 *
 * An object is answered with success when two things have happened: its checks have passed (docs/dicom.md), and whoever
 * was given it has said that it is durable. Everything else is a status with the code in the error comment; the
 * association goes on, and so does the receiver. Logs hold codes, counts and AE titles, nothing of a data set.
 */
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { CodedError } from 'ismrmrd';
import type { Vector3 } from '../../imaging/index.js';
import type { Logger } from '../log.js';
import { asSocket, dimse, MAX_PDU_BYTES } from './dimse.js';
import type { Association, EchoRequest, EchoResponse, EventReport, EventReportResponse, PresentationContext, StoreRequest, StoreResponse } from './dimse.js';
import { dicomError } from './errors.js';
import { patientAndStudyOf } from './facts.js';
import type { ImageFacts } from './facts.js';
import { readIdentity } from './header.js';
import type { InstanceIdentity } from './header.js';
import { describeDicom } from './image.js';
import { fileHead } from './part10.js';
import { PduGuard } from './pduGuard.js';
import { SeriesConsistency } from './seriesConsistency.js';
import { receivedClassOf, resultClasses, STORAGE_COMMITMENT_PUSH, transferSyntaxOf, VERIFICATION } from './sopClasses.js';

export interface ReceiverTls {
  readonly key: string;
  readonly certificate: string;
  /** Whose clients are let in; a client without a certificate of theirs is refused. */
  readonly clientAuthorities?: string;
}

export interface ReceiverOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls?: ReceiverTls;
  /** Titles that we answer to. */
  readonly aeTitles: readonly string[];
  /** Titles that may call; all of them where it is absent. */
  readonly callingAeTitles?: readonly string[];
  /** Titles of downstream stages, whose segmentations and reports are taken, too. */
  readonly resultsFrom?: ReadonlySet<string>;
  readonly maxAssociations: number;
  readonly maxObjectBytes: number;
  /** Longest silence of a peer. */
  readonly idleTimeoutMs: number;
}

export interface ReceivedObject {
  readonly associationId: string;
  readonly callingAe: string;
  readonly calledAe: string;
  readonly identity: InstanceIdentity;
  readonly facts: ImageFacts;
  /** Never to be logged. */
  readonly patientAndStudy: Readonly<Record<string, unknown>>;
  /** Of the first frame; undefined where the object has no place. */
  readonly normal: Vector3 | undefined;
  /** A whole DICOM file, the data set as it came. */
  readonly file: Uint8Array;
}

/** What a downstream stage made of images: a segmentation, a report. */
export interface ReceivedResult {
  readonly associationId: string;
  readonly callingAe: string;
  readonly identity: InstanceIdentity;
  readonly file: Uint8Array;
}

/** Who is told. */
export interface ReceiverListener {
  /** Keeps the object; resolves when it is durable. A rejection is answered with `Refused: out of resources`. */
  received(object: ReceivedObject): Promise<void>;
  /** The same for results of the stages that `resultsFrom` names. */
  resultReceived?(result: ReceivedResult): Promise<void>;
  /** An object was not taken. */
  refused?(code: string): void;
  associationClosed?(association: { readonly id: string; readonly callingAe: string; readonly calledAe: string; readonly nStored: number }): void;
  /** A peer's report on what it committed itself to (N-EVENT-REPORT); whether somebody waited for it. */
  committed?(report: Readonly<Record<string, unknown>>): boolean;
}

const { PresentationContextResult, RejectReason, RejectResult, RejectSource, Status } = dimse.constants;

/** C-STORE statuses (PS3.4, table B.2-1) by the code that a failure has. */
const statusOf = {
  DICOM_ERR_OBJECT_STORE: 0xa700,
  DICOM_ERR_TOO_LARGE: 0xa700,
  DICOM_ERR_IDENTITY: 0xa900,
  DICOM_ERR_SOP_CLASS: 0xa900,
  DICOM_ERR_MIXED_SERIES: 0xa900,
} as Readonly<Record<string, number>>;
const CANNOT_UNDERSTAND = 0xc000;

/** How long a peer may take to close after it was refused. */
const REFUSAL_LINGER_MS = 2000;

export class DicomReceiver {
  readonly #options: ReceiverOptions;
  readonly #listener: ReceiverListener;
  readonly #log: Logger;
  readonly #consistency = new SeriesConsistency();
  readonly #sockets = new Set<Socket>();
  readonly #associations = new Set<StorageAssociation>();
  readonly #server: Server;

  constructor(options: ReceiverOptions, listener: ReceiverListener, log: Logger) {
    this.#options = options;
    this.#listener = listener;
    this.#log = log;
    const { tls } = options;
    const serve = (socket: Socket) => this.#serve(socket);
    this.#server =
      tls === undefined
        ? createTcpServer(serve)
        : createTlsServer(
            {
              key: tls.key, cert: tls.certificate, minVersion: 'TLSv1.2',
              ...(tls.clientAuthorities !== undefined && { ca: tls.clientAuthorities, requestCert: true, rejectUnauthorized: true }),
            },
            serve,
          );
    this.#server.on('tlsClientError', () => log.warn({ code: 'DICOM_ERR_PDU' }, 'TLS handshake refused'));
    // Refused associations are answered, too; beyond this many, connections are not.
    this.#server.maxConnections = 2 * options.maxAssociations + 16;
  }

  /** @throws the system's error where it cannot listen */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#server.on('error', (error: NodeJS.ErrnoException) => this.#log.error({ code: error.code }, 'listening failed'));
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Takes no more; associations may end within the grace, then they are aborted. */
  async close(graceMs = 5000): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const timer = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), this.#associations.size === 0 ? 0 : graceMs);
    await closed;
    clearTimeout(timer);
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setTimeout(this.#options.idleTimeoutMs, () => socket.destroy());
    const log = this.#log.child({ association: randomBytes(4).toString('hex') });
    const guard = new PduGuard(socket, 'acceptor', { maxPduBytes: MAX_PDU_BYTES, maxObjectBytes: this.#options.maxObjectBytes });
    guard.on('violation', (error: CodedError) => log.warn({ code: error.code, got: error.got }, 'connection refused'));
    const association: StorageAssociation = new StorageAssociation(guard, this.#options, this.#listener, this.#consistency, log, () => {
      if (this.#associations.size >= this.#options.maxAssociations) return false;
      this.#associations.add(association);
      return true;
    });
    // Listeners of the library's own errors: the guard has said what there is to say of them.
    association.on('networkError', () => socket.destroy());
    guard.on('error', () => undefined);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#associations.delete(association);
      association.closed();
    });
  }
}

/** One association. The library calls the methods. */
class StorageAssociation extends dimse.Scp {
  readonly id = randomBytes(6).toString('hex');
  readonly #guard: PduGuard;
  readonly #options: ReceiverOptions;
  readonly #listener: ReceiverListener;
  readonly #consistency: SeriesConsistency;
  readonly #log: Logger;
  readonly #admit: () => boolean;
  #callingAe = '';
  #calledAe = '';
  #isOpen = false;
  #nStored = 0;
  #nRefused = 0;
  #incoming: IncomingBytes | undefined;

  constructor(guard: PduGuard, options: ReceiverOptions, listener: ReceiverListener, consistency: SeriesConsistency, log: Logger, admit: () => boolean) {
    super(asSocket(guard), { connectTimeout: options.idleTimeoutMs, associationTimeout: options.idleTimeoutMs, pduTimeout: options.idleTimeoutMs });
    this.#guard = guard;
    this.#options = options;
    this.#listener = listener;
    this.#consistency = consistency;
    this.#log = log;
    this.#admit = admit;
  }

  override associationRequested(association: Association): void {
    this.#callingAe = association.getCallingAeTitle();
    this.#calledAe = association.getCalledAeTitle();
    const { aeTitles, callingAeTitles } = this.#options;
    if (!aeTitles.includes(this.#calledAe)) return this.#reject('DICOM_ERR_AE_TITLE', RejectReason.CalledAeNotRecognized);
    if (callingAeTitles !== undefined && !callingAeTitles.includes(this.#callingAe)) {
      return this.#reject('DICOM_ERR_AE_TITLE', RejectReason.CallingAeNotRecognized);
    }
    if (!this.#admit()) {
      return this.#reject('DICOM_ERR_BUSY', RejectReason.LocalLimitExceeded, RejectResult.Transient, RejectSource.ServiceProviderPresentation);
    }
    this.#isOpen = true;
    for (const { context } of association.getPresentationContexts()) negotiate(context, this.#takesResults);
    // The library would tell the peer its own limit back; ours is what the guard holds it to.
    association.setMaxPduLength(MAX_PDU_BYTES);
    this.sendAssociationAccept();
    this.#log.info({ callingAe: loggable(this.#callingAe) }, 'association accepted');
  }

  override associationReleaseRequested(): void {
    this.sendAssociationReleaseResponse();
    this.#guard.end();
  }

  override abort(): void {
    this.#guard.end();
  }

  override cEchoRequest(request: EchoRequest, answer: (response: EchoResponse) => void): void {
    const response = dimse.responses.CEchoResponse.fromRequest(request);
    response.setStatus(Status.Success);
    answer(response);
  }

  override createStoreWritableStream(): Writable {
    this.#incoming = new IncomingBytes();
    return this.#incoming;
  }

  override createDatasetFromStoreWritableStream(_stream: Writable, context: PresentationContext, done: (dataset: InstanceType<typeof dimse.Dataset>) => void): void {
    // The bytes stay with us; the library would read all of them, pixels too.
    done(new dimse.Dataset({}, context.getAcceptedTransferSyntaxUid()));
  }

  override cStoreRequest(request: StoreRequest, answer: (response: StoreResponse) => void): void {
    const bytes = this.#incoming;
    this.#incoming = undefined;
    const response = dimse.responses.CStoreResponse.fromRequest(request);
    void this.#store(request, bytes).then(
      () => {
        this.#nStored++;
        response.setStatus(Status.Success);
        answer(response);
      },
      (error: unknown) => {
        this.#nRefused++;
        const code = error instanceof CodedError ? error.code : 'DICOM_ERR_STRUCTURE';
        const got = error instanceof CodedError ? error.got : (error as Error).name;
        this.#log.warn({ code, got, callingAe: loggable(this.#callingAe) }, 'object refused');
        this.#listener.refused?.(code);
        response.setStatus(statusOf[code] ?? CANNOT_UNDERSTAND);
        response.setErrorComment(code);
        answer(response);
      },
    );
  }

  override nEventReportRequest(request: EventReport, answer: (response: EventReportResponse) => void): void {
    const response = dimse.responses.NEventReportResponse.fromRequest(request);
    const report = { ...request.getDataset()?.getElements(), EventTypeID: request.getEventTypeId() };
    response.setStatus(this.#listener.committed?.(report) === true ? Status.Success : Status.NoSuchObjectInstance);
    answer(response);
  }

  closed(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#log.info({ stored: this.#nStored, refused: this.#nRefused }, 'association closed');
    this.#listener.associationClosed?.({ id: this.id, callingAe: this.#callingAe, calledAe: this.#calledAe, nStored: this.#nStored });
  }

  async #store(request: StoreRequest, bytes: IncomingBytes | undefined): Promise<void> {
    if (this.#guard.oversized) throw dicomError('DICOM_ERR_TOO_LARGE', `more than ${this.#options.maxObjectBytes} bytes`);
    const head = fileHead(
      {
        sopClassUid: request.getAffectedSopClassUid(),
        sopInstanceUid: request.getAffectedSopInstanceUid(),
        transferSyntaxUid: request.getDataset()!.getTransferSyntaxUid(),
      },
      this.#callingAe,
    );
    const file = Buffer.concat([head, ...(bytes?.chunks ?? [])]);
    if (this.#takesResults && resultClasses.has(request.getAffectedSopClassUid())) return this.#storeResult(file);
    const { header, facts, planes } = describeDicom(file);
    const { identity } = header;
    this.#consistency.check(header, facts);
    const { id: associationId } = this;
    const patientAndStudy = patientAndStudyOf(header.attributes);
    const object = {
      associationId, callingAe: this.#callingAe, calledAe: this.#calledAe, identity, facts, patientAndStudy, normal: planes[0]?.normal, file,
    };
    await this.#listener.received(object).catch(notKept);
    this.#consistency.remember(header, facts);
  }

  get #takesResults(): boolean {
    return this.#options.resultsFrom?.has(this.#callingAe) === true && this.#listener.resultReceived !== undefined;
  }

  async #storeResult(file: Uint8Array): Promise<void> {
    const identity = readIdentity(file);
    await this.#listener.resultReceived?.({ associationId: this.id, callingAe: this.#callingAe, identity, file }).catch(notKept);
  }

  #reject(code: 'DICOM_ERR_AE_TITLE' | 'DICOM_ERR_BUSY', reason: number, result: number = RejectResult.Permanent, source: number = RejectSource.ServiceUser): void {
    this.#log.warn({ code, callingAe: loggable(this.#callingAe), calledAe: loggable(this.#calledAe) }, 'association refused');
    this.sendAssociationReject(result, source, reason);
    setTimeout(() => this.#guard.destroy(), REFUSAL_LINGER_MS).unref();
  }
}

function notKept(cause: unknown): never {
  throw dicomError('DICOM_ERR_OBJECT_STORE', cause instanceof CodedError ? cause.code : 'a failure', { cause });
}

/** What an object is made of, as it comes in; the guard has bounded it. */
class IncomingBytes extends Writable {
  readonly chunks: Buffer[] = [];

  /** Takes everything at once: the library loses the order of fragments where a stream asks it to wait. */
  override write(chunk: unknown): boolean {
    this.chunks.push(chunk as Buffer);
    return true;
  }
}

/** The first transfer syntax of the peer's list that we read. */
function negotiate(context: PresentationContext, takesResults: boolean): void {
  const abstractSyntax = context.getAbstractSyntaxUid();
  const isCommitment = abstractSyntax === STORAGE_COMMITMENT_PUSH;
  const isResult = takesResults && resultClasses.has(abstractSyntax);
  if (abstractSyntax !== VERIFICATION && !isCommitment && !isResult && !receivedClassOf.has(abstractSyntax)) {
    context.setResult(PresentationContextResult.RejectAbstractSyntaxNotSupported);
    return;
  }
  const isImage = receivedClassOf.has(abstractSyntax);
  const accepted = context.getTransferSyntaxUids().find((uid) => {
    const syntax = transferSyntaxOf.get(uid);
    return syntax !== undefined && (isImage || syntax.codec === undefined);
  });
  if (accepted === undefined) context.setResult(PresentationContextResult.RejectTransferSyntaxesNotSupported);
  else context.setResult(PresentationContextResult.Accept, accepted);
}

/** A title comes from outside: what is none is not quoted. */
function loggable(aeTitle: string): string {
  return /^[\w .-]{1,16}$/.test(aeTitle) ? aeTitle : '(invalid)';
}
