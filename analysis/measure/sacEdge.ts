/**
 * Where the dural sac ends in an axial image in which CSF is bright: finer than a network's outline, which wanders where epidural
 * fat is nearly as bright as CSF.
 *
 *   bright    what is brighter than (CSF + fat) / 2, within `reachMm` of the network's sac and in one piece with it
 *             (half-maximum); fat: the median of epidural fat in the section, CSF: the 90th percentile under the network's sac
 *   sac       closed(bright ∪ cord, `rootMm`), filled: with the roots, which are dark, and the cord; then grown by `duraMm`, as the
 *             dura, a dark line thinner than a pixel, draws the half-way level in
 *
 * The network's sac stays where that says nothing: fat as bright as CSF, or no CSF left in a narrow sac.
 */
import { percentileOf } from '../../imaging/index.js';
import { structureCodes } from '../anatomy.js';
import type { Contrast } from '../types.js';
import type { Mask } from './mask.js';

/** Contrasts with bright CSF. */
export const brightCsf: readonly Contrast[] = ['t2w', 't2fs', 'stir'];

const reachMm = 4;
const rootMm = 3;
const duraMm = 0.25;
const leastFatMm2 = 4;
/** Of CSF: fat that is brighter is not told from it. */
const brightestFat = 0.88;
/** Of the network's sac: less is what is left of CSF between roots. */
const leastShare = 0.3;

/** @param image values on the section of `sac` (`Section.valuesOf`) */
export function sacByImage(sac: Mask, image: Float32Array): Mask {
  const { section } = sac;
  const fat = sorted(section.mask(structureCodes.epiduralFat), image);
  if (sac.isEmpty || fat.length * section.stepMm ** 2 < leastFatMm2) return sac;
  const [csfLevel, fatLevel] = [percentileOf(sorted(sac, image), 90), percentileOf(fat, 50)];
  if (!(fatLevel < brightestFat * csfLevel)) return sac;
  const near = sac.grown(reachMm);
  const bright = near.where((pixel) => image[pixel]! > (csfLevel + fatLevel) / 2).components()
    .filter((piece) => !piece.and(sac).isEmpty)
    .reduce((all, piece) => all.or(piece), sac.minus(sac));
  if (bright.and(sac).count < leastShare * sac.count) return sac;
  return bright.or(section.mask(structureCodes.cord).and(sac)).closed(rootMm).largest().filled().grown(duraMm);
}

function sorted(mask: Mask, image: Float32Array): Float64Array {
  return Float64Array.from(mask.valuesOf(image)).sort();
}
