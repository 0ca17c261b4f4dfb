/**
 * What joins the sacral vertebrae at their sides, in the patient: from each body a bar to the lateral mass, which
 * runs down from the ala; between the bars the sacral foramina stay open.
 */
import { cuboid, ellipsoid, outOfFrame, placed, smoothUnion, tube, type Frame, type Solid } from '../anatomy/index.js';
import { posteriorWallMm } from './alignment.js';
import { sign } from './arch.js';
import { sides, type VertebraPlan } from './plan.js';

/** Distance from the midline to the lateral mass, and its half width, as shares of the width of S1's endplate. */
const masses: Readonly<Record<string, readonly [number, number]>> = {
  S1: [0.86, 0.3], S2: [0.66, 0.26], S3: [0.5, 0.2], S4: [0.38, 0.15], S5: [0.28, 0.1],
};

export function lateralMass(vertebra: VertebraPlan, frame: Frame, below: { plan: VertebraPlan; frame: Frame } | undefined, s1WidthMm: number): Solid {
  const mass = masses[vertebra.name]!;
  const height = (vertebra.body.anteriorHeightMm + vertebra.body.posteriorHeightMm) / 4;
  const width = (vertebra.body.upperWidthMm + vertebra.body.lowerWidthMm) / 4;
  const parts = sides.flatMap((side) => {
    const out = sign(side);
    const at = (plan: VertebraPlan, [away]: readonly [number, number]) =>
      [out * away * s1WidthMm, posteriorWallMm(plan) - (plan.name === 'S1' ? 9 : 3), 0] as const;
    const own = outOfFrame(frame, at(vertebra, mass));
    const thick = mass[1] * s1WidthMm;
    const inner = out * (width - 4);
    const reach = Math.abs(out * mass[0] * s1WidthMm - inner) / 2 + 0.5 * thick;
    const bars: Solid[] = [
      placed(
        { ...frame, originMm: outOfFrame(frame, [inner + out * reach, posteriorWallMm(vertebra) - (vertebra.name === 'S1' ? 11 : 5), 0]) },
        cuboid([reach, vertebra.name === 'S1' ? 10 : 5, 0.78 * height], 4),
      ),
      tube([
        { centreMm: outOfFrame(frame, [out * (vertebra.canal.widthMm / 2 + 3), posteriorWallMm(vertebra) + vertebra.canal.depthMm * 0.6, 0]), acrossMm: 0.4 * height, alongMm: 0.4 * height },
        { centreMm: own, acrossMm: 0.45 * height, alongMm: 0.45 * height },
      ]),
    ];
    if (below !== undefined) {
      const next = masses[below.plan.name]!;
      bars.push(tube([
        { centreMm: own, acrossMm: 0.7 * thick, alongMm: 0.6 * thick },
        { centreMm: outOfFrame(below.frame, at(below.plan, next)), acrossMm: 0.7 * next[1] * s1WidthMm, alongMm: 0.6 * next[1] * s1WidthMm },
      ]));
    }
    if (vertebra.name === 'S1') {
      bars.push(placed({ ...frame, originMm: outOfFrame(frame, [out * 0.82 * s1WidthMm, posteriorWallMm(vertebra) - 11, 0]) }, ellipsoid([0.36 * s1WidthMm, 13, 0.95 * height])));
    }
    return bars;
  });
  return smoothUnion(3, ...parts);
}
