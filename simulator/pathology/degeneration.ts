/**
 * Disc degeneration, Pfirrmann 1 to 5: first the nucleus loses signal and its edge, then the space its height.
 *
 * Height falls little to grade IV and then steeply (Salamat 2016, doi 10.1186/s40064-016-2542-5); the annulus
 * slackens with it. The dose is the plan's continuous grade.
 */
import { withSegment, type SpinePlan } from '../spine/index.js';
import { discSection, measureDegeneration } from '../truth/disc.js';
import { between, type Finding, type Pathology } from './pathology.js';

/** Share of the height that is left at grades 1 to 5. */
const heightLeft = [1, 1, 0.93, 0.78, 0.34];

export const degeneration: Pathology = {
  change(plan: SpinePlan, { level }: Finding, dose: number): SpinePlan {
    const grade = Math.min(4, Math.floor(dose));
    const left = between(heightLeft[grade - 1]!, heightLeft[grade]!, dose - grade);
    const slackMm = 0.3 * Math.max(0, dose - 2);
    return withSegment(plan, level, (segment) => {
      const { disc } = segment;
      return {
        ...segment,
        disc: {
          ...disc,
          degeneration: dose,
          anteriorHeightMm: disc.anteriorHeightMm * left,
          posteriorHeightMm: disc.posteriorHeightMm * left,
          bulgeMm: {
            anterior: disc.bulgeMm.anterior + 1.2 * slackMm,
            posterior: disc.bulgeMm.posterior + slackMm,
            left: disc.bulgeMm.left + 1.4 * slackMm,
            right: disc.bulgeMm.right + 1.4 * slackMm,
          },
        },
      };
    });
  },
  measure: {
    scale: { unit: '1', grades: ['1', '2', '3', '4', '5'], cutoffs: [1.5, 2.5, 3.5, 4.5], worse: 'above' },
    limits: [1, 5],
    doses: [1, 5],
    tolerance: 0.5,
    of({ anatomy, scene, fieldStrengthT }, { level }) {
      const site = scene.segments.get(level);
      if (site === undefined) return undefined;
      const measured = measureDegeneration(anatomy, site, discSection(anatomy, site), fieldStrengthT);
      return measured === undefined ? undefined : Number(measured.pfirrmann);
    },
  },
};
