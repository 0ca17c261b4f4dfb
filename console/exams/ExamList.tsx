/** Tonight's exams, the newest first. */
import { memo } from 'preact/compat';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { ExamView } from '../api/index.js';
import { hrefOf } from '../app/route.js';
import { Light, patientName, State, timeOf } from '../parts/index.js';
import { examStanding, isDone, searchText, worstLight } from './examWords.js';

export function ExamList({ exams, isKnown }: { exams: ReadonlyMap<string, ExamView>; isKnown: boolean }) {
  const [filter, setFilter] = useState('');
  const body = useRef<HTMLTableSectionElement>(null);
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const shown = useMemo(
    () => [...exams.values()]
      .filter((exam) => words.length === 0 || words.every((word) => searchText(exam).includes(word)))
      .sort((a, b) => b.openedAt - a.openedAt || (a.id < b.id ? -1 : 1)),
    [exams, filter],
  );
  const move = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (by === undefined) return;
    const links = [...(body.current?.querySelectorAll('a') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
    event.preventDefault();
  };
  return (
    <>
      <div class="list-head">
        <h1>Exams</h1>
        <label class="field inline">
          <span>Find</span>
          <input type="search" value={filter} onInput={({ currentTarget }) => setFilter(currentTarget.value)} />
        </label>
        <span class="quiet" role="status">{shown.length === exams.size ? `${exams.size} in memory` : `${shown.length} of ${exams.size}`}</span>
      </div>
      {exams.size === 0 && <Nothing isKnown={isKnown} />}
      {exams.size > 0 && (
        <table class="exams">
          <thead>
            <tr>
              <th scope="col">Began</th><th scope="col">Patient</th><th scope="col">Protocol</th><th scope="col">Series</th>
              <th scope="col">Quality</th><th scope="col">Stands</th><th scope="col">Priority</th><th scope="col">Report</th>
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={move}>{shown.map((exam) => <ExamRow key={exam.id} exam={exam} />)}</tbody>
        </table>
      )}
    </>
  );
}

const ExamRow = memo(({ exam }: { exam: ExamView }) => {
  const { id, openedAt, patient, protocol, protocolCandidates, series, promises, priority, reading } = exam;
  const [standing, words] = examStanding(exam);
  const light = worstLight(exam);
  const nDone = series.filter(({ state }) => isDone(state)).length;
  return (
    <tr>
      <td>{timeOf(openedAt)}</td>
      <td>
        <a href={hrefOf('exam', id)}>{patientName(patient.name)}</a>
        <span class="quiet"> {patient.id}</span>
      </td>
      <td>{protocol?.title ?? (protocolCandidates.length > 0 ? `one of ${protocolCandidates.slice(0, 3).join(', ')}${protocolCandidates.length > 3 ? ', …' : ''}` : 'none known')}</td>
      <td>{promises.length > 0 ? `${nDone} of ${promises.length}` : nDone}</td>
      <td>{light === undefined ? <span class="quiet">–</span> : <Light value={light} isShort />}</td>
      <td><State is={standing}>{words}</State></td>
      <td>{priority === undefined ? <span class="quiet">–</span> : <State is={priority.level === 'routine' ? 'wait' : 'look'}>{priority.level}</State>}</td>
      <td>{reading === undefined ? <span class="quiet">–</span> : <State is={reading.state === 'confirmed' ? 'good' : 'wait'}>{reading.state}</State>}</td>
    </tr>
  );
});

function Nothing({ isKnown }: { isKnown: boolean }) {
  if (!isKnown) return <p class="quiet" role="status">Asking the service …</p>;
  return (
    <p class="quiet">
      No exam yet. One begins with the first scan that a scanner sends. To try: <code>conus simulate --protocol lumbar-fast --to HOST:PORT --real-time --speed 20</code>
    </p>
  );
}
