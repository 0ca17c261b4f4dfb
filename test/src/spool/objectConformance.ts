/** What every store of objects holds: that of a data folder, and the one that nodes share. */
import { describe, expect, it } from 'vitest';
import type { ObjectStore, Room } from '../../../src/spool/index.js';
import { bytesOf } from './data.js';

export interface ObjectsUnderTest {
  readonly objects: ObjectStore;
  readonly room: Room;
  transaction(work: () => void): Promise<void>;
  /** Hashes of what lies in the store. */
  lying(): string[];
  /** Other bytes in its place, behind its back. */
  damage(ref: string): void;
  /** The same after a crash. */
  restart(): Promise<ObjectsUnderTest>;
}

export function objectConformance(name: string, open: (quotaBytes?: number) => Promise<ObjectsUnderTest>): void {
  const filled = (value: number, nBytes = 1000) => new Uint8Array(nBytes).fill(value);
  /** Put, held and let go. */
  const delivered = async ({ objects, transaction }: ObjectsUnderTest, bytes: Uint8Array) => {
    const ref = await objects.put(bytes);
    await transaction(() => objects.hold(ref, 'job/x'));
    await transaction(() => objects.release(ref, 'job/x'));
    return ref;
  };

  describe(`${name}: objects`, () => {
    it('are read as they were put, once however often they are put', async () => {
      const given = await open();
      const { objects, room } = given;
      const refs = await Promise.all([1, 2, 3].map(() => objects.put(bytesOf('the same'))));
      expect(new Set(refs).size).toBe(1);
      await given.transaction(() => objects.hold(refs[0]!, 'test'));
      expect(Buffer.from(await objects.read(refs[0]!)).toString()).toBe('the same');
      expect(given.lying()).toEqual([refs[0]]);
      expect(room.state.usedBytes).toBe(8);
    });

    it('last only when they are held', async () => {
      const given = await open();
      const [held, loose] = [await given.objects.put(bytesOf('held')), await given.objects.put(bytesOf('loose'))];
      await given.transaction(() => given.objects.hold(held, 'test'));
      expect([given.objects.has(held), given.objects.has(loose)]).toEqual([true, false]);
      const again = await given.restart();
      await expect(again.room.reserve(2e9)).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
      expect([again.objects.has(held), again.objects.has(loose)]).toEqual([true, false]);
      expect(again.lying()).toEqual([held]);
      expect(again.room.state.usedBytes).toBe(4);
    });

    it('have those as holders that hold them and have not let go, each once', async () => {
      const { objects, transaction } = await open();
      const ref = await objects.put(bytesOf('held'));
      await transaction(() => ['a', 'b', 'a'].forEach((holder) => objects.hold(ref, holder)));
      expect([...objects.holders(ref)].sort()).toEqual(['a', 'b']);
      await transaction(() => objects.release(ref, 'a'));
      await transaction(() => objects.release(ref, 'nobody'));
      expect(objects.holders(ref)).toEqual(['b']);
    });

    it('that are discarded go at once, unless somebody else put or holds them', async () => {
      const given = await open();
      const { objects } = given;
      const alone = await objects.put(bytesOf('alone'));
      const shared = await objects.put(bytesOf('shared'));
      await objects.put(bytesOf('shared'));
      await objects.discard([alone, shared]);
      expect(given.lying()).toEqual([shared]);
      await given.transaction(() => objects.hold(shared, 'test'));
      expect(Buffer.from(await objects.read(shared)).toString()).toBe('shared');
      expect(given.room.state.usedBytes).toBe(6);
    });

    it('that were changed behind their back, or were never put, are not read or held', async () => {
      const given = await open();
      const { objects } = given;
      const ref = await objects.put(bytesOf('whole'));
      await given.transaction(() => objects.hold(ref, 'test'));
      given.damage(ref);
      await expect(objects.read(ref)).rejects.toMatchObject({ code: 'SPOOL_ERR_OBJECT_DAMAGED' });
      await expect(objects.read('00'.repeat(32))).rejects.toMatchObject({ code: 'SPOOL_ERR_OBJECT_MISSING' });
      await expect(given.transaction(() => objects.hold('00'.repeat(32), 'test'))).rejects.toMatchObject({ code: 'SPOOL_ERR_OBJECT_MISSING' });
    });
  });

  describe(`${name}: room`, () => {
    it('is made by cleaning away what was delivered, the oldest first, and nothing else', async () => {
      const given = await open(4000);
      const { objects, room } = given;
      const held = await objects.put(filled(1));
      await given.transaction(() => objects.hold(held, 'job/waiting'));
      const first = await delivered(given, filled(2));
      await new Promise((resolve) => setTimeout(resolve, 5));
      const second = await delivered(given, filled(3));
      await objects.put(filled(4, 2000));
      expect([held, first, second].map((ref) => objects.has(ref))).toEqual([true, false, true]);
      expect(given.lying()).not.toContain(first);
      expect(room.state).toEqual({ usedBytes: 4000, quotaBytes: 4000, isFull: false });
    });

    it('that is not there is refused, which is told once, and told when there is room again', async () => {
      const { objects, room, transaction } = await open(1000);
      const told: string[] = [];
      room.on('full', () => told.push('full')).on('room', () => told.push('room'));
      const ref = await objects.put(filled(1, 900));
      await transaction(() => objects.hold(ref, 'job/x'));
      for (let i = 0; i < 2; i++) await expect(objects.put(filled(2, 200))).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
      expect(told).toEqual(['full']);
      await transaction(() => objects.release(ref, 'job/x'));
      await objects.put(filled(2, 200));
      expect(told).toEqual(['full', 'room']);
      expect(room.state.usedBytes).toBe(200);
    });

    it('is not made of what is wanted again', async () => {
      const given = await open(2000);
      const { objects } = given;
      const ref = await delivered(given, filled(1));
      expect(await objects.put(filled(1))).toBe(ref);
      await expect(objects.put(filled(2, 1500))).rejects.toMatchObject({ code: 'SPOOL_ERR_FULL' });
      await given.transaction(() => objects.hold(ref, 'job/y'));
      expect((await objects.read(ref)).length).toBe(1000);
    });
  });
}
