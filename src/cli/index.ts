export { ExitCode } from './exitCodes.js';
export type { CliIo } from './io.js';
export { main } from './program.js';
