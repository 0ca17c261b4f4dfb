import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseManifest, readModels } from '../../models/index.js';
import { manifestOf, temporaryFolder, writeModel } from './folders.js';
import { halfTheNoise, identity } from './onnx.js';

it('lists the models of several folders in order; what is in order by its files is listed, nothing else is lost', async () => {
  const [ours, site] = [temporaryFolder(), temporaryFolder()];
  writeModel(ours, 'first', identity());
  writeModel(ours, 'no-graph', identity());
  rmSync(join(ours, 'no-graph', 'model.onnx'));
  writeModel(ours, 'other-bytes', identity());
  writeFileSync(join(ours, 'other-bytes', 'model.onnx'), halfTheNoise());
  mkdirSync(join(ours, 'training'));
  writeModel(site, 'first', halfTheNoise());
  writeModel(site, 'of-the-site', halfTheNoise());
  mkdirSync(join(site, 'half-written'));
  writeFileSync(join(site, 'half-written', 'manifest.json'), '{ "id": ');
  const entries = await readModels([ours, site]);
  expect(entries.map(({ id, state, reason }) => [id, state, reason?.code])).toEqual([
    ['first', 'listed', undefined],
    ['no-graph', 'refused', 'MODEL_ERR_FILE'],
    ['other-bytes', 'refused', 'MODEL_ERR_SHA256'],
    ['first', 'refused', 'MODEL_ERR_DUPLICATE'],
    ['half-written', 'refused', 'MODEL_ERR_MANIFEST'],
    ['of-the-site', 'listed', undefined],
  ]);
  await expect(readModels([join(ours, 'nowhere')])).rejects.toThrow(/MODEL_ERR_FOLDER/);
});

it('lists the models that come with the program, each in order', async () => {
  for (const entry of await readModels()) expect([entry.id, entry.state, entry.reason?.message]).toEqual([entry.id, 'listed', undefined]);
});

it('tells everything that is wrong with a manifest, each with its place', () => {
  const graph = identity();
  expect(parseManifest(JSON.stringify(manifestOf('sound', graph)))).toMatchObject({ id: 'sound', researchOnly: true, patch: { overlap: 0 } });
  const wrong = { ...manifestOf('Wrong Id', graph), version: '1', licence: undefined, surprise: 1, patch: { size: 32, overlap: 16, multipleOf: 5 } };
  expect(() => parseManifest(JSON.stringify(wrong))).toThrow(
    /MODEL_ERR_MANIFEST.*id: must be lower-case.*version: must be major.minor.patch.*licence: .*patch: overlap must be at most a third.*patch: size must be a multiple.*surprise/s,
  );
  expect(() => parseManifest('[')).toThrow(/MODEL_ERR_MANIFEST.*no JSON/);
});
