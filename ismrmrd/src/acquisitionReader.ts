/** ACQUISITION: header, trajectory, samples; the samples plain or NHLBI-compressed. */
import { ACQUISITION_HEADER_BYTES, decodeAcquisitionHeader } from './acquisitionHeader.js';
import { bytesOf } from './binary.js';
import { mrdError } from './errors.js';
import { flagsOf, hasFlag } from './flags.js';
import type { ParserLimits } from './limits.js';
import { decodeNhlbi, decodeNhlbiHeader, NHLBI_HEADER_BYTES, nhlbiBytes, type NhlbiHeader } from './nhlbi.js';
import type { MessageReader, StreamInput } from './streamInput.js';
import type { AcquisitionHeader, MrdSink } from './types.js';

type State =
  | 'header'
  | 'trajectory'
  | 'destination'
  | 'samples'
  | 'compressedLength'
  | 'compressedHeader'
  | 'compressedSamples';

const noFloats = new Float32Array(0);
const nhlbiFlag = flagsOf('compressionNhlbi');
const compressionFlags = flagsOf('compressionZfp', 'compressionNhlbi', 'compression3', 'compression4');

export class AcquisitionReader implements MessageReader {
  readonly #input: StreamInput;
  readonly #sink: MrdSink;
  readonly #limits: ParserLimits;
  #state: State = 'header';
  #header!: AcquisitionHeader;
  #trajectory = noFloats;
  #samples: Float32Array = noFloats;
  #compressed = false;
  #compressedBytes = 0;
  #nhlbi!: NhlbiHeader;

  constructor(input: StreamInput, sink: MrdSink, limits: ParserLimits) {
    this.#input = input;
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Whether the sink had no room for the samples. */
  get waiting(): boolean {
    return this.#state === 'destination';
  }

  begin(): void {
    this.#state = 'header';
  }

  read(): boolean {
    for (;;) {
      switch (this.#state) {
        case 'header':
          if (!this.#input.gather(ACQUISITION_HEADER_BYTES)) return false;
          this.#beginAcquisition();
          break;
        case 'trajectory': {
          const bytes = this.#input.payload();
          if (bytes === undefined) return false;
          this.#trajectory = new Float32Array(bytes.buffer);
          this.#state = 'destination';
          break;
        }
        case 'destination':
          if (!this.#findDestination()) return false;
          break;
        case 'samples':
          if (!this.#input.copied()) return false;
          return this.#deliver();
        case 'compressedLength':
          if (!this.#input.gather(4)) return false;
          this.#compressedBytes = this.#input.view.getUint32(0, true);
          this.#checkCompressedLength();
          this.#state = 'compressedHeader';
          break;
        case 'compressedHeader':
          if (!this.#input.gather(NHLBI_HEADER_BYTES)) return false;
          this.#nhlbi = decodeNhlbiHeader(this.#input.view, this.#samples.length, this.#compressedBytes);
          this.#input.expect(nhlbiBytes(this.#nhlbi));
          this.#state = 'compressedSamples';
          break;
        case 'compressedSamples': {
          const packed = this.#input.payload();
          if (packed === undefined) return false;
          decodeNhlbi(this.#nhlbi, packed, this.#samples);
          return this.#deliver();
        }
      }
    }
  }

  #beginAcquisition(): void {
    const header = decodeAcquisitionHeader(this.#input.view);
    checkAcquisition(header, this.#limits);
    this.#compressed = hasFlag(header.flags, 'compressionNhlbi');
    // What is handed over is not compressed any more.
    this.#header = this.#compressed ? { ...header, flags: header.flags & ~nhlbiFlag } : header;
    if (header.trajectoryDimensions === 0) {
      this.#trajectory = noFloats;
      this.#state = 'destination';
    } else {
      this.#input.expect(header.trajectoryDimensions * header.nSamples * 4);
      this.#state = 'trajectory';
    }
  }

  /** False when the sink has no room now. */
  #findDestination(): boolean {
    const nFloats = 2 * this.#header.nChannels * this.#header.nSamples;
    const samples =
      this.#sink.allocate === undefined ? new Float32Array(nFloats) : this.#sink.allocate(this.#header);
    if (samples === undefined) return false;
    if (samples.length !== nFloats) {
      throw mrdError('MRD_ERR_SAMPLE_DESTINATION', `${samples.length} floats for ${nFloats}`);
    }
    this.#samples = samples;
    if (this.#compressed) {
      this.#state = 'compressedLength';
    } else {
      this.#input.expectInto(bytesOf(samples));
      this.#state = 'samples';
    }
    return true;
  }

  /** Before the compressed header is waited for: is there one, and can the block be that long? */
  #checkCompressedLength(): void {
    const longest = NHLBI_HEADER_BYTES + nhlbiBytes({ elements: this.#samples.length, bits: 32 });
    if (this.#compressedBytes >= NHLBI_HEADER_BYTES && this.#compressedBytes <= longest) return;
    throw mrdError('MRD_ERR_NHLBI_LENGTH', `${this.#compressedBytes} bytes where ${longest} are the most`);
  }

  #deliver(): true {
    const acquisition = { header: this.#header, trajectory: this.#trajectory, data: this.#samples };
    this.#trajectory = noFloats;
    this.#samples = noFloats;
    this.#sink.acquisition?.(acquisition);
    return true;
  }
}

/** Everything that an acquisition header can get wrong. */
function checkAcquisition(header: AcquisitionHeader, limits: ParserLimits): void {
  const { nChannels, nSamples, trajectoryDimensions, flags } = header;
  if (nChannels === 0) throw mrdError('MRD_ERR_NO_CHANNELS', 'an acquisition with 0 active channels');
  if (nSamples === 0) throw mrdError('MRD_ERR_NO_SAMPLES', 'an acquisition with 0 samples');
  if (nChannels > limits.maxChannels) throw mrdError('MRD_ERR_TOO_MANY_CHANNELS', `${nChannels} channels`);
  if (nSamples > limits.maxSamples) throw mrdError('MRD_ERR_TOO_MANY_SAMPLES', `${nSamples} samples`);
  if (nChannels * nSamples > limits.maxAcquisitionSamples) {
    throw mrdError('MRD_ERR_ACQUISITION_TOO_LARGE', `${nChannels} channels x ${nSamples} samples`);
  }
  if (trajectoryDimensions > limits.maxTrajectoryDimensions) {
    throw mrdError('MRD_ERR_TRAJECTORY_DIMENSIONS', `${trajectoryDimensions} numbers a sample`);
  }
  if ((flags & compressionFlags) === 0n) return;
  if (hasFlag(flags, 'compressionZfp')) throw mrdError('MRD_ERR_COMPRESSION_ZFP', 'ZFP-compressed samples (flag 53)');
  if ((flags & compressionFlags) !== nhlbiFlag) {
    throw mrdError('MRD_ERR_COMPRESSION_UNKNOWN', 'a compression flag without a published format (55 or 56)');
  }
}
