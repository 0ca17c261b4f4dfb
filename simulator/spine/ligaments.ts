/**
 * Long ligaments along the column and those between spinous processes, in the patient. They are painted under discs
 * and bodies, so that only what stands out of these is seen.
 */
import type { Vector3 } from '../../imaging/index.js';
import { cuboid, outOfFrame, placed, tube, type Frame, type Solid, type Structure } from '../anatomy/index.js';
import { posteriorWallMm, type Alignment } from './alignment.js';
import { spineLabels } from './labels.js';
import type { SpinePlan, VertebraPlan } from './plan.js';
import { descending, Sweep, type Station } from './sweep.js';

/** Half width over bodies and over discs, thickness beyond the bone; mm. */
const posterior = { bodyMm: 2.5, discMm: 6, thickMm: 0.7 } as const;
const anterior = { bodyMm: 10, discMm: 9, thickMm: 1 } as const;

export function longLigaments(plan: SpinePlan, alignment: Alignment): Structure[] {
  const band = (way: 1 | -1, { bodyMm, discMm, thickMm }: typeof posterior | typeof anterior): Solid => {
    const stations: Station[] = [];
    const scale = (vertebra: VertebraPlan) => Math.min(1, vertebra.body.upperWidthMm / 40);
    plan.vertebrae.forEach((vertebra, index) => {
      const frame = alignment.vertebrae.get(vertebra.name)!;
      const { body } = vertebra;
      const wall = posteriorWallMm(vertebra);
      const half = (way > 0 ? body.posteriorHeightMm : body.anteriorHeightMm) / 2;
      const edge = (upper: boolean) => (way > 0 ? wall : wall - (upper ? body.upperDepthMm : body.lowerDepthMm));
      const values = (mm: number) => [mm * scale(vertebra), thickMm, body.upperWidthMm + 4];
      stations.push(
        { centreMm: outOfFrame(frame, [0, edge(true), half]), across: frame.x, values: values(discMm) },
        { centreMm: outOfFrame(frame, [0, (edge(true) + edge(false)) / 2 + (way > 0 ? 0.3 : 0.5 * body.waistMm), 0]), across: frame.x, values: values(bodyMm) },
        { centreMm: outOfFrame(frame, [0, edge(false), -half]), across: frame.x, values: values(discMm) },
      );
      const segment = plan.segments[index];
      if (segment === undefined) return;
      const discFrame = alignment.segments.get(segment.name)!;
      const depth = (body.lowerDepthMm + plan.vertebrae[index + 1]!.body.upperDepthMm) / 4;
      const bulge = way > 0 ? segment.disc.bulgeMm.posterior : segment.disc.bulgeMm.anterior;
      if (Math.min(segment.disc.posteriorHeightMm, segment.disc.anteriorHeightMm) > 2.5) {
        stations.push({ centreMm: outOfFrame(discFrame, [0, way * (depth + bulge), 0]), across: discFrame.x, values: values(discMm) });
      }
    });
    return new Sweep(descending(stations)).solid(
      (u, v, values) => {
        // Round the front of the bodies; straight behind them.
        const surface = way > 0 ? 0 : (u * u) / values[2]!;
        return Math.max(Math.abs(u) - values[0]!, 0.8 * (Math.abs(v - surface) - values[1]! * Math.max(0, 1 - (u / values[0]!) ** 2)));
      },
      (values) => values[0]! + 3,
    );
  };
  return [
    { name: 'anterior longitudinal ligament', solid: band(-1, anterior), tissue: 'ligament', label: spineLabels.anteriorLongitudinalLigament },
    { name: 'posterior longitudinal ligament', solid: band(1, posterior), tissue: 'ligament', label: spineLabels.posteriorLongitudinalLigament },
  ];
}

/** Between the spinous processes of two neighbours, and over their tips. */
export function interspinousLigaments(
  name: string, upper: { plan: VertebraPlan; frame: Frame }, lower: { plan: VertebraPlan; frame: Frame }, seed: number,
): Structure[] {
  const root = ({ plan, frame }: typeof upper) => along(plan, frame, 0.1);
  const tip = ({ plan, frame }: typeof upper) => along(plan, frame, 0.95);
  const corners = [root(upper), tip(upper), root(lower), tip(lower)];
  const middle = [0, 1, 2].map((axis) => corners.reduce((sum, corner) => sum + corner[axis]! / 4, 0)) as unknown as Vector3;
  const reach = 0.42 * (upper.plan.spinous.lengthMm + lower.plan.spinous.lengthMm) / 2;
  const gap = Math.hypot(...[0, 1, 2].map((axis) => (corners[0]![axis]! + corners[1]![axis]! - corners[2]![axis]! - corners[3]![axis]!) / 2));
  const sheet = placed({ ...upper.frame, originMm: middle }, cuboid([2.6, reach, gap / 2], 2));
  const structures: Structure[] = [
    {
      name: `interspinous ligament ${name}`, solid: sheet, tissue: 'ligament', label: spineLabels.interspinousLigament,
      texture: { tissue: 'epiduralFat', mean: 0.5, amplitude: 0.16, scaleMm: [3, 7, 3.5], seed },
    },
  ];
  // It begins at C7, where the thin ligament of the nape ends, and ends at L4 or L5.
  if (lower.plan.kind !== 'sacral' && upper.plan.kind !== 'cervical' && upper.plan.kind !== 'axis') {
    const string = tube([tip(upper), tip(lower)].map((centreMm) => ({ centreMm, acrossMm: 2.4, alongMm: 1.6 })));
    structures.push({ name: `supraspinous ligament ${name}`, solid: string, tissue: 'ligament', label: spineLabels.supraspinousLigament });
  }
  return structures;
}

function along(plan: VertebraPlan, frame: Frame, share: number): Vector3 {
  const slope = (plan.spinous.slopeDeg * Math.PI) / 180;
  const height = (plan.body.anteriorHeightMm + plan.body.posteriorHeightMm) / 2;
  const way = share * plan.spinous.lengthMm;
  return outOfFrame(frame, [
    0,
    posteriorWallMm(plan) + plan.canal.depthMm + way * Math.cos(slope),
    -0.28 * height - way * Math.sin(slope),
  ]);
}
