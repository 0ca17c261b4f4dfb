/** The sentence of a level: the draft, and the reader's own words in its place. */
import { useEffect, useId, useState } from 'preact/hooks';
import type { Sentence } from '../api/index.js';
import { Panel, State, timeOf } from '../parts/index.js';
import { levelName } from './report.js';

const longest = 8000;

export function SentenceEditor({ sentence, isBusy, onSave }: { sentence: Sentence; isBusy: boolean; onSave: (text: string) => Promise<boolean> }) {
  const { draft, edited, level } = sentence;
  const known = edited?.text ?? draft;
  // What the words here are and began from. Those that are not saved yet stay when somebody else's arrive, and that is told.
  const [{ text, base }, setWords] = useState({ text: known, base: known });
  const setText = (words: string) => setWords((now) => ({ ...now, text: words }));
  const id = useId();
  useEffect(() => {
    // By the words of this moment: what was typed since the last drawing is not lost either.
    setWords((now) => (now.text !== now.base && now.text.trim() !== known ? now : { text: known, base: known }));
  }, [known]);
  const isDirty = text.trim() !== known && text.trim() !== '';
  const isOvertaken = isDirty && known !== base;
  return (
    <Panel title={`Sentence of ${level === undefined ? 'the whole spine' : levelName(level)}`} class="sentence">
      {edited === undefined
        ? <p class="quiet">A draft from templates: it follows the grades until you put your own words in its place.</p>
        : <p class="quiet">Words of {edited.by}, {timeOf(Date.parse(edited.at))}. Later changes of grades leave them alone.</p>}
      <label class="unseen" for={id}>Sentence</label>
      <textarea id={id} rows={6} maxLength={longest} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      {isOvertaken && <p role="alert"><State is="look">Meanwhile it became: “{known}” If you save, your words take its place.</State></p>}
      {edited !== undefined && (
        <details>
          <summary>The draft as it stands</summary>
          <p>{draft}</p>
        </details>
      )}
      <div class="buttons">
        {text !== draft && <button type="button" onClick={() => setText(draft)}>Take the draft</button>}
        {isDirty && known !== draft && <button type="button" onClick={() => setText(known)}>Back to what is saved</button>}
        <button type="button" class="primary" disabled={isBusy || !isDirty} onClick={() => void onSave(text.trim())}>Save the words</button>
      </div>
    </Panel>
  );
}
