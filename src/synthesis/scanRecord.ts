/** What a session tells of its scan beside the images: what a later synthesis needs, kept with the exam. */
import { hasFlag } from 'ismrmrd';
import type { AcquisitionHeader, MrdHeader } from 'ismrmrd';
import { isImagingLine } from '../exams/index.js';
import type { SessionObserver } from '../session/index.js';
import type { ScanPhysics } from './relativeScale.js';
import { refocusingOf } from './sequence.js';
import type { KnownSequence } from './sequence.js';

export interface ScanRecord {
  readonly sequence: KnownSequence;
  readonly fieldStrengthT?: number;
  readonly physics: ScanPhysics;
}

const GRADIENT_ECHOES = /^(flash|ssfp|epi)/i;

/** @param keep is told once, when the images of the session are complete */
export function scanRecorder(keep: (record: ScanRecord) => void): SessionObserver {
  let header: MrdHeader | undefined;
  let [dwellTimeUs, noiseDwellTimeUs] = [0, 0];
  let isSnr: boolean | undefined;
  const postProcessing = new Set<string>();
  let brokenCoils: readonly string[] = [];
  return {
    chosen(_choice, chosenHeader, storedNoise) {
      header = chosenHeader;
      noiseDwellTimeUs = storedNoise?.dwellTimeUs ?? 0;
    },
    readout(readout: AcquisitionHeader) {
      if (hasFlag(readout.flags, 'noiseMeasurement')) noiseDwellTimeUs = readout.sampleTimeUs;
      else if (dwellTimeUs === 0 && isImagingLine(readout)) dwellTimeUs = readout.sampleTimeUs;
    },
    imageMade({ kind, snrUnits, postProcessing: steps }) {
      if (kind !== 'image') return;
      isSnr = snrUnits && isSnr !== false;
      for (const step of steps) postProcessing.add(step);
    },
    reconstructed({ noise }) {
      brokenCoils = noise?.coils.filter(({ fault }) => fault !== undefined).map(({ name }) => name) ?? [];
    },
    completed() {
      const encoding = header?.encoding[0];
      if (header === undefined || encoding === undefined || isSnr === undefined) return;
      keep(recordOf(header, encoding, { dwellTimeUs, noiseDwellTimeUs, snrUnits: isSnr, postProcessing: [...postProcessing], brokenCoils }));
    },
  };
}

type Observed = Pick<ScanPhysics, 'dwellTimeUs' | 'noiseDwellTimeUs' | 'snrUnits' | 'postProcessing' | 'brokenCoils'>;

export function recordOf(header: MrdHeader, encoding: MrdHeader['encoding'][number], observed: Observed): ScanRecord {
  const { encodedSpace: encoded, reconSpace: recon } = encoding;
  const { acquisitionSystemInformation: system, measurementInformation: measurement } = header;
  const is3D = encoded.matrixSize.z > 1;
  const axes = is3D ? (['x', 'y', 'z'] as const) : (['x', 'y'] as const);
  return {
    sequence: sequenceOfHeader(header),
    ...(system?.systemFieldStrength_T !== undefined && { fieldStrengthT: system.systemFieldStrength_T }),
    physics: {
      ...observed,
      encodedFovMm: axes.map((axis) => encoded.fieldOfView_mm[axis]),
      // As the reconstruction plans it (recon/cartesian/plan.ts).
      paddedSize: axes.map((axis) => Math.round((recon.matrixSize[axis] * encoded.fieldOfView_mm[axis]) / recon.fieldOfView_mm[axis])),
      ...(!is3D && { sliceThicknessMm: encoded.fieldOfView_mm.z }),
      coilNames: system?.coilLabel.map(({ coilName }) => coilName) ?? [],
      ...(measurement?.patientPosition !== undefined && { patientPosition: measurement.patientPosition }),
      ...(measurement?.frameOfReferenceUID !== undefined && { frameOfReferenceUid: measurement.frameOfReferenceUID }),
      ...(system?.relativeReceiverNoiseBandwidth !== undefined && { relativeReceiverNoiseBandwidth: system.relativeReceiverNoiseBandwidth }),
    },
  };
}

export function sequenceOfHeader({ sequenceParameters: sequence, encoding }: MrdHeader): KnownSequence {
  const type = sequence?.sequence_type;
  return {
    trMs: sequence?.TR[0],
    teMs: sequence?.TE[0],
    echoTrainLength: encoding[0]?.echoTrainLength,
    echoSpacingMs: sequence?.echo_spacing[0],
    refocusingAngleDeg: refocusingOf(sequence?.flipAngle_deg[0]),
    isGradientEcho: type === undefined ? undefined : GRADIENT_ECHOES.test(type),
    hasInversion: sequence === undefined ? undefined : sequence.TI.some((tiMs) => tiMs > 0),
  };
}
