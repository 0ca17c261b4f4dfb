/** Asks before something is done that nobody can take back; open for as long as it is there. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

export interface ConfirmDialogProps {
  readonly title: string;
  /** Words of the button that does it. */
  readonly yes: string;
  readonly children: ComponentChildren;
  readonly onYes: () => void;
  /** In either case. */
  readonly onClose: () => void;
}

export function ConfirmDialog({ title, yes, children, onYes, onClose }: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      <p>{children}</p>
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>Keep it</button>
        <button
          type="button" class="primary"
          onClick={() => {
            dialog.current?.close();
            onYes();
          }}
        >
          {yes}
        </button>
      </div>
    </dialog>
  );
}
