/** Disc bulge: the annulus beyond the endplates all round, most behind (Fardon 2014, doi 10.1016/j.spinee.2014.04.022). */
import { withSegment, type SpinePlan } from '../spine/index.js';
import { bulgeMm as leastBulgeMm, measureDisplacement } from '../truth/displacement.js';
import { uniform, type Finding, type Pathology } from './pathology.js';

export const bulge: Pathology = {
  draw: (random) => ({ mm: uniform(random, 3.2, 5) }),
  change(plan: SpinePlan, { level }: Finding, dose: number): SpinePlan {
    return withSegment(plan, level, (segment) => ({
      ...segment,
      disc: {
        ...segment.disc,
        bulgeMm: { posterior: dose, left: 0.85 * dose, right: 0.85 * dose, anterior: Math.max(segment.disc.bulgeMm.anterior, 0.6 * dose) },
      },
    }));
  },
  measure: {
    scale: { unit: 'mm', grades: ['none', 'bulge'], cutoffs: [leastBulgeMm], worse: 'above' },
    limits: [leastBulgeMm, 6],
    doses: [0, 8],
    tolerance: 0.3,
    of({ anatomy, scene }, { level }) {
      const site = scene.segments.get(level);
      return site === undefined ? undefined : measureDisplacement(anatomy, site)?.depthMm;
    },
    confirms({ anatomy, scene }, { level }) {
      const site = scene.segments.get(level);
      return site !== undefined && measureDisplacement(anatomy, site)?.type === 'bulge';
    },
  },
};
