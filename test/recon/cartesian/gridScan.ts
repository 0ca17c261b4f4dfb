/**
 * A scan with a known answer, of any Cartesian variant: an object and coil sensitivities given as
 * functions of position, drawn on the image's own grid over the whole encoded field of view; k-space is
 * the transform of that by its definition, cut to what is encoded. The truth is the image of all of the
 * encoded k-space, without noise, combined with the true sensitivities.
 */
import { flagsOf, parseHeader, type AcquisitionFlagName, type MrdHeader } from 'ismrmrd';
import {
  Arena, bindKernels, CartesianReconstruction, createSessionMemory, defaultReconParameters, planCartesian, runCalibration,
  type CartesianOutput, type DenoiseRunner, type NoiseRecord, type Readout, type ReconImage, type ReconNotice, type ReconParameters,
} from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';

export interface GridScanOptions {
  /** Pixels of the image [columns, rows, partitions]; partitions above 1 make the scan 3D. */
  readonly matrix: readonly [number, number, number];
  readonly nSlices: number;
  readonly nCoils: number;
  readonly readoutOversampling: number;
  /** Encoded field of view over the image's, along the phase encoding and along the partitions. */
  readonly phaseOversampling: number;
  readonly sliceOversampling: number;
  /** Encoded over full resolution along the phase encoding. */
  readonly phaseResolution: number;
  /** Pixels of the image for each encoded sample. */
  readonly interpolation: number;
  /** Part of the lines, partitions and samples that is acquired; the first ones are left out. */
  readonly partialFourier: number;
  readonly slicePartialFourier: number;
  readonly echo: number;
  readonly acceleration: number;
  readonly sliceAcceleration: number;
  /** `averages`, `repetitions`: every one of them has the lattice one line further. */
  readonly calibration: 'none' | 'embedded' | 'separate' | 'averages' | 'repetitions';
  readonly calibrationLines: number;
  readonly calibrationPartitions: number;
  readonly nAverages: number;
  readonly nRepetitions: number;
  readonly nContrasts: number;
  readonly interleaveSlices: boolean;
  readonly reverseOddLines: boolean;
  /** Of the real part of a sample; every channel has its own, uncorrelated. 0: no noise and no noise scan. */
  readonly noiseStd: number;
  readonly seed: number;
  /** False: calibration readouts come without noise. */
  readonly noisyCalibration: boolean;
  /** Phase of the object, in radians, at x, y from -1 to 1. */
  readonly phaseAt: (x: number, y: number) => number;
}

export const defaultGridScan: GridScanOptions = {
  matrix: [64, 64, 1], nSlices: 1, nCoils: 8, readoutOversampling: 2, phaseOversampling: 1, sliceOversampling: 1, phaseResolution: 1,
  interpolation: 1, partialFourier: 1, slicePartialFourier: 1, echo: 1, acceleration: 1, sliceAcceleration: 1, calibration: 'embedded',
  calibrationLines: 20, calibrationPartitions: 12, nAverages: 1, nRepetitions: 1, nContrasts: 1, interleaveSlices: false,
  reverseOddLines: false, noiseStd: 0, seed: 1, noisyCalibration: true,
  phaseAt: (x, y) => 0.4 + 0.5 * x - 0.4 * y + 0.4 * x * y + 0.3 * y * y,
};

export interface SentReadout {
  readonly header: Readout;
  /** complex64 [nCoils, nSamples] */
  readonly samples: Float32Array;
}

/** Centred orthonormal transform from n positions to the central m frequencies: complex [m, n]. */
export function transformMatrix(m: number, n: number): Float64Array {
  const matrix = new Float64Array(2 * m * n);
  for (let k = 0; k < m; k++) {
    for (let j = 0; j < n; j++) {
      const angle = (-2 * Math.PI * ((k - Math.floor(m / 2)) * (j - Math.floor(n / 2)))) / n;
      matrix[2 * (k * n + j)] = Math.cos(angle) / Math.sqrt(n);
      matrix[2 * (k * n + j) + 1] = Math.sin(angle) / Math.sqrt(n);
    }
  }
  return matrix;
}

/** out[o, k, i] = sum_j matrix[k, j] data[o, j, i], or the adjoint of the matrix. */
export function apply(matrix: Float64Array, m: number, n: number, data: Float64Array, outer: number, inner: number, adjoint = false): Float64Array {
  const [from, to] = adjoint ? [m, n] : [n, m];
  const out = new Float64Array(2 * outer * to * inner);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < to; k++) {
      for (let j = 0; j < from; j++) {
        const at = 2 * (adjoint ? j * n + k : k * n + j);
        const re = matrix[at]!;
        const im = adjoint ? -matrix[at + 1]! : matrix[at + 1]!;
        let source = 2 * (o * from + j) * inner;
        let target = 2 * (o * to + k) * inner;
        for (let i = 0; i < inner; i++, source += 2, target += 2) {
          const x = data[source]!;
          const y = data[source + 1]!;
          out[target] = out[target]! + re * x - im * y;
          out[target + 1] = out[target + 1]! + re * y + im * x;
        }
      }
    }
  }
  return out;
}

/** The central `nKept` of `n` rows of complex [outer, n, inner]. */
function linesAbout(data: Float64Array, outer: number, n: number, nKept: number, inner: number): Float64Array {
  const out = new Float64Array(2 * outer * nKept * inner);
  const first = Math.floor(n / 2) - Math.floor(nKept / 2);
  for (let o = 0; o < outer; o++) {
    const from = 2 * (o * n + first) * inner;
    out.set(data.subarray(from, from + 2 * nKept * inner), 2 * o * nKept * inner);
  }
  return out;
}

const ellipses: readonly (readonly [x: number, y: number, a: number, b: number, value: number])[] = [
  [0, 0, 0.72, 0.8, 0.6], [0.05, 0, 0.6, 0.68, 0.2], [0.3, 0.2, 0.18, 0.3, 0.5], [-0.3, -0.25, 0.12, 0.2, -0.4], [-0.15, 0.4, 0.2, 0.08, 0.5],
  [0.25, -0.4, 0.06, 0.1, 0.7],
];
/** A round spot of its own, [x, y] of its centre. */
export const fiducial = [-0.42, 0.14] as const;
const fiducialRadius = 0.07;

export class GridScan {
  readonly options: GridScanOptions;
  /** Pixels of the encoded field of view. */
  readonly paddedColumns: number;
  readonly paddedRows: number;
  readonly paddedSlices: number;
  readonly nSamples: number;
  readonly nLines: number;
  readonly nPartitions: number;
  /** Lines, partitions and samples that partial Fourier and the echo leave out. */
  readonly missing: readonly [samples: number, lines: number, partitions: number];
  #drawn: { readonly sensitivities: Float64Array; readonly kspace: Float64Array } | undefined;

  constructor(options: Partial<GridScanOptions> = {}) {
    this.options = { ...defaultGridScan, ...options };
    const { matrix, readoutOversampling, phaseOversampling, sliceOversampling, phaseResolution, interpolation } = this.options;
    this.paddedColumns = matrix[0] * readoutOversampling;
    this.paddedRows = Math.round(matrix[1] * phaseOversampling);
    this.paddedSlices = Math.round(matrix[2] * sliceOversampling);
    this.nSamples = Math.round(this.paddedColumns / interpolation);
    this.nLines = 2 * Math.round((this.paddedRows * phaseResolution) / interpolation / 2);
    this.nPartitions = this.paddedSlices;
    this.missing = [
      Math.round(this.nSamples * (1 - this.options.echo)),
      Math.round(this.nLines * (1 - this.options.partialFourier)),
      Math.round(this.nPartitions * (1 - this.options.slicePartialFourier)),
    ];
  }

  /** The same scan with noise. */
  withNoise(noiseStd: number): GridScan {
    const noisy = new GridScan({ ...this.options, noiseStd });
    noisy.#drawn = this.#drawn ??= this.#acquire();
    return noisy;
  }

  /** complex [nCoils, paddedSlices, paddedRows, paddedColumns] */
  get sensitivities(): Float64Array {
    return (this.#drawn ??= this.#acquire()).sensitivities;
  }

  /** complex [nCoils, nPartitions, nLines, nSamples], of contrast 0 */
  get kspace(): Float64Array {
    return (this.#drawn ??= this.#acquire()).kspace;
  }

  #acquire(): { sensitivities: Float64Array; kspace: Float64Array } {
    const { sensitivities, coils } = this.#draw();
    const { paddedColumns, paddedRows, paddedSlices, nSamples, nLines, nPartitions } = this;
    const { nCoils } = this.options;
    const alongX = apply(transformMatrix(nSamples, paddedColumns), nSamples, paddedColumns, coils, nCoils * paddedSlices * paddedRows, 1);
    const alongY = apply(transformMatrix(nLines, paddedRows), nLines, paddedRows, alongX, nCoils * paddedSlices, nSamples);
    const kspace = apply(transformMatrix(nPartitions, paddedSlices), nPartitions, paddedSlices, alongY, nCoils, nLines * nSamples);
    return { sensitivities, kspace };
  }

  #draw(): { sensitivities: Float64Array; coils: Float64Array } {
    const { options, paddedColumns, paddedRows, paddedSlices } = this;
    const { matrix, nCoils } = options;
    const nPixels = paddedSlices * paddedRows * paddedColumns;
    const sensitivities = new Float64Array(2 * nCoils * nPixels);
    const coils = new Float64Array(2 * nCoils * nPixels);
    for (let s = 0; s < paddedSlices; s++) {
      const z = matrix[2] === 1 ? 0 : (2 * (s - Math.floor(paddedSlices / 2))) / matrix[2];
      for (let r = 0; r < paddedRows; r++) {
        const y = (2 * (r - Math.floor(paddedRows / 2))) / matrix[1];
        for (let c = 0; c < paddedColumns; c++) {
          const x = (2 * (c - Math.floor(paddedColumns / 2))) / matrix[0];
          const value = this.#objectAt(x, y, z);
          const phase = options.phaseAt(x, y) + 0.3 * z;
          const pixel = (s * paddedRows + r) * paddedColumns + c;
          for (let coil = 0; coil < nCoils; coil++) {
            const [re, im] = sensitivityAt(coil, nCoils, x, y, z);
            const at = 2 * (coil * nPixels + pixel);
            sensitivities[at] = re;
            sensitivities[at + 1] = im;
            coils[at] = value * (re * Math.cos(phase) - im * Math.sin(phase));
            coils[at + 1] = value * (re * Math.sin(phase) + im * Math.cos(phase));
          }
        }
      }
    }
    return { sensitivities, coils };
  }

  #objectAt(x: number, y: number, z: number): number {
    const { matrix } = this.options;
    const squeeze = matrix[2] === 1 ? 1 : Math.sqrt(Math.max(0, 1 - (z / 0.8) ** 2));
    let value = 0;
    for (const [ex, ey, a, b, weight] of [...ellipses, [...fiducial, fiducialRadius, fiducialRadius, 1] as const]) {
      const radius = Math.hypot((x - ex * squeeze) / a, (y - ey * squeeze) / b);
      value += weight * Math.min(1, Math.max(0, ((squeeze - radius) * Math.min(a, b) * matrix[0]) / 4 + 0.5));
    }
    return value;
  }

  get header(): MrdHeader {
    const { options, missing } = this;
    const { matrix, interpolation, readoutOversampling, phaseOversampling, sliceOversampling } = options;
    const limit = (name: string, maximum: number, center = 0) =>
      `<${name}><minimum>0</minimum><maximum>${maximum}</maximum><center>${center}</center></${name}>`;
    const space = (name: string, sizes: readonly number[], fovMm: readonly number[]) =>
      `<${name}><matrixSize><x>${sizes[0]}</x><y>${sizes[1]}</y><z>${sizes[2]}</z></matrixSize>` +
      `<fieldOfView_mm><x>${fovMm[0]}</x><y>${fovMm[1]}</y><z>${fovMm[2]}</z></fieldOfView_mm></${name}>`;
    const fovMm = [matrix[0] / interpolation, matrix[1] / interpolation, 4 * matrix[2]];
    const mode = { none: 'other', embedded: 'embedded', separate: 'separate', averages: 'interleaved', repetitions: 'interleaved' }[options.calibration];
    const dimension = { averages: 'average', repetitions: 'repetition' }[options.calibration as string];
    return parseHeader(
      `<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><acquisitionSystemInformation><relativeReceiverNoiseBandwidth>1</relativeReceiverNoiseBandwidth><receiverChannels>${options.nCoils}</receiverChannels></acquisitionSystemInformation>` +
        `<experimentalConditions><H1resonanceFrequency_Hz>123000000</H1resonanceFrequency_Hz></experimentalConditions><encoding>` +
        space('encodedSpace', [this.nSamples, this.nLines, this.nPartitions], [fovMm[0]! * readoutOversampling, fovMm[1]! * phaseOversampling, fovMm[2]! * sliceOversampling]) +
        space('reconSpace', matrix, fovMm) + '<encodingLimits>' +
        limit('kspace_encoding_step_1', this.nLines - missing[1] - 1, Math.floor(this.nLines / 2) - missing[1]) +
        limit('kspace_encoding_step_2', this.nPartitions - missing[2] - 1, Math.floor(this.nPartitions / 2) - missing[2]) +
        limit('average', options.nAverages - 1) + limit('slice', options.nSlices - 1) + limit('contrast', options.nContrasts - 1) +
        limit('repetition', options.nRepetitions - 1) + '</encodingLimits><trajectory>cartesian</trajectory>' +
        (options.acceleration * options.sliceAcceleration === 1 ? '' :
          `<parallelImaging><accelerationFactor><kspace_encoding_step_1>${options.acceleration}</kspace_encoding_step_1><kspace_encoding_step_2>${options.sliceAcceleration}</kspace_encoding_step_2></accelerationFactor>` +
          `<calibrationMode>${mode}</calibrationMode>${dimension ? `<interleavingDimension>${dimension}</interleavingDimension>` : ''}</parallelImaging>`) +
        '</encoding></ismrmrdHeader>',
    );
  }

  /** True where a line is on the lattice, about the centre, that is `shift` lines on. */
  #isRegular(line: number, partition: number, shift: number): boolean {
    const { acceleration, sliceAcceleration } = this.options;
    const fromCentre = line - Math.floor(this.nLines / 2) - shift + 64 * acceleration;
    return fromCentre % acceleration === 0 && (partition - Math.floor(this.nPartitions / 2) + 64 * sliceAcceleration) % sliceAcceleration === 0;
  }

  #isCentral(line: number, partition: number): boolean {
    const { calibrationLines, calibrationPartitions } = this.options;
    const near = (at: number, n: number, count: number) => at >= Math.floor(n / 2) - Math.floor(count / 2) && at < Math.floor(n / 2) + Math.ceil(count / 2);
    return near(line, this.nLines, calibrationLines) && (this.nPartitions === 1 || near(partition, this.nPartitions, calibrationPartitions));
  }

  /**
   * Everything that is sent, in order.
   * @param replica of the noise of the imaging readouts: replicas differ in nothing else
   */
  *readouts(replica = 0): Generator<SentReadout> {
    const { options } = this;
    const random = new Random(options.seed);
    if (options.noiseStd > 0) {
      for (let n = 0; n < Math.ceil(10_000 / this.nSamples); n++) {
        const samples = Float32Array.from({ length: 2 * options.nCoils * this.nSamples }, () => options.noiseStd * random.normal());
        yield { header: this.#headerOf(['noiseMeasurement'], 0, 0, {}), samples };
      }
    }
    const ofReplica = new Random(options.seed + 1000 * (replica + 1));
    for (const planned of this.#planned()) yield this.#readout(planned, ofReplica);
  }

  #planned(): Planned[] {
    const { options } = this;
    const { nSlices, nAverages, nRepetitions, nContrasts, calibration } = options;
    const isAccelerated = options.acceleration * options.sliceAcceleration > 1;
    const ofSlice = (slice: number): Planned[] => {
      const planned: Planned[] = [];
      const sweep = (counters: Counters, include: (line: number, partition: number) => readonly AcquisitionFlagName[] | undefined) => {
        for (let partition = this.missing[2]; partition < this.nPartitions; partition++) {
          for (let line = this.missing[1]; line < this.nLines; line++) {
            const flags = include(line, partition);
            if (flags !== undefined) planned.push({ ...counters, slice, line, partition, flags });
          }
        }
      };
      if (isAccelerated && calibration === 'separate') {
        sweep({ average: 0, repetition: 0, contrast: 0 }, (line, partition) => (this.#isCentral(line, partition) ? ['parallelCalibration'] : undefined));
      }
      for (let repetition = 0; repetition < nRepetitions; repetition++) {
        for (let average = 0; average < nAverages; average++) {
          for (let contrast = 0; contrast < nContrasts; contrast++) {
            const shift = calibration === 'averages' ? average : calibration === 'repetitions' ? repetition : 0;
            sweep({ average, repetition, contrast }, (line, partition) => {
              const isRegular = this.#isRegular(line, partition, shift);
              if (isAccelerated && calibration === 'embedded' && this.#isCentral(line, partition)) {
                return [isRegular ? 'parallelCalibrationAndImaging' : 'parallelCalibration'];
              }
              if (!isRegular) return undefined;
              return calibration === 'averages' || calibration === 'repetitions' ? ['parallelCalibrationAndImaging'] : [];
            });
          }
        }
      }
      return planned;
    };
    const slices = Array.from({ length: nSlices }, (_, slice) => ofSlice(slice));
    return options.interleaveSlices ? slices[0]!.flatMap((_, i) => slices.map((planned) => planned[i]!)) : slices.flat();
  }

  #readout({ flags, line, partition, ...counters }: Planned, random: Random): SentReadout {
    const { options, nSamples, nLines, nPartitions } = this;
    const sent = nSamples - this.missing[0];
    const reversed = options.reverseOddLines && line % 2 === 1;
    const samples = new Float32Array(2 * options.nCoils * sent);
    const scale = 1 + 0.2 * counters.slice - 0.3 * counters.contrast;
    for (let coil = 0; coil < options.nCoils; coil++) {
      const from = ((coil * nPartitions + partition) * nLines + line) * nSamples + this.missing[0];
      for (let s = 0; s < sent; s++) {
        const to = 2 * (coil * sent + (reversed ? sent - 1 - s : s));
        samples[to] = scale * this.kspace[2 * (from + s)]!;
        samples[to + 1] = scale * this.kspace[2 * (from + s) + 1]!;
      }
    }
    const isNoisy = options.noiseStd > 0 && (options.noisyCalibration || !flags.includes('parallelCalibration'));
    if (isNoisy) for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! + options.noiseStd * random.normal();
    const header = this.#headerOf(reversed ? [...flags, 'reverse'] : flags, line - this.missing[1], partition - this.missing[2], counters);
    const centre = Math.floor(nSamples / 2) - this.missing[0];
    return { header: { ...header, nSamples: sent, centerSample: reversed ? sent - 1 - centre : centre }, samples };
  }

  #headerOf(flags: readonly AcquisitionFlagName[], line: number, partition: number, counters: Partial<Counters & { slice: number }>): Readout {
    const { slice = 0, average = 0, repetition = 0, contrast = 0 } = counters;
    return {
      flags: flagsOf(...flags), measurementUid: 1, acquisitionTimeStamp: 0, physiologyTimeStamp: [0, 0, 0], nSamples: this.nSamples,
      nChannels: this.options.nCoils, discardPre: 0, discardPost: 0, centerSample: Math.floor(this.nSamples / 2), encodingSpaceRef: 0,
      sampleTimeUs: 5, position: [0, 0, 5 * slice], readDir: [1, 0, 0], phaseDir: [0, 1, 0], sliceDir: [0, 0, 1],
      patientTablePosition: [0, 0, 0],
      idx: {
        kspaceEncodeStep1: line, kspaceEncodeStep2: partition, average, slice, contrast, phase: 0, repetition, set: 0, segment: 0,
        user: [0, 0, 0, 0, 0, 0, 0, 0],
      },
    };
  }

  /** Magnitude of the image of all of the encoded k-space, [partitions, rows, columns], slice 0 and contrast 0. */
  truth(): Float32Array {
    const { nSamples, nLines, nPartitions, paddedColumns, paddedRows, paddedSlices } = this;
    const { nCoils, matrix } = this.options;
    const alongZ = apply(transformMatrix(nPartitions, paddedSlices), nPartitions, paddedSlices, this.kspace, nCoils, nLines * nSamples, true);
    // Lines beyond the resolution of the image are not in it.
    const nKept = Math.min(nLines, paddedRows);
    const kept = linesAbout(alongZ, nCoils * paddedSlices, nLines, nKept, nSamples);
    const alongY = apply(transformMatrix(nKept, paddedRows), nKept, paddedRows, kept, nCoils * paddedSlices, nSamples, true);
    const coils = apply(transformMatrix(nSamples, paddedColumns), nSamples, paddedColumns, alongY, nCoils * paddedSlices * paddedRows, 1, true);
    return this.#cropped(matrix, (pixel) => this.#combined(coils, pixel));
  }

  /** |sum_c conj(S_c) m_c| / sqrt(sum_c |S_c|^2) */
  #combined(coils: Float64Array, pixel: number): number {
    const nPixels = this.paddedSlices * this.paddedRows * this.paddedColumns;
    let re = 0;
    let im = 0;
    let energy = 0;
    for (let coil = 0; coil < this.options.nCoils; coil++) {
      const at = 2 * (coil * nPixels + pixel);
      const [sr, si] = [this.sensitivities[at]!, this.sensitivities[at + 1]!];
      re += sr * coils[at]! + si * coils[at + 1]!;
      im += sr * coils[at + 1]! - si * coils[at]!;
      energy += sr * sr + si * si;
    }
    return Math.hypot(re, im) / Math.sqrt(energy);
  }

  #cropped([nColumns, nRows, nSlices]: readonly [number, number, number], valueAt: (pixel: number) => number): Float32Array {
    const out = new Float32Array(nSlices * nRows * nColumns);
    const first = (padded: number, n: number) => Math.floor(padded / 2) - Math.floor(n / 2);
    let at = 0;
    for (let s = 0; s < nSlices; s++) {
      for (let r = 0; r < nRows; r++) {
        for (let c = 0; c < nColumns; c++) {
          const slice = first(this.paddedSlices, nSlices) + s;
          const row = first(this.paddedRows, nRows) + r;
          out[at++] = valueAt((slice * this.paddedRows + row) * this.paddedColumns + first(this.paddedColumns, nColumns) + c);
        }
      }
    }
    return out;
  }
}

interface Counters {
  readonly average: number;
  readonly repetition: number;
  readonly contrast: number;
}

interface Planned extends Counters {
  readonly slice: number;
  readonly line: number;
  readonly partition: number;
  readonly flags: readonly AcquisitionFlagName[];
}

/** Coils on a ring about the body, every other one further along z. */
function sensitivityAt(coil: number, nCoils: number, x: number, y: number, z: number): [number, number] {
  const angle = (2 * Math.PI * coil) / nCoils;
  const dx = x - 1.3 * Math.cos(angle);
  const dy = y - 1.3 * Math.sin(angle);
  const dz = z - (coil % 2 === 0 ? 0.7 : -0.7);
  const strength = 1 / (dx * dx + dy * dy + 0.7 * dz * dz);
  const phase = 0.5 * angle + 0.4 * Math.sin(angle) * x + 0.5 * Math.cos(angle) * y + 0.3 * z;
  return [strength * Math.cos(phase), strength * Math.sin(phase)];
}

export interface Reconstructed {
  readonly images: readonly ReconImage[];
  readonly notices: readonly ReconNotice[];
  /** Everything is out. */
  readonly isFinished: boolean;
}

/** What of a scan is played: a part of it will do. */
export interface PlayedScan {
  readonly header: MrdHeader;
  readonly options: Pick<GridScanOptions, 'nCoils'>;
  readonly nSamples: number;
  /** A noise measurement that is known from before. */
  readonly storedNoise?: NoiseRecord;
  readouts(replica?: number): Iterable<SentReadout>;
}

/** Plays a scan to the reconstruction, readout by readout; `denoiser` and `solve` are to answer before `settle` returns. */
export function reconstructGrid(
  scan: PlayedScan, parameters: Partial<ReconParameters> = {}, replica = 0, denoiser?: DenoiseRunner, settle?: (memory: WebAssembly.Memory) => void,
  solve?: CartesianOutput['solve'],
): Reconstructed {
  const images: ReconImage[] = [];
  const notices: ReconNotice[] = [];
  const limitBytes = 512 * 2 ** 20;
  const memory = createSessionMemory(limitBytes);
  const arena = new Arena(memory, { startByte: 64, limitBytes });
  const { plan } = planCartesian(scan.header, { ...defaultReconParameters, ...parameters });
  const reconstruction = new CartesianReconstruction(
    plan, bindKernels(memory, arena),
    { image: (image) => images.push(image), notice: (notice) => notices.push(notice), ...(solve && { solve }) },
    (job, done) => done(runCalibration(memory, job)),
    scan.storedNoise,
    denoiser,
  );
  const pointer = arena.allocate(8 * scan.options.nCoils * scan.nSamples);
  for (const { header, samples } of scan.readouts(replica)) {
    arena.f32(pointer, samples.length).set(samples);
    reconstruction.push(header, pointer);
  }
  let isFinished = false;
  reconstruction.finish(() => (isFinished = true));
  settle?.(memory);
  return { images, notices, isFinished };
}

export function magnitudeOf(image: ReconImage): Float32Array {
  return Float32Array.from({ length: image.rows * image.columns }, (_, p) => Math.hypot(image.data[2 * p]!, image.data[2 * p + 1]!));
}

/**
 * How many times the noise map's value the standard deviation of an image is, along its phase, over replicas
 * of a scan that differ in the noise of their imaging readouts: root mean square where the object is.
 */
export function noiseRatio(options: Partial<GridScanOptions>, parameters: Partial<ReconParameters>, nReplicas: number): number {
  const scan = new GridScan(options);
  return noiseRatioOf(scan, scan.truth(), parameters, nReplicas);
}

/** The same of a part of a scan. */
export function noiseRatioOf(scan: PlayedScan, truth: Float32Array, parameters: Partial<ReconParameters>, nReplicas: number): number {
  const peak = truth.reduce((largest, value) => Math.max(largest, value), 0);
  const sums = new Float64Array(truth.length);
  const squares = new Float64Array(truth.length);
  let noise = new Float32Array(0);
  for (let replica = 0; replica < nReplicas; replica++) {
    const { images } = reconstructGrid(scan, { ...parameters, noiseMap: replica === 0 }, replica);
    const all = images.filter(({ kind }) => kind === 'image').flatMap((image) => [...magnitudeOf(image)]);
    if (replica === 0) noise = Float32Array.from(images.filter(({ kind }) => kind === 'noise').flatMap(({ data }) => [...data]));
    all.forEach((value, p) => {
      sums[p] = sums[p]! + value;
      squares[p] = squares[p]! + value * value;
    });
  }
  let ratio = 0;
  let count = 0;
  truth.forEach((value, p) => {
    if (value < 0.3 * peak) return;
    const variance = (squares[p]! - sums[p]! ** 2 / nReplicas) / (nReplicas - 1);
    ratio += variance / noise[p]! ** 2;
    count++;
  });
  return Math.sqrt(ratio / count);
}
