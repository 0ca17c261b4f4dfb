/** A client on a plain socket: sends bytes as they are, and reads to the end of the connection. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { parseMessages } from 'ismrmrd';
import type { MrdImage, MrdMessage } from 'ismrmrd';

/** What every client knows: CLOSE, TEXT, RESPONSE, DICOM, DEPENDENCY_QUERY and IMAGE. The Gadgetron client ends itself at others. */
const understood = new Set<MrdMessage['kind']>(['close', 'text', 'response', 'dicom', 'dependency', 'image']);

export interface Answer {
  /** In order, without the CLOSE that ended them. */
  readonly messages: readonly MrdMessage[];
  readonly images: readonly MrdImage[];
  readonly texts: readonly string[];
}

export async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  // A connection that breaks is met where it is read.
  socket.on('error', () => undefined);
  return socket;
}

/**
 * Everything that comes until the server ends its side.
 * @throws unless it is messages that every client knows, then exactly one CLOSE, then the end
 */
export async function answerOn(socket: Socket): Promise<Answer> {
  const parts: Buffer[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) parts.push(chunk);
  return answerIn(Buffer.concat(parts));
}

/** @throws unless the bytes are messages that every client knows, and one CLOSE at the end */
export function answerIn(bytes: Uint8Array): Answer {
  // The parser takes nothing behind CLOSE.
  const messages = parseMessages(bytes);
  const strange = messages.filter(({ kind }) => !understood.has(kind)).map(({ kind }) => kind);
  if (strange.length > 0) throw new Error(`an answer with ${strange.join(', ')}`);
  if (messages.pop()?.kind !== 'close') throw new Error('an answer without CLOSE');
  return {
    messages,
    images: messages.flatMap((message) => (message.kind === 'image' ? [message.image] : [])),
    texts: messages.flatMap((message) => (message.kind === 'text' ? [message.text] : [])),
  };
}

/** One session. @param endsFirst the client ends its side after the last byte, as a pipe does */
export async function exchange(port: number, bytes: Uint8Array, { endsFirst = false } = {}): Promise<Answer> {
  const socket = await connected(port);
  const answering = answerOn(socket);
  socket.write(bytes);
  if (endsFirst) socket.end();
  try {
    return await answering;
  } finally {
    socket.end();
  }
}

/** Said of every scan without noise readouts and directions. */
const unremarkable = ['RECON_WARN_NO_NOISE_SCAN', 'RECON_WARN_NO_GEOMETRY', 'RECON_INFO_NOISE'];

/** The codes of what an answer says, each once, without those that hardly any scan here is free of; undefined for a text without a code. */
export function codesIn({ texts }: Answer): (string | undefined)[] {
  const codes = texts.map((text) => /^(?:ERR |WRN )?([A-Z_]+):/.exec(text)?.[1]);
  return [...new Set(codes)].filter((code) => code === undefined || !unremarkable.includes(code));
}
