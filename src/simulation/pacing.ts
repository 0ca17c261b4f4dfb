/** A simulated stream in the time of the scanner. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A message as bytes, and when the scanner has it. */
export interface TimedMessage {
  readonly parts: readonly Uint8Array[];
  /** From the begin of the scan. */
  readonly dueMs: number;
}

/** Timers are not finer; shorter waits are made up by the next one. */
const shortestWaitMs = 2;

/**
 * The messages when they are due, or as fast as they are taken.
 * @param speed scanner time over real time; undefined: no waiting
 */
export async function* paced(messages: Iterable<TimedMessage>, speed: number | undefined): AsyncGenerator<Uint8Array> {
  let startedAt: number | undefined;
  for (const { parts, dueMs } of messages) {
    if (speed !== undefined) {
      startedAt ??= performance.now();
      const waitMs = startedAt + dueMs / speed - performance.now();
      if (waitMs >= shortestWaitMs) await sleep(waitMs);
    }
    yield* parts;
  }
}
