/** The thread of one synthesis: it computes and encodes, and asks the service to run the network. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Tensors } from '../../models/index.js';
import { syntheticDescription, syntheticDicom, syntheticMrd } from '../delivery/index.js';
import { errorOfRecord, failureRecord, performSynthesis } from './perform.js';
import type { SynthesisJob } from './perform.js';
import type { EncodedSynthesis, FromThread, ToThread } from './threadMessages.js';

if (parentPort === null) throw new Error('this module runs in a worker thread');
const port = parentPort;
const say = (message: FromThread, transferred: ArrayBuffer[] = []) => port.postMessage(message, transferred);

/** Whoever asks while the network runs has to wait. */
let turn: Promise<unknown> = Promise.resolve();

function run(inputs: Tensors): Promise<Tensors> {
  const mine = turn.then(() => asked(inputs));
  turn = mine.catch(() => undefined);
  return mine;
}

function asked(inputs: Tensors): Promise<Tensors> {
  return new Promise((resolve, reject) => {
    port.once('message', (answer: ToThread) => {
      if ('outputs' in answer) resolve(answer.outputs);
      else reject(errorOfRecord(answer.failure));
    });
    say({ type: 'run', inputs });
  });
}

async function perform(job: SynthesisJob): Promise<EncodedSynthesis> {
  const { series, ...report } = await performSynthesis(job, run);
  const created = new Date();
  return {
    ...report,
    series: series.map((ofContrast) =>
      ofContrast.map((one) => ({ kind: one.kind, description: syntheticDescription(one), objects: syntheticDicom(one, created), images: syntheticMrd(one) })),
    ),
  };
}

perform(workerData as SynthesisJob).then(
  (synthesis) => say({ type: 'done', synthesis }),
  (error: unknown) => say({ type: 'failed', failure: failureRecord(error), stack: stackOf(error) }),
);

/** Without the message, which may quote anything. */
function stackOf(error: unknown): string {
  return error instanceof Error ? `${error.name}\n${error.stack?.split('\n').filter((line) => line.startsWith('    at ')).join('\n') ?? ''}` : typeof error;
}
