/** WAVEFORM: header, samples. One without samples is accepted: it says that nothing was recorded. */
import { mrdError } from './errors.js';
import type { ParserLimits } from './limits.js';
import type { MessageReader, StreamInput } from './streamInput.js';
import type { MrdSink, WaveformHeader } from './types.js';
import { decodeWaveformHeader, WAVEFORM_HEADER_BYTES } from './waveformHeader.js';

export class WaveformReader implements MessageReader {
  readonly #input: StreamInput;
  readonly #sink: MrdSink;
  readonly #limits: ParserLimits;
  #state: 'header' | 'samples' = 'header';
  #header!: WaveformHeader;

  constructor(input: StreamInput, sink: MrdSink, limits: ParserLimits) {
    this.#input = input;
    this.#sink = sink;
    this.#limits = limits;
  }

  begin(): void {
    this.#state = 'header';
  }

  read(): boolean {
    if (this.#state === 'header') {
      if (!this.#input.gather(WAVEFORM_HEADER_BYTES)) return false;
      this.#beginWaveform();
      this.#state = 'samples';
    }
    const bytes = this.#input.payload();
    if (bytes === undefined) return false;
    this.#sink.waveform?.({ header: this.#header, data: new Uint32Array(bytes.buffer) });
    return true;
  }

  #beginWaveform(): void {
    const header = decodeWaveformHeader(this.#input.view);
    const nSamples = header.nChannels * header.nSamples;
    if (nSamples > this.#limits.maxWaveformSamples) {
      throw mrdError('MRD_ERR_WAVEFORM_TOO_LARGE', `${header.nChannels} channels x ${header.nSamples} samples`);
    }
    this.#header = header;
    this.#input.expect(4 * nSamples);
  }
}
