/**
 * Every measurement, one after the other, each in a process of its own:
 *
 *   npm run bench [-- PHANTOM]
 *
 * PHANTOM: a folder of BART files full1, clean1, us1_R2 … us1_R4 (320 x 320, 16 coils) for the quality of the images.
 */
import { spawnSync } from 'node:child_process';

const phantom = process.argv[2];
const benches: readonly (readonly string[])[] = [
  ['parser.ts'],
  ['fft.ts'],
  ['grappa.ts', ...(phantom === undefined ? [] : ['--phantom', phantom]), '--replicas', '200'],
  ...(phantom === undefined ? [] : [['coilMaps.ts', '--phantom', phantom], ['iterative.ts', '--phantom', phantom]]),
  ['snr.ts'],
  ['session.ts'],
  ['denoise.ts'],
  ['ingest.ts'],
  ['ct.ts'],
  ['synthesis.ts'],
  ['simulate.ts'],
];

for (const [file, ...options] of benches) {
  console.log(`\n== bench/${file}`);
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', `bench/${file}`, ...options], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
