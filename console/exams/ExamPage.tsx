/** One exam: its series as they come, their pictures, and what else there is of it. */
import { lazy, Suspense } from 'preact/compat';
import { useEffect } from 'preact/hooks';
import { ApiError, lookAt, useExam } from '../api/index.js';
import type { ExamView } from '../api/index.js';
import { hrefOf } from '../app/route.js';
import { Panel, patientName, State, timeOf, Trouble } from '../parts/index.js';
import { SeriesViewer } from '../pictures/SeriesViewer.js';
import { examStanding } from './examWords.js';
import { Promises } from './Promises.js';
import { ProtocolPanel } from './ProtocolPanel.js';
import { SeriesCard } from './SeriesCard.js';

const ReaderPage = lazy(() => import('../reader/ReaderPage.js').then(({ ReaderPage }) => ReaderPage));
const PhysicsPage = lazy(() => import('../physicist/PhysicsPage.js').then(({ PhysicsPage }) => PhysicsPage));

interface ExamPageProps {
  readonly examId: string;
  readonly tab: 'series' | 'reading' | 'physics';
  readonly seriesId: string | undefined;
}

export function ExamPage({ examId, tab, seriesId }: ExamPageProps) {
  const { exam, error } = useExam(examId);
  useEffect(() => lookAt(exam?.id ?? examId), [exam?.id ?? examId]);
  if (exam === undefined) return error === undefined ? <p class="quiet" role="status">Asking the service …</p> : <NoExam error={error} />;
  return (
    <>
      <ExamHeader exam={exam} tab={tab} />
      {tab === 'series' && <SeriesTab exam={exam} seriesId={seriesId} />}
      <Suspense fallback={<p class="quiet">Loading …</p>}>
        {tab === 'reading' && <ReaderPage exam={exam} />}
        {tab === 'physics' && <PhysicsPage exam={exam} seriesId={seriesId} />}
      </Suspense>
    </>
  );
}

function NoExam({ error }: { error: unknown }) {
  const isUnknown = error instanceof ApiError && error.status === 404;
  return (
    <>
      <h1>{isUnknown ? 'There is no such exam' : 'The exam cannot be shown'}</h1>
      <Trouble error={error} />
      <p><a href={hrefOf()}>To the exams</a></p>
    </>
  );
}

function ExamHeader({ exam, tab }: { exam: ExamView; tab: ExamPageProps['tab'] }) {
  const { id, patient, study, protocol, openedAt, priority } = exam;
  const [standing, words] = examStanding(exam);
  const link = (to: ExamPageProps['tab'], href: string, text: string) => <a href={href} aria-current={tab === to ? 'page' : undefined}>{text}</a>;
  return (
    <div class="exam-head">
      <h1>{patientName(patient.name)}</h1>
      <dl class="facts">
        <div><dt>Patient</dt><dd>{[patient.id, patient.birthDate, patient.sex].filter(Boolean).join(' · ') || 'unknown'}</dd></div>
        <div><dt>Study</dt><dd>{study.description ?? study.bodyPart ?? 'without a name'}</dd></div>
        <div><dt>Protocol</dt><dd>{protocol?.title ?? 'not known yet'}</dd></div>
        <div><dt>Began</dt><dd>{timeOf(openedAt)}</dd></div>
        <div><dt>Stands</dt><dd><State is={standing}>{words}</State></dd></div>
        {priority !== undefined && <div><dt>Priority (proposed)</dt><dd><State is={priority.level === 'routine' ? 'wait' : 'look'}>{priority.level}</State></dd></div>}
      </dl>
      <nav class="tabs" aria-label="Of this exam">
        {link('series', hrefOf('exam', id), 'Series')}
        {link('reading', hrefOf('exam', id, 'reading'), 'Reading')}
        {link('physics', hrefOf('exam', id, 'physics'), 'Physics')}
      </nav>
    </div>
  );
}

function SeriesTab({ exam, seriesId }: { exam: ExamView; seriesId: string | undefined }) {
  const { series, remarks } = exam;
  // What comes last is what one wants to see, until one has chosen.
  const selected = series.find(({ id }) => id === seriesId) ?? series.findLast(({ outputs }) => outputs.some(({ nImages }) => nImages > 0)) ?? series.at(-1);
  return (
    <div class="exam-columns">
      <div class="side">
        <Panel title="Series">
          {series.length === 0 && <p class="quiet">Nothing came yet.</p>}
          <ol class="cards">
            {series.map((one) => <SeriesCard key={one.id} exam={exam} series={one} isSelected={one.id === selected?.id} />)}
          </ol>
        </Panel>
        <Promises exam={exam} />
        <ProtocolPanel exam={exam} />
        {remarks.length > 0 && (
          <Panel title="Remarks">
            <ul>{remarks.map(({ code, text }) => <li key={code}>{text} <code>{code}</code></li>)}</ul>
          </Panel>
        )}
      </div>
      <div class="stage">{selected === undefined ? <p class="quiet">The first pictures come with the first complete slice.</p> : <SeriesViewer exam={exam} series={selected} />}</div>
    </div>
  );
}
