/** One series in the column of an exam. */
import type { ExamView, SeriesView } from '../api/index.js';
import { hrefOf } from '../app/route.js';
import { Light, outputName, roleName, State } from '../parts/index.js';
import { seriesStates } from './examWords.js';

export function SeriesCard({ exam, series, isSelected }: { exam: ExamView; series: SeriesView; isSelected: boolean }) {
  const { id, description, role, state, reason, lines, outputs, source } = series;
  const [standing, words] = seriesStates[state];
  return (
    <li class={`card ${isSelected ? 'selected' : ''}`}>
      <div class="card-head">
        <a href={hrefOf('exam', exam.id, 'series', id)} aria-current={isSelected ? 'true' : undefined}>{description ?? (role === undefined ? 'Series' : roleName(role))}</a>
        {source === 'synthesis' && <span class="synthetic-mark">SYNTHETIC</span>}
        <State is={standing}>{words}</State>
      </div>
      {lines?.nExpected !== undefined && state === 'scanning' && (
        <label class="lines">
          <progress max={lines.nExpected} value={lines.nAcquired} /> {lines.nAcquired} of {lines.nExpected} lines
        </label>
      )}
      <ul class="outputs">
        {outputs.map(({ kind, nImages, nExpected, light }) => (
          <li key={kind}>{outputName(kind)} {nExpected === undefined ? nImages : `${nImages}/${nExpected}`} {light !== undefined && <Light value={light} isShort />}</li>
        ))}
      </ul>
      {reason !== undefined && <p class="reason">{reason.text} <code>{reason.code}</code></p>}
    </li>
  );
}
