/** How something stands: a shape, a colour, and always the word. */
import type { ComponentChildren } from 'preact';

/** good: done; busy: goes on by itself; wait: nothing to do yet; look: somebody should look; bad: failed. */
export type Standing = 'good' | 'busy' | 'wait' | 'look' | 'bad';

const shapes: Readonly<Record<Standing, string>> = { good: '✓', busy: '▸', wait: '·', look: '!', bad: '✕' };

export function State({ is, children }: { is: Standing; children: ComponentChildren }) {
  return (
    <span class={`state ${is}`}>
      <span class="shape" aria-hidden="true">{shapes[is]}</span>
      {children}
    </span>
  );
}
