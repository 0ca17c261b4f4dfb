/** The messages of the live channel. docs/live-channel.md is written from them. */
import { z } from 'zod';
import { changeSchema, examSchema, slicePlaneSchema } from '../exams/index.js';

const sequence = z.int().min(0);
const pixels = z.custom<Uint8Array | Float32Array>((value) => value instanceof Uint8Array || value instanceof Float32Array);

export const subscribeSchema = z
  .strictObject({
    kind: z.literal('subscribe').describe('the first message of a client'),
    epoch: z.string().max(64).optional().describe('of an earlier welcome: whose sequence numbers `since` counts'),
    since: sequence.optional().describe('the last change that the client has; changes after it follow, or a reset where they are not kept any more'),
    pictures: z.enum(['none', 'thumbnails', 'slices']).default('none').describe('thumbnails: at most 96 pixels a side'),
    examIds: z.array(z.string().max(64)).max(8).optional().describe('pictures of these exams only; of all without it'),
    pixels: z.enum(['uint8', 'float32']).default('uint8').describe('uint8: in the window, 0 to 255; float32: the values themselves'),
  });

export const clientMessageSchema = z.discriminatedUnion('kind', [
  subscribeSchema,
  z.strictObject({ kind: z.literal('ping').describe('is answered with a pong'), id: z.int().min(0).default(0) }),
]);

export const pictureSchema = z.object({
  kind: z.literal('picture').describe('an image as it was made; a client that does not keep up loses pictures, never changes'),
  after: sequence.describe('sequence number of the change that tells of the image, or a later one'),
  examId: z.string(),
  seriesId: z.string(),
  output: z.string().describe('kind of the output'),
  at: z.number().describe('when it was made, ms since 1970, with fractions'),
  number: z.int().min(1).describe('within the output: GET /api/exams/ID/series/SID/images/NUMBER has it, too'),
  slice: z.int().min(0),
  rows: z.int().min(1),
  columns: z.int().min(1),
  window: z.object({ centre: z.number(), width: z.number() }).describe('in the unit of the values'),
  geometry: slicePlaneSchema.optional(),
  pixels: pixels.describe('[rows, columns]; uint8 as binary, float32 as MessagePack extension 116 (t): one byte of its type (7) and little-endian values'),
});

export const serverMessageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('welcome').describe('the first message of the server'),
    epoch: z.string().describe('of this run of the service; sequence numbers of another one mean nothing'),
    sequence: sequence.describe('of the latest change'),
    heartbeatMs: z.number().describe('how often the server pings on the level of WebSocket; a client that hears nothing for twice as long is alone'),
  }),
  z.object({
    kind: z.literal('reset').describe('everything that is known up to a change; what the client had is to be dropped'),
    sequence,
    exams: z.array(examSchema),
  }),
  z.object({ kind: z.literal('change').describe('one change; their sequence numbers have no gaps'), change: changeSchema }),
  pictureSchema,
  z.object({ kind: z.literal('lost').describe('pictures that were left out because the client did not keep up'), nPictures: z.int().min(1) }),
  z.object({ kind: z.literal('pong').describe('to a ping'), id: z.int().min(0) }),
]);

export type ClientMessage = z.input<typeof clientMessageSchema>;
export type Subscription = z.output<typeof subscribeSchema>;
export type ServerMessage = z.output<typeof serverMessageSchema>;
export type PictureMessage = z.output<typeof pictureSchema>;
