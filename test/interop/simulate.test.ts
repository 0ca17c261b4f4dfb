/** What `conus simulate` writes, before the tools of others. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { openMrdFile, parseHeader } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { affineRas, readNifti } from '../../imaging/index.js';
import { ExitCode, main } from '../../src/cli/index.js';
import { loadUnresolvedProtocol } from '../../src/protocols/index.js';
import { python, run } from './peers.js';

let folder: string;
let exam: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-simulated-'));
  exam = join(folder, 'exam');
  const protocol = await loadUnresolvedProtocol('lumbar-standard');
  const sagittal = protocol.series.find(({ id }) => id === 'sag-t2w')!;
  const axial = protocol.series.find(({ id }) => id === 'ax-t2w')!;
  const small = [sagittal, axial].map((series) => ({
    ...series,
    averages: 1,
    acceleration: { factor: 1, calibration: 'none', calibrationLines: 0 },
    geometry: { ...series.geometry, matrix: { readout: 80, phase: 64 }, phaseResolution: 1, phaseOversampling: 0, slices: { ...series.geometry.slices, count: 2 } },
  }));
  const path = join(folder, 'small.json');
  await writeFile(path, JSON.stringify({ ...protocol, basedOn: undefined, name: 'small', coil: { nChannels: 4 }, series: small, synthesise: [], analyse: [] }));
  const said: string[] = [];
  const into = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said.push(chunk.toString());
      done();
    },
  });
  const code = await main(
    ['simulate', '--protocol', path, '--seed', '12', '--pathology', 'metastasis:L3:large', '--scoliosis', '15', '--write', 'h5,truth,images,dicom', '-o', exam],
    { stdin: Readable.from([]), stdout: into, stderr: into, showsProgress: false, stop: new AbortController().signal },
  );
  expect(said.join(''), 'of the simulation').not.toContain('ERR');
  expect(code).toBe(ExitCode.ok);
}, 180_000);
afterAll(() => rm(folder, { recursive: true }));

describe('a simulated exam', () => {
  it('is read by the ismrmrd package as we read it', async () => {
    const path = join(exam, 'sag-t2w', 'raw.h5');
    const script = `
import sys
import ismrmrd
import numpy
data = ismrmrd.Dataset(sys.argv[1], 'dataset', mode='r')
header = ismrmrd.xsd.CreateFromDocument(data.read_xml_header())
n = data.number_of_acquisitions()
last = data.read_acquisition(n - 1)
print(n, header.subjectInformation.patientID, last.acquisition_time_stamp, repr(float(numpy.abs(last.data).sum())))
`;
    const [n, id, stamp, sum] = (await python(['-c', script, path])).toString().trim().split(' ');
    const file = await openMrdFile(path);
    const acquisitions = [...file.acquisitions()];
    const header = parseHeader(file.headerXml()!);
    file.close();
    const last = acquisitions.at(-1)!;
    let ours = 0;
    for (let index = 0; index < last.data.length; index += 2) ours += Math.hypot(last.data[index]!, last.data[index + 1]!);
    expect(Number(n)).toBe(acquisitions.length);
    expect(id).toBe(header.subjectInformation?.patientID);
    expect(Number(stamp)).toBe(last.header.acquisitionTimeStamp);
    expect(Number(sum) / ours).toBeCloseTo(1, 5);
  });

  it('has the voxels of labels and images where nibabel sees them, oblique blocks at discs included', async () => {
    const names = (await readdir(join(exam, 'ax-t2w'))).filter((name) => name.endsWith('.nii.gz'));
    expect(names.length).toBeGreaterThan(8);
    const script = `
import json, sys
import nibabel
for path in sys.argv[1:]:
    image = nibabel.load(path)
    print(json.dumps([image.affine[:3].ravel().tolist(), list(image.shape)]))
`;
    const paths = names.map((name) => join(exam, 'ax-t2w', name));
    const lines = (await python(['-c', script, ...paths])).toString().trim().split('\n');
    for (const [index, line] of lines.entries()) {
      const [affine, shape] = JSON.parse(line) as [number[], number[]];
      const { geometry } = readNifti(await readFile(paths[index]!));
      affineRas(geometry).slice(0, 12).forEach((value, at) => expect(affine[at]).toBeCloseTo(value, 3));
      expect(shape).toEqual([...geometry.matrixSize]);
    }
  });

  it('is without error for dciodvfy, but for an attribute that is younger than its dictionary, and says that it is nobody', async () => {
    const dicom = join(exam, 'sag-t2w', 'dicom');
    for (const name of await readdir(dicom)) {
      const verdict = await run('sh', ['-c', `dciodvfy "$1" 2>&1 || true`, 'sh', join(dicom, name)]);
      const lines = verdict.toString().split('\n');
      expect(lines).toContain('MRImage');
      expect(lines.filter((line) => /^(Error|Abort)/.test(line) && !/\(0x0008,0x001c\)/.test(line))).toEqual([]);
      const dump = (await run('dcmdump', ['+L', join(dicom, name)])).toString();
      expect(dump).toMatch(/\(0008,001c\) \S+ \[YES\]/);
      expect(dump).toMatch(/\(0020,4000\) LT \[SIMULATED/);
      expect(dump).toMatch(/\(0008,103e\) LO \[SIMULATED/);
      expect(dump).toMatch(/\(0010,0020\) LO \[SIMULATED-12/);
    }
  });
});
