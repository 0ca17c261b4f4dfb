/** Facet arthropathy: the joint space narrows, the processes grow, the joint holds fluid (Weishaupt 1999, doi 10.1007/s002560050503). */
import { withSegment, type SpinePlan } from '../spine/index.js';
import { measureFacet } from '../truth/foramen.js';
import { scales } from '../truth/grades.js';
import { onSides, pick, sidesOf, type Finding, type Pathology } from './pathology.js';

const hypertrophyMm = { '0': 0, '1': 0.7, '2': 1.6, '3': 2.8 } as const;

export const facet: Pathology = {
  draw: (random) => ({ side: pick(random, ['left', 'right', 'both', 'both']) }),
  change(plan: SpinePlan, { level, grade, options }: Finding, dose: number): SpinePlan {
    const growthMm = hypertrophyMm[grade as keyof typeof hypertrophyMm];
    return withSegment(plan, level, (segment) => ({
      ...segment,
      facets: onSides(segment.facets, sidesOf(options.side), (joint) => ({
        ...joint,
        jointSpaceMm: dose,
        hypertrophyMm: joint.hypertrophyMm + growthMm,
        effusion: Math.max(joint.effusion, grade === '0' ? 0 : 0.6),
      })),
      flavumMm: onSides(segment.flavumMm, sidesOf(options.side), (mm) => mm + 0.4 * growthMm),
    }));
  },
  measure: {
    scale: scales.facetWidth,
    limits: [3.4, 0.3],
    doses: [5, 0.1],
    tolerance: 0.12,
    of({ anatomy, scene }, { level, options }) {
      const site = scene.segments.get(level);
      if (site === undefined) return undefined;
      const spaces = sidesOf(options.side).map((side) => measureFacet(anatomy, site, side)?.jointSpaceMm);
      return spaces.some((space) => space === undefined) ? undefined : spaces.reduce<number>((sum, space) => sum + space!, 0) / spaces.length;
    },
  },
};
