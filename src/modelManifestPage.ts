/** docs/model-manifest.md, from the schema. */
import { manifestJsonSchema } from '../models/index.js';
import { schemaTables, type JsonSchema } from './schemaTables.js';

export function modelManifestPage(): string {
  return [
    '# The manifest of a model',
    '',
    'Written by `conus models schema --markdown`; do not edit.',
    '',
    'A model is a folder with `manifest.json` and `model.onnx` ([models](models.md)). Unknown keys are refused;',
    '`conus models check` tells everything that is wrong. Lengths are in mm; the unit is in the name.',
    '',
    ...schemaTables('the model', manifestJsonSchema() as JsonSchema),
  ].join('\n');
}
