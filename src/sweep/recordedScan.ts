/** The scan that is to be undersampled, as its header and its readouts tell it. */
import { MrdParser, parseHeader } from 'ismrmrd';
import type { MrdHeader } from 'ismrmrd';
import { isLine, ReadoutCensus, type ReadoutFacts } from '../raw/index.js';
import { sweepError } from './errors.js';

export interface RecordedScan {
  readonly header: MrdHeader;
  /** Every readout, in the order of acquisition. */
  readonly readouts: readonly ReadoutFacts[];
  /** Its own. */
  readonly acceleration: number;
  /** Separate calibration lines stand apart; embedded ones are lines of the image. Either may be fewer than none. */
  readonly calibration: 'embedded' | 'separate';
  /** Counter of the line at the k-space centre. */
  readonly centreLine: number;
  /** The line of its own lattice that is nearest to the centre: every coarser lattice runs through it. */
  readonly latticeLine: number;
  /** Lines that calibration lines can be taken from: of the first image, or separate ones of its slice. */
  readonly calibratable: ReadonlySet<number>;
}

/** Reads a stream to its end, without keeping samples. @throws CodedError CONUS_ERR_SWEEP_DATA, MRD_ERR_* */
export async function readRecordedScan(bytes: AsyncIterable<Uint8Array>): Promise<RecordedScan> {
  const census = new ReadoutCensus();
  let header: MrdHeader | undefined;
  let scratch = new Float32Array(0);
  const parser = new MrdParser({
    header: (xml) => {
      header = parseHeader(xml);
    },
    allocate: ({ nChannels, nSamples }) => {
      const nFloats = 2 * nChannels * nSamples;
      if (scratch.length < nFloats) scratch = new Float32Array(nFloats);
      return scratch.subarray(0, nFloats);
    },
    acquisition: (acquisition) => census.add(acquisition.header),
  });
  for await (const chunk of bytes) parser.write(chunk);
  if (header === undefined) throw sweepError('CONUS_ERR_SWEEP_DATA', 'a stream without a header');
  return recordedScan(header, census.readouts);
}

function recordedScan(header: MrdHeader, readouts: readonly ReadoutFacts[]): RecordedScan {
  const refuse = (got: string): never => {
    throw sweepError('CONUS_ERR_SWEEP_DATA', got);
  };
  const encoding = header.encoding[0] ?? refuse('a header without an encoding');
  if (encoding.trajectory !== 'cartesian') refuse(`trajectory "${encoding.trajectory}"`);
  if (encoding.encodedSpace.matrixSize.z > 1) refuse(`a 3D scan of ${encoding.encodedSpace.matrixSize.z} partitions`);
  const { accelerationFactor, calibrationMode } = encoding.parallelImaging ?? {};
  if (calibrationMode === 'interleaved') refuse('calibrationMode "interleaved"');
  const acceleration = accelerationFactor?.kspace_encoding_step_1 ?? 1;
  const calibration = acceleration > 1 && (calibrationMode === 'separate' || calibrationMode === 'external') ? 'separate' : 'embedded';

  const lines = readouts.filter(isLine);
  if (lines.some(({ encodingSpaceRef }) => encodingSpaceRef !== 0)) refuse('lines of more than one encoding');
  const imaging = lines.filter(({ use }) => use !== 'calibration');
  const first = imaging[0] ?? refuse('no imaging readouts');
  const { nLines, limits } = { nLines: encoding.encodedSpace.matrixSize.y, limits: encoding.encodingLimits.kspace_encoding_step_1 };
  const centreLine = limits?.center ?? Math.floor(nLines / 2);
  const ofFirstImage = lines.filter(({ image, use }) => (use === 'calibration' && calibration === 'separate' ? false : image === first.image));
  const separate = lines.filter(({ slice, use }) => use === 'calibration' && slice === first.slice);
  return {
    header,
    readouts,
    acceleration,
    calibration,
    centreLine,
    latticeLine: latticeLineOf(imaging.filter(({ image }) => image === first.image).map(({ line }) => line), acceleration, centreLine),
    calibratable: new Set((calibration === 'separate' ? separate : ofFirstImage).map(({ line }) => line)),
  };
}

/** The residue that most lines share, on the line nearest to the centre. */
function latticeLineOf(lines: readonly number[], acceleration: number, centreLine: number): number {
  const counts = new Array<number>(acceleration).fill(0);
  for (const line of new Set(lines)) counts[line % acceleration]!++;
  // Where several residues have as many lines, as in fully sampled data, that of the centre is taken.
  const most = Math.max(...counts);
  const nearest = Array.from({ length: 2 * acceleration + 1 }, (_, i) => centreLine + (i % 2 === 0 ? i / 2 : -(i + 1) / 2));
  return nearest.find((line) => line >= 0 && counts[line % acceleration] === most)!;
}
