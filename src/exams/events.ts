/**
 * What happens to exams. Every event carries its own time (ms since 1970); the exam that comes of events does not
 * depend on the order in which events of different sources are told.
 */
import type { DecisionOrigin, ReconImageKind } from '../../recon/index.js';
import type { Orientation } from '../../protocols/index.js';
import type { SourceFacts } from './facts.js';
import type { SettingChange } from './settings.js';

export type OutputKind = ReconImageKind;
export type Light = 'green' | 'amber' | 'red';

export type ExamEvent =
  | { readonly kind: 'sessionOpened'; readonly at: number; readonly sessionId: string; readonly facts: SourceFacts; readonly denoising?: DenoisingFacts }
  | { readonly kind: 'readoutProgress'; readonly at: number; readonly sessionId: string; readonly nLines: number; readonly orientation?: Orientation }
  /** All input is in; images may still come. */
  | { readonly kind: 'inputEnded'; readonly at: number; readonly sessionId: string }
  | { readonly kind: 'seriesImage'; readonly at: number; readonly sessionId: string; readonly output: OutputKind; readonly nImages: number; readonly light?: Light }
  | { readonly kind: 'seriesEnded'; readonly at: number; readonly sessionId: string; readonly remarks: readonly string[] }
  | { readonly kind: 'sessionFailed'; readonly at: number; readonly sessionId: string; readonly code: string; readonly text: string; readonly remarks: readonly string[] }
  | { readonly kind: 'dicomReceived'; readonly at: number; readonly seriesInstanceUid: string; readonly sopInstanceUid: string; readonly facts: SourceFacts }
  /** Nothing more is awaited of it: the association ended, or the number of images is reached. */
  | { readonly kind: 'dicomSeriesComplete'; readonly at: number; readonly seriesInstanceUid: string }
  | {
      readonly kind: 'delivered'; readonly at: number; readonly examId: string; readonly seriesId: string; readonly destination: string;
      /** A series may go to one destination in several jobs: images and maps. */
      readonly jobId: string;
      readonly state: DeliveryState; readonly code?: string; readonly text?: string;
    }
  /** A series was computed from others and is kept. */
  | { readonly kind: 'synthesised'; readonly at: number; readonly examId: string; readonly series: SynthesisedFacts }
  /** A downstream stage made something of it, and that is kept. */
  | { readonly kind: 'analysed'; readonly at: number; readonly examId: string; readonly analysis: AnalysisFacts }
  /** A reader changed or confirmed the report of an analysis, or what he confirmed came further. */
  | { readonly kind: 'read'; readonly at: number; readonly examId: string; readonly reading: ReadingFacts }
  | { readonly kind: 'jobChanged'; readonly at: number; readonly examId: string; readonly jobId: string; readonly state: JobState; readonly code?: string; readonly text?: string }
  /** The operator changed what holds for scans and syntheses that have not begun. */
  | { readonly kind: 'settingsChanged'; readonly at: number; readonly examId: string; readonly changes: readonly SettingChange[] }
  | { readonly kind: 'tick'; readonly at: number };

/** How strongly a scan is denoised, and who said so. */
export interface DenoisingFacts {
  readonly percent: number;
  readonly origin: DecisionOrigin;
  readonly source: string;
}

export interface SynthesisedFacts {
  /** Of the synthesis in the protocol. */
  readonly id: string;
  readonly contrast: string;
  readonly description: string;
  readonly isSimulated: boolean;
  /** Images by kind. */
  readonly outputs: Readonly<Record<string, number>>;
  readonly light: Light;
  /** Why the light is not green, and what else is to be known. */
  readonly reasons: readonly { readonly code: string; readonly text: string }[];
}

export interface AnalysisFacts {
  readonly offerId: string;
  readonly stage: string;
  readonly tasks: readonly string[];
  readonly results: readonly string[];
  readonly priority?: { readonly level: 'routine' | 'soon' | 'urgent'; readonly reason: string };
}

export interface ReadingFacts {
  /** Of the analysis. */
  readonly offerId: string;
  readonly revision: number;
  readonly state: 'changed' | 'confirmed';
  /** Who spoke last. */
  readonly by: string;
  /** When. */
  readonly at: number;
  /** Of the documents that were written last: to every destination, or given up at one. */
  readonly delivery?: DeliveryState;
  /** That follows from the report as the reader left it. */
  readonly priority?: AnalysisFacts['priority'];
}

export type DeliveryState = 'queued' | 'delivered' | 'dead';
/** `offered`: nobody has taken it yet; after a restart it is offered again, as is what was running. */
export type JobState = 'offered' | 'running' | 'done' | 'failed' | 'notAvailable';
