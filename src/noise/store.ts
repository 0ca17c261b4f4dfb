/**
 * Noise measurements on disk, one file each, found again by the measurement that a header depends on, else by
 * the names of its coils. File names are hashes: nothing that a client sends becomes part of a path.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MrdHeader } from 'ismrmrd';
import { covarianceFor, parseNoise, serializeNoise, type NoiseRecord } from '../../recon/index.js';

/** The oldest go when there are more. */
const mostRecords = 256;
const suffix = '.noise.json';

export class NoiseStore {
  readonly #folder: string;
  /** By file name, oldest first. */
  readonly #records = new Map<string, NoiseRecord>();

  /** Opens a folder, made where it is not there; files in it that are no noise measurements are left alone. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    const files = readdirSync(folder)
      .filter((name) => name.endsWith(suffix))
      .map((name) => ({ name, modifiedMs: statSync(join(folder, name)).mtimeMs }))
      .sort((a, b) => a.modifiedMs - b.modifiedMs || (a.name < b.name ? -1 : 1));
    for (const { name } of files) {
      try {
        this.#records.set(name, parseNoise(readFileSync(join(folder, name), 'utf8')));
      } catch {
        // A file that was cut short is none; the measurement is sent again.
      }
    }
  }

  /** Identifiers of what is stored, oldest first. */
  get measurementIds(): string[] {
    return [...this.#records.values()].map(({ measurementId }) => measurementId);
  }

  put(record: NoiseRecord): void {
    const name = `${createHash('sha256').update(JSON.stringify([record.measurementId, record.coilNames])).digest('hex').slice(0, 32)}${suffix}`;
    // Whole or not at all: readers never see half a file.
    const path = join(this.#folder, name);
    writeFileSync(`${path}.part`, serializeNoise(record));
    renameSync(`${path}.part`, path);
    this.#records.delete(name);
    this.#records.set(name, record);
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= mostRecords) break;
      this.#records.delete(oldest);
      rmSync(join(this.#folder, oldest), { force: true });
    }
  }

  /** The measurement that a scan depends on; else, where the header names none, the latest one of coils with the same names. */
  find(header: MrdHeader): NoiseRecord | undefined {
    const coilNames = coilNamesOf(header);
    const wanted = (header.measurementInformation?.measurementDependency ?? [])
      .filter(({ dependencyType }) => /noise/i.test(dependencyType))
      .map(({ measurementID }) => measurementID);
    // Numbers are no names: without labels only the header's own word tells whose noise it is.
    const hasNames = (header.acquisitionSystemInformation?.coilLabel ?? []).length > 0;
    if (wanted.length === 0 && !hasNames) return undefined;
    const fits = [...this.#records.values()].filter((record) => covarianceFor(record, coilNames) !== undefined);
    return fits.findLast(({ measurementId }) => wanted.length === 0 || wanted.includes(measurementId));
  }
}

/** Names of the channels, in order, as recon has them. */
export function coilNamesOf(header: MrdHeader): string[] {
  const system = header.acquisitionSystemInformation;
  const names: string[] = [];
  for (const { coilNumber, coilName } of system?.coilLabel ?? []) if (coilNumber >= 0 && coilNumber < 1024) names[coilNumber] = coilName;
  return Array.from({ length: Math.max(names.length, system?.receiverChannels ?? 0) }, (_, channel) => names[channel] ?? `coil ${channel}`);
}
