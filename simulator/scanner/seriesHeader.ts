/** The MRD header of a simulated series: what a scanner would write, and that nothing of it is a patient. */
import type { MrdHeader } from 'ismrmrd';
import { protonGyromagneticRatioMHzPerT } from '../../imaging/index.js';
import { echoTrainLengthOf, inversionTimeMs, nSlicesOf, type Protocol, type Series } from '../../protocols/index.js';
import { Random } from '../random.js';
import { limitsOf, phaseOf, type Sampling } from './encoding.js';
import { encodingSpaces, simulatedParameters } from './header.js';

export interface SeriesHeaderFacts {
  readonly protocol: Protocol;
  /** With its inversion time. */
  readonly series: Series;
  readonly sampling: Sampling;
  readonly coilNames: readonly string[];
  readonly seed: number;
  readonly relativeReceiverNoiseBandwidth: number;
}

export function seriesHeader(facts: SeriesHeaderFacts): MrdHeader {
  const { protocol, series, sampling, coilNames, seed } = facts;
  const { sequence, acceleration, geometry } = series;
  const isTrain = sequence.kind === 'tse' || sequence.kind === 'stirTse';
  const tiMs = inversionTimeMs(sequence);
  const teMs = typeof sequence.teMs === 'number' ? [sequence.teMs] : [...sequence.teMs];
  const counter = (count: number) => ({ minimum: 0, maximum: count - 1, center: 0 });
  return {
    subjectInformation: { patientName: `Simulated^Spine^${seed}`, patientID: `SIMULATED-${seed}` },
    studyInformation: {
      studyID: `SIM${seed}`,
      studyDescription: `Simulated: ${protocol.title}`,
      studyInstanceUID: uid(seed, 1),
      bodyPartExamined: protocol.bodyPart,
    },
    measurementInformation: {
      measurementID: `simulated_${seed}_${series.id}`,
      patientPosition: 'HFS',
      initialSeriesNumber: protocol.series.findIndex(({ id }) => id === series.id) + 1,
      protocolName: series.seriesDescription,
      sequenceName: sequence.kind,
      seriesDescription: series.seriesDescription,
      measurementDependency: [],
      frameOfReferenceUID: uid(seed, 2),
    },
    acquisitionSystemInformation: {
      systemVendor: 'Conus',
      systemModel: 'scanner simulator',
      systemFieldStrength_T: protocol.fieldStrengthT,
      relativeReceiverNoiseBandwidth: facts.relativeReceiverNoiseBandwidth,
      receiverChannels: coilNames.length,
      coilLabel: coilNames.map((coilName, coilNumber) => ({ coilNumber, coilName })),
    },
    experimentalConditions: {
      H1resonanceFrequency_Hz: Math.round(protonGyromagneticRatioMHzPerT * 1e6 * protocol.fieldStrengthT),
    },
    encoding: [
      {
        ...encodingSpaces(sampling, geometry.slices.thicknessMm),
        encodingLimits: {
          kspace_encoding_step_1: limitsOf(phaseOf(sampling)),
          kspace_encoding_step_2: { minimum: 0, maximum: 0, center: 0 },
          average: counter(series.averages),
          slice: counter(nSlicesOf(series)),
          contrast: counter(teMs.length),
          repetition: counter(1),
          set: counter(1),
        },
        trajectory: 'cartesian',
        ...(acceleration.factor > 1 && {
          parallelImaging: {
            accelerationFactor: { kspace_encoding_step_1: acceleration.factor, kspace_encoding_step_2: 1 },
            calibrationMode: acceleration.calibration === 'none' ? 'other' : acceleration.calibration,
          },
        }),
        echoTrainLength: echoTrainLengthOf(sequence),
      },
    ],
    sequenceParameters: {
      TR: [sequence.trMs],
      TE: teMs,
      TI: tiMs === undefined ? [] : [tiMs],
      flipAngle_deg: [sequence.flipAngleDeg],
      sequence_type: isTrain ? 'TurboSpinEcho' : 'Flash',
      echo_spacing: isTrain ? [sequence.echoSpacingMs] : [],
      diffusion: [],
    },
    waveformInformation: [],
    userParameters: simulatedParameters,
  };
}

/** The same for all series of a seed: 2.25 and 122 bits drawn from it, with the marks of a random UUID (RFC 9562). */
function uid(seed: number, purpose: number): string {
  const random = new Random((seed ^ (purpose * 0x9e37_79b9)) >>> 0);
  const words = Array.from({ length: 4 }, () => BigInt(Math.floor(random.uniform() * 2 ** 32)));
  const bits = words.reduce((sum, word) => (sum << 32n) | word, 0n);
  const version = (bits & ~(0xfn << 76n)) | (4n << 76n);
  return `2.25.${(version & ~(3n << 62n)) | (2n << 62n)}`;
}
