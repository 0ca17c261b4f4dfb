/** Many scanners at once: each scans its patient series by series, and sends a scan again that was not acknowledged. */
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { playSession } from '../../../src/cli/client.js';
import type { CliIo } from '../../../src/cli/io.js';
import type { Patient } from './site.js';

const quiet: CliIo = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), showsProgress: false, stop: new AbortController().signal };

export interface Night {
  /** From the first byte to the last acknowledgement, in ms. */
  readonly tookMs: number;
  readonly nAttempts: number;
  /** What went against an acknowledgement, each once, with how often. */
  readonly troubles: ReadonlyMap<string, number>;
}

export interface ScannerOptions {
  /** A scanner goes on with its next series after so long, ms. */
  readonly pauseMs?: number;
  /** Scanners at work at once; all of them by default. */
  readonly atOnce?: number;
  /** Told of every acknowledged scan. */
  readonly acknowledged?: (nAcknowledged: number) => void;
}

/** Every patient, to the last acknowledgement. */
export async function scanAll(patients: readonly Patient[], port: number, { pauseMs = 0, atOnce = patients.length, acknowledged }: ScannerOptions = {}): Promise<Night> {
  const startedAt = performance.now();
  const troubles = new Map<string, number>();
  let nAttempts = 0;
  let nAcknowledged = 0;
  const waiting = [...patients];
  const scanner = async () => {
    for (let patient = waiting.shift(); patient !== undefined; patient = waiting.shift()) {
      for (const [index, stream] of patient.streams.entries()) {
        if (index > 0 && pauseMs > 0) await sleep(pauseMs);
        for (;;) {
          nAttempts++;
          const trouble = await attempt(stream, port);
          if (trouble === undefined) break;
          troubles.set(trouble, (troubles.get(trouble) ?? 0) + 1);
          await sleep(200 + 300 * Math.random());
        }
        acknowledged?.(++nAcknowledged);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, scanner));
  return { tookMs: performance.now() - startedAt, nAttempts, troubles };
}

/** @returns why the scan has to be sent again; undefined where it was acknowledged */
async function attempt(stream: Uint8Array, port: number): Promise<string | undefined> {
  try {
    const { texts } = await playSession(pieces(stream), { host: '127.0.0.1', port }, undefined, quiet);
    return texts.find((text) => text.startsWith('ERR') || text.includes('CONUS_WARN_NOT_KEPT'));
  } catch (error) {
    return (error as Error).message;
  }
}

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
