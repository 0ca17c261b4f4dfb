/** The side of the thread: it computes and encodes, and asks the service to run the network. */
import { parentPort } from 'node:worker_threads';
import type { Tensors } from '../../models/index.js';
import { buffersOf, errorOfRecord, failureRecord } from './messages.js';
import type { FromThread, ToThread } from './messages.js';

/**
 * Does the jobs that this thread is given, one after the other.
 * @param perform gives the inputs of a run away: what it keeps of them is empty afterwards
 */
export function serveJob<Job, Result>(perform: (job: Job, run: (inputs: Tensors, modelId?: string) => Promise<Tensors>) => Promise<Result>): void {
  if (parentPort === null) throw new Error('this module runs in a worker thread');
  const port = parentPort;
  const say = (message: FromThread<Result>) => port.postMessage(message);
  const underway = new Map<number, { readonly resolve: (outputs: Tensors) => void; readonly reject: (error: Error) => void }>();
  let nAsked = 0;
  const run = (inputs: Tensors, modelId?: string): Promise<Tensors> =>
    new Promise((resolve, reject) => {
      const id = nAsked++;
      underway.set(id, { resolve, reject });
      port.postMessage({ type: 'run', id, inputs, modelId } satisfies FromThread<Result>, buffersOf(inputs));
    });
  port.on('message', (message: ToThread<Job>) => {
    if (message.type === 'job') {
      perform(message.job, run).then(
        (result) => port.postMessage({ type: 'done', result } satisfies FromThread<Result>, buffersOf(result)),
        (error: unknown) => say({ type: 'failed', failure: failureRecord(error), stack: stackOf(error) }),
      );
      return;
    }
    const asker = underway.get(message.id);
    underway.delete(message.id);
    if ('outputs' in message) asker?.resolve(message.outputs);
    else asker?.reject(errorOfRecord(message.failure));
  });
}

/** Without the message, which may quote anything. */
function stackOf(error: unknown): string {
  return error instanceof Error ? `${error.name}\n${error.stack?.split('\n').filter((line) => line.startsWith('    at ')).join('\n') ?? ''}` : typeof error;
}
