/**
 * A stage that watches a folder:
 *
 *   FOLDER/<offerId>/offer.json, dicom/…, nifti/…    then READY, the marker, last
 *   FOLDER/<offerId>/answer.json                     busy or refused; without it the offer counts as accepted
 *   FOLDER/<offerId>/outcome.json                    with paths of DICOM results within the folder; then DONE, the marker, last
 *
 * Nothing is read before its marker is there. A second offer of the same id finds its folder and lays nothing out again.
 */
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { CodedError } from 'ismrmrd';
import { mostOutcomeBytes, outcomeSchema, type Offer, type OfferAnswer, type Outcome, type StageResult } from '../contract.js';
import { handoffError } from '../errors.js';
import type { ExamForHandoff, Material, Transport } from '../transport.js';
import { fieldsOf, readAnswer } from './http.js';

export interface FolderStage {
  readonly folder: string;
}

const readyMarker = 'READY';
const doneMarker = 'DONE';

const dicomPath = (seriesInstanceUid: string, sopInstanceUid: string) => `dicom/${seriesInstanceUid}/${sopInstanceUid}.dcm`;
const niftiPath = (seriesInstanceUid: string) => `nifti/${seriesInstanceUid}.nii.gz`;

export function folderTransport({ folder }: FolderStage): Transport {
  const at = (offerId: string, ...names: string[]) => join(folder, offerId, ...names);
  return {
    locations: (_offerId, series) => ({
      dicom: series.instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, location: dicomPath(series.seriesInstanceUid, sopInstanceUid) })),
      nifti: niftiPath(series.seriesInstanceUid),
    }),
    callback: () => undefined,
    async offer(offer, exam, material, signal): Promise<OfferAnswer> {
      if (!(await exists(at(offer.offerId, readyMarker)))) await layOut(folder, offer, exam, material, signal);
      const answer = await textOf(at(offer.offerId, 'answer.json'));
      return answer === undefined ? { answer: 'accepted' } : readAnswer(answer);
    },
    async outcome(offerId): Promise<Outcome | undefined> {
      if (!(await exists(at(offerId, doneMarker)))) return undefined;
      const text = await textOf(at(offerId, 'outcome.json'));
      if (text === undefined) throw handoffError('HANDOFF_ERR_OUTCOME', 'DONE without outcome.json');
      return withFiles(readOutcome(text), at(offerId));
    },
    settled: (offerId) => rm(at(offerId), { recursive: true, force: true }),
  };
}

/** @throws CodedError HANDOFF_ERR_OUTCOME */
export function readOutcome(text: string): Outcome {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw handoffError('HANDOFF_ERR_OUTCOME', 'an outcome that is not JSON');
  }
  const parsed = outcomeSchema.safeParse(value);
  if (!parsed.success) throw handoffError('HANDOFF_ERR_OUTCOME', `an outcome with wrong ${fieldsOf(parsed.error.issues)}`);
  return parsed.data;
}

async function layOut(folder: string, offer: Offer, exam: ExamForHandoff, material: Material, signal: AbortSignal): Promise<void> {
  const part = join(folder, `${offer.offerId}.part`);
  await rm(part, { recursive: true, force: true });
  const write = async (path: string, bytes: Uint8Array | string) => {
    signal.throwIfAborted();
    await mkdir(dirname(join(part, path)), { recursive: true });
    await writeFile(join(part, path), bytes);
  };
  for (const series of exam.series) {
    const { seriesInstanceUid, instances } = series;
    for (const instance of instances) await write(dicomPath(seriesInstanceUid, instance.sopInstanceUid), await material.dicom(instance));
    try {
      await write(niftiPath(seriesInstanceUid), await material.nifti(series));
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'HANDOFF_ERR_NO_VOLUME') throw error;
    }
  }
  await write('offer.json', `${JSON.stringify(offer, null, 2)}\n`);
  const whole = join(folder, offer.offerId);
  await rm(whole, { recursive: true, force: true });
  await rename(part, whole);
  await writeFile(join(whole, readyMarker), '');
}

/** Takes the files of DICOM results into the outcome. */
async function withFiles(outcome: Outcome, folder: string): Promise<Outcome> {
  if (outcome.outcome === 'failed') return outcome;
  const results: StageResult[] = [];
  let nBytes = 0;
  for (const result of outcome.results) {
    if (result.kind === 'json' || result.file === undefined) results.push(result);
    else {
      const path = await within(folder, result.file);
      nBytes += (await stat(path)).size;
      if (nBytes > mostOutcomeBytes) throw handoffError('HANDOFF_ERR_OUTCOME', `results of more than ${mostOutcomeBytes} bytes`);
      results.push({ kind: 'dicom', base64: (await readFile(path)).toString('base64') });
    }
  }
  return { ...outcome, results };
}

/** A stage names files within its offer only, links resolved. */
async function within(folder: string, file: string): Promise<string> {
  const root = await realpath(folder);
  const path = await realpath(join(root, file)).catch(() => undefined);
  if (path === undefined || !path.startsWith(root + sep)) throw handoffError('HANDOFF_ERR_OUTCOME', 'a result file that is not within the offer');
  return path;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > mostOutcomeBytes) throw handoffError('HANDOFF_ERR_OUTCOME', `a file of more than ${mostOutcomeBytes} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
