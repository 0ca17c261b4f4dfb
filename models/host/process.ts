/**
 * The process in which models run. The inference runtime is loaded here and nowhere else: a graph that ends
 * or blocks its process takes nobody with it. It says `up`, then answers one question after the other.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import type { FromHost, GraphPort, ToHost } from './messages.js';

// The service ends this process; a Ctrl-C on its terminal must not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
// A run that hangs blocks this thread, therefore another one looks whether the service is still there.
new Worker(new URL('./orphan.js', import.meta.url)).unref();
process.on('disconnect', () => process.exit());

const sessions = new Map<string, InferenceSession>();

/** A run blocks this thread: what is to be sent before it must be on its way by then. */
let isSent: Promise<void> = Promise.resolve();

function answer(message: FromHost): void {
  isSent = new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function load({ id, path, sha256, threads, providers }: Extract<ToHost, { type: 'load' }>): Promise<FromHost> {
  const bytes = await readFile(path);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) return { type: 'failed', code: 'MODEL_ERR_SHA256', got: `${found} in place of ${sha256}` };
  const { session, provider, fallBack } = await openSession(bytes, threads, providers);
  sessions.set(id, session);
  return {
    type: 'loaded',
    inputs: session.inputMetadata.map(portOf),
    outputs: session.outputMetadata.map(portOf),
    provider,
    ...(fallBack === undefined ? {} : { fallBack }),
  };
}

/** A provider that is missing, or that cannot take this graph, must not cost the model: the next one is tried, the processor at last. */
async function openSession(bytes: Uint8Array, threads: number, providers: readonly string[]): Promise<{ session: InferenceSession; provider: string; fallBack?: string }> {
  const open = (executionProviders: string[]) =>
    InferenceSession.create(bytes, {
      executionProviders,
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // A plan of the memory would be kept for every size of images, each with a block of its own.
      enableMemPattern: false,
      // And an arena would keep the most that any of them took: what a run needs beside its images is asked for anew, which costs hardly any time.
      enableCpuMemArena: false,
      // Threads that wait for the next layer in a loop would take the processors from the reconstruction.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  const failures: string[] = [];
  const opened = (session: InferenceSession, provider: string) => ({ session, provider, ...(failures.length > 0 && { fallBack: failures.join('; ') }) });
  // The runtime itself passes over names that it does not know.
  const known = new Set(listSupportedBackends().map(({ name }) => name));
  for (const [at, name] of providers.entries()) {
    if (name === 'cpu') break;
    try {
      if (!known.has(name)) throw new Error(`none of ${[...known].join(', ')}`);
      return opened(await open(providers.slice(at).filter((one) => known.has(one))), name);
    } catch (error) {
      failures.push(`${name}: ${reasonOf(error)}`);
    }
  }
  return opened(await open(['cpu']), 'cpu');
}

function portOf(metadata: InferenceSession.ValueMetadata): GraphPort {
  const { name } = metadata;
  return metadata.isTensor ? { name, type: metadata.type, shape: metadata.shape } : { name, type: 'no tensor', shape: [] };
}

async function run({ id, inputs }: Extract<ToHost, { type: 'run' }>): Promise<FromHost> {
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, { data, dims }]) => [name, new Tensor('float32', data, dims)]));
  await isSent;
  const startMs = performance.now();
  const results = await sessions.get(id)!.run(feeds);
  const runMs = performance.now() - startMs;
  answer({ type: 'finished' });
  const outputs = Object.fromEntries(Object.entries(results).map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]));
  return { type: 'done', outputs, runMs, residentBytes: process.memoryUsage.rss() };
}

process.on('message', (question: ToHost) => {
  const answered = question.type === 'load' ? load(question) : run(question);
  void answered
    .catch((error: unknown): FromHost => ({ type: 'failed', code: question.type === 'load' ? 'MODEL_ERR_LOAD' : 'MODEL_ERR_RUN', got: reasonOf(error) }))
    .then(answer);
});

answer({ type: 'up' });
