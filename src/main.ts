#!/usr/bin/env node
/** The `conus` command. */
import { main } from './cli/index.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Once: a second signal ends the process at once.
  process.once(signal, () => stop.abort());
}

process.exitCode = await main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  showsProgress: process.stderr.isTTY,
  stop: stop.signal,
  onDrainRequest: (listener) => process.on('SIGUSR2', listener),
});
