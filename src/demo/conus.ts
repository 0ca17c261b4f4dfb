/** Conus as its users run it: the command, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { relative } from 'node:path';
import { text } from 'node:stream/consumers';

export interface ConusCommand {
  /** Path of the command's main file. */
  readonly mainPath: string;
  /** Told of every command before it runs, as one would type it. */
  readonly announce: (line: string) => void;
}

export interface RunningServer {
  readonly port: number;
  /**
   * Ends the server.
   * @returns what it logged when each session closed, in order
   * @throws with its log, when it did not end well
   */
  stop(): Promise<ClosedSession[]>;
}

/** What the demo reads from the log line of a session. */
export interface ClosedSession {
  readonly chain: string;
  readonly nReadouts: number;
  readonly nImagesOut: number;
  readonly durationMs: number;
  readonly lastReadoutToLastImageMs?: number;
  readonly stageMs: Readonly<Record<string, number>>;
}

/**
 * Runs a command with `--json` and gives its result.
 * @throws with what the command said, when it fails
 */
export async function runConus(conus: ConusCommand, ...parameters: readonly string[]): Promise<unknown> {
  announce(conus, parameters);
  const child = spawn(process.execPath, [conus.mainPath, ...parameters, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (exitCode !== 0) throw new Error(`conus ${parameters[0]} ended with ${String(exitCode)}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}

/** Starts the service on a free port of the loopback. @throws when it does not come up */
export async function startServer(conus: ConusCommand, ...options: readonly string[]): Promise<RunningServer> {
  const parameters = ['serve', '--port', '0', ...options];
  announce(conus, parameters);
  const child = spawn(process.execPath, [conus.mainPath, ...parameters, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = text(child.stderr);
  const ended = once(child, 'close');
  const port = await Promise.race([portOf(child.stdout), ended.then(async () => Promise.reject(new Error(await log)))]);
  return {
    port,
    async stop() {
      child.kill('SIGTERM');
      const [exitCode] = (await ended) as [number | null];
      if (exitCode !== 0) throw new Error(`conus serve ended with ${String(exitCode)}: ${await log}`);
      return closedSessions(await log);
    },
  };
}

function announce(conus: ConusCommand, parameters: readonly string[]): void {
  const shown = parameters.map((parameter) => (parameter.startsWith('/') ? relative(process.cwd(), parameter) : parameter));
  conus.announce(`conus ${shown.join(' ')}`);
}

async function portOf(stdout: AsyncIterable<Buffer>): Promise<number> {
  let received = '';
  for await (const chunk of stdout) {
    received += chunk.toString();
    const port = /"port":\s*(\d+)/.exec(received)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('the server told no port');
}

function closedSessions(log: string): ClosedSession[] {
  return log
    .split('\n')
    .filter((line) => line.includes('"session closed"'))
    .map((line) => JSON.parse(line) as ClosedSession);
}
