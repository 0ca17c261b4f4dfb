import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/log.js';
import { LogRing } from '../../src/logRing.js';

const hour = 3_600_000;
const all = { level: 'trace', text: '', limit: 1000 };

describe('the log of the last hour', () => {
  it('has entries as they are logged, the latest first', () => {
    const ring = new LogRing();
    const log = createLog('debug', ring);
    log.debug('first');
    log.trace('below the level of the log');
    log.child({ session: 'abc' }).warn({ code: 'MRD_ERR_X' }, 'second');
    expect(ring.entries(all)).toMatchObject([
      { level: 'warn', text: 'second', fields: { session: 'abc', code: 'MRD_ERR_X' } },
      { level: 'debug', text: 'first', fields: {} },
    ]);
    expect(ring.entries({ ...all, level: 'info' })).toHaveLength(1);
    expect(ring.entries({ ...all, text: 'mrd_err' }).map(({ text }) => text)).toEqual(['second']);
    expect(ring.entries({ ...all, limit: 1 }).map(({ text }) => text)).toEqual(['second']);
  });

  it('forgets what is older than an hour, also where nothing more is logged', () => {
    let now = 0;
    const ring = new LogRing(1e6, () => now);
    const log = createLog('info', ring);
    for (const at of [0, 1, hour]) {
      now = at;
      log.info({ at }, 'x');
    }
    expect(ring.entries(all).map(({ at }) => at)).toEqual([hour, 1, 0]);
    now = hour + 1;
    expect(ring.entries(all).map(({ at }) => at)).toEqual([hour, 1]);
    now = 3 * hour;
    expect(ring.entries(all)).toEqual([]);
    expect(ring.nBytes).toBe(0);
  });

  it('keeps within its bytes, and of what it keeps nothing is missing', () => {
    fc.assert(fc.property(fc.array(fc.string({ maxLength: 60 }), { maxLength: 200 }), fc.integer({ min: 500, max: 5000 }), (texts, limitBytes) => {
      const ring = new LogRing(limitBytes, () => 0);
      const log = createLog('info', ring);
      texts.forEach((text, place) => log.info({ place }, text));
      const places = ring.entries(all).map(({ fields }) => fields['place'] as number);
      expect(ring.nBytes).toBeLessThanOrEqual(limitBytes);
      expect(places).toEqual(places.map((_, index) => texts.length - 1 - index));
      if (texts.length > 0) expect(places.length).toBeGreaterThan(0);
    }));
  });
});
