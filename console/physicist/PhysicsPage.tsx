/** What a physicist looks at: how each scan of an exam was reconstructed, and how good it is. */
import { useState } from 'preact/hooks';
import type { ExamView, RecordView, SeriesView } from '../api/index.js';
import { hrefOf } from '../app/route.js';
import { Light, number, Panel, roleName, State, timeOf, Trouble } from '../parts/index.js';
import { DecisionsPanel } from './DecisionsPanel.js';
import { methodNames, accelerationText } from './decisions.js';
import { MapsPanel } from './MapsPanel.js';
import { NoisePanel } from './NoisePanel.js';
import { SamplingPanel } from './SamplingPanel.js';
import { seriesAddress } from './seriesAddress.js';
import { TimelinePanel } from './TimelinePanel.js';
import { isToCome, useRecord } from './records.js';
import './physicist.css';

export function PhysicsPage({ exam, seriesId }: { exam: ExamView; seriesId: string | undefined }) {
  const scanned = exam.series.filter(({ source }) => source === 'scan');
  const series = scanned.find(({ id }) => id === seriesId) ?? scanned.at(-1);
  if (series === undefined) {
    return <p class="quiet">No series of this exam was reconstructed here from raw data: of what came by DICOM or was computed there is no record.</p>;
  }
  return (
    <div class="physics">
      <nav class="series-choice" aria-label="Series">
        {scanned.map((one) => <a key={one.id} href={hrefOf('exam', exam.id, 'physics', one.id)} aria-current={one.id === series.id ? 'true' : undefined}>{nameOf(one)}</a>)}
        <a class="apart" href={hrefOf('compare', seriesAddress({ examId: exam.id, seriesId: series.id }))}>Compare this one …</a>
        <a href={hrefOf('sweeps')}>Sweeps</a>
      </nav>
      <SeriesPhysics key={series.id} exam={exam} series={series} />
    </div>
  );
}

export const nameOf = ({ description, role, id }: SeriesView): string => description ?? (role === undefined ? id : roleName(role));

function SeriesPhysics({ exam, series }: { exam: ExamView; series: SeriesView }) {
  const [attempt, setAttempt] = useState<number>();
  const { record, error } = useRecord(exam.id, series, attempt);
  return (
    <>
      {record !== undefined && <Facts record={record} attempt={attempt} onAttempt={setAttempt} />}
      {isToCome(series) && <p class="quiet" role="status">The scan is going on: what was decided, sampled and measured comes with the last of its images.</p>}
      <Trouble error={error} />
      <MapsPanel exam={exam} series={series} record={record} attempt={attempt} />
      {record !== undefined && (
        <>
          <TimelinePanel timeline={record.timeline} />
          <SamplingPanel sampling={record.sampling} />
          <NoisePanel noise={record.noise} />
          <DenoisingPanel denoising={record.denoising} />
          <DecisionsPanel decisions={record.decisions} />
          <RemarksPanel remarks={record.remarks} />
        </>
      )}
    </>
  );
}

function Facts({ record, attempt, onAttempt }: { record: RecordView; attempt: number | undefined; onAttempt: (attempt: number | undefined) => void }) {
  const { result, sampling, chain, startedAt, outcome, reason, nAttempts, timeline: { lastReadoutToLastImageMs } } = record;
  return (
    <dl class="facts physics-facts">
      {result !== undefined && (
        <>
          <div><dt>Method</dt><dd>{methodNames[result.method] ?? result.method}, R {accelerationText(result)}</dd></div>
          <div><dt>Calibration lines</dt><dd>{result.nCalibrationLines}</dd></div>
          <div><dt>Coils</dt><dd>{result.nVirtualCoils < result.nCoils ? `${result.nCoils}, ${result.nVirtualCoils} virtual` : result.nCoils}</dd></div>
          <div><dt>Matrix</dt><dd>{result.columns} x {result.rows}, {number(result.fovMm[0] / result.columns)} x {number(result.fovMm[1] / result.rows)} x {number(result.fovMm[2])} mm</dd></div>
          <div><dt>Partial Fourier</dt><dd>{result.partialFourier}</dd></div>
          <div><dt>Afterwards</dt><dd>{result.postProcessing.length === 0 ? 'nothing' : result.postProcessing.join(', ')}</dd></div>
          <div><dt>Values</dt><dd>{result.snrUnits ? 'in units of the noise' : <State is="look">in arbitrary units</State>}</dd></div>
        </>
      )}
      {sampling !== undefined && sampling.nAverages > 1 && <div><dt>Averages</dt><dd>{sampling.nAverages}</dd></div>}
      {lastReadoutToLastImageMs !== undefined && <div><dt>Last readout to last image</dt><dd>{Math.round(lastReadoutToLastImageMs)} ms</dd></div>}
      <div><dt>Chain</dt><dd>{chain}</dd></div>
      <div><dt>Began</dt><dd>{timeOf(startedAt)}</dd></div>
      {outcome !== 'completed' && outcome !== 'running' && <div><dt>Ended</dt><dd><State is="bad">{outcome}{reason === undefined ? '' : `, ${reason.code}`}</State></dd></div>}
      {nAttempts > 1 && (
        <div>
          <dt><label for="attempt">Sent {nAttempts} times</label></dt>
          <dd>
            <select id="attempt" value={String(attempt ?? record.attempt)} onChange={({ currentTarget }) => onAttempt(Number(currentTarget.value))}>
              {Array.from({ length: nAttempts }, (_, i) => <option key={i} value={String(i + 1)}>attempt {i + 1}</option>)}
            </select>
          </dd>
        </div>
      )}
    </dl>
  );
}

function DenoisingPanel({ denoising }: { denoising: RecordView['denoising'] }) {
  if (denoising === undefined) return null;
  const { strengthPercent, noiseSource, dataConsistency, model, images } = denoising;
  return (
    <Panel title="Denoising">
      <p class="quiet">
        {strengthPercent} % of <strong>{model.id} {model.version}</strong> <code title={model.sha256}>{model.sha256.slice(0, 12)}</code>; the noise map is {noiseSource};
        the measured lines were {dataConsistency ? '' : 'not '}put back.
      </p>
      <details>
        <summary>What the light of each image rests on</summary>
        <table>
          <thead>
            <tr><th scope="col">Slice</th><th scope="col">Light</th><th scope="col" class="number">Strength</th><th scope="col" class="number">Residual over noise</th><th scope="col" class="number">Correlation with edges</th><th scope="col" class="number">Largest structure</th></tr>
          </thead>
          <tbody>
            {images.map(({ slice, light, strengthPercent: less, residualStd, edgeCorrelation, largestStructure }, index) => (
              <tr key={index}>
                <th scope="row">{slice}</th><td><Light value={light} isShort /></td><td class="number">{less ?? strengthPercent} %</td>
                <td class="number">{told(residualStd)}</td><td class="number">{told(edgeCorrelation)}</td><td class="number">{told(largestStructure)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </Panel>
  );
}

const told = (value: number | null): string => (value === null ? '–' : number(value));

function RemarksPanel({ remarks }: { remarks: RecordView['remarks'] }) {
  if (remarks.length === 0) return null;
  const standing = { info: 'wait', warning: 'look', error: 'bad' } as const;
  return (
    <Panel title="What was remarked">
      <ul class="remarks">
        {remarks.map(({ severity, code, text }, index) => <li key={index}><State is={standing[severity]}>{text}</State> <code>{code}</code></li>)}
      </ul>
    </Panel>
  );
}
