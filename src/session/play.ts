/** A recorded stream into a session. */
import type { Session } from './session.js';
import type { SessionSummary } from './summary.js';

/**
 * Feeds a stream to a session as fast as it takes it, and waits for its end.
 * @param seen is told how many bytes were taken so far
 * @throws what reading the stream throws
 */
export async function play(
  bytes: AsyncIterable<Uint8Array>,
  session: Session,
  seen: (nBytes: number) => void = () => undefined,
): Promise<SessionSummary> {
  let nBytes = 0;
  for await (const chunk of bytes) {
    nBytes += chunk.length;
    await session.write(chunk);
    seen(nBytes);
    if (!session.takesInput) break;
  }
  return session.end();
}
