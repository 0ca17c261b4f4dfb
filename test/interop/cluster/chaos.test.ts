/**
 * Many scanners at once, as on a bad night: each scans a patient in two series from which a third is computed, all of them
 * through haproxy, and sends again what was not acknowledged. In the end every exam is whole and the archive has each
 * instance once, with the pixels that one quiet node made of the same scans one after the other.
 *
 * CONUS_CHAOS_EXAMS says how many exams.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Archive, freePort } from '../archive.js';
import { endAll } from './daemon.js';
import { Haproxy } from './haproxy.js';
import { allWhole, difference, holdingsOf, none } from './ledger.js';
import { Node } from './nodes.js';
import { scanAll } from './scanners.js';
import { prepareExams, writeSite } from './site.js';
import type { Patient, Site } from './site.js';

const nExams = Number(process.env['CONUS_CHAOS_EXAMS'] ?? 50);
const longestMs = 120_000 + nExams * 20_000;
/** One node alone is given a third of them: it has them for longer. */
const nAlone = Math.ceil(nExams / 3);
/** Of T1w and T2w conventional and denoised, and of what is computed from them; two slices each. */
const INSTANCES_EACH = 10;

const folder = mkdtempSync(join(tmpdir(), 'conus-chaos-'));
let site: Site;
let patients: readonly Patient[];
/** Hashes of pixels by SOP instance UID: of all patients, and of those that one node is given. */
let truth: ReadonlyMap<string, string>;
let truthAlone: ReadonlyMap<string, string>;

async function newArchive(name: string): Promise<Archive> {
  const archive = new Archive(join(folder, name, 'archive'), await freePort());
  await archive.comes();
  return archive;
}

beforeAll(async () => {
  site = await writeSite(folder);
  patients = await prepareExams(nExams);
  const archive = await newArchive('quiet');
  const node = await Node.start({ name: 'quiet', folder: join(folder, 'quiet'), site, destination: archive.destination });
  // Two at once: a node is quiet with that, and it takes half of the time.
  const scanned = async (those: readonly Patient[], nInAll: number) => {
    expect((await scanAll(those, node.mrd, { atOnce: 2 })).troubles).toEqual(new Map());
    await allWhole(() => node.exams(), nInAll);
    return holdingsOf(archive);
  };
  truthAlone = await scanned(patients.slice(0, nAlone), nAlone);
  truth = await scanned(patients.slice(nAlone), nExams);
  await node.stop();
  await archive.goes();
  expect(truthAlone.size).toBe(nAlone * INSTANCES_EACH);
  expect(truth.size).toBe(nExams * INSTANCES_EACH);
}, longestMs);
afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
});

it('one node alone takes them all at once, and makes of them what it makes of each alone', { timeout: longestMs }, async () => {
  const archive = await newArchive('alone');
  const node = await Node.start({ name: 'node1', folder: join(folder, 'alone'), site, destination: archive.destination });
  const haproxy = await Haproxy.start(join(folder, 'haproxy'), [node]);
  const night = await scanAll(patients.slice(0, nAlone), haproxy.portOf('mrd'));
  await allWhole(() => node.exams(), nAlone);
  console.log(`${nAlone} exams through one node: acknowledged after ${(night.tookMs / 1000).toFixed(1)} s, ${night.nAttempts} attempts`, night.troubles);
  await haproxy.stop();
  await node.stop();
  await archive.goes();
  expect(difference(holdingsOf(archive), truthAlone)).toEqual(none);
  // Nobody was away: nothing came twice.
  expect(archive.nReceived).toBe(truthAlone.size);
  expect(night.nAttempts).toBe(2 * nAlone);
});
