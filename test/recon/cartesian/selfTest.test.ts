import { expect, it } from 'vitest';
import { selfTest } from '../../../recon/index.js';

it('passes the self-test with which every reconstruction thread begins', () => {
  expect(() => selfTest()).not.toThrow();
});
