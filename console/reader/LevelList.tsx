/** The levels of the report: how bad each is by word and shape, and whether a reader said something of it. */
import { Panel, State } from '../parts/index.js';
import { levelName, severityStanding } from './report.js';
import type { Level, LevelSummary } from './report.js';

export function LevelList({ levels, selected, onSelect }: { levels: readonly LevelSummary[]; selected: Level; onSelect: (level: Level) => void }) {
  const keyed = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by === 0) return;
    const place = levels.findIndex(({ level }) => level === selected);
    const next = Math.min(levels.length - 1, Math.max(0, place + by));
    onSelect(levels[next]!.level);
    const list = event.currentTarget as HTMLElement;
    list.querySelectorAll('button')[next]?.focus();
    event.preventDefault();
  };
  return (
    <Panel title="Levels" class="levels">
      <ul onKeyDown={keyed}>
        {levels.map((summary) => (
          <li key={levelName(summary.level)}>
            <button type="button" class="level" aria-current={summary.level === selected ? 'true' : undefined} onClick={() => onSelect(summary.level)}>
              <span class="level-name">{levelName(summary.level)}</span>{' '}
              <Summary of={summary} />
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Summary({ of: { worst, nSigns, isChanged, isSynthetic } }: { of: LevelSummary }) {
  return (
    <span class="level-summary">
      {worst !== undefined && <State is={severityStanding[worst]}>{worst}</State>}{' '}
      {nSigns > 0 && <span class="tag">{nSigns === 1 ? '1 sign' : `${nSigns} signs`}</span>}{' '}
      {isSynthetic && <span class="tag synthetic" title="in part from synthetic images">SYN</span>}{' '}
      {isChanged && <span class="tag reader">reader</span>}
    </span>
  );
}
