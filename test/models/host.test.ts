import { getEventListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CodedError } from 'ismrmrd';
import { afterEach, expect, it } from 'vitest';
import { ModelHost, readModels } from '../../models/index.js';
import type { ModelHostOptions, ModelNotice, Tensors } from '../../models/index.js';
import { temporaryFolder, writeModel } from './folders.js';
import * as graphs from './onnx.js';

const hosts: ModelHost[] = [];
afterEach(() => {
  for (const host of hosts.splice(0)) host.close();
});

async function hostOf(models: Readonly<Record<string, Uint8Array>>, options: ModelHostOptions = {}, timeoutMs = 2_000): Promise<ModelHost> {
  const folder = temporaryFolder();
  for (const [id, graph] of Object.entries(models)) writeModel(folder, id, graph, { timeoutMs });
  const host = new ModelHost(await readModels([folder]), { threads: 1, ...options });
  hosts.push(host);
  return host;
}

function inputs(brightness = 1, [n, rows, columns] = [1, 8, 16]): Tensors {
  const ramp = (channels: number, scale: number) => ({
    dims: [n!, channels, rows!, columns!],
    data: Float32Array.from({ length: n! * channels * rows! * columns! }, (_, index) => scale * (1 + index / 1000)),
  });
  return { image: ramp(2, brightness), noise: ramp(1, 0.1) };
}
const tooBright = inputs(2_000);

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof CodedError) return error.code;
  throw new Error(`no coded error: ${String(error)}`);
}

it('gives back what the graph computes, for images and for batches of them', async () => {
  const host = await hostOf({ half: graphs.halfTheNoise() });
  for (const given of [inputs(), inputs(3, [3, 24, 8])]) {
    const { denoised } = await host.run('half', given);
    const [n, , rows, columns] = denoised!.dims as [number, number, number, number];
    expect(denoised!.dims).toEqual(given['image']!.dims);
    denoised!.data.forEach((value, index) => {
      const image = Math.floor(index / (2 * rows * columns));
      const noise = given['noise']!.data[image * rows * columns + (index % (rows * columns))]!;
      expect(image).toBeLessThan(n);
      expect(value).toBe(Math.fround(given['image']!.data[index]! - Math.fround(0.5 * noise)));
    });
  }
  expect(host.entries[0]?.state).toBe('ready');
});

it.each([
  ['numbers that are not finite', graphs.alwaysNotANumber(), 'MODEL_ERR_OUTPUT_NAN'],
  ['another number of images', graphs.twiceAsMany(), 'MODEL_ERR_OUTPUT_SHAPE'],
  ['another shape', graphs.oneChannel(), 'MODEL_ERR_GRAPH'],
  ['other names', graphs.otherNames(), 'MODEL_ERR_GRAPH'],
  ['no graph at all', Buffer.from('this is no graph'), 'MODEL_ERR_LOAD'],
])('refuses a model with %s, and goes on with others', async (_what, broken, code) => {
  const host = await hostOf({ broken, sound: graphs.identity() });
  await host.warmUp();
  const entry = host.entries.find(({ id }) => id === 'broken')!;
  expect([entry.state, entry.reason?.code]).toEqual(['refused', code]);
  expect(await codeOf(host.run('broken', inputs()))).toBe('MODEL_ERR_NOT_LOADED');
  expect((await host.run('sound', inputs()))['denoised']!.data).toEqual(inputs()['image']!.data);
});

it('refuses a model whose file changed since it was checked', async () => {
  const folder = temporaryFolder();
  writeModel(folder, 'changed', graphs.identity());
  const listed = await readModels([folder]);
  writeModel(folder, 'changed', graphs.halfTheNoise());
  const host = new ModelHost(listed, { threads: 1 });
  hosts.push(host);
  expect(await codeOf(host.check('changed'))).toBe('MODEL_ERR_SHA256');
});

it('tells one run that gave no numbers from others of the same model', async () => {
  const host = await hostOf({ fragile: graphs.notANumberAboveThousand() });
  expect(await codeOf(host.run('fragile', tooBright))).toBe('MODEL_ERR_OUTPUT_NAN');
  expect((await host.run('fragile', inputs()))['denoised']!.data).toEqual(inputs()['image']!.data);
});

it('ends a run that hangs, keeps who waits, and sets the model aside when it goes on', async () => {
  const notices: ModelNotice[] = [];
  const host = await hostOf({ hangs: graphs.hangsAboveThousand(), sound: graphs.identity() }, { mostKills: 2, notice: (notice) => notices.push(notice) }, 300);
  await host.warmUp();
  const hanging = codeOf(host.run('hangs', tooBright));
  const waiting = host.run('sound', inputs());
  expect(await hanging).toBe('MODEL_ERR_TIMEOUT');
  expect((await waiting)['denoised']!.data).toEqual(inputs()['image']!.data);
  expect((await host.run('hangs', inputs()))['denoised']!.data).toEqual(inputs()['image']!.data);
  expect(await codeOf(host.run('hangs', tooBright))).toBe('MODEL_ERR_TIMEOUT');
  expect(await codeOf(host.run('hangs', inputs()))).toBe('MODEL_ERR_SET_ASIDE');
  expect((await host.run('sound', inputs()))['denoised']!.data).toEqual(inputs()['image']!.data);
  expect(notices.map(({ code }) => code)).toEqual(['MODEL_WARN_HOST_RESTARTED', 'MODEL_WARN_HOST_RESTARTED']);
});

it('refuses a model that never ends its first run', async () => {
  const host = await hostOf({ hangs: graphs.alwaysHangs(), sound: graphs.identity() }, { loadTimeoutMs: 1_500 });
  await host.warmUp();
  expect(host.entries.map(({ id, state, reason }) => [id, state, reason?.code])).toEqual([
    ['hangs', 'refused', 'MODEL_ERR_TIMEOUT'],
    ['sound', 'ready', undefined],
  ]);
});

it('lets those have their turn first who need it first, and refuses whom it cannot queue', async () => {
  const host = await hostOf({ slow: graphs.rounds(2_000) }, { maxQueued: 3 });
  await host.check('slow');
  const order: string[] = [];
  const ask = (name: string, neededAtMs?: number) => host.run('slow', inputs(), neededAtMs === undefined ? {} : { neededAtMs }).then(() => order.push(name));
  const now = performance.now();
  // The first one runs at once; three may wait.
  const all = [ask('first'), ask('late', now + 2_000), ask('early', now + 1_000), ask('soonest', now)];
  expect(await codeOf(ask('too many'))).toBe('MODEL_ERR_BUSY');
  await Promise.all(all);
  expect(order).toEqual(['first', 'soonest', 'early', 'late']);
});

it('forgets a request whose caller gave up', async () => {
  const host = await hostOf({ slow: graphs.rounds(2_000) });
  await host.check('slow');
  const stop = new AbortController();
  const running = host.run('slow', inputs());
  const waiting = host.run('slow', inputs(), { signal: stop.signal });
  stop.abort();
  await expect(waiting).rejects.toThrow(/abort/);
  await running;
  expect(host.health().models[0]).toMatchObject({ nRuns: 2, nFailures: 0 });
});

it('refuses inputs that the manifest does not allow, without asking the model', async () => {
  const host = await hostOf({ sound: graphs.identity() });
  const { image, noise } = inputs();
  const odd = inputs(1, [1, 7, 16]);
  for (const given of [{ image: image! }, { image: image!, noise: image! }, odd, { image: { ...image!, dims: [1, 2, 8, 8] }, noise: noise! }]) {
    expect(await codeOf(host.run('sound', given))).toBe('MODEL_ERR_INPUT');
  }
  expect(await codeOf(host.run('absent', inputs()))).toBe('MODEL_ERR_UNKNOWN');
});

it('runs on the processor where the wanted provider is missing, and says so', async () => {
  const notices: ModelNotice[] = [];
  const host = await hostOf({ sound: graphs.identity() }, { providers: ['tensorrt', 'cpu'], notice: (notice) => notices.push(notice) });
  expect((await host.run('sound', inputs()))['denoised']!.data).toEqual(inputs()['image']!.data);
  expect(notices.map(({ code, message }) => [code, message])).toEqual([['MODEL_WARN_PROVIDER', expect.stringMatching(/runs on cpu, .*tensorrt: /)]]);
});

it('tries one wanted provider after the other, and tells each that it has not', async () => {
  const notices: ModelNotice[] = [];
  const host = await hostOf({ sound: graphs.identity() }, { providers: ['nosuch', 'tensorrt', 'cuda'], notice: (notice) => notices.push(notice) });
  expect((await host.run('sound', inputs()))['denoised']!.data).toEqual(inputs()['image']!.data);
  expect(notices.map(({ message }) => message)).toEqual([expect.stringMatching(/nosuch: none of .*; tensorrt: .*; cuda: /)]);
});

it('replaces a process that took too much memory', async () => {
  const host = await hostOf({ sound: graphs.identity() }, { maxResidentBytes: 1 });
  await host.run('sound', inputs());
  await host.run('sound', inputs());
  expect(host.health().nStarts).toBe(2);
});

it('tells who waits when it is closed, and does not start again', async () => {
  const host = await hostOf({ hangs: graphs.hangsAboveThousand() });
  await host.check('hangs');
  const running = codeOf(host.run('hangs', tooBright));
  const waiting = codeOf(host.run('hangs', inputs()));
  host.close();
  expect([await running, await waiting, await codeOf(host.run('hangs', inputs()))]).toEqual(['MODEL_ERR_CLOSED', 'MODEL_ERR_CLOSED', 'MODEL_ERR_CLOSED']);
  expect(host.health()).toMatchObject({ state: 'stopped', nStarts: 1 });
});

const fake = (name: string) => fileURLToPath(new URL(`./hosts/${name}.mjs`, import.meta.url));

it('survives a process that aborts, names its signal and last words, and sets aside whom it ran for', async () => {
  const host = await hostOf({ one: graphs.identity(), two: graphs.identity() }, { script: fake('abortsOnBright') });
  const crash = host.run('one', tooBright);
  const others = [host.run('two', inputs()), host.run('one', inputs())];
  await expect(crash).rejects.toThrow(/MODEL_ERR_CRASHED.*SIGABRT.*the runtime gives up/);
  for (const { denoised } of await Promise.all(others)) expect(denoised!.data).toEqual(inputs()['image']!.data);
  await codeOf(host.run('one', tooBright));
  await codeOf(host.run('one', tooBright));
  expect(await codeOf(host.run('one', inputs()))).toBe('MODEL_ERR_SET_ASIDE');
  expect((await host.run('two', inputs()))['denoised']!.data).toEqual(inputs()['image']!.data);
});

it('asks the next question while the outputs of a run are on their way, and gives each caller his own', async () => {
  const host = await hostOf({ one: graphs.identity() }, { script: fake('answersLate') });
  const given = [1, 2, 3, 4].map((brightness) => inputs(brightness));
  const told = await Promise.all(given.map((its) => host.run('one', its)));
  told.forEach(({ denoised }, run) => expect(denoised!.data).toEqual(given[run]!['image']!.data));
  expect(host.health().models[0]).toMatchObject({ nRuns: 5, nFailures: 0 });
});

it('blames whose run ended the process, not whose outputs were lost with it', async () => {
  const host = await hostOf({ lost: graphs.identity(), deadly: graphs.identity() }, { script: fake('answersLate'), mostKills: 1 });
  await host.warmUp();
  const lost = codeOf(host.run('lost', inputs()));
  expect(await Promise.all([lost, codeOf(host.run('deadly', tooBright))])).toEqual(['MODEL_ERR_CRASHED', 'MODEL_ERR_CRASHED']);
  expect(host.entries.map(({ id, state }) => [id, state])).toEqual([['deadly', 'refused'], ['lost', 'ready']]);
});

it('keeps nothing of a run that is over, however long its signal lives', async () => {
  const host = await hostOf({ sound: graphs.identity() });
  const { signal } = new AbortController();
  await host.run('sound', inputs(), { signal });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

it('no longer lets callers wait for a process that does not start', async () => {
  const host = await hostOf({ one: graphs.identity() }, { script: fake('doesNotStart') });
  for (let n = 0; n < 7; n++) expect(await codeOf(host.run('one', inputs()))).toBe('MODEL_ERR_HOST');
  expect(host.health()).toMatchObject({ state: 'failing', nStarts: 5 });
  expect(host.entries[0]?.state).toBe('listed');
});
