/**
 * The service's end of one model process: one question at a time, each with a time-out after which the process is killed. While the
 * outputs of a run are on their way, the next question may be asked.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CodedError } from 'ismrmrd';
import { modelError } from '../errors.js';
import type { FromHost, ToHost } from './messages.js';

/** The compiled module, also when this file itself runs from source, as in tests. */
export const hostScript = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist/models/host/process.js' : './process.js', import.meta.url));

const longestRemark = 300;

interface Pending {
  readonly finished: () => void;
  readonly resolve: (answer: FromHost) => void;
  readonly reject: (error: CodedError) => void;
  readonly timer: NodeJS.Timeout;
}

export class HostProcess {
  readonly #child: ChildProcess;
  /** The last that it wrote to stderr: the runtime says there why it gives up. */
  #lastWords = '';
  /** In the order in which they were asked and are answered. */
  readonly #pending: Pending[] = [];
  #isAlive = true;

  private constructor(script: string) {
    this.#child = fork(script, [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-4 * longestRemark);
    });
    this.#child.on('message', (answer: FromHost) => {
      if (answer.type === 'finished') this.#pending[0]?.finished();
      else this.#settle(this.#pending[0])?.resolve(answer);
    });
    this.#child.on('error', (error) => this.#ended(error.message));
    // "close" comes when stderr has been read to its end.
    this.#child.on('close', (code, signal) => this.#ended(`a process that ended with ${signal ?? `exit code ${String(code)}`}`));
  }

  /** @throws CodedError (as a rejection) MODEL_ERR_HOST where it does not come up */
  static async start(script: string, timeoutMs: number): Promise<HostProcess> {
    const started = new HostProcess(script);
    try {
      await started.#answer(timeoutMs);
      return started;
    } catch (error) {
      throw modelError('MODEL_ERR_HOST', (error as CodedError).got);
    }
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * The answer, which may be that it failed.
   * @param finished called where a run is over and its outputs are still on their way
   * @throws CodedError (as a rejection) MODEL_ERR_TIMEOUT, after the process was killed; MODEL_ERR_CRASHED
   */
  ask(question: ToHost, timeoutMs: number, finished: () => void = () => undefined): Promise<FromHost> {
    const answered = this.#answer(timeoutMs, finished);
    if (this.#isAlive) this.#child.send(question, (error) => error !== null && this.#ended(error.message));
    else this.#settle(this.#pending.at(-1))?.reject(modelError('MODEL_ERR_CRASHED', 'a process that was gone already'));
    return answered;
  }

  kill(): void {
    this.#isAlive = false;
    this.#child.kill('SIGKILL');
  }

  #answer(timeoutMs: number, finished: () => void = () => undefined): Promise<FromHost> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.kill();
        this.#settle(pending)?.reject(modelError('MODEL_ERR_TIMEOUT', `no answer after ${timeoutMs} ms`));
      }, timeoutMs);
      const pending: Pending = { finished, resolve, reject, timer };
      this.#pending.push(pending);
    });
  }

  #settle(pending: Pending | undefined): Pending | undefined {
    if (pending === undefined) return undefined;
    this.#pending.splice(this.#pending.indexOf(pending), 1);
    clearTimeout(pending.timer);
    return pending;
  }

  #ended(how: string): void {
    this.#isAlive = false;
    const remark = this.#lastWords.trim().split('\n').at(-1)!.slice(0, longestRemark);
    for (const pending of [...this.#pending]) this.#settle(pending)!.reject(modelError('MODEL_ERR_CRASHED', remark === '' ? how : `${how} (${remark})`));
  }
}
