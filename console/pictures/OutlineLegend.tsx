/** Which colour is which structure, of those in a slice. */
import type { SliceGeometry } from '../api/index.js';
import { outlineColours, outlineNames, outlinesAt } from './outlines.js';
import type { Outlines } from './outlines.js';

export function OutlineLegend({ outlines, geometry }: { outlines: Outlines; geometry: SliceGeometry | undefined }) {
  const kinds = new Set(geometry === undefined ? [] : outlinesAt(outlines, geometry)?.outlines.map(({ kind }) => kind));
  // Left and right have one name and one colour.
  const shown = new Map([...kinds].flatMap((kind) => (outlineColours[kind] === undefined ? [] : [[outlineNames[kind] ?? kind, outlineColours[kind]] as const])));
  if (shown.size === 0) return <p class="quiet legend">No structures were found in this slice.</p>;
  return (
    <ul class="legend" aria-label="Colours of the outlines">
      {[...shown].map(([name, colour]) => (
        <li key={name}><svg viewBox="0 0 14 4" width="14" height="4" aria-hidden="true"><path d="M0 2h14" stroke={colour} stroke-width="3" /></svg> {name}</li>
      ))}
    </ul>
  );
}
