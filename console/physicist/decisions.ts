/** Decisions in order, as far as they are looked for, and where those of two scans differ. */
import type { DecisionView, RecordView, ResultView } from '../api/index.js';
import { number } from '../parts/index.js';

export type DecisionColumn = 'what' | 'value' | 'origin' | 'source' | 'because';

export interface DecisionChoice {
  /** Words that all have to be somewhere in a decision. */
  readonly words: string;
  /** Leave out what nobody asked for. */
  readonly onlyDecided: boolean;
  readonly sortedBy: DecisionColumn | undefined;
  readonly isDescending: boolean;
}

/** Nobody asked for it: the value that it has always. */
export const isDefault = ({ origin, kind }: DecisionView): boolean => kind === 'parameter' && (origin === 'default' || origin === undefined);

export const originOf = ({ origin, kind }: DecisionView): string => origin ?? (kind === 'header' ? 'header' : 'unknown');

export function chosenDecisions(decisions: readonly DecisionView[], { words, onlyDecided, sortedBy, isDescending }: DecisionChoice): DecisionView[] {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const textOf = (decision: DecisionView, column: DecisionColumn) => (column === 'origin' ? originOf(decision) : decision[column]);
  const shown = decisions.filter((decision) => {
    if (onlyDecided && isDefault(decision)) return false;
    const text = [decision.what, decision.value, decision.because, decision.source, originOf(decision), decision.meaning].join(' ').toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
  if (sortedBy === undefined) return shown;
  const sign = isDescending ? -1 : 1;
  return shown.toSorted((a, b) => sign * textOf(a, sortedBy).localeCompare(textOf(b, sortedBy), 'en', { numeric: true }));
}

/** One thing of two scans; undefined where a scan does not have it. */
export interface Difference {
  readonly about: 'result' | DecisionView['kind'];
  readonly what: string;
  readonly left: string | undefined;
  readonly right: string | undefined;
  /** Who decided on each side. */
  readonly leftOrigin?: string | undefined;
  readonly rightOrigin?: string | undefined;
  readonly isSame: boolean;
}

/** Everything that both scans tell of themselves, side by side: what came out, parameters, how the header was read. */
export function differencesOf(left: RecordView, right: RecordView): Difference[] {
  const results = beside(resultFacts(left), resultFacts(right)).map(([what, a, b]): Difference => ({ about: 'result', what, left: a, right: b, isSame: a === b }));
  const decisions = (['parameter', 'header'] as const).flatMap((kind) => {
    const of = (record: RecordView) => new Map(record.decisions.filter((decision) => decision.kind === kind).map((decision) => [decision.what, decision]));
    return beside(of(left), of(right)).map(([what, a, b]): Difference => ({
      about: kind, what, left: a?.value, right: b?.value, isSame: a?.value === b?.value,
      ...(a !== undefined && { leftOrigin: originOf(a) }), ...(b !== undefined && { rightOrigin: originOf(b) }),
    }));
  });
  return [...results, ...decisions];
}

function beside<Value>(left: ReadonlyMap<string, Value>, right: ReadonlyMap<string, Value>): [string, Value | undefined, Value | undefined][] {
  return [...new Set([...left.keys(), ...right.keys()])].map((key) => [key, left.get(key), right.get(key)]);
}

export const methodNames: Readonly<Record<string, string>> = {
  full: 'all lines measured', grappa: 'GRAPPA', sense: 'SENSE', l1: 'compressed sensing', zeroFilled: 'zero-filled',
};

export function accelerationText({ accelerationPhase, accelerationSlice }: ResultView): string {
  return accelerationSlice > 1 ? `${accelerationPhase} x ${accelerationSlice}` : String(accelerationPhase);
}

/** What came out, in words. */
export function resultFacts({ result, sampling, denoising, noise, timeline: { lastReadoutToLastImageMs } }: RecordView): ReadonlyMap<string, string> {
  const facts: [string, string][] = [];
  if (result !== undefined) {
    const { method, nCalibrationLines, nMissingLines, nCoils, nVirtualCoils, rows, columns, fovMm, partialFourier, postProcessing, snrUnits } = result;
    facts.push(
      ['method', methodNames[method] ?? method],
      ['acceleration R', accelerationText(result)],
      ['calibration lines', String(nCalibrationLines)],
      ['missing lines', String(nMissingLines)],
      ['coils', nVirtualCoils < nCoils ? `${nCoils}, ${nVirtualCoils} virtual` : String(nCoils)],
      ['matrix', `${columns} x ${rows}`],
      ['pixel, mm', `${number(fovMm[0] / columns)} x ${number(fovMm[1] / rows)}`],
      ['slice, mm', number(fovMm[2])],
      ['partial Fourier', partialFourier],
      ['afterwards', postProcessing.length === 0 ? 'nothing' : postProcessing.join(', ')],
      ['values', snrUnits ? 'in units of the noise' : 'in arbitrary units'],
    );
  }
  if (sampling !== undefined) facts.push(['averages', String(sampling.nAverages)]);
  if (denoising !== undefined) {
    facts.push(['denoising', `${denoising.strengthPercent} %, noise ${denoising.noiseSource}`], ['network', `${denoising.model.id} ${denoising.model.version}`]);
    facts.push(['measured lines put back', denoising.dataConsistency ? 'yes' : 'no']);
  }
  facts.push(['noise samples a coil', noise === undefined ? 'no noise scan' : String(noise.nSamples)]);
  if (lastReadoutToLastImageMs !== undefined) facts.push(['last readout to last image', `${Math.round(lastReadoutToLastImageMs)} ms`]);
  return new Map(facts);
}
