/**
 * Spondylodiscitis: a bright, lowered disc, eaten endplates, oedema of both vertebrae, and collections beside the
 * spine or in the canal (Dunbar 2010, Clin Radiol 65:974).
 */
import { ellipsoid, moved, offset, placed, roughened, smoothUnion, type Structure } from '../anatomy/index.js';
import { Random } from '../random.js';
import { vertebraOf, withLesion, withSegment, withVertebra, type LesionPaint, type LesionPlan, type SpinePlan, type SpineScene } from '../spine/index.js';
import { lesionCodes } from './codes.js';
import { alongEndplate, facesOf, depthMm, widthMm } from './endplate.js';
import { partsOf, pick, uniform, type Finding, type Pathology } from './pathology.js';

export const spondylodiscitis: Pathology = {
  draw: (random) => ({ abscess: pick(random, ['none', 'paraspinal', 'epidural', 'both']) }),
  change(plan: SpinePlan, { level, options, seed }: Finding): SpinePlan {
    const random = new Random(seed);
    const eaten = facesOf(level, 'both').reduce((so, { vertebra, face }) => {
      const { body } = vertebraOf(so, vertebra);
      const dents = Array.from({ length: 3 }, (_, index) => ({
        face,
        xMm: uniform(random, -0.28, 0.28) * widthMm(body, face),
        yMm: (index - 1) * 0.22 * depthMm(body, face) + uniform(random, -2, 2),
        radiusXMm: uniform(random, 0.12, 0.22) * widthMm(body, face),
        radiusYMm: uniform(random, 0.1, 0.16) * depthMm(body, face),
        depthMm: uniform(random, 1.2, 3),
      }));
      return withVertebra(so, vertebra, (v) => ({
        ...v,
        body: { ...v.body, endplateMm: 0.6 * v.body.endplateMm, dents: [...v.body.dents, ...dents] },
      }));
    }, plan);
    const lowered = withSegment(eaten, level, (segment) => ({
      ...segment,
      disc: {
        ...segment.disc,
        anteriorHeightMm: 0.7 * segment.disc.anteriorHeightMm,
        posteriorHeightMm: 0.7 * segment.disc.posteriorHeightMm,
        degeneration: Math.max(segment.disc.degeneration, 3.2),
      },
    }));
    const abscess = options.abscess as string;
    return withLesion(lowered, {
      kind: 'spondylodiscitis',
      code: lesionCodes.discInfection,
      site: level,
      parameters: {
        paraspinal: abscess === 'paraspinal' || abscess === 'both',
        epidural: abscess === 'epidural' || abscess === 'both',
        side: random.uniform() < 0.5 ? -1 : 1,
        reach: uniform(random, 0.55, 0.8),
        seed: Math.floor(random.uniform() * 2 ** 31),
      },
    });
  },
  builders: { spondylodiscitis: build },
};

function build({ code, site, parameters: p }: LesionPlan, scene: SpineScene): LesionPaint {
  const segment = scene.segments.get(site);
  if (segment === undefined) return { structures: {} };
  const [seed, side] = [p.seed as number, p.side as number];
  const { halfWidthMm: w, halfDepthMm: d, frame } = segment;
  const infected: Structure = {
    name: `infected disc ${site}`,
    solid: offset(segment.nucleus, 3),
    tissue: 'discInfection',
    lesion: code,
    edgeMm: 2.5,
    texture: { tissue: 'annulus', mean: 0.15, amplitude: 0.2, scaleMm: [5, 5, 3], seed },
  };
  const oedema = partsOf(site).flatMap((name, index): Structure[] => {
    const vertebra = scene.vertebrae.get(name);
    if (vertebra === undefined) return [];
    const face = index === 0 ? 'lower' : 'upper';
    const { body } = vertebra.plan;
    const patch = {
      face, xMm: 0, yMm: 0, seed: seed + index,
      halfWidthMm: 0.7 * widthMm(body, face), halfDepthMm: 0.7 * depthMm(body, face),
      reachMm: (p.reach as number) * (index === 0 ? 1 : 0.85) * body.posteriorHeightMm,
    } as const;
    return [{
      name: `oedema ${name}`, solid: alongEndplate(vertebra, patch), tissue: 'marrowOedema', lesion: lesionCodes.marrowOedema, edgeMm: 5,
      texture: { tissue: 'cancellousBone', mean: 0.08, amplitude: 0.1, scaleMm: [5, 5, 5], seed },
    }];
  });
  const paraspinal = placed(frame, roughened(smoothUnion(
    4,
    moved([side * (w + 7), 0.1 * d, -6], ellipsoid([6.5, 10, 15])),
    moved([side * (w + 4), -0.2 * d, 4], ellipsoid([5, 9, 10])),
  ), 0.5, 7, seed));
  const collection = (growMm: number) => placed(frame, moved([0, d + 1, -2], ellipsoid([8 + growMm, 4 + growMm, 13 + growMm])));
  const wall = (name: string, solid: Structure['solid']): Structure[] => [
    { name: `${name} wall ${site}`, solid: offset(solid, 1.2), tissue: 'bowelWall', edgeMm: 1.5 },
    { name: `${name} ${site}`, solid, tissue: 'abscess', lesion: lesionCodes.abscess, edgeMm: 0.8 },
  ];
  // The collection stands before the bones, but bodies and disc cut off what reaches into them.
  return {
    structures: {
      discs: [...(p.paraspinal === true ? wall('paraspinal abscess', paraspinal) : []), ...(p.epidural === true ? wall('epidural abscess', collection(0)) : []), infected],
      bodies: oedema,
    },
    ...(p.epidural === true ? { displaces: [collection(1.4)] } : {}),
  };
}
