/**
 * What the service tells, as the console knows it. The console imports nothing of the service; a test holds that what
 * the service's own types allow is assignable to these.
 */
import type { ReadingHead } from './reading.js';

export type Light = 'green' | 'amber' | 'red';

export interface Reason {
  readonly code: string;
  readonly text: string;
}

export interface DeliveryView {
  readonly jobId: string;
  readonly destination: string;
  readonly state: 'queued' | 'delivered' | 'dead';
  readonly at: number;
  readonly reason?: Reason | undefined;
}

export interface OutputView {
  readonly kind: string;
  readonly nImages: number;
  readonly nExpected?: number | undefined;
  readonly light?: Light | undefined;
}

export interface SeriesFacts {
  readonly modality?: string | undefined;
  readonly orientation?: string | undefined;
  readonly trMs?: number | undefined;
  readonly teMs?: number | undefined;
  readonly tiMs?: number | undefined;
  readonly acceleration?: number | undefined;
  readonly fieldStrengthT?: number | undefined;
  readonly isSimulated?: boolean | undefined;
}

/** How strongly a scan is denoised, and who said so. */
export interface StrengthView {
  readonly percent: number;
  readonly origin: 'default' | 'chain' | 'protocol' | 'header' | 'client' | 'operator';
  readonly source: string;
}

export type SeriesState = 'scanning' | 'reconstructing' | 'receiving' | 'complete' | 'delivered' | 'failed';

export interface SeriesView {
  readonly id: string;
  readonly source: 'scan' | 'dicom' | 'synthesis';
  readonly number?: number | undefined;
  readonly description?: string | undefined;
  readonly role?: string | undefined;
  readonly protocolSeries?: string | undefined;
  readonly candidates: readonly string[];
  readonly state: SeriesState;
  readonly reason?: Reason | undefined;
  readonly openedAt: number;
  readonly endedAt?: number | undefined;
  readonly lines?: { readonly nAcquired: number; readonly nExpected?: number | undefined } | undefined;
  readonly outputs: readonly OutputView[];
  readonly nAttempts: number;
  readonly remarks: readonly string[];
  readonly denoising?: StrengthView | undefined;
  readonly reasons?: readonly Reason[] | undefined;
  readonly deliveries: readonly DeliveryView[];
  readonly facts: SeriesFacts;
}

export type PromiseState = 'awaited' | 'late' | 'missing' | 'underway' | 'came' | 'failed' | 'notAvailable';

export interface PromiseView {
  readonly id: string;
  readonly origin: 'scanned' | 'synthesised';
  readonly role: string;
  readonly description: string;
  readonly state: PromiseState;
  readonly seriesId?: string | undefined;
  readonly dueAt?: number | undefined;
  readonly lateAt?: number | undefined;
  readonly missingAt?: number | undefined;
  readonly reason: Reason;
}

export interface ActionView {
  readonly id: string;
  readonly kind: 'deliver' | 'notify' | 'synthesise' | 'analyse';
  readonly what: string;
  readonly series: readonly string[];
  readonly state: 'waiting' | 'offered' | 'running' | 'done' | 'failed' | 'notAvailable';
  readonly reason?: Reason | undefined;
}

export interface Priority {
  readonly level: 'urgent' | 'soon' | 'routine';
  readonly reason: string;
}

export interface AnalysisView {
  readonly offerId: string;
  readonly stage: string;
  readonly at: number;
  readonly tasks: readonly string[];
  readonly results: readonly string[];
  readonly priority?: Priority | undefined;
}

/** null: as it is where nobody chooses. */
export type SettingValue = string | number | boolean | null;

export interface SettingChange {
  readonly at: number;
  readonly by: string;
  /** protocol, denoisePercent, or syntheses. and the id. */
  readonly what: string;
  readonly from: SettingValue;
  readonly to: SettingValue;
}

/** What the operator chose for an exam. */
export interface ExamSettings {
  readonly protocol?: string | undefined;
  readonly denoisePercent?: number | undefined;
  readonly syntheses: Readonly<Record<string, boolean>>;
  readonly changes: readonly SettingChange[];
}

export interface SettingsRequest {
  readonly by: string;
  readonly protocol?: string | null | undefined;
  readonly denoisePercent?: number | null | undefined;
  readonly syntheses?: Readonly<Record<string, boolean>> | undefined;
}

/** A protocol that may be chosen. */
export interface ProtocolSummary {
  readonly name: string;
  readonly title: string;
  readonly region: string;
  readonly fieldStrengthT: number;
  readonly minutes: number;
  readonly basedOn?: string | undefined;
  readonly basedOnMinutes?: number | undefined;
  readonly series: readonly { readonly id: string; readonly role: string; readonly description: string; readonly orientation: string; readonly minutes: number }[];
  readonly syntheses: readonly {
    readonly id: string;
    readonly contrast: string;
    readonly description: string;
    readonly fromSeries: readonly string[];
    readonly optional: boolean;
  }[];
  readonly operator: { readonly denoisePercent: { readonly least: number; readonly most: number; readonly standard: number } };
}

/** What a code means. */
export interface CodeMeaning {
  readonly code: string;
  readonly expected: string;
  readonly action: string;
}

export interface ExamHead {
  readonly id: string;
  readonly formerIds: readonly string[];
  readonly state: 'active' | 'complete' | 'incomplete';
  readonly openedAt: number;
  readonly lastActivityAt: number;
  readonly patient: {
    readonly id?: string | undefined;
    readonly name?: string | undefined;
    readonly birthDate?: string | undefined;
    readonly sex?: string | undefined;
  };
  readonly study: {
    readonly instanceUid?: string | undefined;
    readonly id?: string | undefined;
    readonly description?: string | undefined;
    readonly accessionNumber?: string | undefined;
    readonly bodyPart?: string | undefined;
    readonly station?: string | undefined;
  };
  readonly protocol?: { readonly name: string; readonly title: string } | undefined;
  readonly protocolCandidates: readonly string[];
  readonly remarks: readonly Reason[];
  readonly settings: ExamSettings;
  readonly analyses: readonly AnalysisView[];
  readonly priority?: Priority | undefined;
  readonly reading?: ReadingHead | undefined;
}

export interface ExamView extends ExamHead {
  readonly series: readonly SeriesView[];
  readonly promises: readonly PromiseView[];
  readonly actions: readonly ActionView[];
}

interface ChangeOf<Kind extends string> {
  readonly kind: Kind;
  readonly sequence: number;
  readonly at: number;
  readonly examId: string;
}

export type ExamChange =
  | (ChangeOf<'exam'> & { readonly exam: ExamHead })
  | (ChangeOf<'series'> & { readonly series: SeriesView })
  | (ChangeOf<'promises'> & { readonly promises: readonly PromiseView[] })
  | (ChangeOf<'actions'> & { readonly actions: readonly ActionView[] })
  | (ChangeOf<'notify'> & { readonly message: string })
  | (ChangeOf<'gone'> & { readonly into?: string | undefined });

export interface PixelWindow {
  readonly centre: number;
  readonly width: number;
}

/** Of one slice, LPS, mm. */
export interface SliceGeometry {
  /** Centre of the first pixel. */
  readonly originMm: readonly [number, number, number];
  /** One pixel down a column. */
  readonly rowStepMm: readonly [number, number, number];
  /** One pixel to the right. */
  readonly columnStepMm: readonly [number, number, number];
  readonly thicknessMm: number;
}

export interface PictureMessage {
  readonly kind: 'picture';
  readonly after: number;
  readonly examId: string;
  readonly seriesId: string;
  readonly output: string;
  readonly number: number;
  readonly slice: number;
  readonly rows: number;
  readonly columns: number;
  readonly window: PixelWindow;
  readonly pixels: Uint8Array | Float32Array;
  /** ms since 1970, when it was made. */
  readonly at?: number | undefined;
  readonly geometry?: SliceGeometry | undefined;
}

/** What the list of the images of a series says of one. */
export interface PictureEntry {
  readonly output: string;
  readonly number: number;
  readonly slice: number;
  readonly contrast: number;
  readonly repetition: number;
  readonly rows: number;
  readonly columns: number;
  readonly window: PixelWindow;
  readonly unit?: string | undefined;
  readonly geometry?: SliceGeometry | undefined;
}

export type ServerMessage =
  | { readonly kind: 'welcome'; readonly epoch: string; readonly sequence: number; readonly heartbeatMs: number }
  | { readonly kind: 'reset'; readonly sequence: number; readonly exams: readonly ExamView[] }
  | { readonly kind: 'change'; readonly change: ExamChange }
  | PictureMessage
  | { readonly kind: 'lost'; readonly nPictures: number }
  | { readonly kind: 'pong'; readonly id: number };
