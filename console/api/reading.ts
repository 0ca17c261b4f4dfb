/** What the service tells of a reader's word on a report. Held against the service's own types by a test. */
export type ReadingState = 'draft' | 'changed' | 'confirmed';

export interface EarlierReading {
  readonly state: ReadingState;
  readonly at: number;
  readonly by?: string | undefined;
}

/** Of the head of an exam. */
export interface ReadingHead extends EarlierReading {
  readonly revision: number;
  readonly delivery?: 'queued' | 'delivered' | 'dead' | undefined;
  readonly earlier?: EarlierReading | undefined;
}

export type Severity = 'normal' | 'mild' | 'moderate' | 'severe';
export type Vector3 = readonly [number, number, number];

export interface Grade {
  readonly scale: string;
  readonly value: string;
  readonly severity?: Severity | undefined;
  readonly marginShare?: number | undefined;
}

export interface Measure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

export interface Drawing {
  readonly seriesIndex: number;
  readonly sliceIndex: number;
  readonly centreMm: Vector3;
  readonly extentMm: number;
  readonly outlines: readonly number[];
  readonly lines: readonly { readonly fromMm: Vector3; readonly toMm: Vector3; readonly text: string }[];
  readonly areas: readonly { readonly pointsMm: readonly Vector3[]; readonly text: string }[];
}

export interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly level?: string | undefined;
  readonly side?: 'left' | 'right' | undefined;
  readonly measures: readonly Measure[];
  readonly grades: readonly Grade[];
  readonly signs: readonly string[];
  readonly basis: { readonly seriesIndices: readonly number[]; readonly synthetic: boolean };
  readonly confidence: number;
  readonly drawing?: Drawing | undefined;
}

export interface NotAssessed {
  readonly kind: string;
  readonly level?: string | undefined;
  readonly side?: 'left' | 'right' | undefined;
  readonly code: string;
  readonly got: string;
}

export interface Sentence {
  readonly level?: string | undefined;
  readonly draft: string;
  readonly edited?: { readonly text: string; readonly by: string; readonly at: string } | undefined;
}

export interface ReportSeries {
  readonly description: string;
  readonly contrast: string;
  readonly orientation: string;
  readonly synthetic: boolean;
  readonly denoised: boolean;
  readonly qualityLight?: 'green' | 'amber' | 'red' | undefined;
}

export interface Report {
  readonly statement: string;
  readonly software: { readonly name: string; readonly version: string };
  readonly models: readonly { readonly id: string; readonly version: string }[];
  readonly syntheticData: boolean;
  readonly series: readonly ReportSeries[];
  readonly numbering: { readonly certain: boolean; readonly reasons: readonly string[] };
  readonly levels: readonly string[];
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
  readonly notAssessed: readonly NotAssessed[];
  readonly sentences: readonly Sentence[];
  readonly priority: { readonly level: 'routine' | 'soon' | 'urgent'; readonly reason: string };
  readonly changes: readonly { readonly findingId: string; readonly scale: string; readonly from: string; readonly to: string; readonly by: string; readonly at: string }[];
}

interface Signed {
  readonly by: string;
  readonly at: number;
  readonly revision: number;
}

export type ReadingStep =
  | ({ readonly what: 'grade'; readonly findingId: string; readonly scale: string; readonly from: string; readonly to: string } & Signed)
  | ({ readonly what: 'sentence'; readonly level?: string | undefined; readonly from: string; readonly to: string } & Signed)
  | ({ readonly what: 'confirmed' } & Signed);

export interface ReportDelivery {
  readonly destination: string;
  readonly state: 'queued' | 'delivered' | 'dead' | 'dropped';
  readonly reason?: { readonly code: string; readonly text: string } | undefined;
}

export interface ReadingView {
  readonly offerId: string;
  readonly stage: string;
  readonly analysedAt: number;
  readonly report: Report;
  readonly revision: number;
  readonly state: ReadingState;
  readonly confirmed?: (Signed & { readonly deliveries: readonly ReportDelivery[] }) | undefined;
  readonly steps: readonly ReadingStep[];
  /** For every series of the report. */
  readonly images: readonly ({ readonly seriesId: string; readonly output: string } | null)[];
  readonly words: { readonly kinds: Readonly<Record<string, string>>; readonly names: Readonly<Record<string, string>> };
  readonly scales: Readonly<Record<string, readonly string[]>>;
  readonly earlier?: EarlierReading | undefined;
}

/** Of findings that are drawn by the analysis itself; PNG, base64. */
export interface Evidence {
  readonly findingId: string;
  readonly png: string;
}
