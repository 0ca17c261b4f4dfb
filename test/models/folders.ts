/** Model folders for tests, in a place of their own. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import type { manifestSchema } from '../../models/index.js';

type ManifestSource = z.input<typeof manifestSchema>;

export function manifestOf(id: string, graph: Uint8Array, changes: Partial<ManifestSource> = {}): ManifestSource {
  return {
    id,
    version: '1.2.3',
    title: `Test model ${id}`,
    licence: 'Apache-2.0',
    sha256: createHash('sha256').update(graph).digest('hex'),
    task: 'denoise-mr',
    inputs: {
      image: { shape: ['n', 2, 'rows', 'columns'], unit: 'any', meaning: 'real, imaginary' },
      noise: { shape: ['n', 1, 'rows', 'columns'], unit: 'as image', meaning: 'standard deviation' },
    },
    outputs: { denoised: { shape: ['n', 2, 'rows', 'columns'], unit: 'as image', meaning: 'real, imaginary' } },
    patch: { multipleOf: 8 },
    validatedOn: { contrasts: ['t2w'], fieldStrengthsT: [1.5], anatomy: 'none', orientations: ['sagittal'], matrix: [64, 512], pixelSpacingMm: [0.3, 2] },
    intendedUse: 'tests',
    trainingData: ['none'],
    timeoutMs: 2_000,
    ...changes,
  };
}

export const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'conus-models-'));

/** Writes a model folder into `parent`; what it is told goes as it is into the manifest. */
export function writeModel(parent: string, id: string, graph: Uint8Array, changes: Partial<ManifestSource> = {}): string {
  const folder = join(parent, id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), graph);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifestOf(id, graph, changes)));
  return folder;
}
