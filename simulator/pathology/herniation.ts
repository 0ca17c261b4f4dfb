/**
 * Protrusion and extrusion (Fardon 2014, doi 10.1016/j.spinee.2014.04.022): of the protrusion the base is the widest
 * part, the extrusion has a neck or has moved up or down. How large it is, is said by the share of the canal that it
 * takes.
 */
import { withSegment, type HerniationPlan, type SpinePlan } from '../spine/index.js';
import { measureDisplacement } from '../truth/displacement.js';
import { scales } from '../truth/grades.js';
import { between, pick, type Finding, type Measure, type Pathology } from './pathology.js';

/** From the middle of the back. */
const zoneDeg = { central: 4, subarticular: 24, foraminal: 48 } as const;

const measure: Measure = {
  scale: scales.herniationSize,
  limits: [0.12, 0.76],
  doses: [0, 1],
  tolerance: 0.02,
  of: ({ anatomy, scene }, { level }) => {
    const site = scene.segments.get(level);
    return site === undefined ? undefined : (measureDisplacement(anatomy, site)?.herniation?.canalShare ?? 0);
  },
  confirms: ({ anatomy, scene }, { kind, level }) => {
    const site = scene.segments.get(level);
    return site !== undefined && measureDisplacement(anatomy, site)?.type === kind;
  },
};

function herniated(plan: SpinePlan, { level, options }: Finding, herniation: HerniationPlan): SpinePlan {
  return withSegment(plan, level, (segment) => {
    const { disc } = segment;
    const away = zoneDeg[options.zone as keyof typeof zoneDeg];
    const placed = { ...herniation, angleDeg: options.side === 'right' ? -away : away };
    return {
      ...segment,
      // A healthy disc does not herniate.
      disc: { ...disc, degeneration: Math.max(disc.degeneration, 2.7), herniations: [...disc.herniations, placed] },
    };
  });
}

export const protrusion: Pathology = {
  draw: (random, _, grade) => ({
    zone: grade === 'severe' ? 'central' : pick(random, ['central', 'subarticular', 'subarticular', grade === 'mild' ? 'foraminal' : 'subarticular']),
    side: pick(random, ['left', 'right']),
  }),
  change(plan, finding, dose) {
    const depthMm = between(2.5, 16, dose);
    return herniated(plan, finding, {
      kind: 'protrusion', angleDeg: 0, depthMm,
      baseWidthMm: between(12, 27, dose), widthMm: between(11, 25, dose), heightMm: 6, migrationMm: 0,
    });
  },
  measure,
};

const migrationMm = { none: 0, up: 7, down: -7 } as const;

export const extrusion: Pathology = {
  draw: (random, _, grade) => ({
    zone: grade === 'severe' ? 'central' : pick(random, ['central', 'subarticular', 'subarticular']),
    side: pick(random, ['left', 'right']),
    migration: pick(random, ['none', 'up', 'down', 'down']),
  }),
  change(plan, finding, dose) {
    const depthMm = between(6, 18.5, dose);
    return herniated(plan, finding, {
      kind: 'extrusion', angleDeg: 0, depthMm,
      baseWidthMm: between(5, 10, dose), widthMm: between(10, 28, dose), heightMm: between(15, 22, dose),
      migrationMm: migrationMm[finding.options.migration as keyof typeof migrationMm],
    });
  },
  measure,
};
