import { expect, it } from 'vitest';
import { jobPriority } from '../../../src/jobs/index.js';
import type { WorkListLevel, WorkStage } from '../../../src/jobs/index.js';

it('urgent exams come first, then the table, then exams that are over, then what is computed anew; within these the work list decides', () => {
  const order: [WorkStage, WorkListLevel | undefined][] = [
    ['onTheTable', 'urgent'], ['finished', 'urgent'], ['onTheTable', 'soon'], ['onTheTable', undefined], ['finished', 'soon'], ['finished', 'routine'],
    ['retro', 'urgent'], ['retro', 'soon'], ['retro', 'routine'],
  ];
  const priorities = order.map(([stage, level]) => jobPriority(stage, level));
  expect(priorities).toEqual([...new Set(priorities)].sort((a, b) => a - b));
  expect(Math.min(...priorities)).toBe(1);
  expect(Math.max(...priorities)).toBeLessThanOrEqual(100);
  expect(jobPriority('onTheTable')).toBe(jobPriority('onTheTable', 'routine'));
});
