/** `conus send IN -o OUT`: a client that plays a stream to a server, like a scanner, and keeps the answer. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { MrdParser } from 'ismrmrd';
import type { AcquisitionHeader, MrdImage } from 'ismrmrd';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { writeImages } from './imageWriter.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';
import { Progress } from './progress.js';
import { openSource } from './source.js';

export interface SendOptions {
  readonly output: string;
  readonly host: string;
  readonly port: number;
  /** Time between the starts of two readouts, µs; as fast as the socket takes them where it is absent. */
  readonly paceUs?: number;
  readonly json: boolean;
}

/** What the server answered, and when. */
interface Answer {
  readonly images: MrdImage[];
  readonly texts: string[];
  lastImageAt: number | undefined;
  isClosed: boolean;
}

/** @throws CodedError CONUS_ERR_INPUT, CONUS_ERR_CONNECTION, CONUS_ERR_OUTPUT, MRD_ERR_* of a paced input */
export async function send(input: string, options: SendOptions, io: CliIo): Promise<ExitCode> {
  const { bytes } = await openSource(input, io);
  const startedAt = performance.now();
  const socket = await connected(options);
  const receiving = receive(socket, options.output);
  let lastSentAt: number;
  try {
    const pieces = options.paceUs === undefined ? bytes : paced(bytes, options.paceUs);
    lastSentAt = await sendAll(socket, pieces, new Progress(io));
  } catch (error) {
    socket.destroy();
    await receiving.catch(() => undefined);
    throw error;
  }
  const answer = await receiving;
  const totalMs = performance.now() - startedAt;
  const files = await written(options.output, answer.images);

  const { texts, images, isClosed } = answer;
  if (!isClosed) throw cliError('CONUS_ERR_CONNECTION', `the end of the connection without CLOSE, after ${images.length} images`);
  const lastReadoutToLastImageMs = answer.lastImageAt === undefined ? undefined : answer.lastImageAt - lastSentAt;
  if (options.json) {
    printJson(io.stdout, { nImages: images.length, texts, files, totalMs, lastReadoutToLastImageMs });
  } else {
    for (const text of texts) io.stderr.write(`${text}\n`);
    const latency = lastReadoutToLastImageMs === undefined ? '' : `, last readout to last image ${lastReadoutToLastImageMs.toFixed(1)} ms`;
    io.stderr.write(`${images.length} images, ${totalMs.toFixed(0)} ms${latency} -> ${files.join(', ')}\n`);
  }
  if (!texts.some((text) => text.startsWith('ERR '))) return ExitCode.ok;
  return images.length > 0 ? ExitCode.partial : ExitCode.input;
}

async function connected({ host, port }: SendOptions): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
    return socket;
  } catch (cause) {
    throw cliError('CONUS_ERR_CONNECTION', `${host}:${port} (${(cause as Error).message})`, { cause });
  }
}

/** @returns when the last byte was handed to the system; in a paced stream that is with the last readout */
async function sendAll(socket: Socket, pieces: AsyncIterable<Uint8Array>, progress: Progress): Promise<number> {
  let nBytes = 0;
  let lastSentAt = performance.now();
  for await (const piece of pieces) {
    // A server that refuses the stream answers and closes: the rest has nowhere to go.
    if (socket.destroyed || socket.readableEnded) break;
    if (!socket.write(piece)) await drainedOrClosed(socket);
    lastSentAt = performance.now();
    nBytes += piece.length;
    progress.update(() => `${(nBytes / 2 ** 20).toFixed(1)} MiB sent`);
  }
  progress.end();
  return lastSentAt;
}

/** Leaves no listener behind: a stream drains thousands of times. */
async function drainedOrClosed(socket: Socket): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
  } finally {
    over.abort();
  }
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

/** Reads to CLOSE. @throws CodedError CONUS_ERR_CONNECTION, CONUS_ERR_OUTPUT */
async function receive(socket: Socket, output: string): Promise<Answer> {
  const answer: Answer = { images: [], texts: [], lastImageAt: undefined, isClosed: false };
  const parser = new MrdParser({
    image: (image) => {
      answer.images.push(image);
      answer.lastImageAt = performance.now();
    },
    text: (text) => answer.texts.push(text),
    response: (_correlationId, response) => answer.texts.push(response),
    dependency: (attributes) => answer.texts.push(attributes),
    close: () => {
      answer.isClosed = true;
    },
  });
  const file = extname(output).toLowerCase() === '.mrd' ? createWriteStream(output) : undefined;
  const fileDone = file === undefined ? undefined : finished(file);
  fileDone?.catch(() => undefined);
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (file?.write(chunk) === false) await Promise.race([once(file, 'drain'), fileDone]);
      parser.write(chunk);
      if (answer.isClosed) break;
    }
  } catch (cause) {
    if (!answer.isClosed) throw cliError('CONUS_ERR_CONNECTION', `a broken answer (${(cause as Error).message})`, { cause });
  } finally {
    socket.end();
    socket.destroySoon();
    file?.end();
  }
  await fileDone?.catch((cause: Error) => {
    throw cliError('CONUS_ERR_OUTPUT', `${output} (${cause.message})`, { cause });
  });
  return answer;
}

async function written(output: string, images: readonly MrdImage[]): Promise<string[]> {
  if (extname(output).toLowerCase() === '.mrd') return [output];
  try {
    return await writeImages(output, images);
  } catch (cause) {
    throw cliError('CONUS_ERR_OUTPUT', `${output} (${(cause as Error).message})`, { cause });
  }
}
