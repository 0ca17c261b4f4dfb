/**
 * One series of a protocol, scanned on an object: header, readouts in time, messages, truth.
 *
 * Slices are independent: `sliceReadouts(slice)` is a pure function of the constructor's arguments, so
 * that slices can be computed on any thread; the noise of a readout follows from its number alone.
 * `messages` puts them into the order of acquisition.
 */
import { serializeHeader, type AcquisitionFlagName, type MrdHeader, type MrdMessage } from 'ismrmrd';
import {
  fatAt,
  nullingInversionTimeMs,
  fatSaturation,
  shiftHz,
  type Fat,
  type SaturationPulse,
  type Vector3,
} from '../../imaging/index.js';
import {
  directionsOf,
  encodingOf,
  nSlicesOf,
  resolveInversionTime,
  type Protocol,
  type Series,
} from '../../protocols/index.js';
import { Arena, bindKernels, createSessionMemory, releaseFft } from '../../recon/index.js';
import type { Anatomy, Box, Frame, Plane } from '../anatomy/index.js';
import { elementSensitivity, spineArray, type ArrayElement } from '../coils/spineArray.js';
import { fitFields, type CoilSensitivities } from '../coils/sensitivities.js';
import { simulatorError } from '../errors.js';
import { Random } from '../random.js';
import { acquisitionOf, tickMs } from './acquisition.js';
import { CoilSum, type ComponentWeights, type LatticeComponent } from './coilSum.js';
import { counterOf, phaseOf, samplesOf, type Sampling } from './encoding.js';
import { susceptibilityField, uniformField, type FieldMap } from './field.js';
import { GridTransform } from './gridTransform.js';
import { latticeOf, periodOf, scaleOf } from './lattice.js';
import { directionInPatient, intoPatient, motionOf, type Motion, type MotionKind, type Pose } from './motion.js';
import { arrayCovariance, NoiseSource } from './noise.js';
import { anatomyObject, type ScannedObject } from './object.js';
import { extentOf, paintGrid, paintSlice, sliceProfile, windowPlane, type PaintGrid, type SlicePlane } from './paintedSlice.js';
import { defaultPulsation, pulsationOf, type Pulsation, type PulsationOptions } from './pulsation.js';
import { saturationGain } from './saturation.js';
import { seriesHeader } from './seriesHeader.js';
import { smoothMap } from './smoothMap.js';
import { seriesOrder, type SeriesOrder, type SeriesReadout } from './seriesOrder.js';
import { fastSpinEchoParts, gradientEchoParts, type PreparedBy, type SignalPart } from './tissueSignal.js';
import { transmitField, transmitReachMm, type TransmitField } from './transmit.js';

export interface SeriesScanOptions {
  /** Config name sent as CONFIG_FILE. */
  readonly config: string;
  /** Sent as a TEXT message after the header; none where undefined. */
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
  /** 0 to 2^32 - 1: noise, heart beats, breath and transmit field follow from it. */
  readonly seed: number;
  /** Of the person and the study that the header names; undefined: the seed. */
  readonly examSeed: number | undefined;
  /** Undefined: as many as the protocol says. */
  readonly nCoils: number | undefined;
  /** Over that of the reference (`referenceNoise`); Infinity: no noise and no noise scan. */
  readonly snr: number;
  readonly noiseCorrelation: number;
  readonly noiseScanSamples: number;
  readonly noiseDwellTimeUs: number;
  readonly relativeReceiverNoiseBandwidth: number;
  /** Channels that receive noise only. */
  readonly brokenCoils: readonly number[];
  /** Middle of the protocol's region, LPS. */
  readonly regionCentreMm: Vector3;
  /** Discs by their names, as 'L4-L5', from head to foot, for blocks of axial slices. */
  readonly discs: ReadonlyMap<string, Frame>;
  /** This person's triglyceride; undefined: the mean. */
  readonly fat: Fat | undefined;
  readonly motion: MotionKind;
  /** Undefined: that of `motionOf`. */
  readonly motionAmplitudeMm: number | undefined;
  /** Undefined: fluid at rest. */
  readonly pulsation: PulsationOptions | undefined;
  /** Undefined: drawn from the seed. */
  readonly transmit: TransmitField | undefined;
  /** Undefined: computed from the object's susceptibility where the sequence feels it. */
  readonly field: FieldMap | undefined;
  readonly profile: 'selective' | 'thin';
}

export const defaultSeriesScanOptions: SeriesScanOptions = {
  config: 'default',
  parameters: undefined,
  seed: 1,
  examSeed: undefined,
  nCoils: undefined,
  snr: 1,
  noiseCorrelation: 0.3,
  noiseScanSamples: 10_240,
  noiseDwellTimeUs: 5,
  relativeReceiverNoiseBandwidth: 0.793,
  brokenCoils: [],
  regionCentreMm: [0, 0, 0],
  discs: new Map(),
  fat: undefined,
  motion: 'none',
  motionAmplitudeMm: undefined,
  pulsation: defaultPulsation,
  transmit: undefined,
  field: undefined,
  profile: 'selective',
};

/**
 * Noise (of the real part of a sample, in units of the signal of fully relaxed water seen by an array
 * of unit sensitivity) times voxel volume in mm³, the root of readout duration in ms and encoded
 * lines, and field strength over 1.5 T: the physics of Macovski 1996, doi 10.1002/mrm.1910360327, with
 * one constant that gives water an SNR of 100 in one average of 3 mm³, 320 lines of 5 ms, at 1.5 T.
 */
export const referenceNoise = (3 * Math.sqrt(5 * 320)) / 100;

/** An adiabatic inversion: hardly dependent on the transmit field. */
const inversionEfficiency = 0.98;
/** From fat saturation to excitation, ms. */
const saturationDelayMs = 8;
/** Gaussian, on the main peak of fat, so wide that it ends before water (Haase 1985, Phys Med Biol 30:341). */
const saturationPulse: SaturationPulse = { centrePpm: -3.4, bandwidthPpm: 3.4, efficiency: 0.97, edgeOrder: 4 };
/** Fastest change of a coil's sensitivity that its series follows: a period over M. */
const seriesResolutionMm = 170;

export class SeriesScan {
  readonly options: SeriesScanOptions;
  readonly protocol: Protocol;
  /** With its inversion time. */
  readonly series: Series;
  readonly header: MrdHeader;
  readonly sampling: Sampling;
  readonly nSlices: number;
  readonly nCoils: number;
  /** In the order of acquisition. */
  readonly readouts: readonly SeriesReadout[];
  readonly durationMs: number;
  /** Of the imaging samples, complex128 [nCoils, nCoils]; the real part of a sample has its diagonal as variance. */
  readonly noiseCovariance: Float64Array;
  readonly noiseStd: number;
  readonly #object: ScannedObject;
  readonly #order: SeriesOrder;
  readonly #array: readonly ArrayElement[];
  readonly #arrayScale: number;
  readonly #parts: readonly SignalPart[];
  readonly #fat: Fat;
  readonly #transmit: TransmitField;
  readonly #field: FieldMap;
  readonly #motion: Motion;
  readonly #pulsation: Pulsation;
  readonly #noiseSeed: number;
  readonly #bodyMm: Box;

  /** @throws ProtocolError where the series cannot be run */
  constructor(protocol: Protocol, series: Series, object: ScannedObject, options: Partial<SeriesScanOptions> = {}) {
    this.options = { ...defaultSeriesScanOptions, ...options };
    const { seed, snr, noiseCorrelation } = this.options;
    const { fieldStrengthT } = protocol;
    this.protocol = protocol;
    this.#object = object;
    this.#fat = this.options.fat ?? fatAt(fieldStrengthT);
    this.series = resolveInversionTime(series, fieldStrengthT, (sequence) =>
      nullingInversionTimeMs(this.#fat.t1Ms, sequence, inversionEfficiency));
    this.sampling = seriesSampling(this.series);
    this.nSlices = nSlicesOf(this.series);
    this.nCoils = this.options.nCoils ?? protocol.coil.nChannels;
    this.#order = seriesOrder(this.series, protocol.preparation);
    this.readouts = this.#order.readouts;
    this.durationMs = this.#order.durationMs;

    const draw = new Random(seed);
    const [transmitSeed, motionSeed, heartSeed, noiseSeed] = Array.from({ length: 4 }, () => Math.floor(draw.uniform() * 2 ** 32));
    this.#noiseSeed = noiseSeed!;
    this.#transmit = this.options.transmit ?? transmitField(fieldStrengthT, new Random(transmitSeed!));
    const durationS = this.durationMs / 1000;
    this.#motion = motionOf(this.options.motion, durationS, new Random(motionSeed!), this.options.motionAmplitudeMm);
    this.#pulsation = pulsationOf(this.options.pulsation ?? { ...defaultPulsation, flowingShare: 0 }, durationS, new Random(heartSeed!));
    this.#parts = this.#signalParts();
    this.#field = this.options.field ?? (this.#feelsField ? susceptibilityField(object, transmitReachMm.none) : uniformField);

    this.#bodyMm = clipped(object.boundsMm, transmitReachMm.none);
    const { regionCentreMm } = this.options;
    const isNeck = protocol.region === 'cervical' || protocol.region === 'whole';
    const halfReachMm = Math.max(this.series.geometry.fovMm.phase, this.series.geometry.fovMm.readout) / 2;
    this.#array = spineArray(this.nCoils, clipped(object.boundsMm, halfReachMm, regionCentreMm[2]), isNeck ? 'neck' : 'trunk');
    this.#arrayScale = 1 / meanSensitivity(this.#array, regionCentreMm);
    const [columnMm, lineMm] = [series.geometry.fovMm.readout / series.geometry.matrix.readout, phaseOf(this.sampling).encodedFovMm / phaseOf(this.sampling).nLines];
    const voxelMm3 = columnMm * lineMm * series.geometry.slices.thicknessMm;
    const readoutMs = 1000 / series.sequence.bandwidthHzPerPixel;
    this.noiseStd = referenceNoise / (snr * voxelMm3 * Math.sqrt(readoutMs * phaseOf(this.sampling).nLines) * (fieldStrengthT / 1.5));
    this.noiseCovariance = arrayCovariance(this.nCoils, noiseCorrelation).map((value) => value * this.noiseStd ** 2);
    this.header = seriesHeader({
      protocol,
      series: this.series,
      sampling: this.sampling,
      coilNames: this.#array.map(({ name }) => name),
      seed: this.options.examSeed ?? seed,
      relativeReceiverNoiseBandwidth: this.options.relativeReceiverNoiseBandwidth,
    });
  }

  /** Samples of a whole readout; those of an asymmetric echo are fewer. */
  get nSamples(): number {
    return samplesOf(this.sampling);
  }

  get dwellTimeUs(): number {
    return 1e6 / (this.series.sequence.bandwidthHzPerPixel * this.nSamples);
  }

  /** Where a slice lies. @throws SIM_ERR_OPTION for a block at a disc that the options do not name */
  slicePlane(slice: number): SlicePlane {
    const { geometry } = this.series;
    const { count, thicknessMm, gapMm } = geometry.slices;
    const offsetMm = ((slice % count) - (count - 1) / 2) * (thicknessMm + gapMm);
    const level = geometry.discLevels?.[Math.floor(slice / count)];
    const place = level === undefined ? this.#stack() : this.#blockAt(level);
    const { centreMm, sliceDirection } = place;
    return {
      ...place,
      centreMm: [
        centreMm[0] + offsetMm * sliceDirection[0],
        centreMm[1] + offsetMm * sliceDirection[1],
        centreMm[2] + offsetMm * sliceDirection[2],
      ],
    };
  }

  /** The pixels of the reconstructed image of a slice, for label maps and the like. */
  imagePlane(slice: number): Plane {
    const { matrix, fovMm } = this.sampling;
    const { centreMm, readDirection, phaseDirection } = this.slicePlane(slice);
    const steps = [fovMm[0] / matrix[0], fovMm[1] / matrix[1]] as const;
    const back = [Math.floor(matrix[0] / 2) * steps[0], Math.floor(matrix[1] / 2) * steps[1]] as const;
    const origin = (axis: 0 | 1 | 2) => centreMm[axis] - back[0] * readDirection[axis] - back[1] * phaseDirection[axis];
    const scaled = ([x, y, z]: Vector3, mm: number): Vector3 => [x * mm, y * mm, z * mm];
    return {
      originMm: [origin(0), origin(1), origin(2)],
      columnStepMm: scaled(readDirection, steps[0]),
      rowStepMm: scaled(phaseDirection, steps[1]),
      nColumns: matrix[0],
      nRows: matrix[1],
    };
  }

  /** The coils as they receive in a slice. */
  sensitivities(slice: number): CoilSensitivities {
    const plane = this.slicePlane(slice);
    const { centreMm, readDirection, phaseDirection, sliceDirection } = plane;
    const { fovMm } = this.sampling;
    const [u, v] = [extentOf(this.#bodyMm, centreMm, readDirection), extentOf(this.#bodyMm, centreMm, phaseDirection)];
    const encodedFovMm = phaseOf(this.sampling).encodedFovMm;
    // A body that is imaged in part folds; its series need not hold it whole.
    const periodMm = [periodOf(2 * fovMm[0], u[1] - u[0], 1), periodOf(encodedFovMm, v[1] - v[0], 2)] as const;
    const within = ([least, most]: readonly [number, number], period: number) => {
      const [from, to] = [Math.max(least, -0.46 * period), Math.min(most, 0.46 * period)];
      return { extent: to - from, centre: (from + to) / 2 };
    };
    const [alongU, alongV] = [within(u, periodMm[0]), within(v, periodMm[1])];
    const harmonics = (period: number) => Math.min(8, Math.max(2, Math.round(period / seriesResolutionMm)));
    const fields = this.#array.map((element) => ([pu, pv, pw]: readonly [number, number, number]): readonly [number, number] => {
      const at = (axis: 0 | 1 | 2) => centreMm[axis] + pu * readDirection[axis] + pv * phaseDirection[axis] + pw * sliceDirection[axis];
      const point: Vector3 = [at(0), at(1), at(2)];
      const [re, im] = elementSensitivity(element, point);
      const phase = objectPhase(point);
      const [cos, sin] = [this.#arrayScale * Math.cos(phase), this.#arrayScale * Math.sin(phase)];
      return [re * cos - im * sin, re * sin + im * cos];
    });
    return fitFields(fields, this.#array.map(({ name }) => name), {
      periodMm,
      bodyMm: [alongU.extent, alongV.extent],
      bodyCentreMm: [alongU.centre, alongV.centre],
      nHarmonics: harmonics(periodMm[0]),
      nHarmonicsV: harmonics(periodMm[1]),
    });
  }

  /**
   * The samples of a slice's readouts in their order of acquisition, complex64 [nCoils, samples] each,
   * with noise. Pure: the same on every thread.
   */
  sliceReadouts(slice: number): Float32Array[] {
    const own = this.readouts.flatMap((readout, index) => (readout.slice === slice ? [{ readout, index }] : []));
    return this.#withWorkspace(slice, ({ lineOf }) => {
      const noise = this.#noise();
      return own.map(({ readout, index }) => {
        const data = this.#cropped(lineOf(readout));
        noise?.addTo(data, 1, this.#randomOf(index));
        return data;
      });
    });
  }

  /**
   * The truth: noise-free, at rest, the whole k-space with every line at the effective echo; complex64
   * [nCoils, lines, samples]. For `referenceImage`.
   */
  kspace(slice: number, contrast = 0): Float32Array {
    const { nLines } = phaseOf(this.sampling);
    const kspace = new Float32Array(2 * this.nCoils * nLines * this.nSamples);
    this.#withWorkspace(slice, ({ truthOf }) => {
      for (let line = 0; line < nLines; line++) {
        const data = truthOf(line, contrast);
        for (let coil = 0; coil < this.nCoils; coil++) {
          kspace.set(data.subarray(2 * coil * this.nSamples, 2 * (coil + 1) * this.nSamples), 2 * (coil * nLines + line) * this.nSamples);
        }
      }
    });
    return kspace;
  }

  /**
   * The stream from CONFIG to CLOSE. Time stamps follow the sequence, for whoever plays it in time.
   * @param readoutsOf the samples of a slice, by `sliceReadouts` unless given; asked once a slice, when first needed
   */
  *messages(readoutsOf = (slice: number): readonly Float32Array[] => this.sliceReadouts(slice)): Generator<MrdMessage, void, undefined> {
    const { config, parameters } = this.options;
    yield { kind: 'configFile', name: config };
    yield { kind: 'header', xml: serializeHeader(this.header) };
    if (parameters !== undefined) yield { kind: 'text', text: JSON.stringify({ version: '1.1.0', parameters }) };
    let scanCounter = 0;
    for (const data of this.#noiseReadouts()) {
      scanCounter += 1;
      yield { kind: 'acquisition', acquisition: acquisitionOf(data, ['noiseMeasurement'], {
        ...this.slicePlane(0),
        sampleTimeUs: this.options.noiseDwellTimeUs,
        nChannels: this.nCoils,
        scanCounter,
        acquisitionTimeStamp: timeStamp(this.#order.noiseScanMs),
      }) };
    }
    /** Readouts of each slice that are still to be sent. */
    const waiting = new Map<number, { data: readonly Float32Array[]; next: number }>();
    for (const [index, readout] of this.readouts.entries()) {
      let own = waiting.get(readout.slice);
      if (own === undefined) waiting.set(readout.slice, (own = { data: readoutsOf(readout.slice), next: 0 }));
      const data = own.data[own.next]!;
      own.next += 1;
      if (own.next === own.data.length) waiting.set(readout.slice, { data: [], next: 0 });
      scanCounter += 1;
      yield { kind: 'acquisition', acquisition: acquisitionOf(data, flagsOfReadout(readout, index === this.readouts.length - 1), {
        ...this.slicePlane(readout.slice),
        sampleTimeUs: this.dwellTimeUs,
        nChannels: this.nCoils,
        centerSample: Math.floor(this.nSamples / 2) - this.#missingSamples,
        scanCounter,
        acquisitionTimeStamp: timeStamp(readout.timeMs),
        counters: {
          kspaceEncodeStep1: counterOf(phaseOf(this.sampling), readout.line),
          slice: readout.slice,
          average: readout.average,
          contrast: readout.contrast,
        },
      }) };
    }
    yield { kind: 'close' };
  }

  get #missingSamples(): number {
    return this.nSamples - encodingOf(this.series).nSamples;
  }

  get #feelsField(): boolean {
    const { sequence } = this.series;
    return sequence.kind === 'spoiledGre' || sequence.kind === 'dixonGre' || sequence.fatSuppression === 'spectral';
  }

  #stack(): SlicePlane {
    const { read, phase, slice } = directionsOf(this.series.geometry);
    const { regionCentreMm } = this.options;
    const { centreMm } = this.series.geometry;
    return {
      centreMm: [regionCentreMm[0] + centreMm[0], regionCentreMm[1] + centreMm[1], regionCentreMm[2] + centreMm[2]],
      readDirection: read,
      phaseDirection: phase,
      sliceDirection: slice,
    };
  }

  /** Parallel to the disc; columns or rows along its width. */
  #blockAt(level: string): SlicePlane {
    const frame = discAt(level, this.options.discs);
    if (frame === undefined) throw simulatorError('SIM_ERR_OPTION', `discs without ${level}, where the series has a block`);
    const readsAcross = this.series.geometry.readout === 'leftRight';
    return {
      centreMm: frame.originMm,
      readDirection: readsAcross ? frame.x : frame.y,
      phaseDirection: readsAcross ? frame.y : frame.x,
      sliceDirection: readsAcross ? frame.z : [-frame.z[0], -frame.z[1], -frame.z[2]],
    };
  }

  #signalParts(): SignalPart[] {
    const { sequence } = this.series;
    const options = { tissues: this.#object.tissues, fat: this.#fat, flowingShare: this.#pulsation.flowingShare };
    switch (sequence.kind) {
      case 'tse':
      case 'stirTse': {
        const { kind, delayMs } =
          sequence.kind === 'stirTse'
            ? { kind: 'inversion' as const, delayMs: sequence.tiMs as number }
            : sequence.fatSuppression === 'spectral'
              ? { kind: 'saturation' as const, delayMs: saturationDelayMs }
              : { kind: 'none' as const, delayMs: 0 };
        return fastSpinEchoParts(sequence, { kind, delayMs }, options);
      }
      case 'spoiledGre':
      case 'dixonGre': {
        const teMs = typeof sequence.teMs === 'number' ? [sequence.teMs] : sequence.teMs;
        const isSaturated = sequence.kind === 'spoiledGre' && sequence.fatSuppression === 'spectral';
        return gradientEchoParts({ ...sequence, teMs }, isSaturated, options);
      }
    }
  }

  /** What a part's image is multiplied by at a point of the scanner: excitation and preparation. */
  #gainAt(preparedBy: PreparedBy, point: Vector3, patientPoint: Vector3): number {
    const { sequence } = this.series;
    const relative = this.#transmit.relativeAt(point);
    // A spin echo feels the refocusing pulses, a gradient echo the excitation (imaging/signal.ts).
    const angle = (Math.PI / 180) * ('refocusingAngleDeg' in sequence ? sequence.refocusingAngleDeg / 2 : sequence.flipAngleDeg);
    const saturated = saturationGain(this.series.saturation, this.options.regionCentreMm, point);
    const gain = (saturated * this.#transmit.reachAt(point[2]) * Math.sin(relative * angle)) / Math.sin(angle);
    switch (preparedBy) {
      case 'none':
        return gain;
      case 'inversion':
        return -inversionEfficiency * gain;
      case 'waterSaturation':
        return gain * fatSaturation(this.#fat, saturationPulse, this.#field.ppmAt(patientPoint)).water;
      case 'fatSaturation':
        return gain * fatSaturation(this.#fat, saturationPulse, this.#field.ppmAt(patientPoint)).fat;
    }
  }

  #withWorkspace<T>(slice: number, use: (workspace: Workspace) => T): T {
    const plane = this.slicePlane(slice);
    const coils = this.sensitivities(slice);
    const lattice = latticeOf(coils, this.sampling);
    const grid = paintGrid(lattice, this.sampling, plane, this.#bodyMm);
    const limitBytes = GridTransform.nBytes(grid, lattice) + CoilSum.nBytes(coils, lattice, this.sampling) + 2 ** 20;
    const memory = createSessionMemory(limitBytes);
    const kernels = bindKernels(memory, new Arena(memory, { startByte: 0, limitBytes }));
    const transform = new GridTransform(kernels, grid, lattice, scaleOf(this.sampling));
    const poses = this.#motion.poses.map((pose) => this.#components(plane, pose, grid, transform));
    transform.release();
    releaseFft(kernels);
    const sum = new CoilSum(kernels, coils, lattice, this.sampling, this.options.brokenCoils);
    const fatWeights = this.#echoTimesMs.map((teMs) => this.#chemicalShift(teMs));
    const data = new Float32Array(2 * this.nCoils * this.nSamples);
    const add = (pose: number, line: number, contrast: number, echo: number, flow: readonly [number, number], moved: readonly [number, number]) => {
      data.fill(0);
      const { water, fat } = poses[pose]!(contrast, echo, flow);
      sum.addLine(data, line, water.components, water.weights, moved);
      if (fat.components.length > 0) sum.addLine(data, line, fat.components, fat.weights, moved, fatWeights[contrast]);
      return data;
    };
    const along = (direction: Vector3, shift: Vector3) => direction[0] * shift[0] + direction[1] * shift[1] + direction[2] * shift[2];
    return use({
      lineOf: ({ line, contrast, echo, excitationMs }) => {
        const { pose, shiftMm } = this.#motion.at(excitationMs / 1000);
        const moved = [along(plane.readDirection, shiftMm), along(plane.phaseDirection, shiftMm)] as const;
        return add(pose, line, contrast, echo, this.#pulsation.at(excitationMs / 1000), moved);
      },
      truthOf: (line, contrast) => add(0, line, contrast, this.#order.effectiveEcho, [1, 0], [0, 0]),
    });
  }

  get #echoTimesMs(): readonly number[] {
    const { sequence } = this.series;
    // A spin echo refocuses what chemical shift does up to the echo.
    if (sequence.kind === 'tse' || sequence.kind === 'stirTse') return [0];
    return typeof sequence.teMs === 'number' ? [sequence.teMs] : sequence.teMs;
  }

  /** All peaks of fat as one factor a sample: Σ_p w_p exp(2πi f_p t), complex interleaved. */
  #chemicalShift(teMs: number): Float32Array {
    const weights = new Float32Array(2 * this.nSamples);
    for (let sample = 0; sample < this.nSamples; sample++) {
      const timeS = teMs * 1e-3 + (sample - Math.floor(this.nSamples / 2)) * this.dwellTimeUs * 1e-6;
      for (const { shiftPpm, weight } of this.#fat.peaks) {
        const phase = 2 * Math.PI * shiftHz(shiftPpm, this.protocol.fieldStrengthT) * timeS;
        weights[2 * sample]! += weight * Math.cos(phase);
        weights[2 * sample + 1]! += weight * Math.sin(phase);
      }
    }
    return weights;
  }

  /** The lattice components of a slice in a pose, and their weights. */
  #components(plane: SlicePlane, pose: Pose, grid: PaintGrid, transform: GridTransform): ComponentsAt {
    const channels = this.#parts.flatMap((part) => part.curves.map((curve, p) => ({ part, curve, p })));
    const coefficients = new Map(
      [...this.#object.tissues.keys()].map((name) => [
        name,
        channels.map(({ part, p }) => part.coefficients.get(name)?.[p] ?? 0),
      ]),
    );
    const inPatient: SlicePlane = {
      centreMm: intoPatient(pose, plane.centreMm),
      readDirection: directionInPatient(pose, plane.readDirection),
      phaseDirection: directionInPatient(pose, plane.phaseDirection),
      sliceDirection: directionInPatient(pose, plane.sliceDirection),
    };
    const profile = this.options.profile === 'thin' ? [{ offsetMm: 0, weight: 1 }] : sliceProfile(this.series.geometry.slices.thicknessMm);
    const images = paintSlice(this.#object, grid, inPatient, profile, coefficients, channels.length);
    const window = windowPlane(grid, plane);
    for (const preparedBy of new Set(channels.map(({ part }) => part.preparedBy))) {
      const map = smoothMap(window, (point) => this.#gainAt(preparedBy, point, intoPatient(pose, point)));
      channels.forEach(({ part }, index) => {
        if (part.preparedBy === preparedBy) multiply(images[index]!, map);
      });
    }
    return this.#isGradientEcho
      ? this.#gradientEchoComponents(channels, images, plane, window, pose, transform)
      : spinEchoComponents(channels, images, transform);
  }

  get #isGradientEcho(): boolean {
    const { kind } = this.series.sequence;
    return kind === 'spoiledGre' || kind === 'dixonGre';
  }

  /**
   * Complex images, one a contrast and group: the field turns each contrast by its echo time TE, and what it differs
   * by through the slice, Δf from face to face, leaves |sinc(Δf TE)| of the signal (Reichenbach 1997, J Magn Reson Imaging 7:266).
   */
  #gradientEchoComponents(
    channels: readonly Channel[],
    images: readonly Float32Array[],
    plane: SlicePlane,
    window: Plane,
    pose: Pose,
    transform: GridTransform,
  ): ComponentsAt {
    const hertzAt = (point: Vector3) => shiftHz(this.#field.ppmAt(intoPatient(pose, point)), this.protocol.fieldStrengthT);
    const half = this.series.geometry.slices.thicknessMm / 2;
    const beside = ([x, y, z]: Vector3, mm: number): Vector3 => [x + mm * plane.sliceDirection[0], y + mm * plane.sliceDirection[1], z + mm * plane.sliceDirection[2]];
    const hertz = smoothMap(window, hertzAt);
    const throughSlice = smoothMap(window, (point) => hertzAt(beside(point, half)) - hertzAt(beside(point, -half)));
    const contrasts = this.#echoTimesMs.map((teMs, contrast) => {
      const ofGroup = (group: SignalPart['group']): LatticeComponent[] => {
        const own = channels.flatMap(({ part, curve }, index) => (part.group === group ? [{ image: images[index]!, weight: curve[contrast]! }] : []));
        if (own.length === 0) return [];
        const [re, im] = [new Float32Array(hertz.length), new Float32Array(hertz.length)];
        for (let pixel = 0; pixel < hertz.length; pixel++) {
          let amplitude = 0;
          for (const { image, weight } of own) amplitude += weight * image[pixel]!;
          const phase = 2 * Math.PI * hertz[pixel]! * teMs * 1e-3;
          amplitude *= Math.abs(sinc(throughSlice[pixel]! * teMs * 1e-3));
          re[pixel] = amplitude * Math.cos(phase);
          im[pixel] = amplitude * Math.sin(phase);
        }
        return [{ values: transform.of(re, im), isPair: false }];
      };
      return { water: ofGroup('water'), flow: ofGroup('flow'), fat: ofGroup('fat') };
    });
    const one: ComponentWeights = { first: [1, 0] };
    return (contrast, _echo, flow) => {
      const { water, flow: flowing, fat } = contrasts[contrast]!;
      return {
        water: { components: [...water, ...flowing], weights: [...water.map(() => one), ...flowing.map(() => ({ first: flow }))] },
        fat: { components: fat, weights: fat.map(() => one) },
      };
    };
  }

  #cropped(line: Float32Array): Float32Array {
    const missing = this.#missingSamples;
    const kept = this.nSamples - missing;
    const data = new Float32Array(2 * this.nCoils * kept);
    for (let coil = 0; coil < this.nCoils; coil++) {
      data.set(line.subarray(2 * (coil * this.nSamples + missing), 2 * (coil + 1) * this.nSamples), 2 * coil * kept);
    }
    return data;
  }

  #noise(): NoiseSource | undefined {
    return this.noiseStd > 0 ? new NoiseSource(this.noiseCovariance, this.nCoils, this.#randomOf(-1)) : undefined;
  }

  /** A source of its own for every readout, whichever thread computes it; negative for noise readouts. */
  #randomOf(index: number): Random {
    return new Random((this.#noiseSeed ^ Math.imul(index + 0x1000_0001, 0x85eb_ca6b)) >>> 0);
  }

  *#noiseReadouts(): Generator<Float32Array, void, undefined> {
    const noise = this.#noise();
    if (noise === undefined) return;
    const { noiseScanSamples, noiseDwellTimeUs, relativeReceiverNoiseBandwidth } = this.options;
    const deviation = Math.sqrt((this.dwellTimeUs / noiseDwellTimeUs) * relativeReceiverNoiseBandwidth);
    for (let sample = 0, readout = 0; sample < noiseScanSamples; sample += this.nSamples, readout++) {
      const data = new Float32Array(2 * this.nCoils * this.nSamples);
      noise.addTo(data, deviation, this.#randomOf(-2 - readout));
      yield data;
    }
  }
}

/** A series scanned on an anatomy. @throws ProtocolError where the series cannot be run */
export function seriesScan(protocol: Protocol, series: Series, anatomy: Anatomy, options: Partial<SeriesScanOptions> = {}): SeriesScan {
  return new SeriesScan(protocol, series, anatomyObject(anatomy), options);
}

/** Where the readouts of a slice are computed. */
interface Workspace {
  /** complex64 [nCoils, nSamples]; overwritten by the next call. */
  lineOf(readout: SeriesReadout): Float32Array;
  truthOf(line: number, contrast: number): Float32Array;
}

interface Weighted {
  readonly components: readonly LatticeComponent[];
  readonly weights: readonly ComponentWeights[];
}

type ComponentsAt = (contrast: number, echo: number, flow: readonly [number, number]) => { readonly water: Weighted; readonly fat: Weighted };

interface Channel {
  readonly part: SignalPart;
  readonly curve: readonly number[];
  readonly p: number;
}

export function seriesSampling(series: Series): Sampling {
  const { imageMatrix, imageFovMm, encodedFovMm, nLines, firstLine } = encodingOf(series);
  return {
    matrix: imageMatrix,
    fovMm: imageFovMm,
    readoutOversampling: series.geometry.readoutOversampling,
    phase: {
      nPixels: imageMatrix[1],
      fovMm: imageFovMm[1],
      encodedFovMm: encodedFovMm[1],
      nLines,
      firstLine,
      endLine: nLines,
    },
  };
}

/** Two images a transform; those of one group side by side. */
function spinEchoComponents(channels: readonly Channel[], images: readonly Float32Array[], transform: GridTransform): ComponentsAt {
  const paired = (groups: readonly SignalPart['group'][]) => {
    const own = channels.flatMap((channel, index) => (groups.includes(channel.part.group) ? [{ channel, image: images[index]! }] : []));
    const pairs = Array.from({ length: Math.ceil(own.length / 2) }, (_, pair) => own.slice(2 * pair, 2 * pair + 2));
    const components = pairs.map(([a, b]): LatticeComponent => ({ values: transform.of(a!.image, b?.image), isPair: true }));
    return (echo: number, flow: readonly [number, number]): Weighted => {
      const weightOf = (entry: (typeof own)[number] | undefined): readonly [number, number] => {
        if (entry === undefined) return [0, 0];
        const weight = entry.channel.curve[echo - 1]!;
        return entry.channel.part.group === 'flow' ? [weight * flow[0], weight * flow[1]] : [weight, 0];
      };
      return { components, weights: pairs.map(([a, b]) => ({ first: weightOf(a), second: weightOf(b) })) };
    };
  };
  const [water, fat] = [paired(['water', 'flow']), paired(['fat'])];
  return (_contrast, echo, flow) => ({ water: water(echo, flow), fat: fat(echo, flow) });
}

function flagsOfReadout({ use, firstInImage, lastInImage }: SeriesReadout, isLast: boolean): AcquisitionFlagName[] {
  const flags: AcquisitionFlagName[] = [];
  if (use === 'calibration') flags.push('parallelCalibration');
  if (use === 'calibrationAndImaging') flags.push('parallelCalibrationAndImaging');
  if (firstInImage) flags.push('firstInSlice', 'firstInEncodeStep1');
  if (lastInImage) flags.push('lastInSlice', 'lastInEncodeStep1');
  if (isLast) flags.push('lastInMeasurement');
  return flags;
}

/** Ticks since midnight; scans begin at 13:53. */
const timeStamp = (timeMs: number): number => 20_000_000 + Math.round(timeMs / tickMs);

/** A phase of the object that all coils see, as field inhomogeneity and eddy currents leave it. */
function objectPhase([x, y, z]: Vector3): number {
  return 0.5 + y / 150 + z / 220 - (y * z) / 150 ** 2 + x / 250;
}

/** Root of the sum of squares, mean over a block about the spine. */
function meanSensitivity(array: readonly ArrayElement[], [x, y, z]: Vector3): number {
  const steps = [-1, 0, 1];
  const sizes = steps.flatMap((i) => steps.flatMap((j) => steps.map((k) =>
    Math.sqrt(array.reduce((sum, element) => {
      const [re, im] = elementSensitivity(element, [x + 30 * i, y + 30 * j, z + 80 * k]);
      return sum + re * re + im * im;
    }, 0)))));
  return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
}

function clipped({ min, max }: Box, reachMm: number, middleMm = 0): Box {
  return {
    min: [min[0], min[1], Math.max(min[2], middleMm - reachMm)],
    max: [max[0], max[1], Math.min(max[2], middleMm + reachMm)],
  };
}

/** With four or six lumbar vertebrae some discs have other names: who sets up the scan then counts upwards from the sacrum. */
function discAt(level: string, discs: ReadonlyMap<string, Frame>): Frame | undefined {
  const fromBelow = [...discs.keys()].reverse();
  const lowest = fromBelow.findIndex((name) => name.endsWith('-S1'));
  const above = ['L5-S1', 'L4-L5', 'L3-L4', 'L2-L3', 'L1-L2'].indexOf(level);
  return discs.get(level) ?? (lowest < 0 || above < 0 ? undefined : discs.get(fromBelow[lowest + above] ?? ''));
}

function multiply(image: Float32Array, factors: Float32Array): void {
  for (let pixel = 0; pixel < image.length; pixel++) image[pixel]! *= factors[pixel]!;
}

/** sin(πx) / πx */
function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
