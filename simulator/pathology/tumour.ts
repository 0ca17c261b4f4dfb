/**
 * Metastasis and haemangioma of a vertebral body. Lytic metastases replace marrow with cells and water, blastic ones
 * with bone; they break the cortex and grow into the canal. Haemangiomas are fat and slow blood between few thick
 * trabeculae, which are dots in axial and stripes in sagittal planes.
 */
import { ellipsoid, intersection, moved, offset, placed, roughened, smoothUnion, type Solid, type Structure } from '../anatomy/index.js';
import { Random } from '../random.js';
import { vertebraOf, withLesion, type LesionBuilder, type SpinePlan } from '../spine/index.js';
import { lesionCodes } from './codes.js';
import { uniform, type Finding, type Pathology } from './pathology.js';

const metastasisMm = { small: 10, moderate: 18, large: 26 } as const;
const haemangiomaMm = { small: 8, moderate: 14, large: 22 } as const;

export const metastasis: Pathology = {
  draw: (random, _, grade) => ({
    matrix: random.uniform() < 0.7 ? 'lytic' : 'sclerotic',
    breach: grade === 'large' && random.uniform() < 0.6 ? 'yes' : 'no',
    epidural: grade === 'large' && random.uniform() < 0.4 ? 'yes' : 'no',
  }),
  change(plan: SpinePlan, { level, grade, options, seed }: Finding): SpinePlan {
    const random = new Random(seed);
    const { body } = vertebraOf(plan, level);
    const radiusMm = metastasisMm[grade as keyof typeof metastasisMm] / 2;
    const grows = options.breach === 'yes' || options.epidural === 'yes';
    const sideways = uniform(random, -0.5, 0.5) * Math.max(2, body.upperWidthMm / 2 - radiusMm);
    // They seat where the veins enter, behind.
    const behind = (grows ? 0.95 : uniform(random, 0.1, 0.6)) * Math.max(1, body.upperDepthMm / 2 - 0.8 * radiusMm);
    return withLesion(plan, {
      kind: 'metastasis',
      code: lesionCodes.metastasis,
      site: level,
      parameters: {
        radiusMm, xMm: sideways, yMm: behind,
        zMm: uniform(random, -0.15, 0.15) * body.posteriorHeightMm,
        sclerotic: options.matrix === 'sclerotic', breach: options.breach === 'yes', epidural: options.epidural === 'yes',
        seed: Math.floor(random.uniform() * 2 ** 31),
      },
    });
  },
  builders: {
    metastasis: (({ code, site, parameters: p }, scene) => {
      const vertebra = scene.vertebrae.get(site);
      if (vertebra === undefined) return { structures: {} };
      const [r, x, y, seed] = [p.radiusMm as number, p.xMm as number, p.yMm as number, p.seed as number];
      const { body } = vertebra.plan;
      // Tumours spare discs.
      const limit = 0.4 * Math.min(body.anteriorHeightMm, body.posteriorHeightMm);
      const high = Math.min(limit, 0.95 * r);
      const z = Math.max(high - limit, Math.min(limit - high, p.zMm as number));
      const lobes: Solid = smoothUnion(
        3,
        moved([x, y, z], ellipsoid([r, 0.9 * r, high])),
        moved([0.55 * x - 0.4 * r, y - 0.45 * r, z], ellipsoid([0.7 * r, 0.6 * r, 0.7 * high])),
      );
      const mass = placed(vertebra.frame, roughened(lobes, 0.05 * r, Math.max(4, 0.6 * r), seed));
      const tissue = p.sclerotic === true ? 'scleroticMetastasis' : 'metastasis';
      const texture = { tissue: 'cancellousBone', mean: 0.06, amplitude: 0.08, scaleMm: [3, 3, 3] as const, seed };
      const inMarrow: Structure = { name: `metastasis ${site}`, solid: intersection(vertebra.marrow, mass), tissue, lesion: code, edgeMm: 1, texture };
      const throughCortex: Structure = {
        name: `metastasis through cortex ${site}`, solid: intersection(offset(vertebra.body, p.breach === true ? 2 : 0.05), mass), tissue, lesion: code, edgeMm: 0.6,
      };
      if (p.epidural !== true) return { structures: { bodies: p.breach === true ? [inMarrow, throughCortex] : [inMarrow] } };
      const back = body.upperDepthMm / 2 - body.posteriorConcavityMm;
      const canal = vertebra.plan.canal.depthMm;
      // Bilobed, as the ligament holds it in the midline.
      const lobe = (side: number, growMm: number) =>
        moved([side * 0.26 * vertebra.plan.canal.widthMm, back, z], ellipsoid([0.24 * vertebra.plan.canal.widthMm + growMm, 0.42 * canal + growMm, high + growMm]));
      const cuff = (growMm: number) => placed(vertebra.frame, smoothUnion(2, lobe(-1, growMm), lobe(1, growMm)));
      const epidural: Structure = { name: `epidural tumour ${site}`, solid: cuff(0), tissue: 'metastasis', lesion: lesionCodes.epiduralTumour, edgeMm: 0.5 };
      return { structures: { bodies: [inMarrow, throughCortex], bones: [epidural] }, displaces: [cuff(0.2)] };
    }) satisfies LesionBuilder,
  },
};

export const haemangioma: Pathology = {
  change(plan: SpinePlan, { level, grade, seed }: Finding): SpinePlan {
    const random = new Random(seed);
    const { body } = vertebraOf(plan, level);
    const radiusMm = haemangiomaMm[grade as keyof typeof haemangiomaMm] / 2;
    const room = (extent: number) => Math.max(0, extent / 2 - radiusMm - 1.5);
    return withLesion(plan, {
      kind: 'haemangioma',
      code: lesionCodes.haemangioma,
      site: level,
      parameters: {
        radiusMm,
        xMm: uniform(random, -0.8, 0.8) * room(body.upperWidthMm),
        yMm: uniform(random, -0.7, 0.7) * room(body.upperDepthMm),
        zMm: uniform(random, -0.8, 0.8) * room(body.posteriorHeightMm - body.upperConcavityMm - body.lowerConcavityMm),
        seed: Math.floor(random.uniform() * 2 ** 31),
      },
    });
  },
  builders: {
    haemangioma: (({ code, site, parameters: p }, scene) => {
      const vertebra = scene.vertebrae.get(site);
      if (vertebra === undefined) return { structures: {} };
      const [r, seed] = [p.radiusMm as number, p.seed as number];
      const round = moved([p.xMm as number, p.yMm as number, p.zMm as number], ellipsoid([r, r, 1.05 * r]));
      const structure: Structure = {
        name: `haemangioma ${site}`,
        solid: intersection(vertebra.marrow, placed(vertebra.frame, roughened(round, 0.03 * r, 4, seed))),
        tissue: 'haemangioma',
        lesion: code,
        edgeMm: 0.8,
        // Upright trabeculae: fine across, long along the spine.
        texture: { tissue: 'cortex', mean: 0.1, amplitude: 0.2, scaleMm: [1.6, 1.6, 12], seed },
      };
      return { structures: { bodies: [structure] } };
    }) satisfies LesionBuilder,
  },
};
