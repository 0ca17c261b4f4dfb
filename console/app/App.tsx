/** The frame of the page: where one can go, how the service is, and what this is not to be used for. */
import { lazy, Suspense } from 'preact/compat';
import { useEffect, useRef } from 'preact/hooks';
import { connection, exams, isKnown, isLockedOut } from '../api/index.js';
import { ExamList } from '../exams/ExamList.js';
import { ExamPage } from '../exams/ExamPage.js';
import { KeyHelp } from './KeyHelp.js';
import { LockedOut } from './LockedOut.js';
import { changeOperatorName, OperatorDialog, operatorName } from './operator.js';
import { hrefOf, route } from './route.js';
import type { Route } from './route.js';

const ComparePage = lazy(() => import('../physicist/ComparePage.js').then(({ ComparePage }) => ComparePage));
const SweepsPage = lazy(() => import('../physicist/SweepsPage.js').then(({ SweepsPage }) => SweepsPage));
const OperationsPage = lazy(() => import('../operations/OperationsPage.js').then(({ OperationsPage }) => OperationsPage));

export function App() {
  if (isLockedOut.value) return <LockedOut />;
  return (
    <>
      <a class="skip" href="#content" onClick={skipToContent}>To the content</a>
      <Header />
      <Suspense fallback={<main id="content" tabIndex={-1}><p class="quiet">Loading …</p></main>}>
        <Content at={route.value} />
      </Suspense>
      <footer class="research" role="contentinfo">
        <strong>Research use only.</strong> Not a medical device; not for diagnosis.
      </footer>
      <OperatorDialog />
      <KeyHelp />
    </>
  );
}

function Header() {
  const { view } = route.value;
  const link = (to: Route['view'], href: string, text: string) => (
    <a href={href} aria-current={view === to || (to === 'list' && view === 'exam') ? 'page' : undefined}>{text}</a>
  );
  return (
    <header class="top">
      <span class="wordmark">Conus</span>
      <nav aria-label="Console">
        {link('list', hrefOf(), 'Exams')}
        {link('compare', hrefOf('compare'), 'Compare')}
        {link('sweeps', hrefOf('sweeps'), 'Sweeps')}
        {link('operations', hrefOf('operations'), 'Operations')}
      </nav>
      <span class="gap" />
      <Connection />
      <button type="button" class="plain" onClick={() => void changeOperatorName()}>{operatorName.value ?? 'Who are you?'}</button>
    </header>
  );
}

function Connection() {
  const words = { connecting: 'connecting …', live: 'live', lost: 'connection lost, trying again' } as const;
  return (
    <span class={`connection ${connection.value}`} role="status">
      <span class="shape" aria-hidden="true" />
      {words[connection.value]}
    </span>
  );
}

function Content({ at }: { at: Route }) {
  const heading = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const place = `${at.view} ${'examId' in at ? at.examId : ''}`;
  // A page that changes under a keyboard or a screen reader takes the focus along.
  useEffect(() => {
    if (!isFirst.current) heading.current?.focus();
    isFirst.current = false;
  }, [place]);
  return <main id="content" ref={heading} tabIndex={-1} class={`view-${at.view}`}>{viewOf(at)}</main>;
}

function viewOf(at: Route) {
  switch (at.view) {
    case 'list':
      return <ExamList exams={exams.value} isKnown={isKnown.value} />;
    case 'exam':
      return <ExamPage key={at.examId} examId={at.examId} tab={at.tab} seriesId={at.seriesId} />;
    case 'compare':
      return <ComparePage left={at.left} right={at.right} />;
    case 'sweeps':
      return <SweepsPage name={at.name} />;
    case 'operations':
      return <OperationsPage />;
    case 'unknown':
      return (
        <>
          <h1>There is no such page</h1>
          <p><a href={hrefOf()}>To the exams</a></p>
        </>
      );
  }
}

function skipToContent(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}
