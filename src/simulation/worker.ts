/** A simulation thread: prepares the exam once and computes slices as it is asked to. */
import { parentPort, workerData } from 'node:worker_threads';
import { PreparedExam, type ExamSpec } from './spec.js';
import type { SliceResult, SliceTask } from './tasks.js';

if (parentPort === null) throw new Error('this module runs in a worker thread');
const port = parentPort;
const exam = new PreparedExam(workerData as ExamSpec);

port.on('message', (task: SliceTask) => {
  let result: SliceResult;
  try {
    result =
      task.kind === 'mr'
        ? { readouts: exam.scan(task.seriesId).sliceReadouts(task.slice) }
        : { ct: exam.ct.slice(task.slice) };
  } catch (error) {
    result = { failure: error instanceof Error ? error.message : String(error) };
  }
  const arrays = 'readouts' in result ? result.readouts : 'ct' in result ? result.ct.map(({ hounsfield }) => hounsfield) : [];
  port.postMessage(result, arrays.map(({ buffer }) => buffer as ArrayBuffer));
});
