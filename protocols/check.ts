/** Everything that is wrong with a protocol, and what is worth a word: one finding each, with its place. */
import type { z } from 'zod';
import { acquiredLines } from './encoding.js';
import { PROTOCOL_ERRORS, PROTOCOL_WARNINGS, ProtocolError } from './errors.js';
import type { ProtocolErrorCode, ProtocolFinding, ProtocolWarningCode } from './errors.js';
import { phaseAxisOf } from './geometry.js';
import { b1RmsLimitUt, b1RmsUt } from './radioFrequency.js';
import { factsOf, recognise } from './recognition.js';
import { protocolSchema, seriesSchema, synthesisId } from './schema.js';
import type { Protocol, Series, Synthesis } from './schema.js';
import { synthesisSequence, synthesisSources } from './synthesis.js';
import { resolveInversionTime, timingOf } from './timing.js';
import type { FatNull } from './timing.js';

export interface ProtocolCheck {
  /** Where there are no errors. */
  readonly protocol: Protocol | undefined;
  readonly errors: readonly ProtocolFinding<ProtocolErrorCode>[];
  readonly warnings: readonly ProtocolFinding<ProtocolWarningCode>[];
}

/** How far an effective echo time may be from its echo. */
const ECHO_TOLERANCE_MS = 0.5;
/** Griswold 2002: kernels are fitted to calibration lines; fewer than 16 leave few equations for kernels of four lines. */
const FEWEST_CALIBRATION_LINES = 16;

/** @param value as JSON holds it */
export function checkProtocol(value: unknown, fatNull: FatNull): ProtocolCheck {
  const parsed = protocolSchema.safeParse(value);
  if (!parsed.success) {
    const inSeries = readableSeries(value).flatMap(([series, path]) => errorsOfSeries(series, path, 1.5, fatNull));
    return { protocol: undefined, errors: [...parsed.error.issues.flatMap((issue) => findingsOf(issue, value)), ...inSeries], warnings: [] };
  }
  const protocol = parsed.data;
  const errors = [
    ...referenceErrors(protocol),
    ...protocol.synthesise.flatMap((synthesis, index) => synthesisErrors(protocol, synthesis, `synthesise.${index}`)),
    ...protocol.series.flatMap((series, index) => errorsOfSeries(series, `series.${index}`, protocol.fieldStrengthT, fatNull)),
  ];
  if (errors.length > 0) return { protocol: undefined, errors, warnings: [] };
  return { protocol, errors, warnings: protocol.series.flatMap((series, index) => warningsOfSeries(protocol, series, `series.${index}`, fatNull)) };
}

const errorAt = (code: ProtocolErrorCode, path: string, got: string): ProtocolFinding<ProtocolErrorCode> => ({ code, path, got, ...PROTOCOL_ERRORS[code] });
const warningAt = (code: ProtocolWarningCode, path: string, got: string): ProtocolFinding<ProtocolWarningCode> => ({
  code, path, got, ...PROTOCOL_WARNINGS[code],
});

/** The series that are in order by themselves, so that one wrong key does not hide what is wrong elsewhere. */
function readableSeries(value: unknown): [Series, path: string][] {
  const list: unknown = typeof value === 'object' && value !== null && 'series' in value ? value.series : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((item, index): [Series, string][] => {
    const parsed = seriesSchema.safeParse(item);
    return parsed.success ? [[parsed.data, `series.${index}`]] : [];
  });
}

function findingsOf(issue: z.core.$ZodIssue, root: unknown): ProtocolFinding<ProtocolErrorCode>[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => errorAt('PROTOCOL_ERR_KEY', path === '' ? key : `${path}.${key}`, `the unknown key "${key}"`));
  }
  const got = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], root);
  const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 80);
  return [{ ...errorAt('PROTOCOL_ERR_VALUE', path, shown), expected: issue.message.replace(/^[^:]*: expected /, '').replace(/, received .*$/, '') }];
}

function referenceErrors({ series, synthesise, analyse, whenComplete }: Protocol): ProtocolFinding<ProtocolErrorCode>[] {
  const ids = series.map(({ id }) => id);
  const all = [...ids, ...synthesise.map(synthesisId)];
  const doubles = all.flatMap((id, index) => {
    const path = index < ids.length ? `series.${index}.id` : `synthesise.${index - ids.length}.id`;
    return all.indexOf(id) === index ? [] : [errorAt('PROTOCOL_ERR_REFERENCE', path, `"${id}" a second time`)];
  });
  const dangling = (path: string, named: readonly string[], known: readonly string[]) =>
    named.flatMap((id, position) => (known.includes(id) ? [] : [errorAt('PROTOCOL_ERR_REFERENCE', `${path}.${position}`, `"${id}", which is no series here`)]));
  return [
    ...doubles,
    ...synthesise.flatMap(({ fromSeries }, index) => dangling(`synthesise.${index}.fromSeries`, fromSeries, ids)),
    ...analyse.flatMap(({ fromSeries }, index) => dangling(`analyse.${index}.fromSeries`, fromSeries, ids)),
    ...whenComplete.flatMap((rule, index) => dangling(`whenComplete.${index}.series`, rule.series, all)),
  ];
}

function synthesisErrors(protocol: Protocol, synthesis: Synthesis, path: string): ProtocolFinding<ProtocolErrorCode>[] {
  const { fromSeries, tiMs } = synthesis;
  // What is named and not there is told elsewhere.
  const isWhole = fromSeries.every((id) => protocol.series.some((one) => one.id === id));
  const sources = synthesisSources(synthesis, protocol);
  const missing = (['t1w', 't2w'] as const).filter((role) => isWhole && sources[role] === undefined);
  const found = missing.map((role) => errorAt('PROTOCOL_ERR_SYNTHESIS', `${path}.fromSeries`, `no series of role ${role}`));
  const sequence = synthesisSequence(synthesis);
  if (sequence === undefined) return found;
  const busyMs = sequence.echoTrainLength * sequence.echoSpacingMs + (typeof tiMs === 'number' ? tiMs : 0);
  if (busyMs > sequence.trMs) found.push(errorAt('PROTOCOL_ERR_SYNTHESIS', `${path}.trMs`, `${busyMs} ms of inversion time and echoes in ${sequence.trMs} ms`));
  return found;
}

function errorsOfSeries(series: Series, path: string, fieldStrengthT: Protocol['fieldStrengthT'], fatNull: FatNull): ProtocolFinding<ProtocolErrorCode>[] {
  const own = [...geometryErrors(series, path), ...echoErrors(series, `${path}.sequence`)];
  const lines = caught(path, 'acceleration', () => acquiredLines(series));
  if (own.length > 0 || lines.length > 0) return [...own, ...lines];
  return caught(path, 'sequence.trMs', () =>
    timingOf(resolveInversionTime(series, fieldStrengthT, fatNull), { adjustmentsS: 0, noiseScanS: 0 }),
  );
}

function caught(path: string, key: string, act: () => unknown): ProtocolFinding<ProtocolErrorCode>[] {
  try {
    act();
    return [];
  } catch (error) {
    if (error instanceof ProtocolError) return [errorAt(error.code, `${path}.${key}`, error.got)];
    throw error;
  }
}

function geometryErrors({ geometry, acceleration }: Series, path: string): ProtocolFinding<ProtocolErrorCode>[] {
  const { orientation, readout, tiltDeg, discLevels } = geometry;
  const found: ProtocolFinding<ProtocolErrorCode>[] = [];
  if (phaseAxisOf(geometry) === undefined) {
    found.push(errorAt('PROTOCOL_ERR_GEOMETRY', `${path}.geometry.readout`, `a readout along ${readout} in ${orientation} slices`));
  }
  if (Object.values(tiltDeg).every((angle) => angle !== 0)) {
    found.push(errorAt('PROTOCOL_ERR_GEOMETRY', `${path}.geometry.tiltDeg`, 'a tilt about three axes'));
  }
  if (discLevels !== undefined && orientation !== 'axial') {
    found.push(errorAt('PROTOCOL_ERR_GEOMETRY', `${path}.geometry.discLevels`, `disc levels with ${orientation} slices`));
  }
  if (acceleration.factor === 1 && acceleration.calibration !== 'none') {
    found.push(errorAt('PROTOCOL_ERR_LINES', `${path}.acceleration.calibration`, `${acceleration.calibration} calibration without acceleration`));
  }
  if ((acceleration.calibration === 'none') !== (acceleration.calibrationLines === 0)) {
    const { calibration, calibrationLines } = acceleration;
    found.push(errorAt('PROTOCOL_ERR_LINES', `${path}.acceleration.calibrationLines`, `${calibrationLines} lines of calibration "${calibration}"`));
  }
  return found;
}

function echoErrors({ sequence, echoFraction }: Series, path: string): ProtocolFinding<ProtocolErrorCode>[] {
  const readoutMs = (1000 * echoFraction) / sequence.bandwidthHzPerPixel;
  const found: ProtocolFinding<ProtocolErrorCode>[] = [];
  if (sequence.kind === 'tse' || sequence.kind === 'stirTse') {
    const { teMs, echoSpacingMs, echoTrainLength } = sequence;
    const echo = Math.round(teMs / echoSpacingMs);
    if (echo < 1 || echo > echoTrainLength || Math.abs(teMs - echo * echoSpacingMs) > ECHO_TOLERANCE_MS) {
      found.push(errorAt('PROTOCOL_ERR_ECHO', `${path}.teMs`, `${teMs} ms with ${echoTrainLength} echoes every ${echoSpacingMs} ms`));
    }
    if (readoutMs >= echoSpacingMs) {
      found.push(errorAt('PROTOCOL_ERR_ECHO', `${path}.echoSpacingMs`, `a readout of ${readoutMs.toFixed(1)} ms every ${echoSpacingMs} ms`));
    }
    return found;
  }
  // The echo lies half a full readout before the end; what is left of the readout before it begins with the excitation at the earliest.
  const beforeEchoMs = ((echoFraction - 0.5) * 1000) / sequence.bandwidthHzPerPixel;
  const echoes = [sequence.teMs].flat();
  if (echoes[0]! < beforeEchoMs) found.push(errorAt('PROTOCOL_ERR_ECHO', `${path}.teMs`, `${echoes[0]} ms, ${beforeEchoMs.toFixed(1)} ms of readout before the echo`));
  if (echoes.some((teMs, index) => index > 0 && teMs - echoes[index - 1]! < readoutMs)) {
    found.push(errorAt('PROTOCOL_ERR_ECHO', `${path}.teMs`, `echoes at ${echoes.join(', ')} ms, of ${readoutMs.toFixed(1)} ms each`));
  }
  return found;
}

function warningsOfSeries(protocol: Protocol, unresolved: Series, path: string, fatNull: FatNull): ProtocolFinding<ProtocolWarningCode>[] {
  const series = resolveInversionTime(unresolved, protocol.fieldStrengthT, fatNull);
  const found: ProtocolFinding<ProtocolWarningCode>[] = [];
  const { factor, calibration, calibrationLines } = series.acceleration;
  if (factor > 1 && calibration === 'none') found.push(warningAt('PROTOCOL_WARN_NO_CALIBRATION', `${path}.acceleration`, `R = ${factor} without calibration`));
  else if (factor > 1 && calibrationLines < FEWEST_CALIBRATION_LINES) {
    found.push(warningAt('PROTOCOL_WARN_CALIBRATION_LINES', `${path}.acceleration.calibrationLines`, `${calibrationLines} lines`));
  }

  const b1Ut = b1RmsUt(series, protocol.preparation);
  const limitUt = b1RmsLimitUt(protocol.fieldStrengthT);
  if (b1Ut > limitUt) {
    found.push(warningAt('PROTOCOL_WARN_RF', `${path}.sequence`, `about ${b1Ut.toFixed(1)} µT B1+rms; ${limitUt.toFixed(1)} µT at ${protocol.fieldStrengthT} T`));
  }

  const { trainMs, nSlices, concatenations } = timingOf(series, protocol.preparation);
  const busyMs = trainMs * Math.ceil(nSlices / concatenations);
  if (nSlices > 1 && busyMs < series.sequence.trMs / 2) {
    found.push(
      warningAt('PROTOCOL_WARN_UNUSED_REPETITION_TIME', `${path}.sequence.trMs`, `${busyMs.toFixed(0)} ms of trains in ${series.sequence.trMs} ms`),
    );
  }

  const recognised = recognise(protocol, factsOf(series)).map(({ id }) => id);
  if (recognised.length !== 1 || recognised[0] !== series.id) {
    const which = recognised.length === 0 ? 'no series' : recognised.join(', ');
    found.push(warningAt('PROTOCOL_WARN_RECOGNITION', `${path}.recognise`, `"${series.id}" is taken for ${which}`));
  }
  return found;
}
