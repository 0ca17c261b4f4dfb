/** Programs that run until they are ended, and whose last words are told where they end by themselves. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Those that run; none of them may outlive the test, whatever became of it. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** At the end of a test that may have failed. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map(async (child) => {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }));
}

export class Daemon {
  readonly #program: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  /** What it wrote to stdout and stderr. */
  stdout = '';
  stderr = '';

  /** @throws (as a rejection) where it is not installed */
  static async start(program: string, parameters: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Daemon> {
    const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    const daemon = new Daemon(program, child);
    await once(child, 'spawn').catch((cause: unknown) => {
      throw new Error(`${program} cannot be run; .ci/run installs what the interop suite needs`, { cause });
    });
    return daemon;
  }

  private constructor(program: string, child: ChildProcess) {
    this.#program = program;
    this.#child = child;
    running.add(child);
    this.#ended = new Promise((resolve) => child.once('close', resolve));
    void this.#ended.then(() => running.delete(child));
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Until something holds. @throws where it ends before */
  async until<T>(holds: () => T | undefined | Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await holds();
      if (found !== undefined) return found;
      if (this.hasEnded) throw new Error(`${this.#program} ended with ${this.#child.exitCode ?? this.#child.signalCode}: ${this.lastWords}`);
      await sleep(30);
    }
  }

  get lastWords(): string {
    return (this.stdout + this.stderr).slice(-4000);
  }

  /** @returns its exit status; undefined where a signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | undefined> {
    if (!this.hasEnded) this.#child.kill(signal);
    await this.#ended;
    return this.#child.exitCode ?? undefined;
  }
}
