/** The client's side of a session: a stream played to an MRD server, and all that it answers. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { finished } from 'node:stream/promises';
import { MrdParser } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { cliError } from './errors.js';
import { writeImages } from './imageWriter.js';
import type { CliIo } from './io.js';
import { Progress } from './progress.js';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** What the server answered, and when. */
export interface PlayedSession {
  readonly images: readonly MrdImage[];
  readonly texts: readonly string[];
  /** Of the answer; none where it is not kept. */
  readonly files: readonly string[];
  readonly totalMs: number;
  readonly lastReadoutToLastImageMs: number | undefined;
}

interface Answer {
  readonly images: MrdImage[];
  readonly texts: string[];
  lastImageAt: number | undefined;
  isClosed: boolean;
}

/**
 * Plays a stream from CONFIG to CLOSE and reads the answer to its CLOSE.
 * @param output `.mrd` (byte for byte), `.h5` or `.png`; undefined: the answer is not kept
 * @throws CodedError CONUS_ERR_CONNECTION, CONUS_ERR_OUTPUT, and what the pieces throw
 */
export async function playSession(
  pieces: AsyncIterable<Uint8Array>, address: ServerAddress, output: string | undefined, io: CliIo,
): Promise<PlayedSession> {
  const startedAt = performance.now();
  const socket = await connected(address);
  const receiving = receive(socket, output);
  let lastSentAt: number;
  try {
    lastSentAt = await sendAll(socket, pieces, new Progress(io));
  } catch (error) {
    socket.destroy();
    await receiving.catch(() => undefined);
    throw error;
  }
  const { images, texts, isClosed, lastImageAt } = await receiving;
  const totalMs = performance.now() - startedAt;
  const files = output === undefined ? [] : await written(output, images);
  if (!isClosed) throw cliError('CONUS_ERR_CONNECTION', `the end of the connection without CLOSE, after ${images.length} images`);
  return { images, texts, files, totalMs, lastReadoutToLastImageMs: lastImageAt === undefined ? undefined : lastImageAt - lastSentAt };
}

async function connected({ host, port }: ServerAddress): Promise<Socket> {
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

/** Leaves no listener behind: a stream drains thousands of times. A connection that breaks is met where it is read. */
async function drainedOrClosed(socket: Socket): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
  } catch (error) {
    if (!socket.destroyed) throw error;
  } finally {
    over.abort();
  }
}

/** Reads to CLOSE. @throws CodedError CONUS_ERR_CONNECTION, CONUS_ERR_OUTPUT */
async function receive(socket: Socket, output: string | undefined): Promise<Answer> {
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
  const file = output !== undefined && extname(output).toLowerCase() === '.mrd' ? createWriteStream(output) : undefined;
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
