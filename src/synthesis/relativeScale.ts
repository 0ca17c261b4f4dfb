/**
 * What brings the images of scans of one exam to one unit of signal, where all of it is known: physics instead of an
 * estimate. Samples are whitened to a noise of 1 in the real part, so that the receiver's gain drops out:
 *
 *   sample at k              s(k) = sqrt(T) c dz ∫ m(r) exp(-2πi k r) dr / n0        n0² noise power a bandwidth, T dwell time
 *   image, transform of P_x x P_y samples (zero-filled, orthonormal, over the encoded field of view F_x x F_y)
 *                            v = s summed over k / sqrt(P_x P_y) = m c sqrt(T) dz (F_x F_y) / sqrt(P_x P_y) / n0
 *
 * In 3D the slab enters as F_z / sqrt(P_z) in place of dz. c / n0, the coils over their noise, is common to scans with
 * the same coils of a patient who did not move; then
 *
 *   m ~ v * scale,   scale = sqrt(P_x P_y) / (sqrt(T) dz F_x F_y)                    mm^-3 us^-1/2
 *
 * Averages are means and lines that were left out are synthesised, so neither is in it (docs/conventions.md, Noise):
 * they change the noise map only. Voxel volume and acquisition time: Macovski 1996, doi 10.1002/mrm.1910360327;
 * whitening: Kellman and McVeigh 2005, doi 10.1002/mrm.20713.
 */
export interface ScanPhysics {
  /** Values are in SNR units: the noise was measured and whitened. */
  readonly snrUnits: boolean;
  /** Of the imaging samples, with oversampling; 0 where it is unknown. */
  readonly dwellTimeUs: number;
  /** Of the noise samples; without it the whitener takes it for the same. */
  readonly noiseDwellTimeUs: number;
  /** Along the readout, the phase encoding and, in 3D, the partitions. */
  readonly encodedFovMm: readonly number[];
  /** Samples of the transform along the same, after zero-filling. */
  readonly paddedSize: readonly number[];
  /** Of a 2D slice; absent in 3D. */
  readonly sliceThicknessMm?: number;
  readonly coilNames: readonly string[];
  /** Channels that were left out as broken. */
  readonly brokenCoils: readonly string[];
  readonly patientPosition?: string;
  readonly frameOfReferenceUid?: string;
  /** Steps after the reconstruction; those that change the intensity make the scale unknown. */
  readonly postProcessing: readonly string[];
  readonly relativeReceiverNoiseBandwidth?: number;
}

/** Of one scan by itself; undefined where something of it is unknown. */
export function signalScale({ snrUnits, dwellTimeUs, noiseDwellTimeUs, encodedFovMm, paddedSize, sliceThicknessMm, postProcessing }: ScanPhysics): number | undefined {
  const factors = [dwellTimeUs, noiseDwellTimeUs, ...encodedFovMm, ...paddedSize, ...(sliceThicknessMm === undefined ? [] : [sliceThicknessMm])];
  const isThick = sliceThicknessMm !== undefined || encodedFovMm.length === 3;
  if (!snrUnits || !isThick || !factors.every((factor) => factor > 0 && Number.isFinite(factor))) return undefined;
  if (postProcessing.some((step) => step.startsWith('intensity'))) return undefined;
  const product = (values: readonly number[]) => values.reduce((all, value) => all * value, 1);
  return Math.sqrt(product(paddedSize) / dwellTimeUs) / (product(encodedFovMm) * (sliceThicknessMm ?? 1));
}

export type RelativeScale = { readonly scales: readonly number[] } | { readonly unknown: string };

/** The scales of several scans, where they are in one unit; else why they are not. */
export function relativeScale(scans: readonly (ScanPhysics | undefined)[]): RelativeScale {
  const known = scans.filter((scan) => scan !== undefined);
  if (known.length < scans.length) return { unknown: 'a series was not reconstructed here' };
  const scales = known.map(signalScale);
  if (scales.some((scale) => scale === undefined)) return { unknown: known.some(({ postProcessing }) => postProcessing.some((step) => step.startsWith('intensity'))) ? 'the intensity of a series was evened out' : 'the noise or the sampling of a series is not known' };
  const agree = (what: (scan: ScanPhysics) => unknown) => new Set(known.map((scan) => JSON.stringify(what(scan)))).size === 1;
  if (known.some(({ coilNames }) => coilNames.length === 0) || !agree(({ coilNames, brokenCoils }) => [[...coilNames].sort(), [...brokenCoils].sort()])) {
    return { unknown: 'the series are not known to be from the same coils' };
  }
  if (!agree(({ relativeReceiverNoiseBandwidth }) => relativeReceiverNoiseBandwidth ?? null)) return { unknown: 'the noise bandwidths of the receiver differ' };
  if (known.some(({ patientPosition }) => patientPosition === undefined) || !agree(({ patientPosition, frameOfReferenceUid }) => [patientPosition, frameOfReferenceUid])) {
    return { unknown: 'the patient is not known to have lain in one position' };
  }
  return { scales: scales.filter((scale) => scale !== undefined) };
}
