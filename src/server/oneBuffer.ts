/**
 * An accepted socket that reads into one buffer. Node gives every piece of input memory of its own, 64 KiB at a time:
 * with a client that sends hundreds of megabytes a second most of a core goes there, and what is not collected yet
 * stays resident. For sockets that connect there is the option `onread`; an accepted one has to pass its connection on
 * to a second socket to get it.
 */
import { Socket } from 'node:net';
import type { SocketConstructorOpts } from 'node:net';

const bufferBytes = 256 * 1024;

/** What node's own sockets are made with; of these options it documents `onread` alone. */
interface HandleOptions extends SocketConstructorOpts {
  readonly handle: object;
  /** Reads nothing before `resume`. */
  readonly manualStart: boolean;
}

/**
 * @param accepted paused (`pauseOnConnect`); not to be used afterwards
 * @param take is given what came in, which is overwritten by what comes next; false: nothing more until `resume`
 * @returns the same connection, which reads from `resume` on
 */
export function intoOneBuffer(accepted: Socket, take: (bytes: Uint8Array) => boolean): Socket {
  const holder = accepted as unknown as { _handle: object | null };
  const handle = holder._handle;
  if (handle === null) return accepted;
  holder._handle = null;
  accepted.destroy();
  const onread = {
    buffer: Buffer.allocUnsafeSlow(bufferBytes),
    callback: (nBytes: number, buffer: Uint8Array) => take(buffer.subarray(0, nBytes)),
  };
  return new Socket({ handle, allowHalfOpen: true, manualStart: true, onread } as HandleOptions);
}
