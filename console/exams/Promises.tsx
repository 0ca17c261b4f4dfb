/** What the protocol promised, and why it is not there. */
import type { ExamView, PromiseState } from '../api/index.js';
import { Panel, State } from '../parts/index.js';
import type { Standing } from '../parts/index.js';

const states: Readonly<Record<PromiseState, readonly [Standing, string]>> = {
  awaited: ['wait', 'awaited'], late: ['look', 'late'], missing: ['bad', 'missing'], underway: ['busy', 'underway'], came: ['good', 'came'],
  failed: ['bad', 'failed'], notAvailable: ['bad', 'not available'],
};

export function Promises({ exam: { promises } }: { exam: ExamView }) {
  if (promises.length === 0) return null;
  return (
    <Panel title="Promised by the protocol">
      <ul class="promises">
        {promises.map(({ id, description, state, reason }) => (
          <li key={id}><State is={states[state][0]}>{description}: {states[state][1]}</State>{state !== 'came' && <p class="reason">{reason.text}</p>}</li>
        ))}
      </ul>
    </Panel>
  );
}
