/**
 * Frees the memories of scans that are over. A WebAssembly memory goes when no thread refers to it any
 * more, but the collector sees only the small objects that refer and not the megabytes behind them: a
 * thread that allocates little would keep hundreds of them. So it is told when to look.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Collects this thread's garbage now; some milliseconds in a small heap. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
