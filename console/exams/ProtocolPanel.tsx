/** The protocol of an exam, and what the operator may change of what has not begun. */
import { useEffect, useState } from 'preact/hooks';
import { examPath, sendJson } from '../api/index.js';
import type { ExamView, ProtocolSummary } from '../api/index.js';
import { askOperatorName } from '../app/operator.js';
import { number, Panel, roleName, timeOf, Trouble } from '../parts/index.js';
import { askProtocols, protocols, protocolsTrouble } from './protocols.js';
import { byRegion, changeWords, draftOf, minutesWords, requestOf, savedOf, strengthOf, switchesOf, withProtocol } from './settings.js';
import type { Draft } from './settings.js';

export function ProtocolPanel({ exam }: { exam: ExamView }) {
  const [touched, setTouched] = useState<Draft>();
  const [trouble, setTrouble] = useState<unknown>();
  const [isSending, setIsSending] = useState(false);
  useEffect(() => void askProtocols(), []);
  const all = protocols.value;
  // Until one touches it, the draft is what holds, whoever changes that.
  const draft = touched ?? draftOf(exam);
  const request = requestOf(draft, exam);
  const shown = all.find(({ name }) => name === (draft.protocol ?? recognisedOf(exam)));
  const change = (next: Draft) => {
    setTouched(next);
    setTrouble(undefined);
  };
  const send = async (event: Event) => {
    event.preventDefault();
    if (request === undefined) return;
    const by = await askOperatorName();
    if (by === undefined) return;
    setIsSending(true);
    try {
      await sendJson('PUT', `${examPath(exam.id)}/settings`, { by, ...request });
      setTouched(undefined);
      setTrouble(undefined);
    } catch (error) {
      setTrouble(error);
    } finally {
      setIsSending(false);
    }
  };
  return (
    <Panel title="Protocol" class="protocol">
      <p>{originWords(exam)}</p>
      <Trouble error={protocolsTrouble.value} />
      <form onSubmit={(event) => void send(event)}>
        <label class="field">
          <span>Protocol of this exam</span>
          <select
            value={draft.protocol ?? ''}
            onChange={({ currentTarget: { value } }) => {
              const name = value === '' ? null : value;
              change(withProtocol(draft, name, all.find((one) => one.name === (name ?? recognisedOf(exam)))));
            }}
          >
            <option value="">As the series tell</option>
            {byRegion(all, all.find(({ name }) => name === exam.protocol?.name)?.region).map(([region, some]) => (
              <optgroup key={region} label={regionNames[region] ?? region}>
                {some.map((one) => <option key={one.name} value={one.name}>{optionWords(one)}</option>)}
              </optgroup>
            ))}
          </select>
        </label>
        {shown !== undefined && <ProtocolFacts protocol={shown} all={all} />}
        <StrengthField draft={draft} protocol={shown} change={change} />
        <SynthesisSwitches exam={exam} draft={draft} protocol={shown} change={change} />
        <Trouble error={trouble} />
        <div class="buttons">
          <span class="quiet" role="status">{request === undefined ? '' : 'For the scans and syntheses that have not begun.'}</span>
          <button type="button" disabled={touched === undefined || isSending} onClick={() => (setTouched(undefined), setTrouble(undefined))}>Undo</button>
          <button type="submit" class="primary" disabled={request === undefined || isSending}>Apply</button>
        </div>
      </form>
      <History exam={exam} all={all.filter(({ name }) => name === exam.protocol?.name).concat(all)} />
    </Panel>
  );
}

function optionWords(protocol: ProtocolSummary): string {
  const saved = savedOf(protocol);
  return `${protocol.title}, ${minutesWords(protocol.minutes)}${saved === undefined ? '' : `, saves ${minutesWords(saved.minutes)}`}`;
}

const regionNames: Readonly<Record<string, string>> = { lumbar: 'Lumbar spine', thoracolumbar: 'Thoracolumbar spine', cervical: 'Cervical spine', whole: 'Whole spine' };

/** That the exam would have if nobody had chosen one; not known where somebody has. */
const recognisedOf = ({ protocol, settings }: ExamView): string | undefined => (settings.protocol === undefined ? protocol?.name : undefined);

function originWords({ protocol, protocolCandidates, settings }: ExamView): string {
  const by = settings.changes.findLast(({ what }) => what === 'protocol')?.by;
  if (protocol === undefined) {
    return protocolCandidates.length > 1 ? `Not known yet: the series could be of ${protocolCandidates.join(', ')}.` : 'Not known: no protocol fits the series. What nobody promised is not missed.';
  }
  return settings.protocol === undefined ? `${protocol.title}, as the series tell.` : `${protocol.title}, chosen by ${by ?? 'the operator'}.`;
}

function ProtocolFacts({ protocol, all }: { protocol: ProtocolSummary; all: readonly ProtocolSummary[] }) {
  const saved = savedOf(protocol);
  const base = all.find(({ name }) => name === protocol.basedOn);
  return (
    <div class="protocol-facts">
      <p>
        <strong>{minutesWords(protocol.minutes)}</strong>
        {saved !== undefined && base !== undefined && <> – {minutesWords(saved.minutes)} ({saved.percent} %) shorter than {base.title}</>}
      </p>
      <details>
        <summary>{protocol.series.length} scanned, {protocol.syntheses.length} computed</summary>
        <table>
          <tbody>
            {protocol.series.map(({ id, description, role, orientation, minutes }) => (
              <tr key={id}><th scope="row">{description}</th><td>{roleName(role)}, {orientation}</td><td class="number">{minutesWords(minutes)}</td></tr>
            ))}
            {protocol.syntheses.map(({ id, description, contrast }) => (
              <tr key={id}><th scope="row">{description}</th><td>{roleName(contrast)}, <span class="synthetic-mark">SYNTHETIC</span></td><td class="number">not scanned</td></tr>
            ))}
          </tbody>
        </table>
      </details>
    </div>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly protocol: ProtocolSummary | undefined;
  readonly change: (draft: Draft) => void;
}

function StrengthField({ draft, protocol, change }: PartProps) {
  const { least, most, standard, isFixed } = strengthOf(protocol);
  const chosen = draft.denoisePercent;
  const usual = standard === undefined ? 'as protocol and scanner say' : `${number(standard)} %, unless the scanner asks for another`;
  if (isFixed) return <p>Denoising is fixed at {number(least)} % here.</p>;
  return (
    <fieldset class="strength">
      <legend>Denoising of the scans that follow</legend>
      <label>
        <input type="radio" name="strength" checked={chosen === null} onChange={() => change({ ...draft, denoisePercent: null })} />
        As usual: {usual}
      </label>
      <label>
        <input
          type="radio" name="strength" checked={chosen !== null}
          onChange={() => change({ ...draft, denoisePercent: Math.min(Math.max(standard ?? most, least), most) })}
        />
        Chosen here
      </label>
      <label class="slider">
        <span class="quiet">Strength</span>
        <input
          type="range" min={least} max={most} step={5} disabled={chosen === null} value={chosen ?? standard ?? least}
          aria-valuetext={`${chosen ?? standard ?? least} per cent`}
          onInput={({ currentTarget }) => change({ ...draft, denoisePercent: currentTarget.valueAsNumber })}
        />
        <output>{chosen === null ? '–' : chosen === 0 ? 'off' : `${number(chosen)} %`}</output>
      </label>
      {(least > 0 || most < 100) && <p class="reason">This protocol allows {number(least)} to {number(most)} %.</p>}
    </fieldset>
  );
}

function SynthesisSwitches({ exam, draft, protocol, change }: PartProps & { readonly exam: ExamView }) {
  const switches = switchesOf(protocol, draft, exam);
  if (switches.length === 0) return null;
  return (
    <fieldset>
      <legend>Computed instead of scanned</legend>
      {switches.map(({ id, description, isOn, lock }) => (
        <label key={id}>
          <input
            type="checkbox" checked={isOn} disabled={lock !== undefined}
            onChange={({ currentTarget }) => change({ ...draft, syntheses: { ...draft.syntheses, [id]: currentTarget.checked } })}
          />
          {description} <span class="synthetic-mark">SYNTHETIC</span> {lock !== undefined && <span class="quiet">{lock}</span>}
        </label>
      ))}
    </fieldset>
  );
}

/** @param all that of the exam first, whose names count */
function History({ exam: { settings }, all }: { exam: ExamView; all: readonly ProtocolSummary[] }) {
  const { changes } = settings;
  if (changes.length === 0) return null;
  return (
    <details>
      <summary>{changes.length === 1 ? 'One change' : `${changes.length} changes`}</summary>
      <ol class="history">
        {changes.map((change, index) => <li key={index}><span class="quiet">{timeOf(change.at)} {change.by}</span> {changeWords(change, all)}</li>)}
      </ol>
    </details>
  );
}
