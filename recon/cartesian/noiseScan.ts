/** The noise readouts of a scan: gathered, reported, turned into the whitener of the imaging readouts. */
import type { Kernels } from '../kernels/index.js';
import {
  coilName, covarianceFor, NoiseAccumulator, noiseStatistics, wantedNoiseSamples, whitener,
  type CoilNoise, type NoiseCovariance, type NoiseRecord, type NoiseStatistics, type Whitener,
} from '../noise/index.js';
import { reconNotice } from '../notices.js';
import type { ReconNotice } from '../types.js';
import type { CartesianPlan } from './plan.js';
import type { Readout } from './readout.js';

export class NoiseScan {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #notice: (notice: ReconNotice) => void;
  readonly #stored: NoiseRecord | undefined;
  #accumulator: NoiseAccumulator | undefined;
  #dwellTimeUs = 0;
  #statistics: NoiseStatistics | undefined;

  /** @param stored an earlier measurement, for scans that bring none of their own */
  constructor(plan: CartesianPlan, kernels: Kernels, notice: (notice: ReconNotice) => void, stored: NoiseRecord | undefined) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#stored = stored;
    this.#notice = notice;
  }

  /** Known once the whitener was asked for. */
  get statistics(): NoiseStatistics | undefined {
    return this.#statistics;
  }

  /** @param samples complex64 [nChannels, nSamples] in the kernels' memory */
  add(readout: Readout, samples: Float32Array): void {
    this.#accumulator ??= new NoiseAccumulator(readout.nChannels, this.#kernels);
    this.#accumulator.add(samples, readout.nSamples);
    this.#dwellTimeUs = readout.sampleTimeUs;
  }

  /**
   * The whitener of readouts like `first`; undefined where there was no noise scan or none is wanted.
   * @throws CodedError RECON_ERR_NOISE_COIL
   */
  whitener(first: Readout): Whitener | undefined {
    if (!this.#plan.parameters.prewhiten) return undefined;
    const measured = this.#accumulator?.covariance() ?? this.#storedFor(first);
    if (measured === undefined) {
      this.#notice(
        reconNotice('RECON_WARN_NO_NOISE_SCAN', 'No noise readouts came before the scan: coils are not whitened and the images are not in SNR units.'),
      );
      return undefined;
    }
    const { coilNames, relativeReceiverNoiseBandwidth } = this.#plan;
    const statistics = noiseStatistics(measured, coilNames);
    this.#statistics = statistics;
    const result = whitener(
      measured,
      { acquisitionDwellTimeUs: first.sampleTimeUs, noiseDwellTimeUs: this.#dwellTimeUs, relativeReceiverNoiseBandwidth },
      coilNames,
      statistics.coils.filter(isBroken).map(({ coil }) => coil),
    );
    this.#notice(reconNotice('RECON_INFO_NOISE', report(statistics, result, this.#dwellTimeUs, first.sampleTimeUs)));
    for (const complaint of complaints(statistics)) this.#notice(reconNotice('RECON_WARN_NOISE', complaint));
    return result;
  }

  #storedFor({ nChannels }: Readout): NoiseCovariance | undefined {
    const stored = this.#stored;
    if (stored === undefined) return undefined;
    const names = Array.from({ length: nChannels }, (_, channel) => coilName(this.#plan.coilNames, channel));
    const covariance = covarianceFor(stored, names);
    if (covariance === undefined) return undefined;
    this.#dwellTimeUs = stored.dwellTimeUs;
    this.#notice(reconNotice('RECON_INFO_STORED_NOISE', `The noise is that of the stored measurement ${stored.measurementId.slice(0, 64)}.`));
    return covariance;
  }
}

function report(statistics: NoiseStatistics, whitening: Whitener, noiseDwellTimeUs: number, dwellTimeUs: number): string {
  const dwell = whitening.dwellTimesKnown
    ? `dwell time ${noiseDwellTimeUs} us, imaging ${dwellTimeUs} us`
    : 'dwell times unknown, their ratio taken as 1';
  const coils = statistics.coils
    .map(({ name, standardDeviation }) => `${name} ${standardDeviation.toPrecision(4)}`)
    .join(', ');
  return (
    `Noise: ${statistics.nSamples} samples, ${dwell}, scale ${whitening.scale.toPrecision(5)}; ` +
    `largest correlation ${statistics.largestCorrelation.toFixed(3)}; standard deviations: ${coils}.`
  );
}

/** Noise that is far off, but finite: what such a channel sends can be left out. */
function isBroken({ fault, standardDeviation }: CoilNoise): boolean {
  return fault !== undefined && Number.isFinite(standardDeviation);
}

function complaints(statistics: NoiseStatistics): string[] {
  const said = statistics.coils.flatMap((coil) =>
    coil.fault === undefined ? [] : [`Coil ${coil.name}: ${coil.fault}${isBroken(coil) ? '; it is left out' : ''}.`],
  );
  if (!statistics.enoughSamples) {
    said.push(`The noise scan has ${statistics.nSamples} samples, fewer than ${wantedNoiseSamples}: SNR units are approximate.`);
  }
  return said;
}
