/** Who sits before the page: asked once, told with every change, and recorded with it. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

const NAME_KEY = 'conus.operator';
const longestName = 64;

export const operatorName = signal<string | undefined>(typeof sessionStorage === 'undefined' ? undefined : (sessionStorage.getItem(NAME_KEY) ?? undefined));
const asking = signal<((name: string | undefined) => void) | undefined>(undefined);

/** The name that is known, or one that is given now; undefined where none is given. */
export function askOperatorName(): Promise<string | undefined> {
  if (operatorName.value !== undefined) return Promise.resolve(operatorName.value);
  return changeOperatorName();
}

export function changeOperatorName(): Promise<string | undefined> {
  return new Promise((resolve) => {
    asking.value = (name) => {
      asking.value = undefined;
      if (name !== undefined) {
        sessionStorage.setItem(NAME_KEY, name);
        operatorName.value = name;
      }
      resolve(name);
    };
  });
}

/** One for the whole page. */
export function OperatorDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const answer = asking.value;
  useEffect(() => {
    if (answer !== undefined) dialog.current?.showModal();
    else dialog.current?.close();
  }, [answer]);
  return (
    <dialog ref={dialog} aria-labelledby="operator-title" onCancel={() => answer?.(undefined)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
          if (name !== '') answer?.(name);
        }}
      >
        <h2 id="operator-title">Who are you?</h2>
        <p>Every change is recorded with the exam, with its time and your name.</p>
        <label class="field">
          <span>Name or initials</span>
          <input name="name" maxLength={longestName} required autocomplete="off" defaultValue={operatorName.value ?? ''} />
        </label>
        <div class="buttons">
          <button type="button" onClick={() => answer?.(undefined)}>Cancel</button>
          <button type="submit" class="primary">Go on</button>
        </div>
      </form>
    </dialog>
  );
}
