/** What is not delivered, and what can be done about it. */
import { useState } from 'preact/hooks';
import type { OutboxJobView } from '../api/index.js';
import { Panel, State, timeOf, Trouble } from '../parts/index.js';
import type { Standing } from '../parts/index.js';
import { ConfirmDialog } from './ConfirmDialog.js';
import { ExamLink } from './ExamLink.js';
import { useAsking } from './useAsking.js';

const standings: Readonly<Record<OutboxJobView['state'], readonly [Standing, string]>> = { waiting: ['wait', 'waits'], sending: ['busy', 'is being sent'], dead: ['bad', 'given up'] };

export function OutboxPanel({ jobs, nJobs, refresh }: { jobs: readonly OutboxJobView[]; nJobs: number; refresh: () => Promise<void> }) {
  const { ask, error } = useAsking(refresh);
  const [toDrop, setToDrop] = useState<OutboxJobView>();
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
                <DeliveryRow
                  key={job.id} job={job} onRetry={() => void ask('POST', `api/outbox/${encodeURIComponent(job.id)}/retry`)} onDrop={() => setToDrop(job)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {toDrop !== undefined && (
        <ConfirmDialog
          title="Give it up for good?" yes="Drop it" onClose={() => setToDrop(undefined)}
          onYes={() => void ask('DELETE', `api/outbox/${encodeURIComponent(toDrop.id)}`)}
        >
          {toDrop.nInstances} images will not be delivered to {toDrop.destination}. What was delivered before stays there. The log keeps who did it.
        </ConfirmDialog>
      )}
    </Panel>
  );
}

function DeliveryRow({ job, onRetry, onDrop }: { job: OutboxJobView; onRetry: () => void; onDrop: () => void }) {
  const { destination, examId, seriesId, state, nInstances, nAcknowledged, attempts, createdAt, nextAttemptAt, lastError, isIncomplete } = job;
  const [standing, words] = standings[state];
  return (
    <tr>
      <td>{destination}</td>
      <td><ExamLink examId={examId} seriesId={seriesId} /></td>
      <td><State is={standing}>{words}</State>{isIncomplete && <span class="quiet"> (incomplete)</span>}</td>
      <td class="number">{nAcknowledged} of {nInstances}</td>
      <td class="number">{attempts}</td>
      <td>{timeOf(createdAt)}</td>
      <td>{state === 'waiting' ? timeOf(nextAttemptAt) : ''}</td>
      <td>{lastError !== undefined && <>{lastError.text} <code>{lastError.code}</code></>}</td>
      <td class="nowrap">
        {state !== 'sending' && <button type="button" onClick={onRetry}>Try now<span class="unseen">: delivery {job.id}</span></button>}{' '}
        {state === 'dead' && <button type="button" onClick={onDrop}>Drop …<span class="unseen"> delivery {job.id}</span></button>}
      </td>
    </tr>
  );
}
