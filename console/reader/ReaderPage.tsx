/** The reading of an exam: levels, what was found at each with its picture, and the reader's word on it. */
import { useEffect, useState } from 'preact/hooks';
import { examPath, getJson } from '../api/index.js';
import type { Evidence, ExamView, NotAssessed, ReadingView } from '../api/index.js';
import { Panel, Trouble } from '../parts/index.js';
import { FindingCard } from './FindingCard.js';
import { FindingPicture } from './FindingPicture.js';
import { HistoryPanel } from './HistoryPanel.js';
import { LevelList } from './LevelList.js';
import { ReadingBar } from './ReadingBar.js';
import { byWeight, findingName, findingsAt, firstLevel, levelsOf, notAssessedAt, sentenceAt } from './report.js';
import type { Level } from './report.js';
import { SentenceEditor } from './SentenceEditor.js';
import { useReading } from './useReading.js';
import type { ReadingHandle } from './useReading.js';
import './reader.css';

export function ReaderPage({ exam }: { exam: ExamView }) {
  const isAnalysed = exam.analyses.some(({ results }) => results.includes('report'));
  if (!isAnalysed) return <NotAnalysed exam={exam} />;
  return <Reader exam={exam} />;
}

/** Why there is nothing to read. */
function NotAnalysed({ exam }: { exam: ExamView }) {
  const analyses = exam.actions.filter(({ kind }) => kind === 'analyse');
  return (
    <Panel title="There is no report to read">
      {analyses.length === 0
        ? <p class="quiet">The protocol of this exam asks for no analysis, or is not known yet.</p>
        : <ul>{analyses.map(({ id, what, state, reason }) => <li key={id}>{what}: {state}{reason !== undefined && `. ${reason.text}`} {reason !== undefined && <code>{reason.code}</code>}</li>)}</ul>}
    </Panel>
  );
}

function Reader({ exam }: { exam: ExamView }) {
  const handle = useReading(exam);
  const { reading, error, isBusy } = handle;
  if (reading === undefined) return error === undefined ? <p class="quiet" role="status">Asking for the report …</p> : <Trouble error={error} />;
  return (
    <>
      <ReadingBar reading={reading} isBusy={isBusy} onConfirm={handle.confirm} />
      <Trouble error={error} />
      <Levels key={reading.offerId} exam={exam} reading={reading} handle={handle} />
    </>
  );
}

function Levels({ exam, reading, handle }: { exam: ExamView; reading: ReadingView; handle: ReadingHandle }) {
  const { report } = reading;
  const levels = levelsOf(report);
  const [level, setLevel] = useState<Level>(() => firstLevel(levels));
  const [shownId, setShownId] = useState<string>();
  const evidence = useEvidence(exam.id, reading.offerId);
  const findings = byWeight(findingsAt(report, level));
  // The order is that of the first look: what a reader grades does not jump away under his hands.
  const [order, setOrder] = useState<readonly string[]>([]);
  useEffect(() => setOrder(findings.map(({ id }) => id)), [level]);
  const inOrder = [...findings].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  const shown = inOrder.find(({ id }) => id === shownId) ?? inOrder.find(({ drawing }) => drawing !== undefined);
  const sentence = sentenceAt(report, level);
  return (
    <div class="reader-columns">
      <div class="side">
        <LevelList levels={levels} selected={level} onSelect={setLevel} />
        <HistoryPanel reading={reading} />
      </div>
      <div class="side" aria-label="What was found">
        {sentence !== undefined && <SentenceEditor key={level ?? ''} sentence={sentence} isBusy={handle.isBusy} onSave={(text) => handle.sentence(level, text)} />}
        <Panel title="What was found">
          {inOrder.length === 0 && <p class="quiet">Nothing was measured here.</p>}
          <ul class="findings">
            {inOrder.map((finding) => (
              <FindingCard
                key={finding.id} reading={reading} finding={finding} isShown={finding.id === shown?.id} isBusy={handle.isBusy} evidence={evidence.get(finding.id)}
                onShow={() => setShownId(finding.id)} onGrade={(scale, value) => void handle.grade(finding.id, scale, value)}
              />
            ))}
          </ul>
        </Panel>
        <NotAssessedPanel reading={reading} missing={notAssessedAt(report, level)} />
      </div>
      <div class="stage">{shown === undefined ? <p class="quiet">Nothing of this level is drawn on a picture.</p> : <FindingPicture exam={exam} reading={reading} finding={shown} />}</div>
    </div>
  );
}

function NotAssessedPanel({ reading, missing }: { reading: ReadingView; missing: readonly NotAssessed[] }) {
  if (missing.length === 0) return null;
  return (
    <Panel title="What was not assessed, and why">
      <ul class="not-assessed">
        {missing.map((one) => <li key={`${one.kind} ${one.side ?? ''} ${one.code}`}>{findingName(reading, one)}: <span class="quiet">{one.got}</span> <code>{one.code}</code></li>)}
      </ul>
    </Panel>
  );
}

/** By finding. They are large, and asked for once an analysis. */
function useEvidence(examId: string, offerId: string): ReadonlyMap<string, string> {
  const [pictures, setPictures] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    let isWanted = true;
    getJson<Evidence[]>(`${examPath(examId)}/analysis/evidence`)
      .then((evidence) => isWanted && setPictures(new Map(evidence.map(({ findingId, png }) => [findingId, png]))))
      // A report without pictures is still a report.
      .catch(() => undefined);
    return () => {
      isWanted = false;
    };
  }, [examId, offerId]);
  return pictures;
}
