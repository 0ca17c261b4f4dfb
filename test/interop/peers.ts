/** Programs of others: they have to be there, and to end well. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const interpreter = process.env['CONUS_PYTHON'] ?? 'python3';

/**
 * What a program writes to stdout, given `input` on stdin.
 * @throws where it is not installed or fails, with what it said
 */
export async function run(program: string, parameters: readonly string[], input: Uint8Array = new Uint8Array(0)): Promise<Buffer> {
  const child = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'pipe'] });
  const started = once(child, 'spawn').catch((cause: unknown) => {
    throw new Error(`${program} cannot be run; .ci/run installs what the interop suite needs`, { cause });
  });
  // A program that ends before it has read everything says why by its status.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  await started;
  const [stdout, stderr, [status]] = await Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]);
  if (status !== 0) throw new Error(`${program} ${parameters.join(' ')} ended with ${String(status)}:\n${stderr}`);
  return stdout;
}

/** Python with the ismrmrd package: CONUS_PYTHON, or python3. */
export function python(parameters: readonly string[], input?: Uint8Array): Promise<Buffer> {
  // -B: no compiled files beside the scripts.
  return run(interpreter, ['-B', ...parameters], input);
}

/** Runs a script of python/. */
export function runPython(script: string, ...parameters: readonly string[]): Promise<Buffer> {
  return python([fileURLToPath(new URL(`python/${script}`, import.meta.url)), ...parameters]);
}

export function float32Of(bytes: Buffer): Float32Array {
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
