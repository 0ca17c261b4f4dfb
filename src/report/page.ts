/** What every page has: one file with its style in it, no scripts, nothing that is loaded from elsewhere. */
import { html, Markup, type Content } from './html.js';

const style = new Markup(`
:root { color-scheme: light; --ink: #1c2733; --soft: #5b6875; --line: #d9e0e6; --tint: #f4f7f9; --accent: #0072b2; --good: #00704f; --bad: #b3440a; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.5rem 3rem; max-width: 76rem; color: var(--ink); background: #fff;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); }
h3 { font-size: .95rem; margin: 1rem 0 .4rem; } p { margin: .4rem 0; max-width: 60rem; } .soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: .25rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--soft); background: var(--tint); overflow-wrap: normal; } td.number, th.number { text-align: right; overflow-wrap: normal; white-space: nowrap; }
tr.best td { background: #e8f4ee; } tr.set td { background: #fff8e6; }
td code.name { white-space: nowrap; } code { font: .92em ui-monospace, "DejaVu Sans Mono", monospace; }
.tiles { display: flex; flex-wrap: wrap; gap: .7rem; margin: .9rem 0; } .tile { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; background: var(--tint); min-width: 7.5rem; }
.tile b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: .85rem; }
.verdict { border-left: 5px solid var(--good); background: #e8f4ee; padding: .6rem 1rem; margin: 1rem 0; border-radius: .3rem; } .verdict.none { border-color: var(--bad); background: #fbeee6; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1rem; } .charts svg { width: 100%; height: auto; }
.pictures { display: grid; gap: .6rem 1rem; align-items: start; } .pictures figure, .strip figure { margin: 0; } figure img { display: block; width: 100%; background: #000; }
figcaption { font-size: .82rem; color: var(--soft); padding: .2rem 0; } .strip { display: flex; flex-wrap: wrap; gap: .6rem; } .strip figure { width: 8rem; }
.bar { margin: 0 0 .3rem; } .bar img { width: 100%; height: .8rem; display: block; border: 1px solid var(--line); } .bar div { display: flex; justify-content: space-between; font-size: .8rem; color: var(--soft); }
.side { display: flex; flex-wrap: wrap; gap: 2rem; align-items: flex-start; } .meter { display: inline-block; height: .7rem; background: var(--accent); vertical-align: middle; }
.swatch { display: inline-block; width: .9rem; height: .9rem; vertical-align: -.1rem; margin-right: .35rem; border: 1px solid var(--line); }
.badge { font-size: .8rem; padding: .05rem .45rem; border-radius: .7rem; background: var(--tint); border: 1px solid var(--line); white-space: nowrap; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); } svg .soft { fill: var(--soft); }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; border-top: 1px solid var(--line); padding-top: .6rem; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } h2 { break-after: avoid; } figure, tr, svg { break-inside: avoid; } }
`);

/** A whole page. The policy in it forbids scripts and requests, whatever the text of a scan says. */
export function page(title: string, softwareVersion: string, body: Content): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
${body}
<footer>Conus ${softwareVersion}. Research software: not a medical device, not for diagnosis. Pictures are windowed; numbers in them are not measured on them.</footer>
</body>
</html>
`.text;
}

export function tile(value: string, label: string): Markup {
  return html`<div class="tile"><b>${value}</b><span>${label}</span></div>`;
}

export interface Column<Row> {
  readonly heading: string;
  readonly of: (row: Row) => Content;
  readonly isNumber?: boolean;
}

/** @param classOf the class of a row, where it stands out */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], classOf: (row: Row) => string = () => ''): Markup {
  const cellClass = ({ isNumber }: Column<Row>) => (isNumber === true ? 'number' : '');
  return html`<table>
<thead><tr>${columns.map((column) => html`<th class="${cellClass(column)}">${column.heading}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr class="${classOf(row)}">${columns.map((column) => html`<td class="${cellClass(column)}">${column.of(row)}</td>`)}</tr>
`)}</tbody></table>`;
}
