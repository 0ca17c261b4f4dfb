/**
 * The configuration of the service: one JSON file, whose sections belong to the folders that they are for, joined
 * here and nowhere else. Every key has a default or is optional, so that an empty file is a configuration; unknown
 * keys are refused, because a misspelt guard would be none. Secrets are never in the file: their keys end in
 * `File` and name files. Environment variables win over the file, and options of the command line over both.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { analysisSection } from './analysis.js';
import { clusterSection } from './cluster.js';
import { ctSection } from './ct.js';
import { dicomSection } from './dicom.js';
import { doorsSection } from './doors.js';
import { environmentSettings } from './environment.js';
import { examsSection } from './exams.js';
import { configError } from './errors.js';
import { handoffSection } from './handoff.js';
import { jobsSection } from './jobs.js';
import { modelsSection } from './models.js';
import { httpSection, mrdSection } from './mrd.js';
import { spoolSection } from './spool.js';
import { storageSection } from './storage.js';
import { synthesisSection } from './synthesis.js';

const configSchema = z.strictObject({
  mrd: mrdSection.prefault({}).describe('MRD sessions'),
  http: httpSection.prefault({}).describe('HTTP and the live channel'),
  doors: doorsSection.prefault({}).describe('who may come in from where'),
  spool: spoolSection.prefault({}).describe('the data folder, and deliveries from it'),
  cluster: clusterSection.prefault({}).describe('what this node shares with others'),
  storage: storageSection.prefault({}).describe('where the nodes of a cluster share images and raw data'),
  dicom: dicomSection.prefault({}).describe('the receiver of images, and destinations'),
  exams: examsSection.prefault({}).describe('how series are gathered into exams'),
  ct: ctSection.prefault({}).describe('CT scanners whose noise is known'),
  models: modelsSection.prefault({}).describe('the networks, and what runs them'),
  synthesis: synthesisSection.prefault({}).describe('contrasts that are computed from what was scanned'),
  analysis: analysisSection.prefault({}).describe('what is found in images, measured and graded'),
  handoff: handoffSection.prefault({}).describe('downstream stages that finished exams are offered to'),
  jobs: jobsSection.prefault({}).describe('work that is done beside the scans, here or on other nodes'),
});

/** With all defaults. */
export type Config = z.output<typeof configSchema>;

export interface ConfigFinding {
  readonly code: 'CONUS_ERR_CONFIG_KEY' | 'CONUS_ERR_CONFIG_VALUE';
  /** e.g. doors.tls.keyFile */
  readonly path: string;
  readonly message: string;
}

/** Everything that is wrong with a configuration; without findings, what it says. */
export function checkConfig(settings: unknown): { readonly config: Config | undefined; readonly findings: readonly ConfigFinding[] } {
  const result = configSchema.safeParse(settings);
  if (result.success) return { config: result.data, findings: [] };
  return { config: undefined, findings: result.error.issues.flatMap(findingsOf) };
}

/** Values are not quoted: they may be secrets in the wrong place. */
function findingsOf(issue: z.core.$ZodIssue): ConfigFinding[] {
  const at = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ code: 'CONUS_ERR_CONFIG_KEY', path: [...at, key].join('.'), message: 'is no key of the configuration' }));
  }
  return [{ code: 'CONUS_ERR_CONFIG_VALUE', path: at.join('.'), message: issue.message }];
}

/** @throws CodedError CONUS_ERR_CONFIG_FILE */
export async function readConfigFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw configError('CONUS_ERR_CONFIG_FILE', `${path} (${cause.code ?? 'unreadable'})`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw configError('CONUS_ERR_CONFIG_FILE', `${path}, which is no JSON`, { cause });
  }
}

/**
 * @param path of the file; defaults and the environment alone where it is absent
 * @throws CodedError CONUS_ERR_CONFIG_FILE, CONUS_ERR_CONFIG_KEY, CONUS_ERR_CONFIG_VALUE
 */
export async function loadConfig(path: string | undefined, environment: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const settings = path === undefined ? {} : await readConfigFile(path);
  const { config, findings } = checkConfig(environmentSettings(settings, configJsonSchema(), environment));
  if (config !== undefined) return config;
  const [first] = findings;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  throw configError(first!.code, `${first!.path || 'the configuration'}: ${first!.message}${more}`);
}

/** JSON Schema (draft 2020-12) of what the file may hold. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input' }) as Record<string, unknown>;
}
