/** `conus models`: which networks there are, whether they are in order, and how long they take. */
import { ModelHost, manifestJsonSchema, modelError, readModels, shippedModels, trialInputs } from '../../models/index.js';
import type { Manifest, ModelEntry, ModelHostOptions, Tensors } from '../../models/index.js';
import { modelManifestPage } from '../modelManifestPage.js';
import { ExitCode } from './exitCodes.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';

export interface ModelFlags extends Pick<ModelHostOptions, 'threads' | 'providers'> {
  /** Folders of further models. */
  readonly models: readonly string[];
}
interface JsonFlag {
  readonly json: boolean;
}

/** The models that come with the program, then those of further folders. @throws CodedError (as a rejection) MODEL_ERR_FOLDER */
export function modelsOf({ models }: Pick<ModelFlags, 'models'>): Promise<readonly ModelEntry[]> {
  return readModels([shippedModels, ...models]);
}

/** @throws CodedError MODEL_ERR_FOLDER */
export async function listModels(flags: ModelFlags & JsonFlag, io: CliIo): Promise<ExitCode> {
  printEntries(await modelsOf(flags), flags, io);
  return ExitCode.ok;
}

/** @throws CodedError MODEL_ERR_FOLDER, MODEL_ERR_UNKNOWN */
export async function showModel(id: string, flags: ModelFlags & JsonFlag, io: CliIo): Promise<ExitCode> {
  const entry = find(await modelsOf(flags), id);
  if (flags.json) printJson(io.stdout, described(entry));
  else printModel(entry, io);
  return entry.state === 'refused' ? ExitCode.input : ExitCode.ok;
}

/** Loads and tries models, all of them where none is named. @throws CodedError MODEL_ERR_FOLDER, MODEL_ERR_UNKNOWN */
export async function checkModels(ids: readonly string[], flags: ModelFlags & JsonFlag, io: CliIo): Promise<ExitCode> {
  const listed = await modelsOf(flags);
  const chosen = ids.length === 0 ? listed : ids.map((id) => find(listed, id));
  const host = new ModelHost(chosen, { ...flags, notice: ({ code, message }) => io.stderr.write(`${code}: ${message}\n`) });
  try {
    await host.warmUp();
  } finally {
    host.close();
  }
  printEntries(host.entries, flags, io);
  return host.entries.every(({ state }) => state === 'ready') ? ExitCode.ok : ExitCode.input;
}

export interface ModelBenchFlags extends ModelFlags, JsonFlag {
  readonly rows: number;
  readonly columns: number;
  readonly threadCounts: readonly number[];
  readonly batches: readonly number[];
  readonly runs: number;
}

/** Median latency. @throws CodedError MODEL_ERR_* */
export async function benchModel(id: string, flags: ModelBenchFlags, io: CliIo): Promise<ExitCode> {
  const entry = find(await modelsOf(flags), id);
  const rows: { threads: number; images: number; medianMs: number; msAnImage: number; runMs: number }[] = [];
  for (const threads of flags.threadCounts) {
    const host = new ModelHost([entry], { ...flags, threads });
    try {
      const { manifest } = await host.check(id);
      for (const images of flags.batches) {
        const inputs = trialInputs(manifest!, { n: images, rows: filled(flags.rows, manifest!), columns: filled(flags.columns, manifest!) });
        rows.push({ threads, images, ...(await latency(host, id, inputs, images, flags.runs)) });
      }
    } finally {
      host.close();
    }
  }
  if (flags.json) printJson(io.stdout, { id, version: entry.manifest?.version, rows: flags.rows, columns: flags.columns, latencies: rows });
  else {
    printTable(
      io.stdout,
      ['threads', 'images', 'median / ms', 'an image / ms', 'in the model / ms'],
      rows.map(({ threads, images, medianMs, msAnImage, runMs }) => [String(threads), String(images), medianMs.toFixed(1), msAnImage.toFixed(1), runMs.toFixed(1)]),
    );
  }
  return ExitCode.ok;
}

export function printManifestSchema({ markdown }: { readonly markdown?: boolean }, io: CliIo): ExitCode {
  if (markdown === true) io.stdout.write(modelManifestPage());
  else printJson(io.stdout, manifestJsonSchema());
  return ExitCode.ok;
}

async function latency(host: ModelHost, id: string, inputs: Tensors, images: number, runs: number): Promise<{ medianMs: number; msAnImage: number; runMs: number }> {
  await host.run(id, inputs);
  const before = host.health().models[0]!.totalRunMs;
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startMs = performance.now();
    await host.run(id, inputs);
    times.push(performance.now() - startMs);
  }
  const medianMs = times.sort((a, b) => a - b)[runs >> 1]!;
  return { medianMs, msAnImage: medianMs / images, runMs: (host.health().models[0]!.totalRunMs - before) / runs };
}

const filled = (size: number, { patch: { multipleOf } }: Manifest) => Math.ceil(size / multipleOf) * multipleOf;

function find(entries: readonly ModelEntry[], id: string): ModelEntry {
  const entry = entries.find((one) => one.id === id);
  if (entry === undefined) throw modelError('MODEL_ERR_UNKNOWN', `"${id}"; there are ${entries.map((one) => `"${one.id}"`).join(', ') || 'none'}`);
  return entry;
}

function described({ id, folder, sha256, state, reason, manifest }: ModelEntry): object {
  return { id, state, ...(reason === undefined ? {} : { reason: reason.message }), folder, sha256, manifest };
}

function printEntries(entries: readonly ModelEntry[], { json }: JsonFlag, io: CliIo): void {
  if (json) {
    printJson(io.stdout, entries.map(described));
    return;
  }
  printTable(
    io.stdout,
    ['id', 'version', 'task', 'licence', 'state', 'title'],
    entries.map(({ id, manifest, state }) => [id, manifest?.version ?? '-', manifest?.task ?? '-', manifest?.licence ?? '-', state, manifest?.title ?? '-']),
  );
  for (const { id, reason } of entries) if (reason !== undefined) io.stdout.write(`${id}: ${reason.message}\n`);
}

function printModel({ id, folder, sha256, state, reason, manifest }: ModelEntry, io: CliIo): void {
  const line = (name: string, value: string) => [name, value];
  io.stdout.write(`${id}: ${manifest?.title ?? 'without a manifest'}\n`);
  if (reason !== undefined) io.stdout.write(`refused: ${reason.message}\n`);
  const ports = (all: Manifest['inputs']) => Object.entries(all).map(([name, { shape, unit, meaning }]) => `${name} [${shape.join(', ')}], ${unit}: ${meaning}`);
  const facts =
    manifest === undefined
      ? []
      : [
          line('version', manifest.version), line('task', manifest.task), line('licence', manifest.licence),
          line('research only', manifest.researchOnly ? 'yes' : 'no'),
          ...ports(manifest.inputs).map((port) => line('input', port)), ...ports(manifest.outputs).map((port) => line('output', port)),
          line('validated on', JSON.stringify(manifest.validatedOn)), line('intended use', manifest.intendedUse),
          ...manifest.trainingData.map((data) => line('training data', data)),
          ...manifest.metrics.map(({ name, value, unit, measuredOn }) => line('metric', `${name} ${value}${unit === undefined ? '' : ` ${unit}`} (${measuredOn})`)),
          line('time-out', `${manifest.timeoutMs} ms`),
        ];
  printTable(io.stdout, ['', ''], [...facts, line('state', state), line('folder', folder), line('SHA-256', sha256)]);
}
