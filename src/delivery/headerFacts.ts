/** What the MRD header says of the acquisition, in DICOM's terms. */
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage } from '../../recon/index.js';

type Encoding = MrdHeader['encoding'][number];

/** The value of a sequence parameter that has one value, or one a contrast. */
export function ofContrast(values: readonly number[] | undefined, image: ReconImage): number | undefined {
  return values?.[image.counters.contrast] ?? values?.[0];
}

/** Whether the data come from a simulated scanner, as `conus simulate` says in its headers: images of nobody. */
export function isSimulated(header: MrdHeader | undefined): boolean {
  return header?.userParameters?.userParameterString.some(({ name, value }) => name === 'ConusSimulated' && value === 'true') ?? false;
}

/** What stands before the comments and the description of images of nobody. */
export const simulatedMark = 'SIMULATED';

/** MRD's sequence types, as the Siemens converter writes them, in DICOM's codes. */
const sequences: Readonly<Record<string, { scanning: string; variant: string }>> = {
  flash: { scanning: 'GR', variant: 'SP' },
  ssfp: { scanning: 'GR', variant: 'SS' },
  epi: { scanning: 'EP', variant: 'NONE' },
  turbospinecho: { scanning: 'SE', variant: 'SK' },
};

/** ScanningSequence and SequenceVariant; an unknown sequence is "research mode", never a guess. */
export function sequenceCodes(
  sequenceType: string | undefined,
  hasInversion: boolean,
): { scanningSequence: string[]; sequenceVariant: string } {
  const known = sequences[sequenceType?.toLowerCase() ?? ''] ?? { scanning: 'RM', variant: 'NONE' };
  return {
    scanningSequence: hasInversion ? [known.scanning, 'IR'] : [known.scanning],
    sequenceVariant: known.variant,
  };
}

/** Undefined where the limits do not tell. */
export interface AcquisitionFacts {
  readonly partialFourier: boolean | undefined;
  readonly partialFourierPhase: boolean | undefined;
}

/**
 * Partial Fourier: k-space reaches further on one side of its centre than on the other. A sampled
 * grid of even size and the last line of an undersampled one make up to R lines of difference. A
 * centre on the first line is one that nobody filled in.
 */
export function acquisitionFacts(encoding: Encoding | undefined, image: ReconImage): AcquisitionFacts {
  const limits = encoding?.encodingLimits;
  const phase = isOneSided(limits?.kspace_encoding_step_1, image.accelerationPhase);
  const readout = isOneSided(limits?.kspace_encoding_step_0, 1);
  return { partialFourier: readout === true ? true : phase, partialFourierPhase: phase };
}

function isOneSided(
  limit: { minimum: number; maximum: number; center: number } | undefined,
  acceleration: number,
): boolean | undefined {
  if (limit === undefined || limit.center <= limit.minimum) return undefined;
  const before = limit.center - limit.minimum;
  const after = limit.maximum - limit.center;
  return Math.abs(before - after) > acceleration;
}

/**
 * The place of an image among those of its series, counted from 1: by slice, contrast, phase, repetition,
 * set, average and coil. It follows from the counters, so that it is the same in whatever order
 * images come. Undefined where a counter is beyond what the header's limits announce.
 */
export function instanceNumberOf(header: MrdHeader | undefined, { counters, coil, nVirtualCoils }: ReconImage): number | undefined {
  const limits = header?.encoding[0]?.encodingLimits;
  const inner = (['contrast', 'phase', 'repetition', 'set', 'average'] as const).map((name) => ({ at: counters[name], n: (limits?.[name]?.maximum ?? 0) + 1 }));
  if (coil !== undefined) inner.push({ at: coil, n: nVirtualCoils });
  if (inner.some(({ at, n }) => at >= n)) return undefined;
  return 1 + inner.reduce((place, { at, n }) => place * n + at, counters.slice);
}
