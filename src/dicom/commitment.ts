/**
 * Storage commitment, push model (PS3.4, annex J): we ask by N-ACTION that a peer answers for instances, and the peer
 * reports by N-EVENT-REPORT, on our association while it is open, or on one of its own to our receiver.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenAssociation, within } from './association.js';
import type { DicomPeer } from './association.js';
import { dimse } from './dimse.js';
import { dicomError } from './errors.js';
import { Attributes } from './header.js';
import type { InstanceIdentity } from './header.js';
import { IMPLICIT_LITTLE_ENDIAN, STORAGE_COMMITMENT_INSTANCE, STORAGE_COMMITMENT_PUSH } from './sopClasses.js';

/** Instance UIDs. */
export interface Commitment {
  readonly committed: ReadonlySet<string>;
  /** With the peer's failure reason (PS3.3, C.14.1.1). */
  readonly failed: ReadonlyMap<string, number | undefined>;
}

/** Who waits for which report; one for the senders and the receiver of a process. */
export class CommitmentReports {
  readonly #waiting = new Map<string, (commitment: Commitment) => void>();

  expect(transactionUid: string): Promise<Commitment> {
    return new Promise((resolve) => this.#waiting.set(transactionUid, resolve));
  }

  forget(transactionUid: string): void {
    this.#waiting.delete(transactionUid);
  }

  /** @returns whether somebody waited for it */
  report(elements: Readonly<Record<string, unknown>>): boolean {
    const attributes = new Attributes({ ...elements });
    const transactionUid = attributes.text('TransactionUID') ?? '';
    const resolve = this.#waiting.get(transactionUid);
    if (resolve === undefined) return false;
    this.#waiting.delete(transactionUid);
    const uidOf = (item: Attributes) => item.text('ReferencedSOPInstanceUID') ?? '';
    resolve({
      committed: new Set(attributes.items('ReferencedSOPSequence').map(uidOf)),
      failed: new Map(attributes.items('FailedSOPSequence').map((item) => [uidOf(item), item.number('FailureReason')])),
    });
    return true;
  }
}

/** How long our association stays open for a report on it. */
const HOLD_MS = 3000;

/**
 * Asks for a commitment and waits for the report.
 * @throws DICOM_ERR_COMMITMENT where the peer does not offer it, refuses, or does not report in time; those of OpenAssociation
 */
export async function requestCommitment(
  peer: DicomPeer, instances: readonly Pick<InstanceIdentity, 'sopClassUid' | 'sopInstanceUid'>[], reports: CommitmentReports, signal: AbortSignal,
): Promise<Commitment> {
  const transactionUid = `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`;
  const report = reports.expect(transactionUid);
  try {
    const context = { sopClassUid: STORAGE_COMMITMENT_PUSH, transferSyntaxUid: IMPLICIT_LITTLE_ENDIAN };
    const association = await OpenAssociation.open(peer, [context], signal, (elements) => reports.report(elements));
    if (!association.accepts(STORAGE_COMMITMENT_PUSH, IMPLICIT_LITTLE_ENDIAN)) {
      await association.release();
      throw dicomError('DICOM_ERR_COMMITMENT', 'a peer that does not offer it');
    }
    const request = new dimse.requests.NActionRequest(STORAGE_COMMITMENT_PUSH, STORAGE_COMMITMENT_INSTANCE, 1);
    request.setDataset(
      new dimse.Dataset({
        TransactionUID: transactionUid,
        ReferencedSOPSequence: instances.map(({ sopClassUid, sopInstanceUid }) => ({ ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid })),
      }),
    );
    const response = await association.request(request);
    if (response.getStatus() === dimse.constants.Status.Success) await Promise.race([report, delay(HOLD_MS, undefined, { ref: false })]);
    await association.release();
    if (response.getStatus() !== dimse.constants.Status.Success) {
      throw dicomError('DICOM_ERR_COMMITMENT', `status ${response.getStatus().toString(16).toUpperCase().padStart(4, '0')}`);
    }
    return await within(peer.timeoutMs, report).catch(() => {
      throw dicomError('DICOM_ERR_COMMITMENT', `no report for ${peer.timeoutMs} ms`);
    });
  } finally {
    reports.forget(transactionUid);
  }
}
