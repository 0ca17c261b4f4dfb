/**
 * Stenosis of the central canal, the lateral recess and the foramen. What narrows is what narrows in people: thick
 * ligamenta flava, hypertrophic facets and the lost epidural fat press the sac into a trefoil; the superior articular
 * process closes the recess and, with the disc, the foramen.
 */
import { withSegment, type SpinePlan } from '../spine/index.js';
import { canalSection, measureCanal, measureRecesses } from '../truth/canal.js';
import { foramenSection, measureForamen } from '../truth/foramen.js';
import { scales } from '../truth/grades.js';
import { between, onSides, pick, sidesOf, type Finding, type Pathology } from './pathology.js';

/** Doses below 0 widen what was narrow by birth. */
export const stenosis: Pathology = {
  change(plan: SpinePlan, { level }: Finding, dose: number): SpinePlan {
    const narrow = Math.max(0, dose);
    return withSegment(plan, level, (segment) => {
      const { sac, facets, flavumMm } = segment;
      return {
        ...segment,
        sac: {
          ...sac,
          apMm: sac.apMm * between(1, 0.34, dose),
          transverseMm: sac.transverseMm * between(1, 0.62, dose),
          triangularity: between(sac.triangularity, 0.75, narrow),
          anteriorGapMm: sac.anteriorGapMm * between(1, 0.5, narrow),
          posteriorGapMm: sac.posteriorGapMm * between(1, 0.3, narrow),
        },
        flavumMm: onSides(flavumMm, ['left', 'right'], (mm) => mm + 3.2 * narrow),
        facets: onSides(facets, ['left', 'right'], (facet) => ({ ...facet, hypertrophyMm: facet.hypertrophyMm + 2 * narrow })),
      };
    });
  },
  measure: {
    scale: scales.centralCanal,
    limits: [190, 38],
    doses: [-0.5, 1],
    tolerance: 1,
    of({ anatomy, scene }, { level }) {
      const site = scene.segments.get(level);
      return site === undefined ? undefined : measureCanal(canalSection(anatomy, site))?.sacAreaMm2;
    },
  },
};

export const recess: Pathology = {
  draw: (random) => ({ side: pick(random, ['left', 'right', 'both']) }),
  change(plan: SpinePlan, { level, options }: Finding, dose: number): SpinePlan {
    return withSegment(plan, level, (segment) => ({
      ...segment,
      lateralRecessMm: onSides(segment.lateralRecessMm, sidesOf(options.side), () => dose),
    }));
  },
  measure: {
    scale: scales.lateralRecess,
    limits: [7.5, 0.8],
    // The plan's height is that in front of the process; beside the sac the roof is higher, so it may have to go below 0.
    doses: [12, -4],
    tolerance: 0.13,
    of({ anatomy, scene }, { level, options }) {
      const site = scene.segments.get(level);
      if (site === undefined) return undefined;
      const measured = measureRecesses(canalSection(anatomy, site), level);
      return mean(sidesOf(options.side).map((side) => measured[side]?.heightMm));
    },
  },
};

export const foramen: Pathology = {
  draw: (random) => ({ side: pick(random, ['left', 'right', 'both']) }),
  change(plan: SpinePlan, { level, options }: Finding, dose: number): SpinePlan {
    return withSegment(plan, level, (segment) => ({
      ...segment,
      foramina: onSides(segment.foramina, sidesOf(options.side), (side) => ({
        ...side,
        widthMm: dose,
        // Fat goes before the root is pressed.
        fatShare: Math.min(side.fatShare, Math.max(0, Math.min(1, (dose - 1.5) / 4))),
      })),
    }));
  },
  measure: {
    scale: scales.foramen,
    limits: [7, 0.8],
    doses: [14, 0],
    tolerance: 0.13,
    of({ anatomy, scene }, { level, options }) {
      const site = scene.segments.get(level);
      if (site === undefined) return undefined;
      return mean(sidesOf(options.side).map((side) => measureForamen(foramenSection(anatomy, site, side), level, side)?.widthMm));
    },
  },
};

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length < values.length ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
