/** Sweeps in a folder, for whoever looks at them: `*.json` that `conus sweep` wrote. Only what is in the folder itself is read, bounded in size. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sweepError } from './errors.js';
import { headOf, sweepFileSchema } from './file.js';
import type { SweepFile, SweepHead } from './file.js';

/** A file name without its ending. */
const nameRule = /^\w[\w.-]{0,99}$/;
const ending = '.json';

export interface SweepLimits {
  readonly mostFiles: number;
  readonly mostBytes: number;
}
const defaultLimits: SweepLimits = { mostFiles: 200, mostBytes: 64 * 2 ** 20 };

export interface SweepEntry {
  readonly name: string;
  /** ms since 1970 */
  readonly modifiedAt: number;
  readonly nBytes: number;
  /** Without pictures; absent where the file cannot be read. */
  readonly sweep?: SweepHead;
  readonly reason?: { readonly code: string; readonly text: string };
}

export class SweepFolder {
  readonly #folder: string | undefined;
  readonly #limits: SweepLimits;
  /** What was read of files that have not changed since. */
  readonly #known = new Map<string, SweepEntry>();

  /** @param folder without one there are no sweeps */
  constructor(folder: string | undefined, limits: Partial<SweepLimits> = {}) {
    this.#folder = folder;
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** The latest first. */
  async entries(): Promise<SweepEntry[]> {
    const names = (await readdir(this.#folder ?? '').catch(() => [])).flatMap((file) => (file.endsWith(ending) ? [file.slice(0, -ending.length)] : []));
    const found = await Promise.all(names.filter((name) => nameRule.test(name)).map(async (name) => ({ name, stats: await lstat(this.#pathOf(name)).catch(() => undefined) })));
    const files = found.flatMap(({ name, stats }) => (stats?.isFile() === true ? [{ name, modifiedAt: stats.mtimeMs, nBytes: stats.size }] : []));
    files.sort((a, b) => b.modifiedAt - a.modifiedAt || (a.name < b.name ? -1 : 1));
    const entries: SweepEntry[] = [];
    // One after the other: each may be large.
    for (const file of files.slice(0, this.#limits.mostFiles)) entries.push(await this.#entryOf(file));
    for (const name of this.#known.keys()) if (!entries.some((entry) => entry.name === name)) this.#known.delete(name);
    return entries;
  }

  /** @throws CodedError CONUS_ERR_SWEEP_UNKNOWN, CONUS_ERR_SWEEP_FILE */
  async read(name: string): Promise<SweepFile> {
    const stats = this.#folder !== undefined && nameRule.test(name) ? await lstat(this.#pathOf(name)).catch(() => undefined) : undefined;
    if (stats?.isFile() !== true) throw sweepError('CONUS_ERR_SWEEP_UNKNOWN', 'another name');
    if (stats.size > this.#limits.mostBytes) throw sweepError('CONUS_ERR_SWEEP_FILE', `a file of ${stats.size} bytes`);
    let value: unknown;
    try {
      value = JSON.parse(await readFile(this.#pathOf(name), 'utf8'));
    } catch (cause) {
      throw sweepError('CONUS_ERR_SWEEP_FILE', 'a file that is no JSON', { cause });
    }
    const sweep = sweepFileSchema.safeParse(value);
    if (!sweep.success) throw sweepError('CONUS_ERR_SWEEP_FILE', `JSON that is no sweep (${sweep.error.issues[0]?.path.join('.') ?? ''})`);
    return sweep.data;
  }

  async #entryOf(file: Pick<SweepEntry, 'name' | 'modifiedAt' | 'nBytes'>): Promise<SweepEntry> {
    const known = this.#known.get(file.name);
    if (known?.modifiedAt === file.modifiedAt && known.nBytes === file.nBytes) return known;
    const entry = await this.read(file.name).then(
      (sweep): SweepEntry => ({ ...file, sweep: headOf(sweep) }),
      (error: unknown): SweepEntry => ({ ...file, reason: { code: (error as { code: string }).code, text: (error as Error).message } }),
    );
    this.#known.set(file.name, entry);
    return entry;
  }

  #pathOf(name: string): string {
    return join(this.#folder ?? '', `${name}${ending}`);
  }
}
