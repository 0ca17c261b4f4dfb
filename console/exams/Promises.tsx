/** What the protocol promised along the time of the exam, and why it is not there. */
import { useEffect, useState } from 'preact/hooks';
import type { ExamView, PromiseView } from '../api/index.js';
import { hrefOf } from '../app/route.js';
import { Panel, State, timeOf } from '../parts/index.js';
import { useMeaning } from './meanings.js';
import { explained, isAbsent, isPressing, promiseStanding, timelineOf, withNames } from './promiseWords.js';
import type { Timeline, TimelineRow } from './promiseWords.js';

export function Promises({ exam }: { exam: ExamView }) {
  const now = useNow(exam.state === 'active');
  const { promises } = exam;
  if (promises.length === 0) return null;
  const timeline = timelineOf(exam, now);
  const absent = promises.filter(isAbsent);
  return (
    <>
      <Panel title="Promised by the protocol">
        <ul class="promises">{timeline.rows.map((row) => <PromiseRow key={row.promise.id} exam={exam} row={row} timeline={timeline} />)}</ul>
        <p class="timeline-ends quiet" aria-hidden="true"><span>{timeOf(timeline.beginAt)}</span><span>{timeOf(timeline.endAt)}</span></p>
      </Panel>
      {absent.length > 0 && (
        <Panel title="Why is there no …?">
          <ul class="absences">{absent.map((promise) => <li key={promise.id}><Absence promise={promise} promises={promises} /></li>)}</ul>
        </Panel>
      )}
    </>
  );
}

/** Of the clock, which alone moves a promise from awaited to late on the page. */
function useNow(isRunning: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isRunning) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 5000);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}

function PromiseRow({ exam, row, timeline }: { exam: ExamView; row: TimelineRow; timeline: Timeline }) {
  const { promise } = row;
  const [standing, words] = promiseStanding(promise);
  return (
    <li>
      <div class="promise-head">
        {promise.seriesId === undefined ? <span>{promise.description}</span> : <a href={hrefOf('exam', exam.id, 'series', promise.seriesId)}>{promise.description}</a>}
        {promise.origin === 'synthesised' && <span class="synthetic-mark">SYNTHETIC</span>}
        <State is={standing}>{words}</State>
      </div>
      <TimelineBar row={row} now={timeline.now} />
    </li>
  );
}

/** What it shows is said in words beside it, too. */
function TimelineBar({ row: { turn, came, overdue }, now }: { row: TimelineRow; now: number | undefined }) {
  const bar = (kind: string, [begin, end]: readonly [number, number], y: number, height: number) => (
    <rect class={kind} x={`${100 * begin}%`} width={`${100 * Math.max(end - begin, 0.008)}%`} y={y} height={height} />
  );
  return (
    <svg class="timeline" width="100%" height="12" aria-hidden="true">
      {turn !== undefined && bar('turn', turn, 1.5, 9)}
      {overdue !== undefined && bar('overdue', overdue, 1.5, 9)}
      {came !== undefined && bar('came', came, 3, 6)}
      {now !== undefined && <line class="now" x1={`${100 * now}%`} x2={`${100 * now}%`} y1="0" y2="12" />}
    </svg>
  );
}

function Absence({ promise, promises }: { promise: PromiseView; promises: readonly PromiseView[] }) {
  const { description, reason, dueAt, lateAt, missingAt } = promise;
  const { why, expected, toDo } = explained(reason, useMeaning(reason.code));
  const [standing, words] = promiseStanding(promise);
  return (
    <details open={isPressing(promise)}>
      <summary>{description} <State is={standing}>{words}</State></summary>
      {why !== '' && <p>{sentence(withNames(why, promises))}</p>}
      <dl class="explanation">
        {expected !== undefined && <div><dt>Expected</dt><dd>{withNames(expected, promises)}</dd></div>}
        {toDo !== undefined && <div><dt>What to do</dt><dd>{toDo}</dd></div>}
        {dueAt !== undefined && (
          <div>
            <dt>Due</dt>
            <dd>{timeOf(dueAt)}{lateAt !== undefined && missingAt !== undefined && `; late from ${timeOf(lateAt)}, missing from ${timeOf(missingAt)}`}</dd>
          </div>
        )}
      </dl>
      <code>{reason.code}</code>
    </details>
  );
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
