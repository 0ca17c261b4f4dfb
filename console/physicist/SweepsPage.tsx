/** What acceleration costs: the figures of a sweep as curves, the pictures of each setting, and which is the fastest that passes. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { getJson } from '../api/index.js';
import type { SweepEntryView, SweepRowView, SweepView } from '../api/index.js';
import { hrefOf } from '../app/route.js';
import { bytes, number, Panel, State, timeOf, Trouble } from '../parts/index.js';
import { dashes, hues } from './hues.js';
import { SweepChart } from './SweepChart.js';
import { axesOf, curvesOf, settingText, sweepAxes, sweepFigures } from './sweepCurves.js';
import type { SweepAxis, SweepFigure } from './sweepCurves.js';
import { sweepOfFile } from './sweepOfFile.js';
import './physicist.css';

export function SweepsPage({ name }: { name: string | undefined }) {
  const [entries, setEntries] = useState<readonly SweepEntryView[]>();
  const [kept, setKept] = useState<{ readonly name: string; readonly sweep: SweepView }>();
  const [picked, setPicked] = useState<{ readonly name: string; readonly sweep: SweepView }>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    getJson<{ sweeps: SweepEntryView[] }>('api/sweeps').then(({ sweeps }) => setEntries(sweeps), setError);
  }, []);
  useEffect(() => {
    if (name === undefined) return undefined;
    const abort = new AbortController();
    setPicked(undefined);
    setError(undefined);
    getJson<SweepView>(`api/sweeps/${encodeURIComponent(name)}`, abort.signal).then((sweep) => setKept({ name, sweep }), (cause: unknown) => !abort.signal.aborted && setError(cause));
    return () => abort.abort();
  }, [name]);
  const pick = async (file: File | undefined) => {
    if (file === undefined) return;
    setError(undefined);
    try {
      setPicked({ name: file.name, sweep: sweepOfFile(await file.text()) });
    } catch (cause) {
      setError(cause);
    }
  };
  const shown = picked ?? (kept?.name === name ? kept : undefined);
  return (
    <>
      <div class="list-head">
        <h1>{shown === undefined ? 'Sweeps' : (shown.sweep.scan.name ?? shown.name)}</h1>
        {(name !== undefined || picked !== undefined) && <a href={hrefOf('sweeps')} onClick={() => setPicked(undefined)}>All sweeps</a>}
        <label class="field inline"><span>From a file</span><input type="file" accept=".json,application/json" onChange={({ currentTarget }) => void pick(currentTarget.files?.[0])} /></label>
      </div>
      <Trouble error={error} />
      {shown !== undefined && <Sweep key={shown.name} sweep={shown.sweep} />}
      {shown === undefined && name === undefined && entries !== undefined && <Entries entries={entries} />}
    </>
  );
}

function Entries({ entries }: { entries: readonly SweepEntryView[] }) {
  if (entries.length === 0) {
    return <p class="quiet">None yet. <code>conus sweep full.mrd --R 2,3,4 --acs 16,24 -o DATA/sweeps/NAME.json</code> writes one into the data folder of the service; a file from elsewhere can be picked above.</p>;
  }
  return (
    <table class="exams">
      <thead><tr><th scope="col">Name</th><th scope="col">Written</th><th scope="col">Scan</th><th scope="col" class="number">Settings</th><th scope="col">Fastest that passes</th><th scope="col" class="number">Size</th></tr></thead>
      <tbody>
        {entries.map(({ name, modifiedAt, nBytes, sweep, reason }) => (
          <tr key={name}>
            <td><a href={hrefOf('sweeps', name)}>{name}</a></td>
            <td>{timeOf(modifiedAt)}</td>
            <td>{sweep === undefined ? <State is="bad">{reason?.text ?? 'cannot be read'}</State> : scanText(sweep)}</td>
            <td class="number">{sweep === undefined ? '–' : sweep.rows.length - 1}</td>
            <td>{sweep === undefined ? '–' : fastestText(sweep)}</td>
            <td class="number">{bytes(nBytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const hasLimits = ({ limits }: SweepView) => Object.values(limits).some((limit) => limit !== undefined);

function fastestText(sweep: SweepView): string {
  if (!hasLimits(sweep)) return 'no limits were given';
  return sweep.fastest === undefined ? 'none' : settingText(sweep.rows[sweep.fastest]!);
}

function scanText({ scan: { name, matrix, nSlices, nCoils, fieldStrengthT, acceleration } }: SweepView): string {
  return [
    name, `${matrix[0]} x ${matrix[1]}`, `${nSlices} ${nSlices === 1 ? 'slice' : 'slices'}`, nCoils === undefined ? undefined : `${nCoils} coils`,
    fieldStrengthT === undefined ? undefined : `${number(fieldStrengthT)} T`, `acquired with R ${acceleration}`,
  ].filter((part) => part !== undefined).join(', ');
}

function Sweep({ sweep }: { sweep: SweepView }) {
  const axes = axesOf(sweep);
  const [axis, setAxis] = useState<SweepAxis>(axes[0]!);
  const [selected, setSelected] = useState(sweep.fastest ?? Math.min(1, sweep.rows.length - 1));
  const curves = useMemo(() => curvesOf(sweep, axis), [sweep, axis]);
  const figures = (Object.keys(sweepFigures) as SweepFigure[]).filter((figure) => figure !== axis && sweep.rows.slice(1).some((row) => sweepFigures[figure].of(row) !== undefined));
  return (
    <>
      <p class="quiet">
        {scanText(sweep)}. {sweep.timing === undefined ? 'Scan times are unknown: the header has no repetition time or no echo train length.' : `Repetition time ${number(sweep.timing.trMs)} ms, echo train length ${sweep.timing.echoTrainLength}.`}{' '}
        {hasLimits(sweep) && (sweep.fastest === undefined ? <State is="look">no setting is within the limits</State> : <State is="good">the fastest within the limits: {settingText(sweep.rows[sweep.fastest]!)}</State>)}
      </p>
      <div class="sweep">
        <Panel
          title="What acceleration costs"
          tools={
            <label class="field inline"><span>over</span>
              <select value={axis} onChange={({ currentTarget }) => setAxis(currentTarget.value as SweepAxis)}>{axes.map((one) => <option key={one} value={one}>{sweepAxes[one]}</option>)}</select>
            </label>
          }
        >
          <p class="legend">{curves.map(({ label, hue, dash }) => (
            <span key={label}>
              <svg width="34" height="10" aria-hidden="true">
                <line x1="1" x2="33" y1="5" y2="5" stroke={hues[hue % hues.length]} stroke-width="1.8" stroke-dasharray={dashes[dash % dashes.length]!.join(' ')} /><circle cx="17" cy="5" r="3.5" fill={hues[hue % hues.length]} />
              </svg>
              {label}
            </span>
          ))}</p>
          <div class="sweep-charts">
            {figures.map((figure) => <SweepChart key={figure} sweep={sweep} curves={curves} axis={axis} figure={figure} selected={selected} onSelect={setSelected} />)}
          </div>
        </Panel>
        <SettingPictures sweep={sweep} row={sweep.rows[selected]!} />
      </div>
      <Settings sweep={sweep} selected={selected} onSelect={setSelected} />
    </>
  );
}

function SettingPictures({ sweep: { pictures, rows }, row }: { sweep: SweepView; row: SweepRowView }) {
  const own = row.pictures;
  const names = { image: 'Image', error: 'Error', gFactor: 'g-factor' } as const;
  const none = { image: 'no image', error: row === rows[0] ? 'all lines: nothing to compare' : 'none', gFactor: 'the method gives none' } as const;
  return (
    <Panel title={settingText(row)} class="setting-pictures">
      <div aria-live="polite" class="quiet">{row.figures === undefined ? row.violations.join('; ') : `nRMSE ${number(row.figures.nRmse)}, SSIM ${row.figures.ssim.toFixed(3)}`}</div>
      {pictures !== undefined && (['image', 'error', 'gFactor'] as const).map((kind) => {
        const { low, high, unit = '', ramp } = pictures.scales[kind];
        const uri = own?.[kind];
        return (
          <figure key={kind}>
            {uri === undefined ? <p class="quiet">{names[kind]}: {none[kind]}</p> : (
              <>
                <img src={uri} alt={`${names[kind]}, ${settingText(row)}`} />
                <figcaption class="colour-bar">
                  <img class="ramp" src={ramp} alt="" />
                  <span class="ticks"><span>{number(low)}{unit}</span><span>{names[kind]}</span><span>{number(high)}{unit}</span></span>
                </figcaption>
              </>
            )}
          </figure>
        );
      })}
    </Panel>
  );
}

function Settings({ sweep, selected, onSelect }: { sweep: SweepView; selected: number; onSelect: (row: number) => void }) {
  const { rows, fastest, snrUnits, scan } = sweep;
  const isJudged = hasLimits(sweep);
  const told = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? '–';
  return (
    <Panel title="Every setting">
      <div class="scrolled" tabIndex={0} role="region" aria-label="Table of settings">
        <table class="settings">
          <thead>
            <tr>
              <th scope="col">Setting</th><th scope="col" class="number">R</th><th scope="col" class="number">Lines</th><th scope="col" class="number">Minutes</th>
              <th scope="col" class="number">nRMSE</th><th scope="col" class="number">SSIM</th><th scope="col" class="number">g mean</th><th scope="col" class="number">g 99 %</th>
              <th scope="col" class="number">{snrUnits ? 'SNR' : 'SNR, a.u.'}</th><th scope="col" class="number">SNR kept</th><th scope="col">{isJudged ? 'Verdict' : 'Remarks'}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index} class={index === selected ? 'selected' : ''}>
                <th scope="row"><button type="button" class="plain" aria-pressed={index === selected} onClick={() => onSelect(index)} onFocus={() => onSelect(index)}>{settingText(row)}{index === fastest && isJudged ? ' ✓ fastest' : ''}</button></th>
                <td class="number">{row.setting?.acceleration ?? scan.acceleration}</td><td class="number">{row.nLines}</td><td class="number">{told(row.minutes, 2)}</td>
                <td class="number">{told(row.figures?.nRmse, 4)}</td><td class="number">{told(row.figures?.ssim, 4)}</td><td class="number">{told(row.figures?.gMean, 2)}</td><td class="number">{told(row.figures?.g99, 2)}</td>
                <td class="number">{told(row.figures?.snr, 1)}</td><td class="number">{told(row.relativeSnr, 2)}</td>
                <td>{row.violations.length > 0 ? <State is="bad">{row.violations.join('; ')}</State> : <>{isJudged && <State is="good">passes</State>} <code>{row.remarks.join(' ')}</code></>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
