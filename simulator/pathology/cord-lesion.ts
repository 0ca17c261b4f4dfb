/**
 * Lesions of the cord. A plaque of multiple sclerosis is dorsolateral, takes less than half of the section and is at
 * most two segments long (Tartaglino 1995, Radiology 195:725). A contusion is central and spindle-shaped, with blood in
 * its middle when large; its length (IMLL) tells the outcome.
 */
import { ellipsoid, intersection, moved, offset, placed, roughened, type Frame, type Structure } from '../anatomy/index.js';
import { Random } from '../random.js';
import { withLesion, type LesionBuilder, type SpinePlan, type SpineScene } from '../spine/index.js';
import { lesionCodes } from './codes.js';
import { pick, uniform, type Finding, type Pathology } from './pathology.js';

export const plaque: Pathology = {
  draw: (random) => ({ mm: uniform(random, 6, 22), side: pick(random, ['left', 'right']) }),
  change: (plan: SpinePlan, { level, options, seed }: Finding) =>
    withLesion(plan, {
      kind: 'msPlaque',
      code: lesionCodes.msPlaque,
      site: level,
      side: options.side === 'right' ? 'right' : 'left',
      parameters: { lengthMm: options.mm!, shiftMm: uniform(new Random(seed), -4, 4), seed: seed % 2 ** 31 },
    }),
  builders: {
    msPlaque: (({ code, site, side, parameters: p }, scene) => {
      const cord = cordAt(scene, site);
      if (cord === undefined) return { structures: {} };
      const { frame, apMm, transverseMm, yMm } = cord;
      const outwards = side === 'right' ? -1 : 1;
      const spot = moved(
        [outwards * 0.27 * transverseMm, yMm + 0.18 * apMm, p.shiftMm as number],
        ellipsoid([0.2 * transverseMm, 0.24 * apMm, (p.lengthMm as number) / 2]),
      );
      return { structures: { cord: [inCord(scene, `plaque ${site}`, placed(frame, roughened(spot, 0.15, 3, p.seed as number)), 'msPlaque', code, 0.6)] } };
    }) satisfies LesionBuilder,
  },
};

export const contusion: Pathology = {
  draw: (random) => ({ mm: uniform(random, 10, 50) }),
  change: (plan: SpinePlan, { level, options, seed }: Finding) =>
    withLesion(plan, {
      kind: 'contusion',
      code: lesionCodes.contusion,
      site: level,
      parameters: { lengthMm: options.mm!, seed: seed % 2 ** 31 },
    }),
  builders: {
    contusion: (({ code, site, parameters: p }, scene) => {
      const cord = cordAt(scene, site);
      if (cord === undefined) return { structures: {} };
      const { apMm, transverseMm } = cord;
      const length = p.lengthMm as number;
      // It follows the bend of the cord, whose core bounds it, and tapers to its ends.
      const core = offset(scene.cord, -0.16 * apMm);
      const along = placed(cord.frame, moved([0, cord.yMm, 0], ellipsoid([0.55 * transverseMm, 0.9 * apMm, length / 2])));
      const structure = inCord(scene, `contusion ${site}`, intersection(core, roughened(along, 0.3, 5, p.seed as number)), 'contusion', code, 1.2);
      return { structures: { cord: [structure] } };
    }) satisfies LesionBuilder,
  },
};

function inCord(scene: SpineScene, name: string, solid: Structure['solid'], tissue: string, lesion: number, edgeMm: number): Structure {
  return { name, solid: intersection(offset(scene.cord, -0.15), solid), tissue, lesion, edgeMm };
}

/** Where the cord runs behind a vertebra: in its frame, y of the cord's middle; undefined where it does not. */
function cordAt(scene: SpineScene, site: string): { frame: Frame; apMm: number; transverseMm: number; yMm: number } | undefined {
  const vertebra = scene.vertebrae.get(site);
  const section = scene.plan.cord.sections.find(({ vertebra: name }) => name === site);
  if (vertebra === undefined || section === undefined) return undefined;
  const { frame } = vertebra;
  let [yMm, deepest] = [0, 0];
  for (let y = 0; y < 60; y += 0.25) {
    const distance = scene.cord.distanceMm(frame.originMm[0] + y * frame.y[0], frame.originMm[1] + y * frame.y[1], frame.originMm[2] + y * frame.y[2]);
    if (distance < deepest) [yMm, deepest] = [y, distance];
  }
  return deepest < 0 ? { frame, apMm: section.apMm, transverseMm: section.transverseMm, yMm } : undefined;
}
