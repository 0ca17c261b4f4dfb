/**
 * Which models there are: every folder with a manifest.json is one. What can be told from the files is
 * told here; the graph itself is loaded in the model host only (host/modelHost.ts), since a broken one can
 * end the process that loads it.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError } from 'ismrmrd';
import { modelError } from './errors.js';
import { parseManifest } from './manifest.js';
import type { Manifest } from './manifest.js';

export interface ModelEntry {
  /** Of the manifest; the folder's name where that cannot be read. */
  readonly id: string;
  readonly folder: string;
  /** Where it can be read. */
  readonly manifest: Manifest | undefined;
  /** Of model.onnx as it is; empty where there is none. */
  readonly sha256: string;
  /** listed: its files are in order; ready: it was loaded and tried; refused: see reason. */
  readonly state: 'listed' | 'ready' | 'refused';
  readonly reason?: CodedError;
}

const ownFile = fileURLToPath(import.meta.url);
/** The models that come with the program, as sources and compiled. */
export const shippedModels = fileURLToPath(new URL(ownFile.endsWith('.ts') ? './' : '../../models/', import.meta.url));

export const graphFile = (folder: string) => join(folder, 'model.onnx');

/**
 * Every model in these folders, in order of folder and name; those that come first keep their ids.
 * A model that is not in order is among them, refused with the reason.
 * @throws CodedError (as a rejection) MODEL_ERR_FOLDER
 */
export async function readModels(folders: readonly string[] = [shippedModels]): Promise<readonly ModelEntry[]> {
  const entries: ModelEntry[] = [];
  for (const folder of folders) {
    for (const name of await namesIn(folder)) {
      const path = join(folder, name);
      if (!existsSync(join(path, 'manifest.json'))) continue;
      const entry = await readModel(path, name);
      const isSecond = entry.state !== 'refused' && entries.some(({ id }) => id === entry.id);
      entries.push(isSecond ? { ...entry, state: 'refused', reason: modelError('MODEL_ERR_DUPLICATE', `a second "${entry.id}"`) } : entry);
    }
  }
  return entries;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    return found.filter((one) => one.isDirectory() || one.isSymbolicLink()).map(({ name }) => name).sort();
  } catch (cause) {
    throw modelError('MODEL_ERR_FOLDER', `${folder} (${(cause as Error).message})`, { cause });
  }
}

/** One model folder. */
export async function readModel(folder: string, name: string): Promise<ModelEntry> {
  let manifest: Manifest | undefined;
  let sha256 = '';
  try {
    manifest = parseManifest(await readFile(join(folder, 'manifest.json'), 'utf8'));
    sha256 = await sha256Of(graphFile(folder));
    if (sha256 !== manifest.sha256) throw modelError('MODEL_ERR_SHA256', `${sha256} in place of ${manifest.sha256}`);
    return { id: manifest.id, folder, manifest, sha256, state: 'listed' };
  } catch (error) {
    const reason = error instanceof CodedError ? error : modelError('MODEL_ERR_MANIFEST', String(error), { cause: error });
    return { id: manifest?.id ?? name, folder, manifest, sha256, state: 'refused', reason };
  }
}

async function sha256Of(path: string): Promise<string> {
  try {
    return createHash('sha256').update(await readFile(path)).digest('hex');
  } catch (cause) {
    throw modelError('MODEL_ERR_FILE', `${path} (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`, { cause });
  }
}
