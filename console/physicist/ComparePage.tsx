/** Two series of any exams side by side: linked pictures, their difference, and where what they were made with differs. */
import { useSignal } from '@preact/signals';
import { useMemo, useState } from 'preact/hooks';
import { exams, useExam } from '../api/index.js';
import type { ExamView, PictureEntry, PixelWindow, RecordView, SeriesView } from '../api/index.js';
import { hrefOf } from '../app/route.js';
import { outputName, Panel, patientName, timeOf, Trouble } from '../parts/index.js';
import { ColourBar } from '../pictures/ColourBar.js';
import { nearestSlice } from '../pictures/geometry.js';
import { markOf } from '../pictures/naming.js';
import { usePicture, usePictureList } from '../pictures/store.js';
import type { PictureData } from '../pictures/store.js';
import { newView, Viewport } from '../pictures/viewport.js';
import { differencesOf } from './decisions.js';
import type { Difference } from './decisions.js';
import { differencePicture } from './differencePicture.js';
import { paletteOf } from './maps.js';
import { nameOf } from './PhysicsPage.js';
import { useRecord } from './records.js';
import { seriesAddress, seriesOfAddress } from './seriesAddress.js';
import './physicist.css';

/** In an address, for a side that is not chosen yet. */
const nobody = '-';

export function ComparePage({ left, right }: { left: string | undefined; right: string | undefined }) {
  const sides = [useSide(left), useSide(right)] as const;
  const choose = (side: 0 | 1) => (address: string) => {
    const addresses = [left ?? nobody, right ?? nobody];
    addresses[side] = address;
    location.hash = hrefOf('compare', ...addresses);
  };
  const [a, b] = sides;
  return (
    <>
      <h1>Compare two series</h1>
      <div class="compare-choice">
        <SidePicker title="Left" address={left} side={a} onChoose={choose(0)} />
        <SidePicker title="Right" address={right} side={b} onChoose={choose(1)} />
      </div>
      {a.series !== undefined && b.series !== undefined && a.exam !== undefined && b.exam !== undefined && (
        <Pictures key={`${left} ${right}`} left={{ exam: a.exam, series: a.series, attempt: a.attempt, record: a.record }} right={{ exam: b.exam, series: b.series, attempt: b.attempt, record: b.record }} />
      )}
      {a.record !== undefined && b.record !== undefined && <Differences left={a.record} right={b.record} />}
      <Trouble error={a.error} />
      <Trouble error={b.error} />
    </>
  );
}

interface Side {
  readonly exam: ExamView | undefined;
  readonly series: SeriesView | undefined;
  readonly attempt: number | undefined;
  readonly record: RecordView | undefined;
  readonly error: unknown;
}

function useSide(address: string | undefined): Side {
  const chosen = seriesOfAddress(address);
  const { exam, error } = useExam(chosen?.examId ?? '');
  const series = exam?.series.find(({ id }) => id === chosen?.seriesId);
  const scanned = series?.source === 'scan' ? series : undefined;
  const { record, error: recordError } = useRecord(exam?.id, scanned, chosen?.attempt);
  return { exam, series, attempt: chosen?.attempt, record, error: error ?? recordError };
}

/** The latest goes without a number: it is that of the next one, too. */
const attemptsOf = ({ nAttempts }: SeriesView): (number | undefined)[] => [undefined, ...Array.from({ length: Math.max(0, nAttempts - 1) }, (_, i) => i + 1)];

const hasPictures = ({ outputs }: SeriesView) => outputs.some(({ nImages }) => nImages > 0);

function SidePicker({ title, address, side, onChoose }: { title: string; address: string | undefined; side: Side; onChoose: (address: string) => void }) {
  const known = [...exams.value.values()].filter(({ series }) => series.some(hasPictures)).sort((a, b) => b.openedAt - a.openedAt);
  // One that is kept and not in memory any more can be looked at, too.
  const all = side.exam === undefined || known.some(({ id }) => id === side.exam?.id) ? known : [side.exam, ...known];
  return (
    <label class="field">
      <span>{title}</span>
      <select value={address ?? nobody} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        <option value={nobody}>choose a series …</option>
        {all.map((exam) => (
          <optgroup key={exam.id} label={`${timeOf(exam.openedAt)} ${patientName(exam.patient.name)} ${exam.patient.id ?? ''}`}>
            {exam.series.filter(hasPictures).flatMap((series) => attemptsOf(series).map((attempt) => (
              <option key={`${series.id} ${attempt ?? ''}`} value={seriesAddress({ examId: exam.id, seriesId: series.id, attempt })}>
                {nameOf(series)}{markOf(series) === undefined ? '' : ' (synthetic)'}{attempt === undefined ? '' : `, attempt ${attempt}`}, {patientName(exam.patient.name)}, {timeOf(series.openedAt)}
              </option>
            )))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

interface Shown {
  readonly exam: ExamView;
  readonly series: SeriesView;
  readonly attempt: number | undefined;
  readonly record: RecordView | undefined;
}

function Pictures({ left, right }: { left: Shown; right: Shown }) {
  const lists = [usePictureList(left.exam.id, left.series, left.attempt), usePictureList(right.exam.id, right.series, right.attempt)] as const;
  const outputs = [...new Set([...lists[0], ...lists[1]].map(({ output }) => output))].sort();
  const [wanted, setWanted] = useState<readonly [string | undefined, string | undefined]>([undefined, undefined]);
  const output = [0, 1].map((side) => wanted[side] ?? (outputs.includes('image') ? 'image' : outputs[0])) as [string | undefined, string | undefined];
  const [place, setPlace] = useState<number>();
  const bothInNoise = left.record?.result?.snrUnits === true && right.record?.result?.snrUnits === true;
  const [sharesWindow, setSharesWindow] = useState<boolean>();
  const isShared = sharesWindow ?? bothInNoise;
  const [showsDifference, setShowsDifference] = useState(false);
  const view = useMemo(newView, []);
  const windows = [useSignal<PixelWindow | undefined>(undefined), useSignal<PixelWindow | undefined>(undefined), useSignal<PixelWindow | undefined>(undefined)] as const;
  const entries = lists.map((list, side) => list.filter((entry) => entry.output === output[side])) as [PictureEntry[], PictureEntry[]];
  const at = Math.max(0, Math.min(place ?? Math.floor(entries[0].length / 2), entries[0].length - 1));
  const leftEntry = entries[0][at];
  const rightEntry = entries[1][besideOf(leftEntry, entries[1], at)];
  const pictures = [usePicture(named(left, leftEntry)).picture, usePicture(named(right, rightEntry)).picture] as const;
  const second = useMemo(() => (isShared && pictures[0] !== undefined && pictures[1] !== undefined ? { ...pictures[1], window: pictures[0].window } : pictures[1]), [pictures[0], pictures[1], isShared]);
  const difference = useMemo(() => (showsDifference ? differencePicture(pictures[0], pictures[1]) : undefined), [pictures[0], pictures[1], showsDifference]);
  const go = (to: number) => setPlace(Math.max(0, Math.min(entries[0].length - 1, to)));
  const common = { view, onScroll: (by: number) => go(at + by), onEnd: (which: 'first' | 'last') => go(which === 'first' ? 0 : entries[0].length - 1) };
  const chooseOutput = (side: 0 | 1) => (kind: string) => setWanted(side === 0 ? [kind, wanted[1]] : [wanted[0], kind]);
  return (
    <Panel
      title="Pictures"
      tools={
        <div class="tools">
          <label class="field inline"><input type="checkbox" checked={isShared} onChange={({ currentTarget }) => setSharesWindow(currentTarget.checked)} /> <span>one window</span></label>
          <label class="field inline"><input type="checkbox" checked={showsDifference} onChange={({ currentTarget }) => setShowsDifference(currentTarget.checked)} /> <span>difference</span></label>
          <span class="quiet">slice {at + 1} of {entries[0].length}{rightEntry === undefined ? '; none beside it on the right' : ''}</span>
        </div>
      }
    >
      <div class="maps">
        <Beside shown={left} output={output[0]} outputs={outputs} onOutput={chooseOutput(0)} picture={pictures[0]} window={windows[0]} label={`left ${at + 1}/${entries[0].length}`} {...common} />
        <Beside shown={right} output={output[1]} outputs={outputs} onOutput={chooseOutput(1)} picture={second} window={isShared ? windows[0] : windows[1]} label={`right ${rightEntry === undefined ? '–' : entries[1].indexOf(rightEntry) + 1}/${entries[1].length}`} {...common} />
        {showsDifference && (
          <figure class="map">
            <figcaption><strong>Left less right</strong>{difference === undefined && <span class="quiet">only of pictures of one size and place</span>}</figcaption>
            <Viewport picture={difference} palette="signed" window={windows[2]} label="difference" {...common} />
            {difference !== undefined && <ColourBar palette="signed" window={windows[2].value ?? difference.window} />}
          </figure>
        )}
      </div>
    </Panel>
  );
}

interface BesideProps extends Pick<Parameters<typeof Viewport>[0], 'view' | 'window' | 'onScroll' | 'onEnd' | 'label'> {
  readonly shown: Shown;
  readonly output: string | undefined;
  readonly outputs: readonly string[];
  readonly onOutput: (kind: string) => void;
  readonly picture: PictureData | undefined;
}

function Beside({ shown: { exam, series, attempt }, output, outputs, onOutput, picture, window, ...viewport }: BesideProps) {
  const palette = paletteOf(output ?? 'image');
  return (
    <figure class="map">
      <figcaption>
        <span class="one-line"><strong>{nameOf(series)}</strong> <span class="quiet">{attempt === undefined ? '' : `attempt ${attempt}, `}{patientName(exam.patient.name)}, {timeOf(series.openedAt)}</span></span>
        <select aria-label={`What of ${nameOf(series)}`} value={output} onChange={({ currentTarget }) => onOutput(currentTarget.value)}>
          {outputs.map((kind) => <option key={kind} value={kind}>{outputName(kind)}</option>)}
        </select>
      </figcaption>
      <Viewport picture={picture} window={window} palette={palette} mark={markOf(series)} {...viewport} />
      {picture !== undefined && <ColourBar palette={palette} window={window.value ?? picture.window} />}
    </figure>
  );
}

const named = ({ exam, series, attempt }: Shown, entry: PictureEntry | undefined) => (entry === undefined ? undefined : { examId: exam.id, seriesId: series.id, output: entry.output, number: entry.number, attempt });

/** Index of the slice at the same place of the patient; where places are unknown, the same number. */
function besideOf(entry: PictureEntry | undefined, others: readonly PictureEntry[], at: number): number {
  if (entry?.geometry === undefined || others.every(({ geometry }) => geometry === undefined)) return at;
  return nearestSlice(entry.geometry, others.map(({ geometry }) => geometry)) ?? -1;
}

const aboutWords: Readonly<Record<Difference['about'], string>> = { result: 'What came out', parameter: 'Parameters', header: 'How the header was read' };

function Differences({ left, right }: { left: RecordView; right: RecordView }) {
  const [showsAll, setShowsAll] = useState(false);
  const all = differencesOf(left, right);
  const shown = showsAll ? all : all.filter(({ isSame }) => !isSame);
  return (
    <Panel
      title="What differs"
      tools={
        <div class="tools">
          <label class="field inline"><input type="checkbox" checked={showsAll} onChange={({ currentTarget }) => setShowsAll(currentTarget.checked)} /> <span>what is the same, too</span></label>
          <span class="quiet" role="status">{all.filter(({ isSame }) => !isSame).length} of {all.length} differ</span>
        </div>
      }
    >
      {shown.length === 0 && <p class="quiet">Nothing: both were made in the same way.</p>}
      {shown.length > 0 && (
        <table class="differences">
          <thead><tr><th scope="col">What</th><th scope="col">Left</th><th scope="col">Right</th></tr></thead>
          {(['result', 'parameter', 'header'] as const).map((about) => {
            const rows = shown.filter((one) => one.about === about);
            return rows.length > 0 && (
              <tbody key={about}>
                <tr><th scope="rowgroup" colSpan={3} class="group">{aboutWords[about]}</th></tr>
                {rows.map(({ what, left: a, right: b, leftOrigin, rightOrigin, isSame }) => (
                  <tr key={what} class={isSame ? 'quiet' : ''}><th scope="row">{what}</th><td>{valueOf(a, leftOrigin)}</td><td>{valueOf(b, rightOrigin)}</td></tr>
                ))}
              </tbody>
            );
          })}
        </table>
      )}
    </Panel>
  );
}

function valueOf(value: string | undefined, origin: string | undefined) {
  if (value === undefined) return <span class="quiet">–</span>;
  return <>{value === '' ? '(none)' : value} {origin !== undefined && <span class="badge">{origin}</span>}</>;
}
