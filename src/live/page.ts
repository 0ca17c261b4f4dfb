/** docs/live-channel.md, from the messages. */
import { z } from 'zod';
import { schemaTables, type JsonSchema } from '../schemaTables.js';
import { LIVE_PATH, LIVE_PROTOCOL } from './channel.js';
import { clientMessageSchema, serverMessageSchema } from './messages.js';

/** JSON has no bytes: what is a typed array in MessagePack is told in words. */
const toJson = (schema: z.ZodType): JsonSchema => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

export function livePage(): string {
  return [
    '# The live channel',
    '',
    'Written by `conus exams schema --markdown`; do not edit.',
    '',
    `A WebSocket at \`${LIVE_PATH}\` on the HTTP port of \`conus serve\`, subprotocol \`${LIVE_PROTOCOL}\`: exams as they happen. Each`,
    'message is one MessagePack map in a binary frame. Fields that a reader does not know are to be passed over.',
    '',
    '## How it goes',
    '1. The server says `welcome`. The client says `subscribe`; a second one takes the place of the first.',
    '2. Without `since`, the server says `reset`: all exams in memory. With `epoch` and `since` of an earlier connection it',
    '   goes on after that change, where the changes since are still kept (the latest 4096); else it says `reset`, too.',
    '3. Then come `change`s. Their sequence numbers have no gaps, so a client that applies them in order has what the server',
    '   has. A change carries the part that it replaces: the head of an exam, one series, all promises, or all actions.',
    '4. Pictures come with them as they are reconstructed, if the client asked for them.',
    '',
    '## A client that does not keep up',
    'loses pictures, and is told how many (`lost`). It never misses a change: changes wait until it reads, and if they are',
    'not kept so long, a `reset` says everything anew. The server pings every 15 s; a client that has not answered by the',
    'next ping is closed with 4408.',
    '',
    '| code | why the server closed |',
    '|---|---|',
    '| 1001 | the service stops |',
    '| 4400 | a message that is none of these (`CONUS_ERR_LIVE_MESSAGE`) |',
    '| 4408 | the client does not read (`CONUS_ERR_LIVE_SLOW`) |',
    '',
    'What is refused before the channel opens is answered over HTTP: 401 and 403 by the doors (token, origin), 404 for another',
    'path, 503 where there are too many clients. A page of another origin is refused; programs send no Origin.',
    '',
    '## Numbers in arrays',
    'Floating-point pixels are MessagePack extension 116: one byte for the type of the array (7 for float32), then the values,',
    'little-endian. msgpackr reads and writes them with `new Packr({ moreTypes: true })`; without that option it loses them.',
    '',
    '# Messages of the client',
    '',
    ...schemaTables('client', toJson(clientMessageSchema)),
    '# Messages of the server',
    '',
    ...schemaTables('server', toJson(serverMessageSchema)),
  ].join('\n');
}
