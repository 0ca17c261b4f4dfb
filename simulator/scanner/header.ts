/** The MRD header of a simulated scan of a phantom. */
import type { MrdEncoding, MrdHeader } from 'ismrmrd';
import { limitsOf, partitionsOf, phaseOf, samplesOf, type Sampling } from './encoding.js';
import type { ScanOptions } from './options.js';

/** Says in every header that nobody was scanned; delivery carries it on into images. */
export const simulatedParameters: NonNullable<MrdHeader['userParameters']> = {
  userParameterLong: [],
  userParameterDouble: [],
  userParameterString: [{ name: 'ConusSimulated', value: 'true' }],
  userParameterBase64: [],
};

export function scanHeader(options: ScanOptions, sampling: Sampling, coilNames: readonly string[]): MrdHeader {
  return {
    studyInformation: { studyDescription: 'Simulated lumbar spine', bodyPartExamined: 'LSPINE' },
    measurementInformation: {
      measurementID: `simulated_${options.seed}`,
      patientPosition: 'HFS',
      protocolName: 't2_tse_sag_simulated',
      measurementDependency: [],
    },
    acquisitionSystemInformation: {
      systemVendor: 'Conus',
      systemModel: 'scanner simulator',
      systemFieldStrength_T: 1.5,
      relativeReceiverNoiseBandwidth: options.relativeReceiverNoiseBandwidth,
      receiverChannels: options.nCoils,
      coilLabel: coilNames.map((coilName, coilNumber) => ({ coilNumber, coilName })),
    },
    experimentalConditions: { H1resonanceFrequency_Hz: 63_866_000 },
    encoding: [
      {
        ...encodingSpaces(sampling, options.sliceThicknessMm),
        encodingLimits: {
          kspace_encoding_step_1: limitsOf(phaseOf(sampling)),
          kspace_encoding_step_2: limitsOf(partitionsOf(sampling)),
          average: counter(options.nAverages),
          slice: counter(options.nSlices),
          contrast: counter(options.echoTimesMs.length),
          repetition: counter(options.nRepetitions),
          set: counter(options.nSets),
          ...(options.epi !== undefined && { segment: counter(2) }),
        },
        ...trajectory(options, sampling),
        ...parallelImaging(options),
      },
    ],
    sequenceParameters: {
      TR: [3500],
      TE: [...options.echoTimesMs],
      TI: [],
      flipAngle_deg: [150],
      sequence_type: options.epi === undefined ? 'TurboSpinEcho' : 'EPI',
      echo_spacing: [],
      diffusion: [],
    },
    waveformInformation: [],
    userParameters: simulatedParameters,
  };
}

const counter = (count: number) => ({ minimum: 0, maximum: count - 1, center: 0 });

/** Encoded and reconstructed matrix and field of view; the thickness is that of a slice, or of the slab. */
export function encodingSpaces(
  sampling: Sampling,
  sliceThicknessMm: number,
): Pick<MrdEncoding, 'encodedSpace' | 'reconSpace'> {
  const { matrix, fovMm, readoutOversampling, interpolation = 1, partitions } = sampling;
  const phase = phaseOf(sampling);
  return {
    encodedSpace: {
      matrixSize: { x: samplesOf(sampling), y: phase.nLines, z: partitions?.nLines ?? 1 },
      fieldOfView_mm: {
        x: fovMm[0] * readoutOversampling,
        y: phase.encodedFovMm,
        z: partitions?.encodedFovMm ?? sliceThicknessMm,
      },
    },
    reconSpace: {
      matrixSize: { x: matrix[0] * interpolation, y: matrix[1] * interpolation, z: partitions?.nPixels ?? 1 },
      fieldOfView_mm: { x: fovMm[0], y: fovMm[1], z: partitions?.fovMm ?? sliceThicknessMm },
    },
  };
}

function parallelImaging(options: ScanOptions): Pick<MrdEncoding, 'parallelImaging'> {
  const { acceleration, partitionAcceleration, calibration, interleavingDimension } = options;
  if (acceleration === 1 && partitionAcceleration === 1) return {};
  return {
    parallelImaging: {
      accelerationFactor: { kspace_encoding_step_1: acceleration, kspace_encoding_step_2: partitionAcceleration },
      calibrationMode: calibration === 'none' ? 'other' : calibration,
      ...(calibration === 'interleaved' && { interleavingDimension }),
    },
  };
}

/** An echo-planar train is described as converters of vendor data do, without sampling on the ramps. */
function trajectory(
  { epi, imagingDwellTimeUs }: ScanOptions,
  sampling: Sampling,
): Pick<MrdEncoding, 'trajectory' | 'trajectoryDescription'> {
  if (epi === undefined) return { trajectory: 'cartesian' };
  const phase = phaseOf(sampling);
  const durationUs = Math.round(samplesOf(sampling) * imagingDwellTimeUs);
  const long = (name: string, value: number) => ({ name, value });
  return {
    trajectory: 'epi',
    trajectoryDescription: {
      identifier: 'ConventionalEPI',
      userParameterLong: [
        long('etl', phase.endLine - phase.firstLine),
        long('numberOfNavigators', epi.phaseCorrectionReadouts),
        long('rampUpTime', 0),
        long('rampDownTime', 0),
        long('flatTopTime', durationUs),
        long('echoSpacing', durationUs),
        long('acqDelayTime', 0),
        long('numSamples', samplesOf(sampling)),
      ],
      userParameterDouble: [{ name: 'dwellTime', value: imagingDwellTimeUs }],
      userParameterString: [],
    },
  };
}
