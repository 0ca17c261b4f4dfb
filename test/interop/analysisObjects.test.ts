/**
 * The objects of an analysis before others: dicom3tools' dciodvfy, dcmtk's dsrdump and dcmdump, highdicom (which reads
 * segments, geometry and measurement groups by code of its own), and an Orthanc.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeGrade, editSentence, summaryPage } from '../../analysis/index.js';
import { voxelOf, type Vector3 } from '../../imaging/index.js';
import { analysisObjects, confirmedObjects } from '../../src/analysis/dicom/index.js';
import { codedStructure } from '../../src/analysis/dicom/codes.js';
import { readIdentity, type Stack } from '../../src/dicom/index.js';
import { boxes, imageGeometry, report, smallSpine } from '../analysis/report/fixtures.js';
import { imagesOfSpine } from '../src/analysis/dicom/fixtures.js';
import { freePort } from './archive.js';
import { runPython } from './peers.js';

const [columns, rows, slices] = imageGeometry.matrixSize;
let directory: string;
let scanned: { stack: Stack; files: Uint8Array[] };
let imageFiles: string[];
/** Document and page of a report that a reader changed and confirmed. */
let confirmed: Uint8Array[];
/** Of scanned images; with computed ones among them; of one multi-frame object. */
const made: Record<'scanned' | 'computed' | 'multiframe', Uint8Array[]> = { scanned: [], computed: [], multiframe: [] };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conus-analysis-'));
  scanned = await imagesOfSpine();
  const computed = await imagesOfSpine(true);
  const multiframe = await imagesOfSpine(false, true);
  const make = (synthetic: boolean, first: Stack, second: Stack, certain = true) =>
    analysisObjects({ spine: smallSpine(synthetic, certain), report: report(synthetic, certain), sources: [first, second], softwareVersion: '0.1.0' });
  made.scanned = make(false, scanned.stack, scanned.stack);
  made.computed = make(true, scanned.stack, computed.stack, false);
  made.multiframe = make(false, multiframe.stack, multiframe.stack);
  const by = 'Dr. Änne Müller';
  const signed = { by, at: '2026-02-03T05:00:00.000Z' };
  confirmed = confirmedObjects({
    draft: report(), by, at: new Date('2026-02-03T09:08:07Z'), softwareVersion: '0.1.0', segmentations: made.scanned.slice(0, 2), predecessor: readIdentity(made.scanned[2]!),
    report: editSentence(changeGrade(report(), { findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'mild', ...signed }), { level: 'L5', text: 'L5: of no concern.', ...signed }),
    series: smallSpine().series.map((series) => ({ series, stack: scanned.stack })),
  });
  imageFiles = await Promise.all(scanned.files.map((file, index) => write(`image${index}`, file)));
});
afterAll(() => rm(directory, { recursive: true }));

async function write(name: string, file: Uint8Array): Promise<string> {
  const path = join(directory, `${name}.dcm`);
  await writeFile(path, file);
  return path;
}

/** Both outputs; a tool that is not there is a failure. */
function tool(name: string, ...args: string[]): { status: number | null; text: string } {
  const { error, status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error !== undefined) throw new Error(`${name} cannot be run; .ci/run installs what the interop suite needs`, { cause: error });
  return { status, text: stdout + stderr };
}

const iods = ['Segmentation', 'Segmentation', 'Comprehensive3DSR', 'SCImage'];

describe('a confirmed report', () => {
  it('has no error that dciodvfy finds', async () => {
    for (const [index, bytes] of confirmed.entries()) {
      const lines = tool('dciodvfy', await write('checked', bytes)).text.split('\n').filter((line) => !line.includes('<99CONUS>'));
      expect(lines).toContain(iods.slice(2)[index]);
      expect(lines.filter((line) => /^(Error|Abort|Warning)/.test(line))).toEqual([]);
    }
  });

  it('is read by dcmtk, with its reader', async () => {
    const { status, text } = tool('dsrdump', '+Pl', '+U8', await write('confirmed', confirmed[0]!));
    expect(status).toBe(0);
    expect(text).not.toMatch(/^[EF]: /m);
    expect(text).toMatch(/Verification Flag *: UNVERIFIED/);
    expect(text).toMatch(/Predecessor Docs/);
    expect(text).toMatch(/PNAME:\(,,"Person Observer Name"\)="Dr\. Änne Müller\^"/);
    expect(text).toMatch(/graded by Dr\. Änne Müller at 2026-02-03T05:00:00\.000Z; computed: severe/);
  });

  it('is read by highdicom: the grade of the reader, the numbers that were computed, and the segments of the draft', async () => {
    const groups = JSON.parse((await runPython('analysisObjects.py', 'sr', await write('confirmed', confirmed[0]!))).toString()) as
      { tracking: string; uid: string; measures: [string, number][]; grades: [string, string][]; segments: [string, number[]][] }[];
    const drafts = JSON.parse((await runPython('analysisObjects.py', 'sr', await write('report', made.scanned[2]!))).toString()) as typeof groups;
    expect(groups.map(({ uid, measures, segments }) => ({ uid, measures, segments }))).toEqual(drafts.map(({ uid, measures, segments }) => ({ uid, measures, segments })));
    expect([drafts, groups].map((all) => all.find(({ tracking }) => tracking === 'L4-L5')!.grades[0])).toEqual([['central canal', 'Severe'], ['central canal', 'Mild']]);
  });
});

describe('dciodvfy finds no error', () => {
  for (const kind of Object.keys(made) as (keyof typeof made)[]) {
    it(`in the objects of ${kind} images`, async () => {
      expect(made[kind]).toHaveLength(iods.length);
      for (const [index, bytes] of made[kind].entries()) {
        // SyntheticData came into PS3.6 after the dictionary of the dciodvfy that Debian has, which calls it an extension;
        // 99CONUS is ours.
        const young = kind === 'computed' ? /\(0x0008,0x001c\)|Standard Extended SOP Class|<99CONUS>/ : /<99CONUS>/;
        const lines = tool('dciodvfy', await write('checked', bytes)).text.split('\n').filter((line) => !young.test(line));
        expect(lines).toContain(iods[index]);
        expect(lines.filter((line) => /^(Error|Abort|Warning)/.test(line))).toEqual([]);
      }
    });
  }
});

describe('dcmtk', () => {
  it('reads the report', async () => {
    const { status, text } = tool('dsrdump', '+Pl', await write('report', made.computed[2]!));
    expect(status).toBe(0);
    expect(text).not.toMatch(/^[EF]: /m);
    expect(text).toMatch(/NUM:\(,,"sac area"\)="71\.4" \(mm2,UCUM,"square millimeter"\)/);
    expect(text).toMatch(/CODE:\(,,"Laterality"\)=\(7771000,SCT,"Left"\)/);
    expect(text).toMatch(/from SYNTHETIC images, computed and not scanned/);
    expect(text).toMatch(/L4-L5: Severe central canal stenosis \(sac area 71 mm2\)/);
  });

  it('reads the others', async () => {
    for (const bytes of made.computed) expect(tool('dcmdump', await write('dumped', bytes)).text).not.toMatch(/^[EWF]: /m);
    expect(tool('dcmdump', '+P', '0008,001c', await write('dumped', made.computed[3]!)).text).toMatch(/CS \[YES\]/);
  });
});

interface FoundSegment {
  readonly label: string;
  readonly type: readonly string[];
  readonly region: readonly string[];
  readonly sides: readonly string[];
  readonly algorithm: readonly unknown[];
  readonly own: readonly Vector3[];
  readonly onImages: readonly Vector3[];
}

describe('highdicom', () => {
  it('finds every labelled voxel at its place in the patient, by the geometry of the segmentation and by that of the images', async () => {
    const found = JSON.parse((await runPython('analysisObjects.py', 'seg', await write('segmentation', made.scanned[0]!), ...imageFiles)).toString()) as FoundSegment[];
    expect(found).toHaveLength(boxes.length);
    for (const { code, column, row, slice } of boxes) {
      const coded = codedStructure(code, report().levels);
      const segment = found.find(({ label }) => label === coded.label)!;
      expect(segment.type).toEqual([coded.type.CodeValue, coded.type.CodingSchemeDesignator, coded.type.CodeMeaning]);
      expect(segment.region[0]).toBe(coded.region.CodeValue);
      expect(segment.sides).toEqual(coded.side === undefined ? [] : [coded.side === 'left' ? 'Left' : 'Right']);
      expect(segment.algorithm).toEqual(['AUTOMATIC', 'spine-structures', ['123110', 'DCM', 'Artificial Intelligence']]);
      for (const points of [segment.own, segment.onImages]) {
        const voxels = points.map((point) => voxelOf(imageGeometry, point));
        for (const voxel of voxels) for (const index of voxel) expect(Math.abs(index - Math.round(index))).toBeLessThan(1e-3);
        const places = new Set(voxels.map((voxel) => voxel.map(Math.round).join()));
        const labelled = new Set<string>();
        for (let k = 0; k < slices; k++) for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) {
          if (i >= column[0] && i < column[1] && j >= row[0] && j < row[1] && k >= slice[0] && k < slice[1]) labelled.add(`${i},${j},${k}`);
        }
        expect(places).toEqual(labelled);
      }
    }
  });

  it('finds the groups of the report, with their places, numbers, grades and segments', async () => {
    const groups = JSON.parse((await runPython('analysisObjects.py', 'sr', await write('report', made.scanned[2]!))).toString()) as
      { tracking: string; uid: string; sites: string[][]; measures: [string, number, string, number][]; grades: [string, string][]; segments: [string, number[]][] }[];
    expect(groups.map(({ tracking }) => tracking)).toEqual(report().sentences.map(({ level }) => level ?? 'Spine'));
    const disc = groups.find(({ tracking }) => tracking === 'L4-L5')!;
    expect(disc.sites[0]).toEqual(['243923001', 'SCT', 'Level of L4/L5 intervertebral disc']);
    expect(disc.measures).toEqual([['sac area', 71.4, 'mm2', 1], ['width', 2.4, 'mm', 0], ['width', 4.1, 'mm', 0], ['upper share', 0.12, '1', 1]]);
    expect(disc.grades.slice(0, 3)).toEqual([['central canal', 'Severe'], ['foramen', 'Moderate'], ['foramen', 'Normal']]);
    // Disc and both foramina, in both segmentations.
    expect(disc.segments.map(([uid, numbers]) => [uid, numbers.length])).toEqual(made.scanned.slice(0, 2).map((file) => [readIdentity(file).sopInstanceUid, 3]));
  });

  it('reads the page pixel by pixel', async () => {
    const { data, rows: pageRows, columns: pageColumns } = summaryPage(smallSpine(), report());
    const found: unknown = JSON.parse((await runPython('analysisObjects.py', 'pixels', await write('page', made.scanned[3]!))).toString());
    expect(found).toEqual({ shape: [pageRows, pageColumns, 3], sha256: createHash('sha256').update(data).digest('hex') });
  });
});

describe('Orthanc', () => {
  it('stores all of them beside the images, and tells what they are', async () => {
    const [dicomPort, httpPort] = [await freePort(), await freePort()];
    const folder = join(directory, 'orthanc');
    await mkdir(folder);
    await writeFile(join(directory, 'orthanc.json'), JSON.stringify({
      Name: 'TEST', HttpPort: httpPort, DicomPort: dicomPort, DicomAet: 'ORTHANC', RemoteAccessAllowed: false, AuthenticationEnabled: false,
      StorageDirectory: folder, IndexDirectory: folder, Plugins: ['/usr/share/orthanc/plugins/libOrthancDicomWeb.so'], DicomWeb: { Enable: true },
    }));
    const child = spawn('Orthanc', [join(directory, 'orthanc.json')], { stdio: 'ignore' });
    await once(child, 'spawn').catch((cause: unknown) => {
      throw new Error('Orthanc cannot be run; .ci/run installs what the interop suite needs', { cause });
    });
    const ended = once(child, 'close');
    try {
      const url = `http://127.0.0.1:${httpPort}`;
      const answers = () => fetch(`${url}/system`).then(({ ok }) => ok, () => false);
      while (!(await answers())) {
        if (child.exitCode !== null) throw new Error(`Orthanc ended with ${child.exitCode}`);
        await delay(100);
      }
      for (const file of [...scanned.files, ...made.computed]) {
        const stored = await fetch(`${url}/instances`, { method: 'POST', body: file as Uint8Array<ArrayBuffer> });
        expect(((await stored.json()) as { Status: string }).Status).toBe('Success');
      }
      const [study, ...others] = (await (await fetch(`${url}/studies`)).json()) as string[];
      expect(others).toEqual([]);
      const { Series } = (await (await fetch(`${url}/studies/${study!}`)).json()) as { Series: string[] };
      expect(Series).toHaveLength(1 + made.computed.length);
      for (const file of made.computed) {
        const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = readIdentity(file);
        const metadata = (await (await fetch(`${url}/dicom-web/studies/${studyInstanceUid}/series/${seriesInstanceUid}/metadata`)).json()) as Record<string, { Value: unknown[] }>[];
        expect(metadata.map((item) => item['00080018']!.Value)).toEqual([[sopInstanceUid]]);
      }
    } finally {
      child.kill();
      await ended;
    }
  });
});
