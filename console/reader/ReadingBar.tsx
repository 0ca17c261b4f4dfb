/** How the reading stands, what a reader has to know first, and the button that confirms it. */
import { useRef } from 'preact/hooks';
import type { ReadingView, ReportDelivery } from '../api/index.js';
import { askOperatorName, operatorName } from '../app/operator.js';
import { State, timeOf } from '../parts/index.js';
import type { Standing } from '../parts/index.js';

const standings: Readonly<Record<ReadingView['state'], readonly [Standing, string]>> = {
  draft: ['look', 'draft, as it was computed'],
  changed: ['look', 'changed, not confirmed'],
  confirmed: ['good', 'confirmed'],
};

const deliveryWords: Readonly<Record<ReportDelivery['state'], readonly [Standing, string]>> = {
  queued: ['busy', 'on its way to'], delivered: ['good', 'delivered to'], dead: ['bad', 'given up for'], dropped: ['bad', 'dropped for'],
};

export function ReadingBar({ reading, isBusy, onConfirm }: { reading: ReadingView; isBusy: boolean; onConfirm: () => Promise<boolean> }) {
  const { report, state, confirmed, earlier, stage, analysedAt } = reading;
  const [standing, words] = standings[state];
  return (
    <section class="reading-bar" aria-label="How the reading stands">
      <dl class="facts">
        <div><dt>Reading</dt><dd><State is={standing}>{words}</State></dd></div>
        <div><dt>Priority (proposed)</dt><dd><State is={report.priority.level === 'routine' ? 'wait' : 'look'}>{report.priority.level}: {report.priority.reason}</State></dd></div>
        <div><dt>Analysed</dt><dd>{timeOf(analysedAt)} by {stage}</dd></div>
        {confirmed !== undefined && (
          <div>
            <dt>{state === 'confirmed' ? 'Confirmed' : 'Confirmed before the latest change'}</dt>
            <dd>
              by {confirmed.by}, {timeOf(confirmed.at)}
              {confirmed.deliveries.length === 0 && <>; kept here, no destination takes it</>}
              {confirmed.deliveries.map((delivery) => <Delivery key={delivery.destination} of={delivery} />)}
            </dd>
          </div>
        )}
      </dl>
      {!report.numbering.certain && <p class="warning"><State is="look">The numbering of the levels is UNCERTAIN: {report.numbering.reasons.join('; ')}</State></p>}
      {report.syntheticData && <p class="warning"><span class="synthetic-mark">SYNTHETIC</span> Parts of this rest on images that were computed and not scanned; each of them says so.</p>}
      {earlier !== undefined && (
        <p class="warning">
          <State is="look">
            The exam was analysed again: this is a new draft. Of the one before, which was {earlier.state}{earlier.by !== undefined && ` by ${earlier.by}`} ({timeOf(earlier.at)}), nothing is in it.
          </State>
        </p>
      )}
      {report.notes.length > 0 && (
        <details>
          <summary>What to know first ({report.notes.length})</summary>
          <ul>{report.notes.map((note) => <li key={note}>{note}</li>)}</ul>
        </details>
      )}
      {state !== 'confirmed' && <ConfirmButton reading={reading} isBusy={isBusy} onConfirm={onConfirm} />}
    </section>
  );
}

function Delivery({ of: { destination, state, reason } }: { of: ReportDelivery }) {
  const [standing, words] = deliveryWords[state];
  return <>{' '}<State is={standing}>{words} {destination}{reason !== undefined && ` (${reason.code}${reason.text === '' ? '' : `: ${reason.text}`})`}</State></>;
}

function ConfirmButton({ reading, isBusy, onConfirm }: { reading: ReadingView; isBusy: boolean; onConfirm: () => Promise<boolean> }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { report } = reading;
  const nWords = report.sentences.filter(({ edited }) => edited !== undefined).length;
  const nGrades = new Set(report.changes.map(({ findingId, scale }) => `${findingId} ${scale}`)).size;
  const open = async () => {
    if ((await askOperatorName()) !== undefined) dialog.current?.showModal();
  };
  const confirm = async () => {
    dialog.current?.close();
    await onConfirm();
  };
  return (
    <>
      <button type="button" class="primary confirm" disabled={isBusy} onClick={() => void open()}>{isBusy ? 'Working …' : 'Confirm the report …'}</button>
      <dialog ref={dialog} aria-labelledby="confirm-title">
        <h2 id="confirm-title">Confirm this report?</h2>
        <p>{nGrades === 0 && nWords === 0 ? 'Nothing was changed: it goes out as it was computed.' : `${count(nGrades, 'grade')} and ${count(nWords, 'sentence')} were changed.`}</p>
        <p>
          A structured report of its own, under the name <strong>{operatorName.value}</strong>, and a summary page go where results go. The report is not marked as
          verified: nobody checks the name. Research use only; the diagnosis is in your own report.
        </p>
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>Not yet</button>
          <button type="button" class="primary" onClick={() => void confirm()}>Confirm</button>
        </div>
      </dialog>
    </>
  );
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
