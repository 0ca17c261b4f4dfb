import { expect, it } from 'vitest';
import { ChainChoice } from '../../../src/chain/index.js';
import { Denoising } from '../../../src/denoising/index.js';
import { temporaryFolder, writeModel } from '../../models/folders.js';
import { identity } from '../../models/onnx.js';

it('denoises by default where there is a denoiser, and says why; whoever says otherwise wins', async () => {
  const folder = temporaryFolder();
  writeModel(folder, 'of-the-site', identity());
  const { standards } = await Denoising.open({ models: [folder] });
  const of = (choice: ChainChoice) => choice.choose().decisions.find(({ what }) => what === 'denoise');
  expect(of(new ChainChoice({ standards }))).toMatchObject({ value: '75', origin: 'default', source: 'models' });
  expect(of(new ChainChoice({ standards }))?.because).toMatch(/there is a denoiser/);
  expect(of(new ChainChoice({ standards, chain: 'simplefft' }))).toMatchObject({ value: '0', origin: 'chain' });
  expect(of(new ChainChoice({ standards, overrides: { denoise: '20' } }))).toMatchObject({ value: '20', origin: 'operator' });
  expect(of(new ChainChoice())).toMatchObject({ value: '0', because: 'default' });
});
