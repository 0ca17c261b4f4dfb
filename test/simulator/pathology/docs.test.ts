import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pathologyTable } from '../../../simulator/pathology/index.js';

it('lists every pathology in docs/simulator.md as the parser knows it', () => {
  const page = readFileSync(new URL('../../../docs/simulator.md', import.meta.url), 'utf8');
  expect(page).toContain(pathologyTable());
});
