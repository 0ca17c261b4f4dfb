/** The built service, as its users run it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../src/demo/conus.js';
import type { RunningServer } from '../../src/demo/conus.js';
import { run } from './peers.js';

const mainPath = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
if (!existsSync(mainPath)) throw new Error(`${mainPath} is not there: run npm run build first`);

/** `conus serve` on a free port of the loopback, with the conventional series alone: peers count images. */
export function startService(...options: readonly string[]): Promise<RunningServer> {
  return startServer({ mainPath, announce: () => undefined }, '--denoise', '0', ...options);
}

/** `conus` with these parameters: what it writes to stdout. @throws where it fails, with what it said */
export function conus(parameters: readonly string[], input?: Uint8Array): Promise<Buffer> {
  return run(process.execPath, [mainPath, ...parameters], input);
}
