/**
 * Which series of a protocol a series from a scanner is.
 *
 * Every rule that a series of the protocol gives is held against what is known. A rule holds, is contradicted, or
 * cannot be judged because nothing is known. A series is a candidate where no rule is contradicted and one at
 * least holds. More than one candidate: the caller cannot tell, and must say so.
 */
import type { Orientation, Protocol, RecognitionRules, Series, SeriesRole } from './schema.js';

/** What is known of a series that came from a scanner. */
export interface SeriesFacts {
  readonly seriesDescription?: string | undefined;
  readonly orientation?: Orientation | undefined;
  readonly contrast?: SeriesRole | undefined;
  readonly trMs?: number | undefined;
  /** The first one, of several. */
  readonly teMs?: number | undefined;
  readonly tiMs?: number | undefined;
  /** True where there is an inversion time. */
  readonly inversion?: boolean | undefined;
}

/** The candidates, in the order of the protocol. */
export function recognise(protocol: Pick<Protocol, 'series'>, facts: SeriesFacts): Series[] {
  return protocol.series.filter(({ recognise: rules }) => {
    const judgements = judge(rules, facts);
    return judgements.includes(true) && !judgements.includes(false);
  });
}

/** What a scanner would tell of a series of the protocol. */
export function factsOf({ seriesDescription, geometry, role, sequence }: Series): SeriesFacts {
  const { trMs, teMs } = sequence;
  const isInverted = sequence.kind === 'stirTse';
  return {
    seriesDescription,
    orientation: geometry.orientation,
    contrast: role,
    trMs,
    teMs: typeof teMs === 'number' ? teMs : teMs[0],
    inversion: isInverted,
    ...(isInverted && sequence.tiMs !== 'auto' ? { tiMs: sequence.tiMs } : {}),
  };
}

/** true: the rule holds; false: it is contradicted; undefined: not given, or nothing is known. */
function judge(rules: RecognitionRules, facts: SeriesFacts): (boolean | undefined)[] {
  const inversion = facts.inversion ?? (facts.tiMs === undefined ? undefined : true);
  return [
    isNamed(rules.namePatterns, facts.seriesDescription),
    isEqual(rules.orientation, facts.orientation),
    isEqual(rules.contrast, facts.contrast),
    isWithin(rules.trMs, facts.trMs),
    isWithin(rules.teMs, facts.teMs),
    rules.tiMs !== undefined && inversion === false ? false : isWithin(rules.tiMs, facts.tiMs),
    isEqual(rules.inversion, inversion),
  ];
}

function isNamed(patterns: readonly string[], name: string | undefined): boolean | undefined {
  if (patterns.length === 0 || name === undefined || name.trim() === '') return undefined;
  return patterns.some((pattern) => matches(pattern.toLowerCase().split('*'), name.trim().toLowerCase()));
}

/** Whether the text is the pieces, in order, with any text between them. Piece by piece: no pattern can make it slow. */
function matches(pieces: readonly string[], text: string): boolean {
  const [first, ...rest] = pieces as [string, ...string[]];
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function isEqual<Value>(rule: Value | undefined, fact: Value | undefined): boolean | undefined {
  return rule === undefined || fact === undefined ? undefined : rule === fact;
}

function isWithin(rule: readonly [number, number] | undefined, fact: number | undefined): boolean | undefined {
  return rule === undefined || fact === undefined ? undefined : fact >= rule[0] && fact <= rule[1];
}
