/**
 * Recess and foramen against a second measurement with other code, on label maps painted anew with pixels of 0.1 mm:
 * each line of a section is read as a word of letters (F bone or disc in front, B what bounds it behind, _ free).
 */
import { describe, expect, it } from 'vitest';
import type { Vector3 } from '../../../imaging/index.js';
import { paintLabels, type Anatomy, type Frame } from '../../../simulator/anatomy/index.js';
import { lesionBuilders, lesionCodes, parsePathologies, placePathologies } from '../../../simulator/pathology/index.js';
import { archLabel, bodyLabel, buildSpine, builtVertebrae, discLabel, drawSpine, facetLabel, spineLabels, type Side, type SpinePlan } from '../../../simulator/spine/index.js';
import { gradeOf, measureTruth, scales, type Scale } from '../../../simulator/truth/index.js';

const stepMm = 0.1;
const halfMm = 26;
const n = Math.round((2 * halfMm) / stepMm) + 1;

/** Labels in the plane of two directions through the frame's origin: [second][first], both from -halfMm on. */
function plane(anatomy: Anatomy, { originMm }: Frame, first: Vector3, second: Vector3): (i: number, j: number) => number {
  const scaled = (v: Vector3, mm: number): Vector3 => [v[0] * mm, v[1] * mm, v[2] * mm];
  const [a, b] = [scaled(first, -halfMm), scaled(second, -halfMm)];
  const { labels } = paintLabels(anatomy, {
    originMm: [originMm[0] + a[0] + b[0], originMm[1] + a[1] + b[1], originMm[2] + a[2] + b[2]],
    columnStepMm: scaled(first, stepMm), rowStepMm: scaled(second, stepMm), nColumns: n, nRows: n,
  });
  return (i, j) => labels[j * n + i]!;
}

/** Of what lies free between front and back, mm. */
function freeMm(word: string): number {
  const free = /F([^FB]*)B/.exec(word)?.[1];
  return free === undefined ? Infinity : free.length * stepMm;
}

const isClose = ({ cutoffs }: Scale, value: number) => cutoffs.some((cutoff) => Math.abs(value - cutoff) < 0.35);

describe.each([
  [5, 'foramen:L4-L5:severe:side=left,recess:L3-L4:moderate:side=right'],
  [9, 'foramen:L3-L4:moderate:side=both,recess:L4-L5:severe:side=left,facet:L4-L5:2:side=right'],
])('seed %i, %s', (seed, text) => {
  it('has the recesses and foramina that lines of the label maps give', () => {
    const plan = drawSpine(seed, { region: 'lumbar', ageYears: 50, nLumbar: 5 });
    const build = (changed: SpinePlan) => buildSpine(changed, { fieldStrengthT: 1.5, lesionBuilders, surroundings: false });
    const levels = builtVertebrae(plan);
    const placed = placePathologies(plan, parsePathologies(text, levels), { fieldStrengthT: 1.5, levels, build });
    const { anatomy, scene } = build(placed.plan);
    const truth = measureTruth({ anatomy, scene, fieldStrengthT: 1.5, findings: [...placed.findings], lesionCodes });
    let compared = 0;
    for (const segment of ['L2-L3', 'L3-L4', 'L4-L5']) {
      const site = scene.segments.get(segment)!;
      const said = truth.discs.find(({ level }) => level === segment)!;
      const [upper, lower] = segment.split('-') as [string, string];
      const letterOf = (side: Side) => (label: number): string => {
        if ([discLabel(segment), bodyLabel(upper), bodyLabel(lower)].includes(label)) return 'F';
        return [archLabel(lower), archLabel(upper), facetLabel(segment, side), spineLabels.ligamentumFlavum].includes(label) ? 'B' : '_';
      };
      const axial = plane(anatomy, site.frame, site.frame.x, site.frame.y);
      const all = Array.from({ length: n }, (_, index) => index);
      const isSac = (label: number) => label === spineLabels.csf || label === spineLabels.cord || label === spineLabels.root;
      const sacColumns = all.filter((i) => all.some((j) => Math.abs(i - n / 2) * stepMm < 18 && j > n / 2 && isSac(axial(i, j))));
      for (const side of ['left', 'right'] as const) {
        const letter = letterOf(side);
        const sagittal = plane(anatomy, site.foramina[side], site.foramina[side].y, site.foramina[side].z);
        const discRows = all.filter((j) => all.some((i) => sagittal(i, j) === discLabel(segment)));
        const upperHalf = discRows.slice(Math.floor(discRows.length / 2));
        const width = Math.min(...upperHalf.map((j) => freeMm(all.map((i) => letter(sagittal(i, j))).join(''))));
        const foramen = said.foramen[side];
        if (foramen !== null && foramen !== undefined && Number.isFinite(width)) {
          expect(Math.abs(foramen.widthMm - width), `${segment} ${side} foramen: ${width.toFixed(2)} of ${foramen.widthMm} mm`).toBeLessThan(0.6);
          if (!isClose(scales.foramen, width)) expect(foramen.grade, `${segment} ${side}`).toBe(gradeOf(scales.foramen, width));
          compared++;
        }
        const edge = side === 'left' ? Math.max(...sacColumns) : Math.min(...sacColumns);
        const outwards = side === 'left' ? 1 : -1;
        const heights = Array.from({ length: Math.round(2 / stepMm) + 1 }, (_, step) => edge + outwards * step)
          .map((i) => freeMm(all.map((j) => letter(axial(i, j))).join('')));
        const height = Math.min(...heights);
        const recess = said.lateralRecess[side];
        if (recess !== null && recess !== undefined && Number.isFinite(height)) {
          expect(Math.abs(recess.heightMm - height), `${segment} ${side} recess: ${height.toFixed(2)} of ${recess.heightMm} mm`).toBeLessThan(0.6);
          if (!isClose(scales.lateralRecess, height)) expect(recess.grade, `${segment} ${side}`).toBe(gradeOf(scales.lateralRecess, height));
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThanOrEqual(8);
  }, 120_000);
});
