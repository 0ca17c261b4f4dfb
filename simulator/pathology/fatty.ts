/** Fatty infiltration of the muscles of the back: more of them is streaks of fat (Goutallier 1994, Clin Orthop 304:78). */
import type { Anatomy } from '../anatomy/index.js';
import { surroundingLabels } from '../spine/index.js';
import { scales } from '../truth/grades.js';
import { measureMuscleFat } from '../truth/muscle.js';
import { pick, type Finding, type Pathology } from './pathology.js';

export const fatty: Pathology = {
  draw: (random) => ({ side: pick(random, ['both', 'both', 'left', 'right']) }),
  change: (plan) => plan,
  adjust(anatomy: Anatomy, { options }: Finding, dose: number): Anatomy {
    const { multifidusLeft, multifidusRight, erectorSpinaeLeft, erectorSpinaeRight } = surroundingLabels;
    const muscles: readonly number[] = options.side === 'left' ? [multifidusLeft, erectorSpinaeLeft] : [multifidusRight, erectorSpinaeRight];
    return {
      ...anatomy,
      structures: anatomy.structures.map((structure) =>
        structure.texture !== undefined && muscles.includes(structure.label ?? 0)
          ? { ...structure, texture: { ...structure.texture, mean: dose, amplitude: 0.3 } }
          : structure,
      ),
    };
  },
  measure: {
    scale: scales.goutallier,
    limits: [0.02, 0.75],
    doses: [-1, 1.5],
    tolerance: 0.012,
    of: ({ anatomy, scene }, { options }) => measureMuscleFat(anatomy, scene, options.side === 'left' ? 'left' : 'right')?.fatShare,
  },
};
