/** What the service tells whoever looks after it. Held against the service's own types by a test. */
import type { Reason } from './types.js';

export interface OutboxJobView {
  readonly id: string;
  readonly destination: string;
  readonly examId: string;
  readonly seriesId?: string | undefined;
  readonly state: 'waiting' | 'sending' | 'dead';
  readonly attempts: number;
  readonly nInstances: number;
  readonly nAcknowledged: number;
  readonly isIncomplete: boolean;
  readonly createdAt: number;
  readonly nextAttemptAt: number;
  readonly lastError?: Reason | undefined;
}

export type JobKind = 'synthesise' | 'analyse' | 'deliver' | 'reconstruct';

export interface JobStats {
  readonly kind: JobKind;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly dead: number;
  readonly oldestAt?: number | undefined;
  readonly tally: { readonly done: number; readonly failed: number; readonly dead: number; readonly cancelled: number };
}

export interface JobView {
  readonly id: string;
  readonly kind: JobKind;
  readonly examId?: string | undefined;
  readonly seriesId?: string | undefined;
  readonly state: 'waiting' | 'delayed' | 'active' | 'dead';
  readonly isCancelled: boolean;
  readonly lane?: string | undefined;
  readonly node?: string | undefined;
  readonly progress?: { readonly fraction: number; readonly text?: string | undefined } | undefined;
  readonly attempts: number;
  readonly addedAt: number;
  readonly notBefore?: number | undefined;
  readonly lastError?: Reason | undefined;
}

export interface NodeView {
  readonly name: string;
  readonly version: string;
  readonly startedAt: number;
  readonly isOwn: boolean;
}

export interface DestinationStats {
  readonly destination: string;
  readonly waiting: number;
  readonly sending: number;
  readonly dead: number;
  readonly oldestAt?: number | undefined;
  readonly jobsDelivered: number;
  readonly instancesDelivered: number;
  readonly instancesResent: number;
  readonly jobsDead: number;
}

export interface ModelView {
  readonly id: string;
  readonly version?: string | undefined;
  readonly task?: string | undefined;
  readonly sha256: string;
  readonly state: 'listed' | 'ready' | 'refused';
  readonly reason?: Reason | undefined;
  readonly nRuns: number;
  readonly nFailures: number;
}

export interface DestinationView {
  readonly name: string;
  readonly kind?: 'dicom' | 'stow' | 'folder' | undefined;
  readonly host?: string | undefined;
  readonly canEcho: boolean;
}

export interface OperationsView {
  readonly version: string;
  readonly startedAt: number;
  readonly health: readonly { readonly part: string; readonly trouble?: string | undefined }[];
  readonly outbox: { readonly destinations: readonly DestinationStats[]; readonly jobs: readonly OutboxJobView[]; readonly nJobs: number };
  readonly jobs?: { readonly kinds: readonly JobStats[]; readonly latest: readonly JobView[]; readonly nJobs: number } | undefined;
  readonly nodes?: readonly NodeView[] | undefined;
  readonly models: readonly ModelView[];
  readonly disk?: { readonly usedBytes: number; readonly quotaBytes: number; readonly isFull: boolean; readonly freeBytes: number } | undefined;
  readonly memory: {
    readonly rssBytes: number; readonly heapUsedBytes: number; readonly externalBytes: number; readonly systemFreeBytes: number;
    readonly picturesBytes: number; readonly modelHostBytes: number;
  };
  readonly sessionsOpen: number;
  readonly destinations: readonly DestinationView[];
}

export interface EchoView {
  readonly ok: boolean;
  readonly ms: number;
  readonly error?: { readonly code: string; readonly message: string; readonly expected: string; readonly action: string } | undefined;
}

export interface LogEntry {
  readonly at: number;
  readonly level: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
