/** The truth of a simulated exam as files: labels, lesions and tissue parameters on the grids of a series, grades as JSON. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resample, writeNifti, type ImageGeometry, type Volume } from '../../imaging/index.js';
import {
  labelTable, lesionCodes, parameterNames, patientTruth, surroundingLabels, truthVolumes, type SimulatedPatient,
} from '../../simulator/index.js';

type Volumes = readonly (readonly [name: string, bytes: Uint8Array])[];

/** `truth-<what>.nii.gz` in a series' folder, numbered where the series has several grids. @returns the files */
export async function writeTruthVolumes(folder: string, patient: SimulatedPatient, grids: readonly ImageGeometry[]): Promise<string[]> {
  return writeVolumes(folder, grids, (grid) => {
    const { labels, lesions, parameters } = truthVolumes(patient.anatomy, grid);
    return [
      ['labels', writeNifti(labels, { gzip: true, dataType: 'uint16', description: 'Simulated: structures, codes in labels.json' })],
      ['lesions', writeNifti(lesions, { gzip: true, dataType: 'uint8', description: 'Simulated: lesions, codes in labels.json' })],
      ...parameterNames.map((name) => [name, writeNifti(parameters[name], { gzip: true, description: `Simulated: ${name}` })] as const),
    ];
  });
}

/** The labels of a real picture on the grids on which it was scanned. @returns the files */
export async function writePictureLabels(folder: string, labels: Volume, grids: readonly ImageGeometry[]): Promise<string[]> {
  return writeVolumes(folder, grids, (grid) => [
    ['labels', writeNifti(resample(labels, grid, 'nearest'), { gzip: true, dataType: 'uint16', description: 'Labels as given' })],
  ]);
}

/** `truth.json`, `labels.json` in the exam's folder. @returns the files */
export async function writeGrades(folder: string, patient: SimulatedPatient, fieldStrengthT: 1.5 | 3): Promise<string[]> {
  const files: [string, unknown][] = [
    ['truth.json', patientTruth(patient, fieldStrengthT)],
    ['labels.json', {
      structures: [
        ...labelTable(patient.record.plan),
        ...Object.entries(surroundingLabels).map(([name, code]) => ({ code, name })),
      ].sort((a, b) => a.code - b.code),
      lesions: Object.entries(lesionCodes).map(([name, code]) => ({ code, name })),
    }],
  ];
  for (const [name, content] of files) await writeFile(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  return files.map(([name]) => join(folder, name));
}

async function writeVolumes(folder: string, grids: readonly ImageGeometry[], volumesOn: (grid: ImageGeometry) => Volumes): Promise<string[]> {
  const files: string[] = [];
  for (const [block, grid] of grids.entries()) {
    for (const [name, bytes] of volumesOn(grid)) {
      const file = join(folder, `truth-${name}${grids.length > 1 ? `-${block + 1}` : ''}.nii.gz`);
      await writeFile(file, bytes);
      files.push(file);
    }
  }
  return files;
}
