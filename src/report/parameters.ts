/** Every parameter and every choice, with what decided it. */
import type { Decision, DecisionOrigin } from '../../recon/index.js';
import { parameterFacts } from '../chain/index.js';
import { html, type Markup } from './html.js';
import { table, type Column } from './page.js';

const originNames: Readonly<Record<DecisionOrigin, string>> = {
  default: 'default', chain: 'chain', protocol: 'protocol', header: 'header', client: 'client', operator: 'operator',
};

/** @param decisions of chain and parameters, in the order of the parameters */
export function parametersSection(decisions: readonly Decision[]): Markup {
  const descriptions = new Map(parameterFacts().map((fact) => [fact.name as string, fact.description]));
  const columns: Column<Decision>[] = [
    { heading: 'parameter', of: ({ what }) => html`<code class="name">${what}</code>` },
    { heading: 'value', of: ({ value }) => html`<strong>${value === '' ? '(none)' : value}</strong>` },
    { heading: 'origin', of: originBadge },
    { heading: 'given by', of: ({ source }) => source },
    { heading: 'meaning', of: ({ what }) => html`<span class="soft">${descriptions.get(what)}</span>` },
  ];
  return html`<p class="soft">What was asked for is coloured; everything else is the default.</p>${table(columns, decisions, ({ origin }) => (origin === 'default' || origin === undefined ? '' : 'set'))}`;
}

function originBadge({ origin }: Decision): Markup {
  return html`<span class="badge">${origin === undefined ? 'unknown' : originNames[origin]}</span>`;
}

/** How the header was read. */
export function decisionsSection(decisions: readonly Decision[]): Markup {
  return table<Decision>(
    [
      { heading: 'what', of: ({ what }) => what },
      { heading: 'value', of: ({ value }) => html`<strong>${value}</strong>` },
      { heading: 'because', of: ({ because }) => because },
      { heading: 'decided by', of: ({ source }) => html`<code>${source}</code>` },
    ],
    decisions,
  );
}
