import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: { ismrmrd: fileURLToPath(new URL('./ismrmrd/src/index.ts', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'node_modules/**'],
    setupFiles: ['test/properties.ts'],
    pool: 'forks',
    testTimeout: 60_000,
  },
});
