/**
 * A scan of the spine phantom as the MRD messages that a scanner would send: config, header, noise
 * readouts, calibration and imaging readouts, CLOSE. Everything follows from the options; the same
 * options give the same bytes.
 *
 * The noise readouts have their own dwell time. Noise power is proportional to the bandwidth of
 * sampling, of which the receiver's filter passes the part b, so their variance is
 * T_imaging / T_noise · b times that of the imaging samples (Kellman & McVeigh 2005,
 * doi 10.1002/mrm.20713).
 */
import {
  flagsOf,
  serializeHeader,
  type Acquisition,
  type AcquisitionFlagName,
  type EncodingCounters,
  type MrdHeader,
  type MrdMessage,
} from 'ismrmrd';
import type { Vector3 } from '../../imaging/index.js';
import { torsoArray } from '../coils/array.js';
import { fitSensitivities, type CoilSensitivities } from '../coils/sensitivities.js';
import type { WeightedShape } from '../phantom/shapes.js';
import { spineExtentMm, spinePhantom } from '../phantom/spine.js';
import { Random } from '../random.js';
import { scanHeader } from './header.js';
import { coilKspace, type Sampling } from './kspace.js';
import { imagingLines, separateCalibrationLines, type PlannedLine } from './lines.js';
import { arrayCovariance, NoiseSource } from './noise.js';
import { checkScanOptions, defaultScanOptions, type ScanOptions } from './options.js';

/** M of the sensitivities' series: 49 terms a coil follow the loops to 1 per cent. */
const nHarmonics = 3;
/** The tick of acquisition time stamps, as Siemens has it. */
const tickMs = 2.5;
const echoSpacingMs = 10;

interface PlannedReadout extends PlannedLine {
  readonly slice: number;
  readonly average: number;
  readonly firstInSlice: boolean;
  readonly lastInSlice: boolean;
}

export class SimulatedScan {
  readonly options: ScanOptions;
  readonly header: MrdHeader;
  readonly sampling: Sampling;
  /** Of the imaging samples, complex128 [nCoils, nCoils]; the real part of a sample has its diagonal as variance. */
  readonly noiseCovariance: Float64Array;
  readonly #coilNames: readonly string[];
  readonly #slices = new Map<number, Float32Array>();

  /** @throws SIM_ERR_OPTION */
  constructor(options: Partial<ScanOptions> = {}) {
    this.options = { ...defaultScanOptions, ...options };
    checkScanOptions(this.options);
    const { nCoils, noiseStd, noiseCorrelation, matrix, fovMm, readoutOversampling } = this.options;
    this.#coilNames = torsoArray(nCoils, spineExtentMm).map(({ name }) => name);
    this.header = scanHeader(this.options, this.#coilNames);
    this.sampling = { matrix, fovMm, readoutOversampling };
    this.noiseCovariance = arrayCovariance(nCoils, noiseCorrelation).map((value) => value * noiseStd ** 2);
  }

  get nSamples(): number {
    return this.sampling.matrix[0] * this.sampling.readoutOversampling;
  }

  /** What is imaged in a slice. */
  phantom(slice: number): WeightedShape[] {
    return spinePhantom(this.#offsetMm(slice));
  }

  /** The coils as they receive in a slice. */
  sensitivities(slice: number): CoilSensitivities {
    const { nCoils, fovMm } = this.options;
    return fitSensitivities(torsoArray(nCoils, spineExtentMm), {
      periodMm: [2 * fovMm[0], 2 * fovMm[1]],
      bodyMm: spineExtentMm,
      offMidlineMm: this.#offsetMm(slice),
      nHarmonics,
    });
  }

  /** Noise-free, fully sampled: complex64 [nCoils, rows, nSamples]. Computed once a slice and kept. */
  kspace(slice: number): Float32Array {
    const known = this.#slices.get(slice);
    if (known !== undefined) return known;
    const kspace = coilKspace(this.phantom(slice), this.sensitivities(slice), this.sampling);
    this.#slices.set(slice, kspace);
    return kspace;
  }

  /** Centre of a slice, LPS, mm. */
  sliceCentreMm(slice: number): Vector3 {
    const { centreMm, sliceDirection } = this.options;
    const offsetMm = this.#offsetMm(slice);
    return [
      centreMm[0] + offsetMm * sliceDirection[0],
      centreMm[1] + offsetMm * sliceDirection[1],
      centreMm[2] + offsetMm * sliceDirection[2],
    ];
  }

  /** The stream from CONFIG to CLOSE. */
  *messages(): Generator<MrdMessage, void, undefined> {
    const { config, parameters, seed } = this.options;
    yield { kind: 'configFile', name: config };
    yield { kind: 'header', xml: serializeHeader(this.header) };
    if (parameters !== undefined) yield { kind: 'text', text: JSON.stringify({ version: '1.1.0', parameters }) };
    const random = new Random(seed);
    let scanCounter = 0;
    for (const acquisition of this.#acquisitions(random)) {
      scanCounter += 1;
      const header = {
        ...acquisition.header,
        scanCounter,
        acquisitionTimeStamp: 20_000_000 + Math.round((scanCounter * echoSpacingMs) / tickMs),
      };
      yield { kind: 'acquisition', acquisition: { ...acquisition, header } };
    }
    yield { kind: 'close' };
  }

  *#acquisitions(random: Random): Generator<Acquisition, void, undefined> {
    const { nCoils, noiseStd, noiseScanSamples, imagingDwellTimeUs, noiseDwellTimeUs } = this.options;
    // The covariance carries noiseStd already; without noise there is nothing to factorise.
    const noise = noiseStd > 0 ? new NoiseSource(this.noiseCovariance, nCoils, random) : undefined;
    if (noise !== undefined) {
      const deviation = Math.sqrt(
        (imagingDwellTimeUs / noiseDwellTimeUs) * this.options.relativeReceiverNoiseBandwidth,
      );
      for (let sample = 0; sample < noiseScanSamples; sample += this.nSamples) {
        const data = new Float32Array(2 * nCoils * this.nSamples);
        noise.addTo(data, deviation);
        yield this.#acquisition(data, ['noiseMeasurement'], { sampleTimeUs: noiseDwellTimeUs });
      }
    }
    const readouts = this.#readouts();
    for (const [index, readout] of readouts.entries()) {
      yield this.#imagingAcquisition(readout, index === readouts.length - 1, noise);
    }
  }

  /** All readouts of all slices in the order of acquisition. */
  #readouts(): PlannedReadout[] {
    const { nSlices, nAverages, interleaveSlices } = this.options;
    const ofSlice = (slice: number): PlannedReadout[] => {
      const imaging = imagingLines(this.options);
      const lines = [
        ...separateCalibrationLines(this.options).map((line) => ({ ...line, average: 0 })),
        ...Array.from({ length: nAverages }, (_, average) => imaging.map((line) => ({ ...line, average }))).flat(),
      ];
      return lines.map((line, index) => ({
        ...line,
        slice,
        firstInSlice: index === 0,
        lastInSlice: index === lines.length - 1,
      }));
    };
    const slices = Array.from({ length: nSlices }, (_, slice) => ofSlice(slice));
    if (!interleaveSlices) return slices.flat();
    return slices[0]!.flatMap((_, index) => slices.map((readouts) => readouts[index]!));
  }

  #imagingAcquisition(readout: PlannedReadout, isLast: boolean, noise: NoiseSource | undefined): Acquisition {
    const { nCoils, matrix, missingSamples, reverseOddLines, imagingDwellTimeUs } = this.options;
    const { line, slice, average } = readout;
    const nSamples = this.nSamples - missingSamples;
    const reversed = reverseOddLines && line % 2 === 1;
    const kspace = this.kspace(slice);
    const data = new Float32Array(2 * nCoils * nSamples);
    for (let coil = 0; coil < nCoils; coil++) {
      const from = (coil * matrix[1] + line) * this.nSamples + missingSamples;
      for (let sample = 0; sample < nSamples; sample++) {
        const to = coil * nSamples + (reversed ? nSamples - 1 - sample : sample);
        data[2 * to] = kspace[2 * (from + sample)]!;
        data[2 * to + 1] = kspace[2 * (from + sample) + 1]!;
      }
    }
    noise?.addTo(data, 1);

    const centre = Math.floor(this.nSamples / 2) - missingSamples;
    const flags: AcquisitionFlagName[] = [...readout.use];
    if (readout.firstInSlice) flags.push('firstInSlice', 'firstInEncodeStep1');
    if (readout.lastInSlice) flags.push('lastInSlice', 'lastInEncodeStep1');
    if (reversed) flags.push('reverse');
    if (isLast) flags.push('lastInMeasurement');
    return this.#acquisition(data, flags, {
      sampleTimeUs: imagingDwellTimeUs,
      centerSample: reversed ? nSamples - 1 - centre : centre,
      position: this.sliceCentreMm(slice),
      counters: { kspaceEncodeStep1: line, slice, average },
    });
  }

  #acquisition(
    data: Float32Array,
    flags: readonly AcquisitionFlagName[],
    details: {
      sampleTimeUs: number;
      centerSample?: number;
      position?: Vector3;
      counters?: Partial<EncodingCounters>;
    },
  ): Acquisition {
    const { nCoils, readDirection, phaseDirection, sliceDirection, centreMm } = this.options;
    const nSamples = data.length / (2 * nCoils);
    return {
      trajectory: new Float32Array(0),
      data,
      header: {
        version: 1,
        flags: flagsOf(...flags),
        measurementUid: 1,
        scanCounter: 0,
        acquisitionTimeStamp: 0,
        physiologyTimeStamp: [0, 0, 0],
        nSamples,
        availableChannels: nCoils,
        nChannels: nCoils,
        channelMask: channelMask(nCoils),
        discardPre: 0,
        discardPost: 0,
        centerSample: details.centerSample ?? Math.floor(nSamples / 2),
        encodingSpaceRef: 0,
        trajectoryDimensions: 0,
        sampleTimeUs: details.sampleTimeUs,
        position: details.position ?? centreMm,
        readDir: readDirection,
        phaseDir: phaseDirection,
        sliceDir: sliceDirection,
        patientTablePosition: [0, 0, 0],
        idx: {
          kspaceEncodeStep1: 0,
          kspaceEncodeStep2: 0,
          average: 0,
          slice: 0,
          contrast: 0,
          phase: 0,
          repetition: 0,
          set: 0,
          segment: 0,
          user: [0, 0, 0, 0, 0, 0, 0, 0],
          ...details.counters,
        },
        userInt: [0, 0, 0, 0, 0, 0, 0, 0],
        userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
      },
    };
  }

  /** Distance of a slice from the middle of the stack, along the slice direction. */
  #offsetMm(slice: number): number {
    return (slice - (this.options.nSlices - 1) / 2) * this.options.sliceSpacingMm;
  }
}

/** 16 words of 64 bits with one bit a channel. */
function channelMask(nChannels: number): bigint[] {
  return Array.from({ length: 16 }, (_, word) => {
    const bits = Math.min(Math.max(nChannels - 64 * word, 0), 64);
    return (1n << BigInt(bits)) - 1n;
  });
}
