/**
 * Compression fracture (Genant 1993, doi 10.1002/jbmr.5650080915): the body loses height in front (wedge), in the
 * middle (biconcave) or everywhere (crush). A fresh one has a dark line under the broken endplate and oedema that
 * fades from it; a traumatic one bursts, its posterior wall goes into the canal.
 */
import { ellipsoid, intersection, moved, placed, roughened, cuboid, smoothUnion, type Structure } from '../anatomy/index.js';
import { Random } from '../random.js';
import { archLabel, vertebraOf, withLesion, withVertebra, type BodyPlan, type LesionPaint, type LesionPlan, type SpinePlan, type SpineScene } from '../spine/index.js';
import { scales } from '../truth/grades.js';
import { bodySection, gradeFractures, outlineBody } from '../truth/vertebra.js';
import { lesionCodes } from './codes.js';
import { endplateZMm, depthMm } from './endplate.js';
import { pick, uniform, type Built, type Finding, type Pathology } from './pathology.js';

export const fracture: Pathology = {
  draw: (random) => ({
    shape: pick(random, ['wedge', 'wedge', 'biconcave', 'crush']),
    cause: random.uniform() < 0.8 ? 'osteoporotic' : 'traumatic',
    oedema: random.uniform() < 0.6 ? 'yes' : 'no',
  }),
  change(plan: SpinePlan, { level, options, seed }: Finding, dose: number): SpinePlan {
    const random = new Random(seed);
    const before = vertebraOf(plan, level).body;
    const broken = withVertebra(plan, level, (vertebra) => ({
      ...vertebra,
      body: lowered(vertebra.body, options.shape as Shape, dose, random),
      // Osteoporotic bone is fatty.
      marrow: options.cause === 'osteoporotic' ? { ...vertebra.marrow, fatFraction: Math.min(0.75, vertebra.marrow.fatFraction + 0.08) } : vertebra.marrow,
    }));
    const { body } = vertebraOf(broken, level);
    const lesions: SpinePlan[] = [broken];
    if (options.oedema === 'yes') {
      lesions.push(withLesion(lesions.at(-1)!, {
        kind: 'fractureOedema',
        code: lesionCodes.marrowOedema,
        site: level,
        parameters: {
          seed: Math.floor(random.uniform() * 2 ** 31),
          yMm: -0.12 * body.upperDepthMm,
          reachMm: 0.75 * Math.min(body.anteriorHeightMm, body.posteriorHeightMm),
        },
      }));
    }
    if (options.cause === 'traumatic') {
      lesions.push(withLesion(lesions.at(-1)!, {
        kind: 'retropulsion',
        code: lesionCodes.retropulsion,
        site: level,
        parameters: {
          depthMm: 2.5 + 8 * dose,
          heightMm: 0.45 * before.posteriorHeightMm,
          widthMm: 0.4 * before.upperWidthMm,
          seed: Math.floor(random.uniform() * 2 ** 31),
        },
      }));
    }
    return lesions.at(-1)!;
  },
  measure: {
    scale: scales.genant,
    limits: [0, 0.58],
    doses: [0, 0.75],
    tolerance: 0.008,
    of: (built, { level }) => lossOf(built, level),
  },
  builders: { fractureOedema: buildOedema, retropulsion: buildRetropulsion },
};

type Shape = 'wedge' | 'biconcave' | 'crush';

function lowered(body: BodyPlan, shape: Shape, loss: number, random: Random): BodyPlan {
  const rough = { ...body, endplateRoughnessMm: body.endplateRoughnessMm + 0.12 };
  switch (shape) {
    case 'wedge':
      // The broken endplate has a step in its anterior half.
      return {
        ...rough,
        anteriorHeightMm: body.anteriorHeightMm * (1 - loss),
        posteriorHeightMm: body.posteriorHeightMm * (1 - 0.08 * loss),
        upperDepthMm: body.upperDepthMm * (1 + 0.06 * loss),
        dents: [...body.dents, {
          face: 'upper',
          xMm: uniform(random, -3, 3), yMm: -0.2 * body.upperDepthMm,
          radiusXMm: 0.3 * body.upperWidthMm, radiusYMm: 0.22 * body.upperDepthMm, depthMm: 0.8 + 2 * loss,
        }],
      };
    case 'biconcave': {
      const hollow = loss * body.posteriorHeightMm;
      return {
        ...rough,
        upperConcavityMm: body.upperConcavityMm + 0.6 * hollow,
        lowerConcavityMm: body.lowerConcavityMm + 0.45 * hollow,
        anteriorHeightMm: body.anteriorHeightMm * (1 - 0.1 * loss),
        posteriorHeightMm: body.posteriorHeightMm * (1 - 0.06 * loss),
      };
    }
    case 'crush':
      return {
        ...rough,
        anteriorHeightMm: body.anteriorHeightMm * (1 - 1.05 * loss),
        posteriorHeightMm: body.posteriorHeightMm * (1 - loss),
        upperDepthMm: body.upperDepthMm * (1 + 0.1 * loss),
        lowerDepthMm: body.lowerDepthMm * (1 + 0.08 * loss),
        upperWidthMm: body.upperWidthMm * (1 + 0.08 * loss),
      };
  }
}

function buildOedema({ code, site, parameters: p }: LesionPlan, scene: SpineScene): LesionPaint {
  const vertebra = scene.vertebrae.get(site);
  if (vertebra === undefined) return { structures: {} };
  const { body } = vertebra.plan;
  const [seed, y, reach] = [p.seed as number, p.yMm as number, p.reachMm as number];
  const top = endplateZMm(body, 'upper', y);
  const within = (solid: Structure['solid']) => intersection(vertebra.marrow, placed(vertebra.frame, solid));
  const oedema: Structure = {
    name: `fracture oedema ${site}`,
    solid: within(roughened(moved([0, y, top], ellipsoid([0.7 * body.upperWidthMm, 0.62 * depthMm(body, 'upper'), reach])), 0.8, 10, seed)),
    tissue: 'acuteFracture',
    lesion: code,
    edgeMm: 7,
    texture: { tissue: 'cancellousBone', mean: 0.1, amplitude: 0.12, scaleMm: [5, 5, 4], seed },
  };
  const line: Structure = {
    name: `fracture line ${site}`,
    solid: within(roughened(moved([0, y, top - 0.22 * reach - 2], cuboid([0.42 * body.upperWidthMm, 0.36 * depthMm(body, 'upper'), 0.7], 0.6)), 0.7, 9, seed + 1)),
    tissue: 'modic3',
    lesion: lesionCodes.fractureLine,
    edgeMm: 0.8,
    opacity: 0.85,
  };
  return { structures: { bodies: [oedema, line] } };
}

function buildRetropulsion({ code, site, parameters: p }: LesionPlan, scene: SpineScene): LesionPaint {
  const vertebra = scene.vertebrae.get(site);
  if (vertebra === undefined) return { structures: {} };
  const { body } = vertebra.plan;
  const [depth, height, width, seed] = [p.depthMm as number, p.heightMm as number, p.widthMm as number, p.seed as number];
  const back = depthMm(body, 'upper') / 2;
  const top = endplateZMm(body, 'upper', back);
  const at = (growMm: number, forwardsMm = 0) => {
    const block = smoothUnion(
      4,
      moved([0, back + depth / 2 - 3 - forwardsMm, top - height / 2], cuboid([width / 2 + growMm, depth / 2 + 3 + growMm, height / 2 + growMm], 4)),
      moved([0, back + 0.35 * depth - 3 - forwardsMm, top - 0.8 * height], cuboid([0.4 * width + growMm, 0.3 * depth + 3 + growMm, 0.5 * height + growMm], 3.5)),
    );
    return placed(vertebra.frame, roughened(block, 0.6, 7.5, seed));
  };
  // What has left the body no longer counts as its height. Under the bodies: the wall that is left stands before it.
  const fragment: Structure = { name: `fragment ${site}`, solid: at(0), tissue: 'cortex', label: archLabel(site), lesion: code };
  const marrow: Structure = { name: `fragment marrow ${site}`, solid: at(-0.8, 1), tissue: 'acuteFracture', edgeMm: 0.5 };
  return { structures: { discs: [fragment, marrow] }, displaces: [at(0.3)] };
}

function lossOf({ anatomy, scene }: Built, level: string): number | undefined {
  const presacral = [...scene.vertebrae.values()].filter(({ plan }) => ['cervical', 'thoracic', 'lumbar'].includes(plan.kind));
  const index = presacral.findIndex(({ plan }) => plan.name === level);
  if (index < 0) return undefined;
  const [from, to] = [Math.max(0, index - 4), Math.min(presacral.length, index + 5)];
  const heights = presacral.slice(from, to).map(({ frame, plan }) => outlineBody(bodySection(anatomy, frame), plan.name)?.heights);
  if (heights.some((height) => height === undefined)) return undefined;
  return gradeFractures(heights.map((height) => height!))[index - from]!.heightLoss;
}
