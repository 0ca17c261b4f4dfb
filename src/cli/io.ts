/** What a command may touch of the world, so that tests need no process of their own. */
import type { Readable, Writable } from 'node:stream';

export interface CliIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Whether stderr is a terminal, which shows progress. */
  readonly showsProgress: boolean;
  /** Aborted when the process is asked to end. */
  readonly stop: AbortSignal;
  /** Calls back whenever an operator wants no more work to come, or some again; the process goes on. */
  readonly onDrainRequest?: (listener: () => void) => void;
}

export function printJson(stream: Writable, value: unknown): void {
  const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), 2);
  stream.write(`${text}\n`);
}

/** Rows under their headings, columns aligned. */
export function printTable(stream: Writable, headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [headings, ...rows]) {
    stream.write(`${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()}\n`);
  }
}
