/** One finding: its measures, its grades within their scales, its signs, and the picture that it rests on. */
import { useId } from 'preact/hooks';
import type { Finding, Grade, ReadingView } from '../api/index.js';
import { State } from '../parts/index.js';
import { capital, computedOf, findingName, lowConfidence, measureText, nearMarginShare, severityStanding, signsOf, worstOf } from './report.js';

export interface FindingCardProps {
  readonly reading: ReadingView;
  readonly finding: Finding;
  readonly isShown: boolean;
  readonly isBusy: boolean;
  /** PNG, base64. */
  readonly evidence: string | undefined;
  readonly onShow: () => void;
  readonly onGrade: (scale: string, value: string) => void;
}

export function FindingCard({ reading, finding, isShown, isBusy, evidence, onShow, onGrade }: FindingCardProps) {
  const { grades, measures, signs, basis, confidence, drawing } = finding;
  const name = findingName(reading, finding);
  const headingId = useId();
  const worst = worstOf(grades);
  const pressing = new Set(signsOf(finding));
  return (
    <li class={isShown ? 'finding shown' : 'finding'} aria-labelledby={headingId}>
      <div class="finding-head">
        <h3 id={headingId}>{name}</h3>
        {worst !== undefined && <State is={severityStanding[worst]}>{worst}</State>}
        {basis.synthetic && <span class="synthetic-mark">FROM SYNTHETIC IMAGES</span>}
        {confidence < lowConfidence && <span class="tag" title={`confidence ${Math.round(100 * confidence)} %`}>low confidence</span>}
        <span class="gap" />
        {drawing !== undefined && <button type="button" aria-pressed={isShown} onClick={onShow}>Show<span class="unseen"> {name}</span></button>}
      </div>
      <div class="finding-body">
        <div>
          {grades.map((grade) => <GradeSelect key={grade.scale} reading={reading} finding={finding} grade={grade} isBusy={isBusy} onGrade={onGrade} />)}
          {measures.length > 0 && (
            <dl class="measures">
              {measures.map((measure) => <div key={measure.name}><dt>{reading.words.names[measure.name] ?? measure.name}</dt><dd>{measureText(measure)}</dd></div>)}
            </dl>
          )}
          {signs.length > 0 && (
            <ul class="signs">
              {signs.map((sign) => <li key={sign}><State is={pressing.has(sign) ? 'look' : 'wait'}>{capital(sign)}</State></li>)}
            </ul>
          )}
        </div>
        {evidence !== undefined && <img class="evidence" src={`data:image/png;base64,${evidence}`} alt={`${name}: the picture that it rests on, as it was computed`} />}
      </div>
    </li>
  );
}

function GradeSelect({ reading, finding, grade, isBusy, onGrade }: { reading: ReadingView; finding: Finding; grade: Grade; isBusy: boolean; onGrade: (scale: string, value: string) => void }) {
  const { scale, value, marginShare } = grade;
  const computed = computedOf(reading.report, finding.id, scale);
  const values = reading.scales[scale] ?? [value];
  const name = reading.words.names[scale] ?? scale;
  const isNear = marginShare !== undefined && marginShare < nearMarginShare;
  return (
    <label class="grade">
      <span>{capital(name)}<span class="unseen"> of {findingName(reading, finding)}</span></span>
      <select value={value} disabled={isBusy} onChange={(event) => onGrade(scale, event.currentTarget.value)}>
        {values.map((one) => <option key={one} value={one}>{one}{one === (computed ?? value) ? ' (computed)' : ''}</option>)}
      </select>
      {computed !== undefined && <span class="tag reader">reader; computed: {computed}</span>}
      {isNear && <span class="tag">near a cut-off</span>}
    </label>
  );
}
