import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

// Peers from Debian and PyPI against the built service; each suite starts what it needs on free loopback ports.
export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({
    test: { include: ['test/interop/**/*.test.ts'], testTimeout: 180_000, fileParallelism: false },
  }),
);
