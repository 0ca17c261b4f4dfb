/** A quality light: its colour is its shape and its word, too. */
import type { Light as LightValue } from '../api/index.js';

const words: Readonly<Record<LightValue, string>> = { green: 'green: as expected', amber: 'amber: look twice', red: 'red: not to be trusted' };

export function Light({ value, isShort = false }: { value: LightValue; isShort?: boolean }) {
  return (
    <span class={`light ${value}`} title={words[value]}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        {value === 'green' && <circle cx="6" cy="6" r="5" />}
        {value === 'amber' && <path d="M6 .5 11.5 11H.5Z" />}
        {value === 'red' && <path d="M1.5 1.5h9v9h-9Z" />}
      </svg>
      {isShort ? value : words[value]}
    </span>
  );
}
