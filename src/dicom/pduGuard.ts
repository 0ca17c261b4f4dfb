/**
 * The receiving side of a DICOM connection, between the socket and the library: a state machine over protocol data
 * units (PS3.8, 9.3). The library joins what comes in as long as a unit's length says, up to 4 GiB, and collects command
 * and data sets without a limit; behind this guard it gets whole units only, in order, of at most the agreed length.
 * What a message has beyond its limits is counted and dropped, not kept: the message is then `oversized`, and can be
 * answered with a status in place of the end of the association.
 *
 * Towards the library it looks like the socket.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { dicomError } from './errors.js';
import type { DicomErrorCode } from './errors.js';
import type { CodedError } from 'ismrmrd';

export interface PduLimits {
  /** Of one P-DATA-TF, as it was agreed. */
  readonly maxPduBytes: number;
  /** Of one message's data set. */
  readonly maxObjectBytes: number;
}

const HEADER_BYTES = 6;
const enum Pdu {
  associateRequest = 1,
  associateAccept = 2,
  associateReject = 3,
  data = 4,
  releaseRequest = 5,
  releaseResponse = 6,
  abort = 7,
}
/** A-ASSOCIATE with 128 presentation contexts of 16 transfer syntaxes takes some 150 KB. */
const MAX_ASSOCIATE_BYTES = 256 * 1024;
const MAX_COMMAND_BYTES = 64 * 1024;
const PDV_HEADER_BYTES = 6;

/** A-ABORT reasons of the service provider (PS3.8, 9.3.8). */
const abortReason = { unrecognised: 1, unexpected: 2, invalidParameter: 6 } as const;
type AbortReason = (typeof abortReason)[keyof typeof abortReason];

/** Which unit has to come first: the acceptor's side waits for a request, the requestor's for the answer. */
export type GuardRole = 'acceptor' | 'requestor';

export class PduGuard extends EventEmitter {
  readonly socket: Socket;
  readonly #limits: PduLimits;
  readonly #role: GuardRole;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #nHeader = 0;
  #body: Buffer | undefined;
  #nBody = 0;
  #isAssociated = false;
  #isBroken = false;
  #commandBytes = 0;
  #dataBytes = 0;
  #wasCommand = false;
  #oversized = false;

  constructor(socket: Socket, role: GuardRole, limits: PduLimits) {
    super();
    this.socket = socket;
    this.#role = role;
    this.#limits = limits;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    for (const event of ['connect', 'timeout', 'close', 'end', 'drain'] as const) socket.on(event, () => this.emit(event));
    socket.on('error', (error) => this.emit('error', error));
  }

  /** Whether the message that came in last had more bytes than the limits allow. */
  get oversized(): boolean {
    return this.#oversized;
  }

  write(bytes: Uint8Array): boolean {
    return this.socket.writable && this.socket.write(bytes);
  }

  end(): this {
    this.socket.end();
    return this;
  }

  destroy(): this {
    this.socket.destroy();
    return this;
  }

  /** The library's own time-out; ours are on the socket. */
  setTimeout(): this {
    return this;
  }

  #receive(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && !this.#isBroken) {
      if (this.#body === undefined) {
        const n = Math.min(HEADER_BYTES - this.#nHeader, chunk.length - offset);
        chunk.copy(this.#header, this.#nHeader, offset, offset + n);
        this.#nHeader += n;
        offset += n;
        // A first byte that is no unit's type ends it at once: who does not speak DICOM may never send six.
        if (this.#nHeader > 0 && !this.#isKnown(this.#header[0]!)) return;
        if (this.#nHeader < HEADER_BYTES) return;
        if (!this.#begin(this.#header[0]!, this.#header.readUInt32BE(2))) return;
      }
      const body = this.#body!;
      const n = Math.min(body.length - this.#nBody, chunk.length - offset);
      chunk.copy(body, this.#nBody, offset, offset + n);
      this.#nBody += n;
      offset += n;
      if (this.#nBody < body.length) return;
      this.#body = undefined;
      this.#nHeader = 0;
      this.#deliver(body);
    }
  }

  #isKnown(type: number): boolean {
    if (type >= Pdu.associateRequest && type <= Pdu.abort) return true;
    return this.#refuse(`a unit of type ${type}`, abortReason.unrecognised);
  }

  /** Checks a unit's head, then makes room for it. */
  #begin(type: number, length: number): boolean {
    const first: number[] = this.#role === 'acceptor' ? [Pdu.associateRequest] : [Pdu.associateAccept, Pdu.associateReject];
    const opens = type === Pdu.associateRequest || type === Pdu.associateAccept || type === Pdu.associateReject;
    if (type !== Pdu.abort && (this.#isAssociated ? opens : !first.includes(type))) {
      return this.#refuse(`a unit of type ${type} ${this.#isAssociated ? 'within an association' : 'before an association'}`, abortReason.unexpected);
    }
    const limit = type === Pdu.data ? this.#limits.maxPduBytes : opens ? MAX_ASSOCIATE_BYTES : 4;
    if (length > limit) return this.#refuse(`a unit of type ${type} with ${length} bytes`, abortReason.invalidParameter);
    this.#isAssociated ||= opens;
    this.#body = Buffer.allocUnsafe(HEADER_BYTES + length);
    this.#header.copy(this.#body);
    this.#nBody = HEADER_BYTES;
    return true;
  }

  #deliver(unit: Buffer): void {
    if (unit[0] !== Pdu.data) {
      this.emit('data', unit);
      return;
    }
    const kept = this.#withinLimits(unit);
    if (kept !== undefined) this.emit('data', kept);
  }

  /** The unit, without what its messages have beyond the limits; undefined where nothing is left, or it is broken. */
  #withinLimits(unit: Buffer): Buffer | undefined {
    const parts: Buffer[] = [];
    let position = HEADER_BYTES;
    while (position < unit.length) {
      const length = position + PDV_HEADER_BYTES <= unit.length ? unit.readUInt32BE(position) : 0;
      const end = position + 4 + length;
      if (length < 2 || end > unit.length) {
        this.#refuse(`a value of ${length} bytes in a unit of ${unit.length - HEADER_BYTES}`, abortReason.invalidParameter);
        return undefined;
      }
      const control = unit[position + 5]!;
      const isLast = (control & 2) !== 0;
      const fits = this.#count((control & 1) !== 0, length - 2);
      if (fits) parts.push(unit.subarray(position, end));
      else if (isLast) parts.push(Buffer.from([0, 0, 0, 2, unit[position + 4]!, control]));
      position = end;
    }
    if (parts.length === 0) return undefined;
    const body = Buffer.concat(parts);
    if (body.length === unit.length - HEADER_BYTES) return unit;
    const head = Buffer.from([Pdu.data, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(body.length, 2);
    return Buffer.concat([head, body]);
  }

  #count(isCommand: boolean, nBytes: number): boolean {
    if (isCommand && !this.#wasCommand) {
      [this.#commandBytes, this.#dataBytes, this.#oversized] = [0, 0, false];
    }
    this.#wasCommand = isCommand;
    if (isCommand) this.#commandBytes += nBytes;
    else this.#dataBytes += nBytes;
    const fits = this.#commandBytes <= MAX_COMMAND_BYTES && this.#dataBytes <= this.#limits.maxObjectBytes;
    this.#oversized ||= !fits;
    return fits;
  }

  /** Ends the connection as PS3.8 wants it: A-ABORT, then the socket. */
  #refuse(got: string, reason: AbortReason): false {
    this.#isBroken = true;
    const error: CodedError<DicomErrorCode> = dicomError('DICOM_ERR_PDU', got);
    if (this.socket.writable) this.socket.end(Buffer.from([Pdu.abort, 0, 0, 0, 0, 4, 0, 0, 2, reason]), () => this.socket.destroy());
    this.emit('violation', error);
    return false;
  }
}
