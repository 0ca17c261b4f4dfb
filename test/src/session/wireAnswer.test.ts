import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseMessages } from 'ismrmrd';
import { WireAnswer } from '../../../src/session/wireAnswer.js';

describe('remarks on the wire', () => {
  const written: Uint8Array[] = [];
  const sink = { write: (parts: readonly Uint8Array[]) => void written.push(...parts), ready: () => undefined };
  const messages = () => parseMessages(Buffer.concat(written));

  beforeEach(() => {
    written.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it('wait for the next answer and go before it, in their order', async () => {
    const answer = new WireAnswer(sink);
    answer.text('first');
    answer.text('second');
    expect(written).toHaveLength(0);
    answer.response(7n, 'third');
    answer.text('fourth');
    await answer.close();
    expect(messages()).toEqual([
      { kind: 'text', text: 'first' },
      { kind: 'text', text: 'second' },
      { kind: 'response', correlationId: 7n, response: 'third' },
      { kind: 'text', text: 'fourth' },
      { kind: 'close' },
    ]);
  });

  it('go by themselves after a second', () => {
    const answer = new WireAnswer(sink);
    answer.text('lonely');
    vi.advanceTimersByTime(999);
    expect(written).toHaveLength(0);
    vi.advanceTimersByTime(1);
    expect(messages()).toEqual([{ kind: 'text', text: 'lonely' }]);
  });

  it('are never empty', async () => {
    const answer = new WireAnswer(sink);
    answer.text('');
    await answer.close();
    expect(messages()).toEqual([{ kind: 'close' }]);
  });
});
