/**
 * A scan of a spine phantom as the MRD messages that a scanner would send: config, header, noise
 * readouts, calibration and imaging readouts, CLOSE. Everything follows from the options; the same
 * options give the same bytes.
 *
 * The noise readouts have their own dwell time. Noise power is proportional to the bandwidth of
 * sampling, of which the receiver's filter passes the part b, so their variance is
 * T_imaging / T_noise · b times that of the imaging samples (Kellman & McVeigh 2005,
 * doi 10.1002/mrm.20713).
 */
import {
  serializeHeader,
  type Acquisition,
  type AcquisitionFlagName,
  type MrdHeader,
  type MrdMessage,
} from 'ismrmrd';
import type { Vector3 } from '../../imaging/index.js';
import { torsoArray } from '../coils/array.js';
import { bodyCoilSensitivities, fitSensitivities, type CoilSensitivities, type FitOptions } from '../coils/sensitivities.js';
import { ellipsoidSpine, ellipsoidSpineExtentMm, type WeightedEllipsoid } from '../phantom/ellipsoid.js';
import type { WeightedShape } from '../phantom/shapes.js';
import { spineExtentMm, spinePhantom } from '../phantom/spine.js';
import { simulatorError } from '../errors.js';
import { Random } from '../random.js';
import { acquisitionOf, tickMs, type ReadoutDetails } from './acquisition.js';
import { centreCounter, counterOf, partitionsOf, phaseOf, samplesOf, samplingOf, type Sampling } from './encoding.js';
import { scanHeader } from './header.js';
import { coilKspace, coilKspace3d } from './kspace.js';
import { periodOf } from './lattice.js';
import { arrayCovariance, NoiseSource } from './noise.js';
import { checkScanOptions, defaultScanOptions, type ScanOptions } from './options.js';
import { readoutOrder, type PlannedReadout } from './order.js';
import type { SlicePlane } from './paintedSlice.js';
import { slabProfile } from './slabProfile.js';

/** M of the sensitivities' series: 49 terms a coil follow the loops to 1 per cent. */
const nHarmonics = 3;
/** Across a slab, where the body is thinner. */
const nHarmonicsAcross = 2;
/** The excited slab with its soft edges over its thickness. */
const slabMargin = 1.2;
const echoSpacingMs = 10;
/** The echo time at which the phantom has the intensities that it is defined with. */
const phantomEchoTimeMs = 100;
/** Signal before the steady state over that in it. */
const dummyGain = 1.5;
/** Noise of the body coil, which sees the whole trunk, over that of the array's channels. */
const bodyCoilNoise = 3;

export class SimulatedScan {
  readonly options: ScanOptions;
  readonly header: MrdHeader;
  readonly sampling: Sampling;
  /** Of the imaging samples, complex128 [nCoils, nCoils]; the real part of a sample has its diagonal as variance. */
  readonly noiseCovariance: Float64Array;
  readonly #coilNames: readonly string[];
  readonly #kspaces = new Map<string, Float32Array>();

  /** @throws SIM_ERR_OPTION */
  constructor(options: Partial<ScanOptions> = {}) {
    this.options = { ...defaultScanOptions, ...options };
    checkScanOptions(this.options);
    const { nCoils, noiseStd, noiseCorrelation } = this.options;
    this.#coilNames = torsoArray(nCoils, spineExtentMm).map(({ name }) => name);
    this.sampling = samplingOf(this.options);
    checkLines(this.options, this.sampling);
    this.header = scanHeader(this.options, this.sampling, this.#coilNames);
    this.noiseCovariance = arrayCovariance(nCoils, noiseCorrelation).map((value) => value * noiseStd ** 2);
  }

  get nSamples(): number {
    return samplesOf(this.sampling);
  }

  /** What is imaged in a slice. */
  phantom(slice: number, contrast = 0): WeightedShape[] {
    return spinePhantom(this.#offsetMm(slice), this.#intensityAt(this.options.echoTimesMs[contrast]!));
  }

  /** What is imaged in the slab of a 3D scan. */
  phantom3d(contrast = 0): WeightedEllipsoid[] {
    return ellipsoidSpine(this.#intensityAt(this.options.echoTimesMs[contrast]!));
  }

  /** The coils as they receive in a slice or in the slab. */
  sensitivities(slice: number): CoilSensitivities {
    return fitSensitivities(torsoArray(this.options.nCoils, spineExtentMm), this.#fitOptions(slice));
  }

  /**
   * Noise-free, the whole k-space: complex64 [nCoils, lines, nSamples], with partitions before the
   * lines for 3D. Computed once and kept.
   */
  kspace(slice: number, contrast = 0): Float32Array {
    return this.#kspace(slice, { echoTimeMs: this.options.echoTimesMs[contrast]! });
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
        yield this.#acquisition(data, ['noiseMeasurement'], { sampleTimeUs: noiseDwellTimeUs, nChannels: nCoils });
      }
    }
    const bodyNoise =
      noiseStd > 0 ? new NoiseSource(arrayCovariance(2, 0).map((value) => value * (bodyCoilNoise * noiseStd) ** 2), 2, random) : undefined;
    const readouts = readoutOrder(this.options, this.sampling);
    for (const [index, readout] of readouts.entries()) {
      const source = readout.kind === 'bodyCoilReference' ? bodyNoise : noise;
      yield this.#readout(readout, index === readouts.length - 1, source);
    }
  }

  #readout(readout: PlannedReadout, isLast: boolean, noise: NoiseSource | undefined): Acquisition {
    const { missingSamples, imagingDwellTimeUs, nCoils, brokenCoils, centreInUserCounters, epi } = this.options;
    const { kind, line, partition, slice, average, contrast, repetition, set, reversed } = readout;
    const [phase, partitions] = [phaseOf(this.sampling), partitionsOf(this.sampling)];
    const nChannels = kind === 'bodyCoilReference' ? 2 : nCoils;
    const nSamples = this.nSamples - missingSamples;
    const kspace = this.#kspaceOf(readout);
    const data = new Float32Array(2 * nChannels * nSamples);
    const gain = kind === 'dummy' ? dummyGain : 1;
    const turn = epi !== undefined && reversed ? epi.phaseErrorRad : 0;
    const [gainRe, gainIm] = [gain * Math.cos(turn), gain * Math.sin(turn)];
    for (let channel = 0; channel < nChannels; channel++) {
      if (kind !== 'bodyCoilReference' && brokenCoils.includes(channel)) continue;
      const from = ((channel * partitions.nLines + partition) * phase.nLines + line) * this.nSamples + missingSamples;
      for (let sample = 0; sample < nSamples; sample++) {
        const to = channel * nSamples + (reversed ? nSamples - 1 - sample : sample);
        const [re, im] = [kspace[2 * (from + sample)]!, kspace[2 * (from + sample) + 1]!];
        data[2 * to] = gainRe * re - gainIm * im;
        data[2 * to + 1] = gainRe * im + gainIm * re;
      }
    }
    noise?.addTo(data, 1);

    const centre = Math.floor(this.nSamples / 2) - missingSamples;
    const user = [0, 0, 0, 0, 0, 0, 0, 0];
    if (centreInUserCounters) [user[5], user[6]] = [centreCounter(phase), centreCounter(partitions)];
    return this.#acquisition(data, flagsOfReadout(readout, isLast), {
      sampleTimeUs: imagingDwellTimeUs,
      centerSample: reversed ? nSamples - 1 - centre : centre,
      position: this.sliceCentreMm(slice),
      counters: {
        kspaceEncodeStep1: counterOf(phase, line),
        kspaceEncodeStep2: counterOf(partitions, partition),
        slice,
        average,
        contrast,
        repetition,
        set,
        segment: epi !== undefined && reversed ? 1 : 0,
        user,
      },
      nChannels,
    });
  }

  #kspaceOf({ kind, slice, contrast, reversed, use }: PlannedReadout): Float32Array {
    const { epi, calibration, referenceEchoTimeMs, echoTimesMs } = this.options;
    const isReference = calibration === 'separate' && use.includes('parallelCalibration');
    return this.#kspace(slice, {
      echoTimeMs: (isReference ? referenceEchoTimeMs : undefined) ?? echoTimesMs[contrast]!,
      shiftSamples: epi !== undefined && reversed ? epi.delaySamples : 0,
      bodyCoil: kind === 'bodyCoilReference',
    });
  }

  #kspace(
    slice: number,
    { echoTimeMs, shiftSamples = 0, bodyCoil = false }: { echoTimeMs: number; shiftSamples?: number; bodyCoil?: boolean },
  ): Float32Array {
    const key = [slice, echoTimeMs, shiftSamples, bodyCoil].join();
    const known = this.#kspaces.get(key);
    if (known !== undefined) return known;
    const coils = bodyCoil ? bodyCoilSensitivities(this.#fitOptions(slice)) : this.sensitivities(slice);
    const intensity = this.#intensityAt(echoTimeMs);
    const { partitions } = this.sampling;
    const kspace =
      partitions === undefined
        ? coilKspace(spinePhantom(this.#offsetMm(slice), intensity), coils, this.sampling, shiftSamples)
        : coilKspace3d(ellipsoidSpine(intensity), coils, this.sampling, slabProfile(partitions.fovMm, coils.across!.periodMm));
    this.#kspaces.set(key, kspace);
    return kspace;
  }

  #fitOptions(slice: number): FitOptions {
    const { fovMm } = this.options;
    const { partitions } = this.sampling;
    const bodyMm = partitions === undefined ? spineExtentMm : ([ellipsoidSpineExtentMm[0], ellipsoidSpineExtentMm[1]] as const);
    return {
      // The same with and without oversampling of the readout.
      periodMm: [periodOf(2 * fovMm[0], bodyMm[0], 1), periodOf(phaseOf(this.sampling).encodedFovMm, bodyMm[1], 2)],
      bodyMm,
      offMidlineMm: this.#offsetMm(slice),
      nHarmonics,
      ...(partitions && {
        across: {
          nHarmonics: nHarmonicsAcross,
          // The slab's neighbours in the series must not reach the body.
          periodMm: periodOf(partitions.encodedFovMm, (ellipsoidSpineExtentMm[2] + partitions.fovMm) / 2, 2),
          extentMm: slabMargin * partitions.fovMm,
        },
      }),
    };
  }

  /** The phantom's intensities at an echo time: they decay as exp(-TE / T2), so I is raised to a power. */
  #intensityAt(echoTimeMs: number): (intensity: number) => number {
    return (intensity) => intensity ** (echoTimeMs / phantomEchoTimeMs);
  }

  #acquisition(data: Float32Array, flags: readonly AcquisitionFlagName[], details: Omit<ReadoutDetails, keyof SlicePlane> & { position?: Vector3 }): Acquisition {
    const { readDirection, phaseDirection, sliceDirection, centreMm } = this.options;
    return acquisitionOf(data, flags, {
      ...details,
      centreMm: details.position ?? centreMm,
      readDirection,
      phaseDirection,
      sliceDirection,
    });
  }

  /** Distance of a slice from the middle of the stack, along the slice direction. */
  #offsetMm(slice: number): number {
    return (slice - (this.options.nSlices - 1) / 2) * this.options.sliceSpacingMm;
  }
}

function flagsOfReadout({ kind, use, firstInImage, lastInImage, reversed }: PlannedReadout, isLast: boolean): AcquisitionFlagName[] {
  const flags: AcquisitionFlagName[] = [...use];
  if (kind === 'dummy') flags.push('dummyScan');
  if (kind === 'navigator') flags.push('navigation');
  if (kind === 'phaseCorrection') flags.push('phaseCorrection');
  if (firstInImage) flags.push('firstInSlice', 'firstInEncodeStep1');
  if (lastInImage) flags.push('lastInSlice', 'lastInEncodeStep1');
  if (reversed) flags.push('reverse');
  if (isLast) flags.push('lastInMeasurement');
  return flags;
}

/** @throws SIM_ERR_OPTION for a listed line that is not in k-space */
function checkLines({ lines }: ScanOptions, sampling: Sampling): void {
  const { firstLine, endLine } = phaseOf(sampling);
  for (const line of lines?.flat() ?? []) {
    if (!Number.isInteger(line) || line < firstLine || line >= endLine) {
      throw simulatorError('SIM_ERR_OPTION', `lines has ${line}; lines from ${firstLine} to ${endLine - 1} are acquired`);
    }
  }
}
