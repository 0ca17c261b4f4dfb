/** `conus send IN -o OUT`: a client that plays a stream to a server, like a scanner, and keeps the answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MrdParser } from 'ismrmrd';
import type { AcquisitionHeader } from 'ismrmrd';
import { askingFor } from './askingFor.js';
import { playSession } from './client.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { openSource } from './source.js';

export interface SendOptions {
  readonly output: string;
  readonly host: string;
  readonly port: number;
  /** Time between the starts of two readouts, µs; as fast as the socket takes them where it is absent. */
  readonly paceUs?: number;
  /** Parameters that the stream asks for beside its own. */
  readonly set: Readonly<Record<string, string>>;
  readonly json: boolean;
}

/** @throws CodedError CONUS_ERR_INPUT, CONUS_ERR_CONNECTION, CONUS_ERR_OUTPUT, MRD_ERR_* of a paced input */
export async function send(input: string, options: SendOptions, io: CliIo): Promise<ExitCode> {
  const { bytes } = await openSource(input, io);
  const asking = Object.keys(options.set).length === 0 ? bytes : askingFor(bytes, options.set);
  const pieces = options.paceUs === undefined ? asking : paced(asking, options.paceUs);
  const { images, texts, files, totalMs, lastReadoutToLastImageMs } = await playSession(pieces, options, options.output, io);
  if (options.json) {
    printJson(io.stdout, { nImages: images.length, texts, files, totalMs, lastReadoutToLastImageMs });
  } else {
    for (const text of texts) io.stderr.write(`${text}\n`);
    const latency = lastReadoutToLastImageMs === undefined ? '' : `, last readout to last image ${lastReadoutToLastImageMs.toFixed(1)} ms`;
    io.stderr.write(`${images.length} images, ${totalMs.toFixed(0)} ms${latency} -> ${files.join(', ')}\n`);
  }
  return answerExitCode(texts, images.length);
}

/** What a server's answer means to whoever started the command. */
export function answerExitCode(texts: readonly string[], nImages: number): ExitCode {
  if (!texts.some((text) => text.startsWith('ERR '))) return ExitCode.ok;
  return nImages > 0 ? ExitCode.partial : ExitCode.input;
}

/**
 * The stream cut before the samples of each readout, with a pause at each cut. The parser stops where
 * its sink has no room, which is just there.
 */
async function* paced(bytes: AsyncIterable<Uint8Array>, paceUs: number): AsyncIterable<Uint8Array> {
  let scratch = new Float32Array(0);
  let isDue = false;
  const allocate = ({ nChannels, nSamples }: AcquisitionHeader) => {
    if (!isDue) return undefined;
    isDue = false;
    const nFloats = 2 * nChannels * nSamples;
    if (scratch.length < nFloats) scratch = new Float32Array(nFloats);
    return scratch.subarray(0, nFloats);
  };
  const parser = new MrdParser({ allocate });
  let nextAt = performance.now();
  for await (const chunk of bytes) {
    let rest = chunk;
    for (;;) {
      const nTaken = parser.write(rest);
      if (nTaken > 0) yield rest.subarray(0, nTaken);
      if (!parser.waiting) break;
      rest = rest.subarray(nTaken);
      const delayMs = nextAt - performance.now();
      if (delayMs > 0) await sleep(delayMs);
      nextAt += paceUs / 1000;
      isDue = true;
    }
  }
}
