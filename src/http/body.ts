/** The body of a request that changes something. */
import type { z } from 'zod';
import { httpError } from './errors.js';

/** @throws CodedError CONUS_ERR_HTTP_REQUEST; it names the first field that is wrong, and quotes nothing */
export function bodyOf<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.join('.') ?? '';
  throw httpError('CONUS_ERR_HTTP_REQUEST', path === '' ? 'a body of another form' : `a body with another ${path.slice(0, 64)}`);
}
