/**
 * Messages of the live channel as bytes: the one place that knows of MessagePack. Without `moreTypes` msgpackr writes
 * the values of a Float32Array as bytes and loses them; without `useRecords: false` only msgpackr could read it.
 */
import { Packr } from 'msgpackr';
import type { z } from 'zod';
import { liveError } from './errors.js';
import { clientMessageSchema, serverMessageSchema } from './messages.js';
import type { ClientMessage, ServerMessage } from './messages.js';

const packr = new Packr({ moreTypes: true, useRecords: false, variableMapSize: true });

export function encodeMessage(message: ClientMessage | ServerMessage): Uint8Array {
  return packr.pack(message);
}

/** @throws CodedError CONUS_ERR_LIVE_MESSAGE */
export const decodeClientMessage = (bytes: Uint8Array): ClientMessage => decoded(bytes, clientMessageSchema);

/** @throws CodedError CONUS_ERR_LIVE_MESSAGE */
export const decodeServerMessage = (bytes: Uint8Array): ServerMessage => decoded(bytes, serverMessageSchema);

function decoded<Schema extends z.ZodType>(bytes: Uint8Array, schema: Schema): z.output<Schema> {
  let value: unknown;
  try {
    value = packr.unpack(bytes);
  } catch (cause) {
    throw liveError('CONUS_ERR_LIVE_MESSAGE', `${bytes.length} bytes that are no MessagePack`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw liveError('CONUS_ERR_LIVE_MESSAGE', `another message (${parsed.error.issues[0]?.path.join('.') ?? ''})`);
  return parsed.data;
}
