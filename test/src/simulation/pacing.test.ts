import { describe, expect, it } from 'vitest';
import { paced, type TimedMessage } from '../../../src/simulation/index.js';

const messages: TimedMessage[] = [0, 0, 60, 120].map((dueMs, index) => ({ parts: [Uint8Array.of(index), Uint8Array.of(10 + index)], dueMs }));

async function played(speed: number | undefined): Promise<{ bytes: number[]; tookMs: number }> {
  const startedAt = performance.now();
  const bytes: number[] = [];
  for await (const part of paced(messages, speed)) bytes.push(...part);
  return { bytes, tookMs: performance.now() - startedAt };
}

describe('paced', () => {
  it('gives every part in order, with and without waiting', async () => {
    const expected = [0, 10, 1, 11, 2, 12, 3, 13];
    expect((await played(undefined)).bytes).toEqual(expected);
    expect((await played(4)).bytes).toEqual(expected);
  });

  it('never gives a message before it is due', async () => {
    expect((await played(1)).tookMs).toBeGreaterThanOrEqual(118);
    expect((await played(3)).tookMs).toBeGreaterThanOrEqual(38);
  });
});
