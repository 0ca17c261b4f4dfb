import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, createSessionMemory } from '../../../recon/index.js';

const refused = expect.objectContaining({ code: 'RECON_ERR_MEMORY_LIMIT' });

describe('the arena', () => {
  it('hands out aligned spans that never overlap, takes them back and merges them', () => {
    // Positive: allocate so many bytes; negative: release one of the held spans.
    const anyStep = fc.oneof(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: -100, max: -1 }));
    const limitBytes = 2 ** 18;
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 120 }), fc.integer({ min: 0, max: 999 }), (steps, startByte) => {
        const memory = createSessionMemory(limitBytes);
        const arena = new Arena(memory, { startByte, limitBytes });
        const held: { pointer: number; nBytes: number; mark: number }[] = [];
        const whole = arena.allocate(limitBytes - 1088);
        arena.release(whole);
        let nextMark = 1;
        for (const step of steps) {
          if (step >= 0) {
            let pointer: number;
            try {
              pointer = arena.allocate(step);
            } catch (error) {
              expect(error).toEqual(refused);
              continue;
            }
            expect(pointer % 64).toBe(0);
            expect(pointer).toBeGreaterThanOrEqual(Math.max(1, startByte));
            expect(pointer + step).toBeLessThanOrEqual(memory.buffer.byteLength);
            const mark = nextMark++ % 256;
            arena.u8(pointer, step).fill(mark);
            held.push({ pointer, nBytes: step, mark });
          } else if (held.length > 0) {
            const [span] = held.splice(-step % held.length, 1);
            arena.release(span!.pointer);
          }
          expect(arena.peakBytes).toBeGreaterThanOrEqual(arena.usedBytes);
          expect(arena.usedBytes).toBeGreaterThanOrEqual(held.reduce((sum, { nBytes }) => sum + nBytes, 0));
        }
        for (const { pointer, nBytes, mark } of held) {
          expect(arena.u8(pointer, nBytes).every((byte) => byte === mark), 'nobody else wrote here').toBe(true);
          arena.release(pointer);
        }
        expect(arena.usedBytes).toBe(0);
        expect(arena.allocate(limitBytes - 1088), 'one span again').toBe(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('takes back what is not needed of a span', () => {
    const limitBytes = 2 ** 20;
    const arena = new Arena(createSessionMemory(limitBytes), { startByte: 64, limitBytes });
    const span = arena.allocate(6400);
    const kept = arena.trim(span, span + 1000, 2000);
    expect(kept).toBe(span + 960);
    expect(arena.usedBytes).toBe(2048);
    expect(arena.allocate(960)).toBe(span);
    expect(arena.allocate(64)).toBe(kept + 2048);
    expect(() => arena.trim(span + 64, span + 64, 64)).toThrow();
    arena.release(kept);
    const whole = arena.allocate(640);
    expect(arena.trim(whole, whole, 640)).toBe(whole);
    arena.release(whole);
  });

  it('reuses the first span that fits', () => {
    const memory = createSessionMemory(2 ** 20);
    const arena = new Arena(memory, { startByte: 0, limitBytes: 2 ** 20 });
    const [first, second, third] = [arena.allocate(640), arena.allocate(64), arena.allocate(640)];
    arena.release(first);
    arena.release(third);
    expect(arena.allocate(1000)).toBeGreaterThan(second);
    expect(arena.allocate(100)).toBe(first);
    expect(arena.allocate(512)).toBe(first + 128);
  });

  it('grows the memory as it is needed and no further than the limit', () => {
    const limitBytes = 4 * 65536;
    const memory = createSessionMemory(limitBytes);
    const arena = new Arena(memory, { startByte: 0, limitBytes });
    expect(memory.buffer.byteLength).toBe(65536);
    const pointer = arena.allocate(100_000);
    expect(memory.buffer.byteLength).toBe(2 * 65536);
    arena.f64(pointer, 12_500).fill(1);
    expect(() => arena.allocate(200_000)).toThrow(refused);
    expect(memory.buffer.byteLength).toBe(2 * 65536);
    arena.release(pointer);
    expect(arena.allocate(200_000)).toBe(pointer);
    expect(arena.peakBytes).toBe(200_000);
  });

  it('says so with the same code when the memory itself ends before the limit', () => {
    const memory = createSessionMemory(65536);
    const arena = new Arena(memory, { startByte: 0, limitBytes: 2 ** 20 });
    expect(() => arena.allocate(70_000)).toThrow(refused);
    expect(arena.usedBytes).toBe(0);
    expect(arena.allocate(60_000)).toBe(64);
  });

  it('keeps to its range, so that several share one memory', () => {
    const limitBytes = 2 ** 20;
    const memory = createSessionMemory(limitBytes);
    const low = new Arena(memory, { startByte: 0, endByte: 65536, limitBytes });
    const high = new Arena(memory, { startByte: 65536, limitBytes });
    expect(() => low.allocate(65536)).toThrow(refused);
    expect(high.allocate(65536)).toBe(65536);
    expect(low.allocate(65536 - 64)).toBe(64);
  });

  it('gives scratch back, also when its user fails', () => {
    const memory = createSessionMemory(2 ** 20);
    const arena = new Arena(memory, { startByte: 0, limitBytes: 2 ** 20 });
    expect(arena.withScratch(100, (pointer) => pointer + arena.usedBytes)).toBe(64 + 128);
    expect(() =>
      arena.withScratch(100, () => {
        throw new Error('spilt');
      }),
    ).toThrow('spilt');
    expect(arena.usedBytes).toBe(0);
  });

  it('refuses to take back what it did not give', () => {
    const memory = createSessionMemory(2 ** 20);
    const arena = new Arena(memory, { startByte: 0, limitBytes: 2 ** 20 });
    const pointer = arena.allocate(100);
    const notGiven = expect.objectContaining({ code: 'RECON_ERR_MEMORY_RELEASE' });
    expect(() => arena.release(pointer + 64)).toThrow(notGiven);
    arena.release(pointer);
    expect(() => arena.release(pointer)).toThrow(notGiven);
  });
});
