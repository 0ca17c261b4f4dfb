/** Spondylolisthesis: the upper vertebra slips on the lower one, and all above goes with it (Meyerding 1932, Surg Gynecol Obstet 54:371). */
import { withSegment, type SpinePlan } from '../spine/index.js';
import { endplatesOf, measureListhesis } from '../truth/alignment.js';
import { scales } from '../truth/grades.js';
import { bodySection, outlineBody } from '../truth/vertebra.js';
import { partsOf, type Built, type Finding, type Pathology } from './pathology.js';

const largestEndplateMm = 45;

export const listhesis: Pathology = {
  draw: (random, _, grade) => ({ direction: grade === '1' && random.uniform() < 0.2 ? 'posterior' : 'anterior' }),
  // A dose of 1 is well past the target on any endplate, but no farther: far slips bend the canal back on itself.
  change(plan: SpinePlan, { level, options, target = 0 }: Finding, dose: number): SpinePlan {
    const forwards = options.direction === 'posterior' ? -1 : 1;
    const slipMm = forwards * dose * target * largestEndplateMm;
    return withSegment(plan, level, (segment) => ({
      ...segment,
      alignment: { ...segment.alignment, slipMm },
      disc: { ...segment.disc, degeneration: Math.max(segment.disc.degeneration, 3.6) },
    }));
  },
  measure: {
    scale: scales.meyerding,
    limits: [0.1, 0.68],
    doses: [0, 1],
    tolerance: 0.012,
    of(built, { level }) {
      const measured = slipOf(built, level);
      return measured === undefined ? undefined : measured.share;
    },
  },
};

function slipOf({ anatomy, scene }: Built, level: string): ReturnType<typeof measureListhesis> | undefined {
  const [above, below] = partsOf(level).map((name) => {
    const site = scene.vertebrae.get(name);
    if (site === undefined) return undefined;
    const outline = outlineBody(bodySection(anatomy, site.frame), name);
    return outline === undefined ? undefined : endplatesOf(site.frame, outline);
  });
  return above === undefined || below === undefined ? undefined : measureListhesis(above, below);
}
