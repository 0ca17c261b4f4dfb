/**
 * Retrospective undersampling: of the lines that were acquired, those are kept that a scan with
 * acceleration R and n calibration lines would have acquired,
 *
 *   lattice     = { y : (y - c) mod R = 0 }                              through the k-space centre
 *   calibration = { c - floor(n / 2) ... c - floor(n / 2) + n - 1 }
 *
 * with their flags and the header rewritten. Where the data are accelerated themselves, c is the line of
 * their own lattice that is nearest to the centre, for the lattice.
 *
 * The reference of n calibration lines keeps all lines, and calibrates with the same ones: its coil maps
 * are those of the undersampled scans.
 */
import { encodeAcquisition, encodeHeader, encodeMessage, flagsOf, readMessages, serializeHeader } from 'ismrmrd';
import type { MrdHeader } from 'ismrmrd';
import { isLine, type ReadoutFacts } from '../raw/index.js';
import { sweepError } from './errors.js';
import type { RecordedScan } from './recordedScan.js';

export interface Sampling {
  readonly acceleration: number;
  readonly calibrationLines: number;
  /** For the reference: nothing is left out. */
  readonly keepsAllLines: boolean;
}

/** By readout: the flags that it gets; undefined where it is left out. */
export type KeptReadouts = readonly (bigint | undefined)[];

const largestAcceleration = 8;
const calibrates = flagsOf('parallelCalibration', 'parallelCalibrationAndImaging');
const ends = flagsOf('firstInSlice', 'lastInSlice', 'lastInMeasurement');

/** @throws CodedError CONUS_ERR_SWEEP_ACCELERATION, CONUS_ERR_SWEEP_CALIBRATION */
export function checkSampling(scan: RecordedScan, { acceleration, calibrationLines }: Omit<Sampling, 'keepsAllLines'>): void {
  if (acceleration % scan.acceleration !== 0 || acceleration > largestAcceleration) {
    throw sweepError('CONUS_ERR_SWEEP_ACCELERATION', `R = ${acceleration} of data with R = ${scan.acceleration}`);
  }
  const [first, end] = calibrationRange(scan, calibrationLines);
  for (let line = first; line < end; line++) {
    if (!scan.calibratable.has(line)) {
      throw sweepError('CONUS_ERR_SWEEP_CALIBRATION', `${calibrationLines} calibration lines, ${first} to ${end - 1}, of which line ${line} was not acquired`);
    }
  }
}

function calibrationRange({ centreLine }: RecordedScan, n: number): [first: number, end: number] {
  const first = centreLine - Math.floor(n / 2);
  return [first, first + n];
}

/** @throws CodedError as checkSampling */
export function keptReadouts(scan: RecordedScan, sampling: Sampling): KeptReadouts {
  checkSampling(scan, sampling);
  const [first, end] = calibrationRange(scan, sampling.calibrationLines);
  const flags = scan.readouts.map((readout): bigint | undefined => {
    if (!isLine(readout)) return readout.flags;
    const isCentral = readout.line >= first && readout.line < end;
    const plain = readout.flags & ~calibrates & ~ends;
    if (readout.use === 'calibration' && (scan.calibration === 'separate' || scan.acceleration === 1)) {
      return scan.calibration === 'separate' && isCentral ? readout.flags & ~ends : undefined;
    }
    const isRegular = (readout.line - scan.latticeLine) % sampling.acceleration === 0;
    if (scan.calibration === 'embedded' && isCentral) {
      const isImaging = isRegular || sampling.keepsAllLines;
      return plain | flagsOf(isImaging ? 'parallelCalibrationAndImaging' : 'parallelCalibration');
    }
    return isRegular || sampling.keepsAllLines ? plain : undefined;
  });
  markEnds(scan, flags);
  return flags;
}

/** The first and the last line of each image are marked, so that it waits for all of them, and the last of all. */
function markEnds({ readouts, calibration }: RecordedScan, flags: (bigint | undefined)[]): void {
  const firsts = new Map<string, number>();
  const lasts = new Map<string, number>();
  readouts.forEach((readout, index) => {
    if (flags[index] === undefined || !isOfImage(readout, calibration)) return;
    if (!firsts.has(readout.image)) firsts.set(readout.image, index);
    lasts.set(readout.image, index);
  });
  for (const index of firsts.values()) flags[index] = flags[index]! | flagsOf('firstInSlice');
  for (const index of lasts.values()) flags[index] = flags[index]! | flagsOf('lastInSlice');
  const last = Math.max(...lasts.values());
  flags[last] = flags[last]! | flagsOf('lastInMeasurement');
}

/** A line that enters an image: separate calibration lines do not. */
export function isOfImage(readout: ReadoutFacts, calibration: RecordedScan['calibration']): boolean {
  return isLine(readout) && (readout.use !== 'calibration' || calibration === 'embedded');
}

/** The header of a scan that was acquired so. */
export function rewrittenHeader({ header, calibration }: RecordedScan, acceleration: number): MrdHeader {
  const [encoding, ...others] = header.encoding;
  const parallelImaging = {
    ...encoding!.parallelImaging,
    accelerationFactor: {
      kspace_encoding_step_1: acceleration,
      kspace_encoding_step_2: encoding!.parallelImaging?.accelerationFactor.kspace_encoding_step_2 ?? 1,
    },
    calibrationMode: calibration,
  };
  return { ...header, encoding: [{ ...encoding!, parallelImaging }, ...others] };
}

/** The stream of a scan that was acquired so; images and whatever follows CLOSE are left out. @throws CodedError MRD_ERR_* */
export async function* undersampledStream(
  bytes: AsyncIterable<Uint8Array>, header: MrdHeader, kept: KeptReadouts,
): AsyncIterable<Uint8Array> {
  let index = 0;
  for await (const message of readMessages(bytes)) {
    if (message.kind === 'header') {
      yield* encodeHeader(serializeHeader(header));
    } else if (message.kind === 'acquisition') {
      const flags = kept[index++];
      const { acquisition } = message;
      if (flags !== undefined) yield* encodeAcquisition({ ...acquisition, header: { ...acquisition.header, flags } });
    } else if (message.kind !== 'image') {
      yield* encodeMessage(message);
    }
  }
}
