/** Everything that was said, the latest first: when, who, and what it was before. */
import type { ReadingStep, ReadingView } from '../api/index.js';
import { Panel, timeOf } from '../parts/index.js';
import { findingName, levelName } from './report.js';

export function HistoryPanel({ reading }: { reading: ReadingView }) {
  const { steps } = reading;
  return (
    <Panel title="What was said" class="history">
      {steps.length === 0 && <p class="quiet">Nothing yet.</p>}
      <ol>
        {[...steps].reverse().map((step, index) => (
          <li key={steps.length - index}>
            <span class="quiet">{timeOf(step.at)} {step.by}: </span><Said reading={reading} step={step} />
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Said({ reading, step }: { reading: ReadingView; step: ReadingStep }) {
  switch (step.what) {
    case 'confirmed':
      return <strong>confirmed</strong>;
    case 'grade': {
      const finding = reading.report.findings.find(({ id }) => id === step.findingId);
      const name = finding === undefined ? step.findingId : `${finding.level ?? ''} ${findingName(reading, finding)}`;
      return <>{name}, {reading.words.names[step.scale] ?? step.scale}: {step.from} to <strong>{step.to}</strong></>;
    }
    case 'sentence':
      return (
        <details class="inline">
          <summary>own words for {levelName(step.level)}</summary>
          <p>{step.to}</p>
          <p class="quiet">Before: {step.from}</p>
        </details>
      );
  }
}
