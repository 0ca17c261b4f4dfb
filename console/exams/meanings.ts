/** What codes mean, asked of the service once a code. */
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getJson } from '../api/index.js';
import type { CodeMeaning } from '../api/index.js';

const known = new Map<string, Signal<CodeMeaning | undefined>>();
const asked = new Set<string>();

/** One for all who ask. */
function placeOf(code: string): Signal<CodeMeaning | undefined> {
  const place = known.get(code) ?? signal<CodeMeaning | undefined>(undefined);
  known.set(code, place);
  return place;
}

/** undefined until the answer is there, and where there is none. */
export function useMeaning(code: string): CodeMeaning | undefined {
  const place = placeOf(code);
  useEffect(() => {
    if (asked.has(code)) return;
    asked.add(code);
    getJson<CodeMeaning>(`api/errors/${encodeURIComponent(code)}`).then(
      (meaning) => (place.value = meaning),
      // A code of another stage has no meaning here; one that was not answered is asked for again.
      () => asked.delete(code),
    );
  }, [code]);
  return place.value;
}
