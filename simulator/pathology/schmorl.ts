/** Schmorl's node: disc in a pit of the endplate, with a sclerotic rim and, when fresh, oedema round it. */
import { ellipsoid, halfSpace, intersection, moved, offset, outOfFrame, placed, type Structure } from '../anatomy/index.js';
import { Random } from '../random.js';
import { vertebraOf, withLesion, withVertebra, type LesionBuilder, type SpinePlan } from '../spine/index.js';
import { lesionCodes } from './codes.js';
import { depthMm as endplateDepthMm, endplateZMm, facesOf, type Face } from './endplate.js';
import { pick, uniform, type Finding, type Pathology } from './pathology.js';

const widthsMm = { small: 4, moderate: 7, large: 10 } as const;

export const schmorl: Pathology = {
  draw: (random) => ({ endplate: pick(random, ['upper', 'lower', 'lower']), oedema: random.uniform() < 0.3 ? 'yes' : 'no' }),
  change(plan: SpinePlan, { level, grade, options, seed }: Finding): SpinePlan {
    const random = new Random(seed);
    const { vertebra, face } = facesOf(level, options.endplate)[0]!;
    const radiusMm = widthsMm[grade as keyof typeof widthsMm] / 2;
    const { body } = vertebraOf(plan, vertebra);
    const dent = {
      face,
      xMm: uniform(random, -0.15, 0.15) * body.upperWidthMm,
      yMm: uniform(random, -0.12, 0.14) * endplateDepthMm(body, face),
      radiusXMm: radiusMm * uniform(random, 0.9, 1.2),
      radiusYMm: radiusMm * uniform(random, 0.9, 1.2),
      depthMm: radiusMm * uniform(random, 1.1, 1.5),
    };
    const dented = withVertebra(plan, vertebra, (v) => ({ ...v, body: { ...v.body, dents: [...v.body.dents, dent] } }));
    const { xMm, yMm, radiusXMm, radiusYMm, depthMm } = dent;
    return withLesion(dented, {
      kind: 'schmorl',
      code: lesionCodes.schmorlNode,
      site: vertebra,
      parameters: { xMm, yMm, radiusXMm, radiusYMm, depthMm, face, oedema: options.oedema === 'yes', seed: Math.floor(random.uniform() * 2 ** 31) },
    });
  },
  builders: {
    schmorl: (({ code, site, parameters: p }, scene) => {
      const vertebra = scene.vertebrae.get(site);
      if (vertebra === undefined) return { structures: {} };
      const face = p.face as Face;
      const [x, y, depth] = [p.xMm as number, p.yMm as number, p.depthMm as number];
      const z = endplateZMm(vertebra.plan.body, face, y);
      const pit = (growMm: number) =>
        placed(vertebra.frame, moved([x, y, z], ellipsoid([(p.radiusXMm as number) + growMm, (p.radiusYMm as number) + growMm, depth + growMm])));
      const rim: Structure = { name: `schmorl rim ${site}`, solid: intersection(vertebra.marrow, pit(1)), tissue: 'modic3', edgeMm: 0.6, opacity: 0.8 };
      const oedema: Structure = {
        name: `schmorl oedema ${site}`, solid: intersection(vertebra.marrow, pit(4.5)), tissue: 'schmorlOedema', lesion: lesionCodes.marrowOedema, edgeMm: 4,
      };
      // Under the bodies, so seen only where the pit opens, and not within the disc.
      const up = vertebra.frame.z;
      const bodySide = halfSpace(outOfFrame(vertebra.frame, [x, y, z]), face === 'upper' ? up : [-up[0], -up[1], -up[2]]);
      const node: Structure = { name: `schmorl node ${site}`, solid: intersection(offset(pit(0), 0.5), bodySide), tissue: 'hernia', lesion: code };
      return { structures: { discs: [node], bodies: p.oedema === true ? [oedema, rim] : [rim] } };
    }) satisfies LesionBuilder,
  },
};
