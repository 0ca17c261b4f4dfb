/** A part of a page with a heading. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export function Panel({ title, children, tools, class: kind = '' }: { title: string; children: ComponentChildren; tools?: ComponentChildren; class?: string }) {
  const id = useId();
  return (
    <section class={`panel ${kind}`} aria-labelledby={id}>
      <div class="panel-head">
        <h2 id={id}>{title}</h2>
        {tools}
      </div>
      {children}
    </section>
  );
}
