/** One series in the column of an exam: how it stands, what it has, where it went. */
import { useState } from 'preact/hooks';
import type { ExamView, SeriesView } from '../api/index.js';
import { hrefOf } from '../app/route.js';
import { Light, outputName, roleName, State, timeOf } from '../parts/index.js';
import { markOf } from '../pictures/naming.js';
import { seriesStates } from './examWords.js';
import { useMeaning } from './meanings.js';
import { withNames } from './promiseWords.js';
import { denoisingWords, destinationsOf, factWords, remarkCount } from './seriesWords.js';

export function SeriesCard({ exam, series, isSelected }: { exam: ExamView; series: SeriesView; isSelected: boolean }) {
  const { id, description, role, state, reason, lines, outputs, source, candidates, nAttempts, remarks, reasons = [], deliveries, endedAt, openedAt } = series;
  const [standing, words] = seriesStates[state];
  const denoising = denoisingWords(series);
  return (
    <li class={`card ${isSelected ? 'selected' : ''}`}>
      <div class="card-head">
        <a href={hrefOf('exam', exam.id, 'series', id)} aria-current={isSelected ? 'true' : undefined}>{description ?? (role === undefined ? 'Series' : roleName(role))}</a>
        {markOf(series) !== undefined && <span class="synthetic-mark">{markOf(series)}</span>}
        <State is={standing}>{words}</State>
      </div>
      <p class="reason">{[factWords(series), timeOf(endedAt ?? openedAt), source === 'dicom' ? 'received' : '', nAttempts > 1 ? `sent ${nAttempts} times` : ''].filter((part) => part !== '').join(' · ')}</p>
      {lines?.nExpected !== undefined && (state === 'scanning' || state === 'reconstructing') && (
        <label class="lines">
          <progress max={lines.nExpected} value={lines.nAcquired} /> {lines.nAcquired} of {lines.nExpected} lines
        </label>
      )}
      <ul class="outputs">
        {outputs.map(({ kind, nImages, nExpected, light }) => (
          <li key={kind}>{outputName(kind)} {nExpected === undefined ? nImages : `${nImages}/${nExpected}`} {light !== undefined && <Light value={light} isShort />}</li>
        ))}
      </ul>
      {denoising !== undefined && <p class="reason">{denoising}</p>}
      {reason !== undefined && <p class="reason">{reason.text} <code>{reason.code}</code></p>}
      {reasons.length > 0 && (
        <details>
          <summary>{reasons.length === 1 ? 'What is to be known' : `${reasons.length} things to be known`}</summary>
          <ul>{reasons.map((one) => <li key={`${one.code} ${one.text}`} class="reason">{one.text} <code>{one.code}</code></li>)}</ul>
        </details>
      )}
      {candidates.length > 1 && <p class="reason">It could be {withNames(candidates.join(' or '), exam.promises)}.</p>}
      <ul class="destinations">
        {destinationsOf(deliveries).map(({ destination, standing: its, words: how, reasons: why }) => (
          <li key={destination}>
            <State is={its}>{destination}: {how}</State>
            {why.map((text) => <p key={text} class="reason">{text}</p>)}
          </li>
        ))}
      </ul>
      <Remarks codes={remarks} />
    </li>
  );
}

function Remarks({ codes }: { codes: readonly string[] }) {
  const [isOpen, setIsOpen] = useState(false);
  if (codes.length === 0) return null;
  return (
    <details onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>{remarkCount(codes)}</summary>
      {isOpen && <ul>{codes.map((code) => <Remark key={code} code={code} />)}</ul>}
    </details>
  );
}

function Remark({ code }: { code: string }) {
  const meaning = useMeaning(code);
  return (
    <li class="reason">
      <code>{code}</code>
      {meaning !== undefined && <> Expected {meaning.expected}. What to do: {meaning.action}.</>}
    </li>
  );
}
