import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { livePage } from '../../../src/live/index.js';

it('docs/live-channel.md is what the messages are', async () => {
  expect(await readFile(new URL('../../../docs/live-channel.md', import.meta.url), 'utf8')).toBe(livePage());
});
