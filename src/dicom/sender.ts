/** What every way to a destination has in common: one series in, one result an instance out. */
import type { LoadedInstance, Sender as OutboxSender, SendResult } from '../outbox/index.js';
import type { StoredInstance } from '../spool/index.js';
import type { DicomErrorCode } from './errors.js';

export type { LoadedInstance, SendResult, StoredInstance };

export interface Sender extends OutboxSender {
  /**
   * Sends the instances of one series. Never rejects: what became of each instance is in its result, in their order.
   * An aborted signal ends it; what was not acknowledged has then failed and is retryable.
   */
  send(instances: readonly LoadedInstance[], signal: AbortSignal): Promise<readonly SendResult[]>;
  /** Whether the destination answers (C-ECHO; a question to the service; a folder that can be written). @throws CodedError */
  echo(signal: AbortSignal): Promise<void>;
}

export const stored = (sopInstanceUid: string): SendResult => ({ sopInstanceUid, outcome: 'stored' });

export const failed = (sopInstanceUid: string, code: DicomErrorCode, detail: string, retryable: boolean): SendResult => ({
  sopInstanceUid, outcome: 'failed', code, detail, retryable,
});
