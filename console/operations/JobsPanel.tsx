/** What is not delivered, and what can be done about it. */
import { useRef, useState } from 'preact/hooks';
import { sendJson } from '../api/index.js';
import type { JobView } from '../api/index.js';
import { askOperatorName } from '../app/operator.js';
import { hrefOf } from '../app/route.js';
import { Panel, State, timeOf, Trouble } from '../parts/index.js';
import type { Standing } from '../parts/index.js';

const standings: Readonly<Record<JobView['state'], readonly [Standing, string]>> = { waiting: ['wait', 'waits'], sending: ['busy', 'is being sent'], dead: ['bad', 'given up'] };

export function JobsPanel({ jobs, nJobs, refresh }: { jobs: readonly JobView[]; nJobs: number; refresh: () => Promise<void> }) {
  const [error, setError] = useState<unknown>();
  const [toDrop, setToDrop] = useState<JobView>();
  const dialog = useRef<HTMLDialogElement>(null);
  const ask = async (method: 'POST' | 'DELETE', path: string) => {
    const by = await askOperatorName();
    if (by === undefined) return;
    setError(undefined);
    await sendJson(method, `api/outbox/${path}`, { by }).catch(setError);
    await refresh();
  };
  return (
    <Panel title="Outbox" class="wide" tools={nJobs > jobs.length ? <span class="quiet">the {jobs.length} that matter of {nJobs}</span> : undefined}>
      <Trouble error={error} />
      {jobs.length === 0 && <p class="quiet">Everything is delivered.</p>}
      {jobs.length > 0 && (
        <div class="scrolled">
          <table>
            <thead><tr><th>To</th><th>Exam</th><th>Stands</th><th class="number">Images</th><th class="number">Attempts</th><th>Since</th><th>Next attempt</th><th>Why not</th><th><span class="unseen">What to do</span></th></tr></thead>
            <tbody>
              {jobs.map((job) => (
                <JobRow
                  key={job.id} job={job} onRetry={() => void ask('POST', `${encodeURIComponent(job.id)}/retry`)}
                  onDrop={() => {
                    setToDrop(job);
                    dialog.current?.showModal();
                  }}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <dialog ref={dialog} aria-labelledby="drop-title">
        <h2 id="drop-title">Give it up for good?</h2>
        <p>{toDrop?.nInstances} images will not be delivered to {toDrop?.destination}. What was delivered before stays there. The log keeps who did it.</p>
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>Keep it</button>
          <button
            type="button" class="primary"
            onClick={() => {
              dialog.current?.close();
              if (toDrop !== undefined) void ask('DELETE', encodeURIComponent(toDrop.id));
            }}
          >
            Drop it
          </button>
        </div>
      </dialog>
    </Panel>
  );
}

function JobRow({ job, onRetry, onDrop }: { job: JobView; onRetry: () => void; onDrop: () => void }) {
  const { destination, examId, seriesId, state, nInstances, nAcknowledged, attempts, createdAt, nextAttemptAt, lastError, isIncomplete } = job;
  const [standing, words] = standings[state];
  // Results of a DICOM node are told by their study, which is no exam of ours.
  const isExam = !examId.includes('.');
  return (
    <tr>
      <td>{destination}</td>
      <td>{isExam ? <a href={hrefOf('exam', examId, ...(seriesId === undefined ? [] : ['series', seriesId]))}>{examId}</a> : <span class="quiet">of a stage</span>}</td>
      <td><State is={standing}>{words}</State>{isIncomplete && <span class="quiet"> (incomplete)</span>}</td>
      <td class="number">{nAcknowledged} of {nInstances}</td>
      <td class="number">{attempts}</td>
      <td>{timeOf(createdAt)}</td>
      <td>{state === 'waiting' ? timeOf(nextAttemptAt) : ''}</td>
      <td>{lastError !== undefined && <>{lastError.text} <code>{lastError.code}</code></>}</td>
      <td class="nowrap">
        {state !== 'sending' && <button type="button" onClick={onRetry}>Try now<span class="unseen">: job {job.id}</span></button>}{' '}
        {state === 'dead' && <button type="button" onClick={onDrop}>Drop …<span class="unseen"> job {job.id}</span></button>}
      </td>
    </tr>
  );
}
