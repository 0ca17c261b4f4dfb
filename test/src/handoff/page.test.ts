import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { handoffPage } from '../../../src/handoff/index.js';

it('is the page in docs', async () => {
  expect(await readFile(new URL('../../../docs/handoff.md', import.meta.url), 'utf8')).toBe(handoffPage());
});
