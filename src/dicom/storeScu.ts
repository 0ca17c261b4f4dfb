/**
 * C-STORE to a DICOM peer (PS3.4, annex B): one association a series, one request after the other. An object goes out as
 * it is stored where the peer takes its transfer syntax, else as Explicit, else as Implicit VR Little Endian.
 */
import { CodedError } from 'ismrmrd';
import { OpenAssociation } from './association.js';
import type { DicomPeer, ProposedContext } from './association.js';
import { requestCommitment } from './commitment.js';
import type { CommitmentReports } from './commitment.js';
import { dimse, StoredDataset } from './dimse.js';
import type { Response } from './dimse.js';
import { dicomError } from './errors.js';
import type { DicomErrorCode } from './errors.js';
import { readFileMeta } from './part10.js';
import { failed, stored } from './sender.js';
import type { LoadedInstance, Sender, SendResult } from './sender.js';
import { EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, VERIFICATION } from './sopClasses.js';
import { transcode } from './transcode.js';
import { Turns } from './turns.js';

export interface StoreScuOptions extends DicomPeer {
  /** Associations with this peer at once. */
  readonly maxAssociations: number;
  /** An instance counts as stored when the peer has committed itself to it. */
  readonly commitment?: CommitmentReports;
}

/** An association has 128 contexts at most (their numbers are odd bytes). */
const MAX_CONTEXTS = 128;

export class StoreScu implements Sender {
  readonly #options: StoreScuOptions;
  readonly #turns: Turns;

  constructor(options: StoreScuOptions) {
    this.#options = options;
    this.#turns = new Turns(options.maxAssociations);
  }

  async send(instances: readonly LoadedInstance[], signal: AbortSignal): Promise<readonly SendResult[]> {
    const results: SendResult[] = [];
    try {
      await this.#turns.take(async () => {
        const association = await OpenAssociation.open(this.#options, contextsFor(instances), signal);
        // The next object is read from the disk while the peer stores this one.
        let next = instances[0]?.bytes();
        for (const [index, instance] of instances.entries()) {
          const current = next!;
          next = instances[index + 1]?.bytes();
          next?.catch(() => undefined);
          results.push(await this.#sendOne(association, instance, current));
        }
        await association.release();
      });
      return await this.#committed(instances, results, signal);
    } catch (error) {
      const { code, got, retryable } = failureOf(error);
      return [...results, ...instances.slice(results.length).map(({ sopInstanceUid }) => failed(sopInstanceUid, code, got, retryable))];
    }
  }

  async echo(signal: AbortSignal): Promise<void> {
    const association = await OpenAssociation.open(this.#options, [{ sopClassUid: VERIFICATION, transferSyntaxUid: IMPLICIT_LITTLE_ENDIAN }], signal);
    if (!association.accepts(VERIFICATION, IMPLICIT_LITTLE_ENDIAN)) throw dicomError('DICOM_ERR_NOT_ACCEPTED', 'no verification');
    const response = await association.request(new dimse.requests.CEchoRequest());
    await association.release();
    if (response.getStatus() !== dimse.constants.Status.Success) throw dicomError('DICOM_ERR_REFUSED', statusText(response));
  }

  async #committed(instances: readonly LoadedInstance[], results: readonly SendResult[], signal: AbortSignal): Promise<readonly SendResult[]> {
    const { commitment: reports } = this.#options;
    const kept = instances.filter((_, i) => results[i]!.outcome === 'stored');
    if (reports === undefined || kept.length === 0) return results;
    const why = await requestCommitment(this.#options, kept, reports, signal).then(
      ({ committed, failed: reasons }) => (uid: string) => (committed.has(uid) ? undefined : `not committed, reason ${reasons.get(uid)?.toString(16) ?? 'unknown'}`),
      (error: unknown) => () => failureOf(error).got,
    );
    return results.map((result) => {
      const reason = result.outcome === 'stored' ? why(result.sopInstanceUid) : undefined;
      return reason === undefined ? result : failed(result.sopInstanceUid, 'DICOM_ERR_COMMITMENT', reason, true);
    });
  }

  /** @throws what ends the association */
  async #sendOne(association: OpenAssociation, instance: LoadedInstance, bytes: Promise<Uint8Array>): Promise<SendResult> {
    const { sopClassUid, sopInstanceUid } = instance;
    const transferSyntaxUid = [instance.transferSyntaxUid, EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN].find((uid) => association.accepts(sopClassUid, uid));
    if (transferSyntaxUid === undefined) return failed(sopInstanceUid, 'DICOM_ERR_NOT_ACCEPTED', sopClassUid, false);
    let dataset: Uint8Array;
    try {
      const file = await bytes;
      const asWanted = transferSyntaxUid === instance.transferSyntaxUid ? file : await transcode(file, transferSyntaxUid);
      dataset = asWanted.subarray(readFileMeta(asWanted).datasetOffset);
    } catch (error) {
      // An object that cannot be read is that object's trouble; the others of the series are sent.
      const isFinal = error instanceof CodedError;
      return failed(sopInstanceUid, isFinal && error.code.startsWith('DICOM_') ? (error.code as DicomErrorCode) : 'DICOM_ERR_OBJECT_STORE', 'an object that cannot be read', !isFinal);
    }
    const request = new dimse.requests.CStoreRequest(new StoredDataset(dataset, { sopClassUid, sopInstanceUid, transferSyntaxUid }));
    return resultOf(sopInstanceUid, await association.request(request));
  }
}

/** The stored syntax of every SOP class, and the two that everybody has to know (PS3.5, 10.1). */
function contextsFor(instances: readonly LoadedInstance[]): ProposedContext[] {
  const contexts = new Map<string, ProposedContext>();
  for (const { sopClassUid, transferSyntaxUid: own } of instances) {
    for (const transferSyntaxUid of [own, EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN]) {
      contexts.set(`${sopClassUid} ${transferSyntaxUid}`, { sopClassUid, transferSyntaxUid });
    }
  }
  return [...contexts.values()].slice(0, MAX_CONTEXTS);
}

/** PS3.4, table B.2-1, and PS3.7, annex C. */
function resultOf(sopInstanceUid: string, response: Response): SendResult {
  const status = response.getStatus();
  const isStored = status === dimse.constants.Status.Success || status >>> 12 === 0xb || status === dimse.constants.Status.DuplicateSOPInstance;
  if (isStored) return stored(sopInstanceUid);
  const isOutOfResources = status >>> 8 === 0xa7 || status === dimse.constants.Status.ProcessingFailure || status === dimse.constants.Status.ResourceLimitation;
  return failed(sopInstanceUid, 'DICOM_ERR_REFUSED', statusText(response), isOutOfResources);
}

const statusText = (response: Response) => `status ${response.getStatus().toString(16).toUpperCase().padStart(4, '0')}`;

function failureOf(error: unknown): { code: DicomErrorCode; got: string; retryable: boolean } {
  if (!(error instanceof CodedError)) return { code: 'DICOM_ERR_CONNECTION', got: 'a failure', retryable: true };
  // A peer that rejects today may be told of us tomorrow: nothing is wrong with the objects.
  return { code: error.code as DicomErrorCode, got: error.got, retryable: true };
}
