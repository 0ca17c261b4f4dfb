/** For whoever looks after the service: what is in trouble, what is not delivered or done, which destinations and nodes there are, models, disk, memory and the log. */
import { useState } from 'preact/hooks';
import { getText, sendJson } from '../api/index.js';
import type { DestinationStats, EchoView, ModelView, NodeView, OperationsView } from '../api/index.js';
import { bytes, Panel, State, timeOf, Trouble } from '../parts/index.js';
import { JobsPanel } from './JobsPanel.js';
import { LogPanel } from './LogPanel.js';
import { OutboxPanel } from './OutboxPanel.js';
import { useOperations } from './useOperations.js';
import './operations.css';

export function OperationsPage() {
  const { operations, error, refresh } = useOperations();
  return (
    <>
      <h1>Operations</h1>
      <Trouble error={error} />
      {operations === undefined
        ? error === undefined && <p class="quiet" role="status">Asking the service …</p>
        : (
          <div class="operations">
            <HealthPanel of={operations} />
            <RoomPanel of={operations} />
            {operations.nodes !== undefined && <NodesPanel nodes={operations.nodes} />}
            <DestinationsPanel of={operations} />
            <OutboxPanel jobs={operations.outbox.jobs} nJobs={operations.outbox.nJobs} refresh={refresh} />
            {operations.disk !== undefined && <JobsPanel jobs={operations.jobs} refresh={refresh} />}
            <ModelsPanel models={operations.models} />
          </div>
        )}
      <LogPanel />
    </>
  );
}

function HealthPanel({ of: { health, version, startedAt, sessionsOpen } }: { of: OperationsView }) {
  const nTroubled = health.filter(({ trouble }) => trouble !== undefined).length;
  return (
    <Panel title="The service" tools={<State is={nTroubled === 0 ? 'good' : 'bad'}>{nTroubled === 0 ? 'every part can do its work' : `${nTroubled} of ${health.length} parts in trouble`}</State>}>
      <p class="quiet">Version {version}, since {timeOf(startedAt)}. Scans open: {sessionsOpen}.</p>
      <ul class="parts">
        {[...health].sort((a, b) => Number(a.trouble === undefined) - Number(b.trouble === undefined)).map(({ part, trouble }) => (
          <li key={part}><State is={trouble === undefined ? 'good' : 'bad'}>{part}{trouble !== undefined && `: ${trouble}`}</State></li>
        ))}
      </ul>
    </Panel>
  );
}

function RoomPanel({ of: { disk, memory } }: { of: OperationsView }) {
  return (
    <Panel title="Room">
      {disk === undefined
        ? <p class="quiet">Without a data folder nothing is kept, and nothing is delivered beside the wire.</p>
        : (
          <>
            <label class="field">
              <span>Data folder: {bytes(disk.usedBytes)} of {bytes(disk.quotaBytes)}; {bytes(disk.freeBytes)} free on the disk</span>
              <progress max={disk.quotaBytes} value={disk.usedBytes} />
            </label>
            {disk.isFull && <p><State is="bad">No room for images: they go back to the scanner and nowhere else. Free the disk, raise the quota, or deliver what waits.</State></p>}
          </>
        )}
      <dl class="measures">
        <div><dt>Memory of the service</dt><dd>{bytes(memory.rssBytes)}</dd></div>
        <div><dt>of it JavaScript</dt><dd>{bytes(memory.heapUsedBytes)}</dd></div>
        <div><dt>of it buffers</dt><dd>{bytes(memory.externalBytes)}</dd></div>
        <div><dt>of it latest pictures</dt><dd>{bytes(memory.picturesBytes)}</dd></div>
        <div><dt>Process of the networks</dt><dd>{bytes(memory.modelHostBytes)}</dd></div>
        <div><dt>Free on the machine</dt><dd>{bytes(memory.systemFreeBytes)}</dd></div>
      </dl>
    </Panel>
  );
}

function NodesPanel({ nodes }: { nodes: readonly NodeView[] }) {
  const own = nodes.find(({ isOwn }) => isOwn);
  return (
    <Panel title="Nodes" class="wide">
      <table>
        <thead><tr><th>Node</th><th>Version</th><th>Since</th></tr></thead>
        <tbody>
          {nodes.map(({ name, version, startedAt, isOwn }) => (
            <tr key={`${name} ${startedAt}`}>
              <th scope="row">{name}{isOwn && <span class="quiet"> (tells this)</span>}</th>
              <td>{version === own?.version ? version : <State is="look">{version}</State>}</td>
              <td>{timeOf(startedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

const kindNames: Readonly<Record<string, string>> = { dicom: 'DICOM (C-STORE)', stow: 'DICOMweb (STOW-RS)', folder: 'folder' };

function DestinationsPanel({ of: { destinations, outbox } }: { of: OperationsView }) {
  const unknown = outbox.destinations.filter(({ destination, waiting, sending, dead }) => waiting + sending + dead > 0 && !destinations.some(({ name }) => name === destination));
  return (
    <Panel title="Destinations" class="wide">
      {destinations.length === 0 && <p class="quiet">None is configured: images go back on the scanner's connection.</p>}
      {(destinations.length > 0 || unknown.length > 0) && (
        <div class="scrolled">
          <table>
            <thead><tr><th>Destination</th><th>Kind</th><th class="number">Waiting</th><th class="number">Sending</th><th class="number">Given up</th><th class="number">Delivered</th><th>Oldest</th><th>Does it answer?</th></tr></thead>
            <tbody>
              {destinations.map(({ name, kind, host, canEcho }) => (
                <DestinationRow key={name} name={name} kind={[kind === undefined ? undefined : kindNames[kind], host].filter(Boolean).join(', ')} canEcho={canEcho} stats={outbox.destinations.find(({ destination }) => destination === name)} />
              ))}
              {unknown.map((stats) => <DestinationRow key={stats.destination} name={stats.destination} kind="not in the configuration" canEcho={false} stats={stats} isUnknown />)}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

interface DestinationRowProps {
  readonly name: string;
  readonly kind: string;
  readonly canEcho: boolean;
  readonly stats: DestinationStats | undefined;
  readonly isUnknown?: boolean;
}

function DestinationRow({ name, kind, canEcho, stats, isUnknown = false }: DestinationRowProps) {
  const [answer, setAnswer] = useState<EchoView | 'asking' | { readonly failure: unknown }>();
  const ask = () => {
    setAnswer('asking');
    sendJson<EchoView>('POST', `api/destinations/${encodeURIComponent(name)}/echo`).then(setAnswer, (failure: unknown) => setAnswer({ failure }));
  };
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{isUnknown ? <State is="bad">{kind}</State> : kind}</td>
      <td class="number">{stats?.waiting ?? 0}</td>
      <td class="number">{stats?.sending ?? 0}</td>
      <td class="number">{(stats?.dead ?? 0) > 0 ? <State is="bad">{stats!.dead}</State> : 0}</td>
      <td class="number">{stats?.instancesDelivered ?? 0}{(stats?.instancesResent ?? 0) > 0 && <span class="quiet"> (+{stats!.instancesResent} again)</span>}</td>
      <td>{stats?.oldestAt === undefined ? '' : timeOf(stats.oldestAt)}</td>
      <td>
        {canEcho && <button type="button" disabled={answer === 'asking'} onClick={ask}>{answer === 'asking' ? 'Asking …' : 'Ask'}<span class="unseen"> {name}</span></button>}{' '}
        <span role="status"><Answer of={answer} /></span>
      </td>
    </tr>
  );
}

function Answer({ of: answer }: { of: EchoView | 'asking' | { readonly failure: unknown } | undefined }) {
  if (answer === undefined || answer === 'asking') return null;
  if ('failure' in answer) return <Trouble error={answer.failure} />;
  if (answer.ok) return <State is="good">answered in {Math.round(answer.ms)} ms</State>;
  return <State is="bad">{answer.error?.message ?? 'no answer'} <span class="quiet">What to do: {answer.error?.action}. <code>{answer.error?.code}</code></span></State>;
}

const modelStandings = { ready: 'good', listed: 'wait', refused: 'bad' } as const;

function ModelsPanel({ models }: { models: readonly ModelView[] }) {
  return (
    <Panel title="Models" class="wide">
      {models.length === 0 && <p class="quiet">There are none: nothing is denoised, synthesised or analysed here.</p>}
      {models.length > 0 && (
        <div class="scrolled">
          <table>
            <thead><tr><th>Model</th><th>Task</th><th>Stands</th><th class="number">Runs</th><th class="number">Failed</th><th>SHA-256</th><th>Card</th></tr></thead>
            <tbody>{models.map((model) => <ModelRow key={`${model.id} ${model.sha256} ${model.state}`} model={model} />)}</tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function ModelRow({ model: { id, version, task, state, reason, nRuns, nFailures, sha256 } }: { model: ModelView }) {
  const [card, setCard] = useState<string>();
  const [error, setError] = useState<unknown>();
  const toggle = () => {
    if (card !== undefined || error !== undefined) {
      setCard(undefined);
      setError(undefined);
    } else {
      getText(`api/models/${encodeURIComponent(id)}/card`).then(setCard, setError);
    }
  };
  return (
    <>
      <tr>
        <th scope="row">{id} {version}</th>
        <td>{task}</td>
        <td><State is={modelStandings[state]}>{state}{reason !== undefined && `: ${reason.text}`}</State> {reason !== undefined && <code>{reason.code}</code>}</td>
        <td class="number">{nRuns}</td>
        <td class="number">{nFailures}</td>
        <td><code title={sha256}>{sha256.slice(0, 12)}{sha256 !== '' && '…'}</code></td>
        <td><button type="button" aria-expanded={card !== undefined} onClick={toggle}>{card === undefined ? 'Read' : 'Close'}<span class="unseen"> the card of {id}</span></button></td>
      </tr>
      {(card !== undefined || error !== undefined) && <tr><td colSpan={7}><Trouble error={error} />{card !== undefined && <pre class="card-text" tabIndex={0}>{card}</pre>}</td></tr>}
    </>
  );
}
