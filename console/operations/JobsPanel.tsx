/** Work that waits, runs or was given up, on whatever node, and what can be done about it. */
import { useState } from 'preact/hooks';
import type { JobStats, JobView, OperationsView } from '../api/index.js';
import { Panel, State, timeOf, Trouble } from '../parts/index.js';
import type { Standing } from '../parts/index.js';
import { ConfirmDialog } from './ConfirmDialog.js';
import { ExamLink } from './ExamLink.js';
import { useAsking } from './useAsking.js';

const kindNames: Readonly<Record<JobView['kind'], string>> = { synthesise: 'Synthesis', analyse: 'Analysis', deliver: 'Delivery', reconstruct: 'Reconstruction' };
const standings: Readonly<Record<JobView['state'], readonly [Standing, string]>> = {
  waiting: ['wait', 'waits'], delayed: ['wait', 'waits for its time'], active: ['busy', 'runs'], dead: ['bad', 'given up'],
};

export function JobsPanel({ jobs, refresh }: { jobs: OperationsView['jobs']; refresh: () => Promise<void> }) {
  const { ask, error } = useAsking(refresh);
  const [ending, setEnding] = useState<{ readonly job: JobView; readonly how: 'cancel' | 'drop' }>();
  if (jobs === undefined) return <Panel title="Jobs" class="wide"><p><State is="bad">The queue does not answer.</State></p></Panel>;
  const { kinds, latest, nJobs } = jobs;
  const pathOf = ({ id }: JobView) => `api/jobs/${encodeURIComponent(id)}`;
  return (
    <Panel title="Jobs" class="wide" tools={nJobs > latest.length ? <span class="quiet">the {latest.length} that matter of {nJobs}</span> : undefined}>
      <Trouble error={error} />
      <KindsTable kinds={kinds} />
      {latest.length === 0 && <p class="quiet">Everything is done.</p>}
      {latest.length > 0 && (
        <div class="scrolled">
          <table>
            <thead><tr><th>Job</th><th>Exam</th><th>Stands</th><th>Node</th><th class="number">Failed</th><th>Since</th><th class="nowrap">Not before</th><th>Why not</th><th><span class="unseen">What to do</span></th></tr></thead>
            <tbody>
              {latest.map((job) => (
                <JobRow
                  key={job.id} job={job} onRetry={() => void ask('POST', `${pathOf(job)}/retry`)}
                  onCancel={() => setEnding({ job, how: 'cancel' })} onDrop={() => setEnding({ job, how: 'drop' })}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {ending?.how === 'cancel' && (
        <ConfirmDialog title="Cancel it?" yes="Cancel it" onClose={() => setEnding(undefined)} onYes={() => void ask('POST', `${pathOf(ending.job)}/cancel`)}>
          {kindNames[ending.job.kind]} ends, and the exam or the outbox that wanted it is told so. The log keeps who did it.
        </ConfirmDialog>
      )}
      {ending?.how === 'drop' && (
        <ConfirmDialog title="Forget it for good?" yes="Drop it" onClose={() => setEnding(undefined)} onYes={() => void ask('DELETE', pathOf(ending.job))}>
          {kindNames[ending.job.kind]} was given up, and cannot be tried again then. The log keeps who did it.
        </ConfirmDialog>
      )}
    </Panel>
  );
}

function KindsTable({ kinds }: { kinds: readonly JobStats[] }) {
  return (
    <table>
      <thead><tr><th>Kind</th><th class="number">Waiting</th><th class="number">Running</th><th class="number">Delayed</th><th class="number">Given up</th><th class="number">Done</th><th class="number">Failed attempts</th><th class="number">Cancelled</th><th>Oldest</th></tr></thead>
      <tbody>
        {kinds.map(({ kind, waiting, active, delayed, dead, oldestAt, tally }) => (
          <tr key={kind}>
            <th scope="row">{kindNames[kind]}</th>
            <td class="number">{waiting}</td>
            <td class="number">{active}</td>
            <td class="number">{delayed}</td>
            <td class="number">{dead > 0 ? <State is="bad">{dead}</State> : 0}</td>
            <td class="number">{tally.done}</td>
            <td class="number">{tally.failed}</td>
            <td class="number">{tally.cancelled}</td>
            <td>{oldestAt === undefined ? '' : timeOf(oldestAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function JobRow({ job, onRetry, onCancel, onDrop }: { job: JobView; onRetry: () => void; onCancel: () => void; onDrop: () => void }) {
  const { id, kind, examId, seriesId, state, isCancelled, lane, node, progress, attempts, addedAt, notBefore, lastError } = job;
  const [standing, words] = standings[state];
  return (
    <tr>
      <td>{kindNames[kind]}{lane !== undefined && ` to ${lane}`}</td>
      <td>{examId !== undefined && <ExamLink examId={examId} seriesId={seriesId} />}</td>
      <td>
        <State is={standing}>{words}</State>{isCancelled && <span class="quiet"> (is being cancelled)</span>}
        {progress !== undefined && <label class="progress"><progress max={1} value={progress.fraction} /><span class="quiet">{Math.round(100 * progress.fraction)} %{progress.text !== undefined && `, ${progress.text}`}</span></label>}
      </td>
      <td class="nowrap">{node}</td>
      <td class="number">{attempts}</td>
      <td>{timeOf(addedAt)}</td>
      <td>{state === 'delayed' && notBefore !== undefined && timeOf(notBefore)}</td>
      <td>{lastError !== undefined && <>{lastError.text} <code>{lastError.code}</code></>}</td>
      <td class="nowrap">
        {(state === 'dead' || state === 'delayed') && !isCancelled && <button type="button" onClick={onRetry}>Try now<span class="unseen">: job {id}</span></button>}{' '}
        {state === 'dead' && <button type="button" onClick={onDrop}>Drop …<span class="unseen"> job {id}</span></button>}
        {state !== 'dead' && !isCancelled && <button type="button" onClick={onCancel}>Cancel …<span class="unseen"> job {id}</span></button>}
      </td>
    </tr>
  );
}
