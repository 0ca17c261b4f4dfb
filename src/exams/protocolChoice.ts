/**
 * Which protocol an exam is of: the one that the operator chose, else that of the site, else the one that the study or its series are named
 * after, else the only one that explains most of the series. Where several explain as much, none is chosen: a promise
 * that nobody made must not be missed.
 */
import { recognise } from '../../protocols/index.js';
import type { Protocol, Series, SeriesFacts, SeriesRole } from '../../protocols/index.js';
import type { SourceFacts } from './facts.js';
import { inOrder } from './record.js';
import type { ExamRecord, SeriesRecord } from './record.js';
import { settingsOf } from './settings.js';

export interface ProtocolChoice {
  readonly protocol: Protocol | undefined;
  /** Those that could be it; the chosen one alone where one is. */
  readonly candidates: readonly Protocol[];
}

/** Fields of 1.5 and 3 T magnets are a few per cent off. */
const FIELD_TOLERANCE_T = 0.3;

export function chooseProtocol(exam: ExamRecord, protocols: readonly Protocol[], fixed?: string): ProtocolChoice {
  const chosen = (protocol: Protocol): ProtocolChoice => ({ protocol, candidates: [protocol] });
  const { protocol: byOperator } = settingsOf(exam);
  const named = protocols.find(({ name }) => name === byOperator) ?? protocols.find(({ name }) => name === fixed);
  if (named !== undefined) return chosen(named);
  // What was computed tells nothing of what was scanned.
  const series = inOrder(exam).filter(({ synthesised }) => synthesised === undefined);
  const fitting = protocols.filter((protocol) => series.every(({ facts }) => fits(protocol, facts)));
  const byName = longestNamed(fitting, series.map(({ facts }) => facts));
  if (byName !== undefined) return chosen(byName);
  const scores = fitting.map((protocol) => series.filter((one) => recognise(protocol, factsForRules(one)).length > 0).length);
  const best = Math.max(0, ...scores);
  const candidates = best === 0 ? [] : fitting.filter((_, index) => scores[index] === best);
  return { protocol: candidates.length === 1 ? candidates[0] : undefined, candidates };
}

function fits({ bodyPart, fieldStrengthT }: Protocol, facts: SourceFacts): boolean {
  const isPart = facts.bodyPart === undefined || facts.bodyPart.trim().toUpperCase() === bodyPart;
  return isPart && (facts.fieldStrengthT === undefined || Math.abs(facts.fieldStrengthT - fieldStrengthT) <= FIELD_TOLERANCE_T);
}

/** By title or name; of several whose title is in the text, the longest. */
function longestNamed(protocols: readonly Protocol[], facts: readonly SourceFacts[]): Protocol | undefined {
  const texts = facts.flatMap(({ studyDescription, protocolName }) => [studyDescription, protocolName]).map((text) => text?.toLowerCase() ?? '');
  const named = protocols
    .map((protocol) => ({ protocol, length: Math.max(0, ...[protocol.title, protocol.name].map((name) => (texts.some((text) => text.includes(name.toLowerCase())) ? name.length : 0))) }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => b.length - a.length);
  return named[0] !== undefined && named[0].length !== named[1]?.length ? named[0].protocol : undefined;
}

/** What is known of a series as protocol rules ask for it. */
export function factsForRules({ facts, orientation }: SeriesRecord): SeriesFacts {
  const { seriesDescription, trMs, teMs, tiMs, inversion } = facts;
  return { seriesDescription, orientation: facts.orientation ?? orientation, trMs, teMs, tiMs, inversion };
}

export interface Recognition {
  readonly role: SeriesRole | undefined;
  /** The series of the chosen protocol that this one is; absent where several could be it, or none. */
  readonly series: Series | undefined;
  /** Ids of all series that it could be. */
  readonly candidates: readonly string[];
}

export function recogniseSeries(series: SeriesRecord, { protocol, candidates }: ProtocolChoice): Recognition {
  if (series.synthesised !== undefined) return { role: undefined, series: undefined, candidates: [] };
  const found = candidates.flatMap((one) => recognise(one, factsForRules(series)));
  const roles = new Set(found.map(({ role }) => role));
  return {
    role: roles.size === 1 ? found[0]!.role : undefined,
    series: protocol !== undefined && found.length === 1 ? found[0] : undefined,
    candidates: [...new Set(found.map(({ id }) => id))],
  };
}
