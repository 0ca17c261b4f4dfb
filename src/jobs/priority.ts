/**
 * Which work comes first, 1 … 100: an exam that a reader should see urgently, then what a patient on the table waits
 * for, then exams that are over, then what is computed anew from kept data. Within each of these, what the work list
 * proposes for the exam counts; within that, who came first.
 *
 *   urgent exams: 1 on the table, 2 finished
 *   else 10 * stage + level, with the stages on the table 1, finished 2, retro 3, and the levels urgent 1, soon 2, routine 3
 */
export type WorkStage = 'onTheTable' | 'finished' | 'retro';
export type WorkListLevel = 'urgent' | 'soon' | 'routine';

const stages: Readonly<Record<WorkStage, number>> = { onTheTable: 1, finished: 2, retro: 3 };
const levels: Readonly<Record<WorkListLevel, number>> = { urgent: 1, soon: 2, routine: 3 };

/** @param level what the work list proposes for the exam; routine where it proposes nothing */
export function jobPriority(stage: WorkStage, level: WorkListLevel = 'routine'): number {
  const ahead = level === 'urgent' && stage !== 'retro';
  return 10 * (ahead ? 0 : stages[stage]) + (ahead ? stages[stage] : levels[level]);
}
