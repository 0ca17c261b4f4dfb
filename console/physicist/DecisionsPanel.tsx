/** Every parameter and every choice with what decided it, to be sorted and searched. */
import { useState } from 'preact/hooks';
import type { DecisionView } from '../api/index.js';
import { Panel } from '../parts/index.js';
import { chosenDecisions, isDefault, originOf } from './decisions.js';
import type { DecisionColumn } from './decisions.js';

const columns: readonly (readonly [column: DecisionColumn, heading: string])[] = [
  ['what', 'What'], ['value', 'Value'], ['origin', 'Who'], ['source', 'Where'], ['because', 'Because'],
];

export function DecisionsPanel({ decisions }: { decisions: readonly DecisionView[] }) {
  const [words, setWords] = useState('');
  const [onlyDecided, setOnlyDecided] = useState(false);
  const [order, setOrder] = useState<{ readonly by: DecisionColumn; readonly isDescending: boolean }>();
  const shown = chosenDecisions(decisions, { words, onlyDecided, sortedBy: order?.by, isDescending: order?.isDescending === true });
  const sort = (by: DecisionColumn) => setOrder(order?.by !== by ? { by, isDescending: false } : order.isDescending ? undefined : { by, isDescending: true });
  return (
    <Panel
      title="Parameters and their origin"
      tools={
        <div class="tools">
          <label class="field inline"><span>Find</span><input type="search" value={words} onInput={({ currentTarget }) => setWords(currentTarget.value)} /></label>
          <label class="field inline"><input type="checkbox" checked={onlyDecided} onChange={({ currentTarget }) => setOnlyDecided(currentTarget.checked)} /> <span>only what was decided</span></label>
          <span class="quiet" role="status">{shown.length} of {decisions.length}</span>
        </div>
      }
    >
      <div class="scrolled" tabIndex={0} role="region" aria-label="Decisions">
        <table class="decisions">
          <thead>
            <tr>
              {columns.map(([column, heading]) => (
                <th key={column} scope="col" aria-sort={order?.by !== column ? 'none' : order.isDescending ? 'descending' : 'ascending'}>
                  <button type="button" class="plain" onClick={() => sort(column)}>{heading} <span aria-hidden="true">{order?.by !== column ? '' : order.isDescending ? '▼' : '▲'}</span></button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((decision) => (
              <tr key={`${decision.kind} ${decision.what}`} class={isDefault(decision) ? 'quiet' : ''}>
                <th scope="row" title={decision.meaning}>{decision.what}{decision.meaning !== undefined && <span class="meaning">{decision.meaning}</span>}</th>
                <td><strong>{decision.value === '' ? '(none)' : decision.value}</strong></td>
                <td><span class={`badge ${isDefault(decision) ? '' : 'set'}`}>{originOf(decision)}</span></td>
                <td><code>{decision.source}</code></td>
                <td>{decision.because}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
