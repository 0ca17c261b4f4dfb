/**
 * Modic changes of an endplate, from the lesion map in three sagittal sections (midline and 8 mm beside it).
 *
 *   share   of the endplate's columns those with Modic codes 3 mm inside the body
 *   type    the code with most pixels within 12 mm of the endplate; mixed where another has a tenth of them or more
 */
import type { Anatomy, Frame } from '../anatomy/index.js';
import { bodyLabel } from '../spine/index.js';
import { range } from './canal.js';
import { Section } from './section.js';

export interface EndplateChange {
  readonly type: 'none' | '1' | '2' | '3' | '1/2' | '2/3' | '1/3';
  readonly share: number;
}

const leastShare = 0.05;

/** @param codes of Modic 1, 2 and 3 in the lesion map */
export function measureEndplate(anatomy: Anatomy, frame: Frame, vertebra: string, face: 'upper' | 'lower', codes: readonly [number, number, number]): EndplateChange {
  const label = bodyLabel(vertebra);
  const counts = [0, 0, 0];
  let [columns, changed] = [0, 0];
  for (const offsetMm of [-8, 0, 8]) {
    const section = new Section(anatomy, frame, { orientation: 'sagittal', offsetMm, u: [-30, 30], v: [-26, 26] }, 0.5);
    const body = section.mask((other) => other === label).componentAt(0, 0);
    const extent = body.columns();
    if (extent === undefined) continue;
    for (const column of range(extent[0], extent[1])) {
      const rows = body.rowsOf(column);
      if (rows === undefined) continue;
      const codeAt = (depthMm: number) => {
        const steps = Math.round(depthMm / section.stepMm);
        const row = face === 'upper' ? rows[0] + steps : rows[1] - steps;
        return row < rows[0] || row > rows[1] ? -1 : codes.indexOf(section.lesions[row * section.nColumns + column]!);
      };
      columns++;
      if (codeAt(3) >= 0) changed++;
      for (let depthMm = 1; depthMm <= 12; depthMm += section.stepMm) if (codeAt(depthMm) >= 0) counts[codeAt(depthMm)]!++;
    }
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  const share = columns === 0 ? 0 : changed / columns;
  // Less is what reaches over from the other endplate.
  if (share < leastShare) return { type: 'none', share: 0 };
  const types = counts.flatMap((count, index) => (count >= 0.1 * total ? [`${index + 1}`] : []));
  return { type: types.slice(0, 2).join('/') as EndplateChange['type'], share };
}
