/** The side of the thread: it computes and encodes, and asks the service to run the network. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Tensors } from '../../models/index.js';
import { errorOfRecord, failureRecord } from './messages.js';
import type { FromThread, ToThread } from './messages.js';

/** Does the job of this thread; the thread may end when it is told so. */
export function serveJob<Job, Result>(perform: (job: Job, run: (inputs: Tensors) => Promise<Tensors>) => Promise<Result>): void {
  if (parentPort === null) throw new Error('this module runs in a worker thread');
  const port = parentPort;
  const say = (message: FromThread<Result>) => port.postMessage(message);
  const asked = (inputs: Tensors): Promise<Tensors> =>
    new Promise((resolve, reject) => {
      port.once('message', (answer: ToThread) => {
        if ('outputs' in answer) resolve(answer.outputs);
        else reject(errorOfRecord(answer.failure));
      });
      say({ type: 'run', inputs });
    });

  /** Whoever asks while the network runs has to wait. */
  let turn: Promise<unknown> = Promise.resolve();
  const run = (inputs: Tensors): Promise<Tensors> => {
    const mine = turn.then(() => asked(inputs));
    turn = mine.catch(() => undefined);
    return mine;
  };

  perform(workerData as Job, run).then(
    (result) => say({ type: 'done', result }),
    (error: unknown) => say({ type: 'failed', failure: failureRecord(error), stack: stackOf(error) }),
  );
}

/** Without the message, which may quote anything. */
function stackOf(error: unknown): string {
  return error instanceof Error ? `${error.name}\n${error.stack?.split('\n').filter((line) => line.startsWith('    at ')).join('\n') ?? ''}` : typeof error;
}
