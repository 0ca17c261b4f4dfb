/**
 * The fast spin echo behind an acquired series, put together from whoever knows a part of it: the header of the scan or
 * of its images first, then the protocol, and what is typical where nobody knows. Where each value is from is told.
 */
import type { FastSpinEchoSequence } from '../../imaging/index.js';
import { synthesisError } from '../../synth/index.js';

export interface KnownSequence {
  readonly trMs?: number | undefined;
  readonly teMs?: number | undefined;
  readonly echoTrainLength?: number | undefined;
  readonly echoSpacingMs?: number | undefined;
  readonly refocusingAngleDeg?: number | undefined;
  readonly isGradientEcho?: boolean | undefined;
  readonly hasInversion?: boolean | undefined;
  readonly isFatSuppressed?: boolean | undefined;
}

/** `typical`: nobody knew. */
export type SequenceOrigin = 'header' | 'protocol' | 'given' | 'typical';
export type KnownBy = Exclude<SequenceOrigin, 'typical'>;

export interface ResolvedSequence {
  readonly sequence: FastSpinEchoSequence;
  readonly origins: Readonly<Record<'trMs' | 'teMs' | 'echoTrainLength' | 'echoSpacingMs' | 'refocusingAngleDeg', SequenceOrigin>>;
}

export type AcquiredRole = 't1w' | 't2w' | 't2fs';

/** Of clinical fast spin echoes of the spine, as the protocols that come with the program have them. */
const typical = {
  t1w: { echoTrainLength: 3, echoSpacingMs: 10, refocusingAngleDeg: 150 },
  t2w: { echoTrainLength: 17, echoSpacingMs: 10, refocusingAngleDeg: 150 },
  t2fs: { echoTrainLength: 17, echoSpacingMs: 10, refocusingAngleDeg: 150 },
} as const;
/** A train may fill no more of TR where its spacing is only typical. */
const mostOfTr = 0.8;

/**
 * @param layers who knows best comes first
 * @throws CodedError SYNTH_ERR_GRADIENT_ECHO, SYNTH_ERR_CONTRAST, SYNTH_ERR_SEQUENCE
 */
export function resolveSequence(role: AcquiredRole, layers: readonly { readonly by: KnownBy; readonly known: KnownSequence }[]): ResolvedSequence {
  const find = <Key extends keyof KnownSequence>(key: Key) => {
    for (const { by, known } of layers) if (known[key] !== undefined) return { value: known[key], by };
    return undefined;
  };
  if (find('isGradientEcho')?.value === true) throw synthesisError('SYNTH_ERR_GRADIENT_ECHO', `a gradient echo as ${role}`);
  if (find('hasInversion')?.value === true) throw synthesisError('SYNTH_ERR_CONTRAST', `an inversion recovery as ${role}`);
  if (role !== 't2fs' && find('isFatSuppressed')?.value === true) throw synthesisError('SYNTH_ERR_CONTRAST', `a fat-suppressed series as ${role}`);
  const [tr, te] = [find('trMs'), find('teMs')];
  if (tr === undefined || te === undefined || !(tr.value > 0 && te.value > 0)) {
    throw synthesisError('SYNTH_ERR_SEQUENCE', `TR ${tr?.value ?? 'unknown'} and TE ${te?.value ?? 'unknown'} of ${role}`);
  }
  const positive = (key: 'echoTrainLength' | 'echoSpacingMs' | 'refocusingAngleDeg') => {
    const found = find(key);
    return found !== undefined && found.value > 0 ? found : undefined;
  };
  const train = positive('echoTrainLength');
  const echoTrainLength = Math.round(train?.value ?? typical[role].echoTrainLength);
  // A train of one echo is a spin echo, whose spacing is TE.
  const typicalSpacingMs = echoTrainLength === 1 ? te.value : Math.min(typical[role].echoSpacingMs, (mostOfTr * tr.value) / echoTrainLength);
  const spacing = positive('echoSpacingMs');
  const angle = positive('refocusingAngleDeg');
  return {
    sequence: {
      trMs: tr.value,
      teMs: te.value,
      echoTrainLength,
      echoSpacingMs: spacing?.value ?? typicalSpacingMs,
      refocusingAngleDeg: angle?.value ?? typical[role].refocusingAngleDeg,
    },
    origins: {
      trMs: tr.by, teMs: te.by, echoTrainLength: train?.by ?? 'typical', echoSpacingMs: spacing?.by ?? 'typical', refocusingAngleDeg: angle?.by ?? 'typical',
    },
  };
}

/** A flip angle of a fast spin echo above this is that of the refocusing pulses; below, of the excitation. */
const LARGEST_EXCITATION_DEG = 100;

/** Vendors write one or the other into one attribute. */
export function refocusingOf(flipAngleDeg: number | undefined): number | undefined {
  return flipAngleDeg !== undefined && flipAngleDeg > LARGEST_EXCITATION_DEG ? flipAngleDeg : undefined;
}

/** @throws CodedError SYNTH_ERR_CONTRAST for any other field */
export function clinicalField(fieldStrengthT: number | undefined): 1.5 | 3 {
  const near = ([1.5, 3] as const).find((nominal) => Math.abs((fieldStrengthT ?? 0) - nominal) <= 0.3);
  if (near === undefined) throw synthesisError('SYNTH_ERR_CONTRAST', `a field strength of ${fieldStrengthT ?? 'unknown'} T`);
  return near;
}
