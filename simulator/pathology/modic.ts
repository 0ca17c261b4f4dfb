/**
 * Modic changes: marrow along the endplates turns to oedema (1), fat (2) or sclerosis (3) (Modic 1988, Radiology
 * 166:193; 166:183). Mixed ones have one type at the endplate and another behind it.
 */
import type { Structure } from '../anatomy/index.js';
import { vertebraOf, withLesion, withSegment, type LesionPaint, type LesionPlan, type SpinePlan, type SpineScene } from '../spine/index.js';
import { Random } from '../random.js';
import { lesionCodes } from './codes.js';
import { alongEndplate, facesOf, depthMm, widthMm, type Face } from './endplate.js';
import { pick, uniform, type Finding, type Pathology } from './pathology.js';

type ModicType = 1 | 2 | 3;

/** Share of the endplate's width and depth, and reach into the body as a share of its height. */
const extents = {
  small: { share: 0.5, reach: 0.2 },
  moderate: { share: 0.72, reach: 0.3 },
  large: { share: 0.97, reach: 0.42 },
} as const;

const tissues = { 1: 'modic1', 2: 'modic2', 3: 'modic3' } as const;

export const modic1 = modic(1);
export const modic2 = modic(2);
export const modic3 = modic(3);
export const modicmixed: Pathology = {
  ...modic1,
  draw: (random) => ({ ...drawEndplate(random), types: random.uniform() < 0.85 ? '1/2' : '2/3' }),
  change: (plan, finding) => changed(plan, finding, finding.options.types === '2/3' ? [2, 3] : [2, 1]),
};

function modic(type: ModicType): Pathology {
  return {
    draw: drawEndplate,
    change: (plan, finding) => changed(plan, finding, [type]),
    builders: { modic: buildModic },
  };
}

function drawEndplate(random: Random) {
  // Three in four are in pairs: Wang 2012, doi 10.1016/j.spinee.2012.03.026.
  return { endplate: random.uniform() < 0.78 ? 'both' : pick(random, ['upper', 'lower']) };
}

/** @param types the outer one first */
function changed(plan: SpinePlan, { level, grade, options, seed }: Finding, types: readonly ModicType[]): SpinePlan {
  const random = new Random(seed);
  const { share, reach } = extents[grade as keyof typeof extents];
  const forwards = uniform(random, -1, 0.4);
  const sideways = uniform(random, -1, 1);
  // The disc between them is worn.
  const worn = withSegment(plan, level, (segment) => ({
    ...segment,
    disc: { ...segment.disc, degeneration: Math.max(segment.disc.degeneration, 3.4) },
  }));
  return facesOf(level, options.endplate).reduce((so, { vertebra, face }) => {
    const { body } = vertebraOf(plan, vertebra);
    const [halfWidth, halfDepth] = [widthMm(body, face) / 2, depthMm(body, face) / 2];
    const unlike = uniform(random, 0.9, 1.08);
    return types.reduce((next, type, index) => {
      const inner = index === 0 ? 1 : 0.7;
      return withLesion(next, {
        kind: 'modic',
        code: lesionCodes[tissues[type]],
        site: vertebra,
        parameters: {
          type, face, seed: Math.floor(random.uniform() * 2 ** 31),
          xMm: 0.6 * sideways * (1 - share) * halfWidth,
          yMm: 0.9 * forwards * (1 - share) * halfDepth,
          halfWidthMm: Math.min(1, share * unlike * inner) * halfWidth,
          halfDepthMm: Math.min(1, share * unlike * inner) * halfDepth,
          reachMm: reach * unlike * (index === 0 ? 1 : 0.55) * body.posteriorHeightMm,
        },
      });
    }, so);
  }, worn);
}

function buildModic({ code, site, parameters: p }: LesionPlan, scene: SpineScene): LesionPaint {
  const vertebra = scene.vertebrae.get(site);
  if (vertebra === undefined) return { structures: {} };
  const tissue = tissues[p.type as ModicType];
  const seed = p.seed as number;
  const structure: Structure = {
    name: `modic ${p.type} ${site}`,
    solid: alongEndplate(vertebra, {
      face: p.face as Face, xMm: p.xMm as number, yMm: p.yMm as number,
      halfWidthMm: p.halfWidthMm as number, halfDepthMm: p.halfDepthMm as number, reachMm: p.reachMm as number, seed,
    }),
    tissue,
    lesion: code,
    edgeMm: 2.5,
    texture: { tissue: 'cancellousBone', mean: 0.12, amplitude: 0.14, scaleMm: [3, 3, 3], seed },
  };
  return { structures: { bodies: [structure] } };
}
