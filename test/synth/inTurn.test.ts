import { describe, expect, it } from 'vitest';
import { inTurn } from '../../synth/inTurn.js';

describe('questions in turn', () => {
  it('takes the answers in their order, with two questions ahead of the one that is answered next', async () => {
    const told: string[] = [];
    await inTurn(Array.from({ length: 5 }, (_, k) => ({
      ask: () => { told.push(`ask ${k}`); return Promise.resolve(k); },
      take: (answer: number) => { told.push(`take ${answer}`); },
    })));
    expect(told).toEqual(['ask 0', 'ask 1', 'ask 2', 'take 0', 'ask 3', 'take 1', 'ask 4', 'take 2', 'take 3', 'take 4']);
  });

  it('fails with the first that fails, and asks no more', async () => {
    const asked: number[] = [];
    const questions = Array.from({ length: 6 }, (_, k) => ({
      ask: () => { asked.push(k); return k >= 1 ? Promise.reject(new Error(`question ${k}`)) : Promise.resolve(k); },
      take: () => undefined,
    }));
    await expect(inTurn(questions)).rejects.toThrow('question 1');
    expect(asked).toEqual([0, 1, 2, 3]);
  });
});
