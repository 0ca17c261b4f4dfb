/**
 * What a synthesis computes, with what its author left open. The standards are typical of clinical fast spin echoes of
 * the spine at 1.5 and 3 T: where a site scans the contrast itself, its own values are to be written down.
 */
import type { Protocol, Series, Synthesis } from './schema.js';

/** Of a fast spin echo. */
export interface SynthesisSequence {
  readonly trMs: number;
  readonly teMs: number;
  readonly echoTrainLength: number;
  readonly echoSpacingMs: number;
  readonly refocusingAngleDeg: number;
}

type Computed = Exclude<Synthesis['contrast'], 'ct'>;

const standards: Readonly<Record<Computed, Omit<SynthesisSequence, 'refocusingAngleDeg'>>> = {
  stir: { trMs: 4500, teMs: 60, echoTrainLength: 16, echoSpacingMs: 10 },
  t2fs: { trMs: 3500, teMs: 80, echoTrainLength: 16, echoSpacingMs: 10 },
  pdfs: { trMs: 3000, teMs: 30, echoTrainLength: 16, echoSpacingMs: 10 },
  t1fs: { trMs: 600, teMs: 10, echoTrainLength: 3, echoSpacingMs: 10 },
};

/** undefined for CT, which has none. */
export function synthesisSequence({ contrast, refocusingAngleDeg, ...given }: Pick<Synthesis, 'contrast' | keyof SynthesisSequence>): SynthesisSequence | undefined {
  if (contrast === 'ct') return undefined;
  const { trMs, teMs, echoTrainLength, echoSpacingMs } = standards[contrast];
  return {
    trMs: given.trMs ?? trMs,
    teMs: given.teMs ?? teMs,
    echoTrainLength: given.echoTrainLength ?? echoTrainLength,
    echoSpacingMs: given.echoSpacingMs ?? echoSpacingMs,
    refocusingAngleDeg,
  };
}

/** What a synthesised series is called where its author did not say. */
export const synthesisDescription = ({ seriesDescription, contrast }: Pick<Synthesis, 'seriesDescription' | 'contrast'>): string =>
  seriesDescription ?? `SYN ${contrast.toUpperCase()}`;

/** The series that a synthesis is made from, by what they are for. */
export function synthesisSources({ fromSeries }: Pick<Synthesis, 'fromSeries'>, { series }: Pick<Protocol, 'series'>): Readonly<Partial<Record<Series['role'], Series>>> {
  const named = fromSeries.flatMap((id) => series.filter((one) => one.id === id));
  return Object.fromEntries(named.reverse().map((one) => [one.role, one]));
}
