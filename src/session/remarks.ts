/** The remarks of a session: sent as TEXT as they come, a flood of one kind only counted. */
import type { ReconNotice } from '../../recon/index.js';
import { sessionWarning } from './errors.js';

/** Remarks of one code that are sent before the rest is only counted. */
const LIMIT_PER_CODE = 16;

// The log viewers of scanners colour text that starts WRN or ERR.
const prefixes: Readonly<Record<ReconNotice['severity'], string>> = { info: '', warning: 'WRN ', error: 'ERR ' };

export class Remarks {
  readonly #counts = new Map<string, number>();
  readonly #send: (text: string) => void;
  readonly #sent: (notice: ReconNotice) => void;

  /** @param sent is told each remark that was sent */
  constructor(send: (text: string) => void, sent: (notice: ReconNotice) => void = () => undefined) {
    this.#send = send;
    this.#sent = sent;
  }

  get codes(): readonly string[] {
    return [...this.#counts.keys()];
  }

  say(notice: ReconNotice): void {
    const count = (this.#counts.get(notice.code) ?? 0) + 1;
    this.#counts.set(notice.code, count);
    if (count > LIMIT_PER_CODE) return;
    this.#send(`${prefixes[notice.severity]}${notice.code}: ${notice.message}`);
    this.#sent(notice);
  }

  /** Says what was only counted. */
  end(): void {
    for (const [code, count] of [...this.#counts]) {
      if (count > LIMIT_PER_CODE) this.say(sessionWarning('CONUS_WARN_MORE_REMARKS', `${count - LIMIT_PER_CODE} more of ${code}`));
    }
  }
}
