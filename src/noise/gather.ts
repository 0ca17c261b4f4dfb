/** The noise readouts of a session that brings nothing else. */
import { hasFlag, type AcquisitionHeader, type MrdHeader } from 'ismrmrd';
import { NoiseAccumulator, type NoiseRecord } from '../../recon/index.js';
import { coilNamesOf } from './store.js';

export class NoiseGathering {
  #accumulator: NoiseAccumulator | undefined;
  #dwellTimeUs = 0;

  /** @param samples complex64 [nChannels, nSamples] */
  add({ flags, nChannels, nSamples, sampleTimeUs }: AcquisitionHeader, samples: Float32Array): void {
    if (!hasFlag(flags, 'noiseMeasurement')) return;
    this.#accumulator ??= new NoiseAccumulator(nChannels);
    if (this.#accumulator.nCoils !== nChannels) return;
    this.#accumulator.add(samples, nSamples);
    this.#dwellTimeUs = sampleTimeUs;
  }

  /** Undefined where there was no noise, or where the header does not tell whose. */
  record(header: MrdHeader): NoiseRecord | undefined {
    const measurementId = header.measurementInformation?.measurementID ?? '';
    const names = coilNamesOf(header);
    const accumulator = this.#accumulator;
    if (accumulator === undefined || measurementId === '') return undefined;
    const coilNames = Array.from({ length: accumulator.nCoils }, (_, channel) => names[channel] ?? `coil ${channel}`);
    return { measurementId, coilNames, dwellTimeUs: this.#dwellTimeUs, covariance: accumulator.covariance() };
  }
}
