/**
 * What was logged within the last hour, in memory, for whoever looks after the service. Bounded in bytes, too; the oldest lines go
 * first. Lines are kept as they were written, so nothing is here that the log itself does not have.
 */
import { pino } from 'pino';

const HOUR_MS = 3_600_000;
const mostBytes = 4 * 2 ** 20;
/** A line of UTF-16 in memory, with what holds it. */
const bytesOf = (line: string) => 2 * line.length + 64;

export interface LogEntry {
  /** ms since 1970. */
  readonly at: number;
  readonly level: string;
  readonly text: string;
  /** What else the line has. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LogQuery {
  /** The least one: `trace` to `fatal`. */
  readonly level: string;
  /** To be found in the line; case does not count. */
  readonly text: string;
  readonly limit: number;
}

interface Line {
  readonly at: number;
  readonly line: string;
}

export class LogRing {
  readonly #now: () => number;
  readonly #mostBytes: number;
  /** Oldest first; those before `#first` are gone. */
  #lines: Line[] = [];
  #first = 0;
  #nBytes = 0;

  constructor(limitBytes = mostBytes, now: () => number = Date.now) {
    this.#mostBytes = limitBytes;
    this.#now = now;
  }

  get nBytes(): number {
    return this.#nBytes;
  }

  /** One line, as the log writes it. */
  write(line: string): void {
    this.#lines.push({ at: this.#now(), line });
    this.#nBytes += bytesOf(line);
    this.#forget();
  }

  /** The latest first. */
  entries({ level, text, limit }: LogQuery): LogEntry[] {
    this.#forget();
    const least = pino.levels.values[level] ?? 0;
    const wanted = text.toLowerCase();
    const found: LogEntry[] = [];
    for (let index = this.#lines.length - 1; index >= this.#first && found.length < limit; index--) {
      const { at, line } = this.#lines[index]!;
      if (!line.toLowerCase().includes(wanted)) continue;
      const { level: value, msg = '', ...fields } = JSON.parse(line) as { level: number; time?: string; msg?: string };
      delete fields.time;
      if (value >= least) found.push({ at, level: pino.levels.labels[value] ?? String(value), text: msg, fields });
    }
    return found;
  }

  #forget(): void {
    const before = this.#now() - HOUR_MS;
    while (this.#first < this.#lines.length && (this.#nBytes > this.#mostBytes || this.#lines[this.#first]!.at < before)) {
      this.#nBytes -= bytesOf(this.#lines[this.#first]!.line);
      this.#first++;
    }
    // Moved seldom, so that a line costs the same however many there are.
    if (this.#first <= this.#lines.length / 2) return;
    this.#lines = this.#lines.slice(this.#first);
    this.#first = 0;
  }
}
