/** What a protocol saves against another: series by series, and where the time went. */
import type { Protocol, Series, Synthesis } from './schema.js';
import { snrWeight } from './snr.js';
import { timingOf } from './timing.js';

/** What became of a series of the other protocol; `added`: the other one does not have it. */
export type SeriesFate = 'scanned' | 'synthesised' | 'leftOut' | 'added';

export interface SeriesComparison {
  readonly id: string;
  readonly fate: SeriesFate;
  /** In the other protocol; 0 where it is not scanned. */
  readonly againstMs: number;
  readonly ms: number;
  /** Where it is synthesised. */
  readonly synthesis: Synthesis | undefined;
  /** For the same signal and without the g-factor (snr.ts); where both scan it, at the same field strength. */
  readonly snrRatio: number | undefined;
}

export interface ProtocolComparison {
  /** In the order of the other protocol; what is added comes last. */
  readonly series: readonly SeriesComparison[];
  readonly total: TimeComparison;
  /** Of the series that both scan. */
  readonly bothScanned: TimeComparison;
}

export interface TimeComparison {
  readonly againstMs: number;
  readonly ms: number;
}

/**
 * Series with the same id are the same series. One that is not scanned any more is synthesised where the protocol
 * synthesises its role, and the first such synthesis counts that no other series has taken.
 *
 * @param protocol,against with inversion times resolved
 */
export function compareProtocols(protocol: Protocol, against: Protocol): ProtocolComparison {
  const unused = [...protocol.synthesise];
  const isSameField = protocol.fieldStrengthT === against.fieldStrengthT;
  const compared = against.series.map((theirs): SeriesComparison => {
    const againstMs = timingOf(theirs, against.preparation).totalMs;
    const ours = protocol.series.find(({ id }) => id === theirs.id);
    if (ours !== undefined) {
      const snrRatio = isSameField ? snrWeight(ours) / snrWeight(theirs) : undefined;
      return { id: theirs.id, fate: 'scanned', againstMs, ms: timeOf(ours, protocol), synthesis: undefined, snrRatio };
    }
    const at = unused.findIndex(({ contrast }) => contrast === theirs.role);
    const [synthesis] = at < 0 ? [] : unused.splice(at, 1);
    return { id: theirs.id, fate: synthesis === undefined ? 'leftOut' : 'synthesised', againstMs, ms: 0, synthesis, snrRatio: undefined };
  });
  const added = protocol.series
    .filter(({ id }) => !against.series.some((theirs) => theirs.id === id))
    .map((ours): SeriesComparison => ({
      id: ours.id, fate: 'added', againstMs: 0, ms: timeOf(ours, protocol), synthesis: undefined, snrRatio: undefined,
    }));
  const series = [...compared, ...added];
  return { series, total: sum(series), bothScanned: sum(series.filter(({ fate }) => fate === 'scanned')) };
}

export interface UnscannedSeries {
  readonly synthesis: Synthesis;
  /** The series of the other protocol that it stands for, and how long that takes; absent where there is none. */
  readonly standsFor?: { readonly id: string; readonly ms: number };
}

/** What each synthesis saves against a protocol that scans its contrast. @param protocol,against with inversion times resolved */
export function savedBySynthesis(protocol: Protocol, against: Protocol): UnscannedSeries[] {
  const { series } = compareProtocols(protocol, against);
  return protocol.synthesise.map((synthesis) => {
    const scanned = series.find((one) => one.synthesis === synthesis);
    return { synthesis, ...(scanned !== undefined && { standsFor: { id: scanned.id, ms: scanned.againstMs } }) };
  });
}

const timeOf = (series: Series, { preparation }: Protocol) => timingOf(series, preparation).totalMs;

function sum(parts: readonly TimeComparison[]): TimeComparison {
  return {
    againstMs: parts.reduce((total, { againstMs }) => total + againstMs, 0),
    ms: parts.reduce((total, { ms }) => total + ms, 0),
  };
}
