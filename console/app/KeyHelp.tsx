/** The keys of the console, on ?. */
import { useEffect, useRef } from 'preact/hooks';

const keys: readonly (readonly [keys: string, meaning: string])[] = [
  ['?', 'this list'],
  ['Tab, Shift+Tab', 'to the next or the last control'],
  ['↑ ↓, Page Up, Page Down', 'in a picture: slices; in the list: exams'],
  ['Home, End', 'first and last slice'],
  ['I K', 'window centre up and down'],
  ['J L', 'window narrower and wider'],
  ['A', 'window by the middle of the picture'],
  ['O', 'outlines of structures'],
  ['+ −', 'zoom'],
  ['Shift+arrows', 'move the picture'],
  ['0', 'window, zoom and place as they were'],
  ['Wheel, drag, Shift+drag, Ctrl+wheel', 'slices, window, move, zoom'],
];

export function KeyHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key === '?' && !/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) dialog.current?.showModal();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <table>
        <tbody>
          {keys.map(([pressed, meaning]) => (
            <tr key={pressed}><th scope="row">{pressed}</th><td>{meaning}</td></tr>
          ))}
        </tbody>
      </table>
      <form method="dialog" class="buttons"><button type="submit" class="primary">Close</button></form>
    </dialog>
  );
}
