/**
 * Nerve roots: the cauda equina in the sac, and each root on its way out through its foramen.
 *
 * Lying on the back, roots sink to the back of the sac; each leaves the bundle about two levels above its
 * foramen and moves to the front corner of the sac, so that lower sections hold fewer roots and each level
 * shows its next ones at the corners. A root is a motor and a sensory strand of 0.7 to 1.6 mm (Hogan 1996,
 * Anesthesiology 85:37, and others), ganglia are 5 to 7 mm wide.
 */
import type { Vector3 } from '../../imaging/index.js';
import { ellipsoid, intoFrame, outOfFrame, placed, smoothNoise, tube, union, type Frame, type Solid, type Structure } from '../anatomy/index.js';
import { posteriorWallMm, type Alignment } from './alignment.js';
import { sign } from './arch.js';
import { smoothStep } from './body.js';
import type { Canal } from './canal.js';
import { spineLabels } from './labels.js';
import { sides, vertebraOf, type SegmentPlan, type Side, type SpinePlan, type VertebraPlan } from './plan.js';
import type { SegmentSite } from './scene.js';

interface Strand {
  readonly side: Side;
  /** Place on the sweep at which it leaves the sac. */
  readonly exit: number;
  /** Where it lies in the bundle: along the back of the sac, 0 in the midline to 1 at the side, and how far in front. */
  readonly lateral: number;
  readonly front: number;
  readonly radiusMm: number;
}

/** Millimetres above the exit over which a strand moves from the bundle to the corner. */
const leavingMm = 75;
const gatheringMm = 45;

/** All strands in the sac below the cord. The filum goes with them. */
export function caudaEquina(plan: SpinePlan, canal: Canal, seed: number): Solid {
  const { sweep, conusAt, sacEndAt } = canal;
  const perMm = sweep.placeAtHeight(0) - sweep.placeAtHeight(1);
  const first = Math.max(0, Math.floor(conusAt - 30 * perMm));
  const last = Math.min(sweep.nSamples - 1, Math.ceil(sacEndAt));
  const strands = strandsOf(plan, canal).filter(({ exit }) => exit > first);
  // Of each strand at each sample: u, v, and its radius, 0 where it is not in the sac.
  const courses = new Float32Array(3 * strands.length * (last - first + 1));
  for (let k = first; k <= last; k++) {
    const { sacAcross, sacAlong, triangularity, cordAcross, cordAlong, cordBack } = canal.at(k);
    strands.forEach((strand, index) => {
      if (k > strand.exit || sacAlong < 1.5) return;
      const out = sign(strand.side);
      const toExit = (strand.exit - k) / perMm;
      const leaving = smoothStep(1 - toExit / leavingMm);
      const wander = (axis: number) => 0.1 * smoothNoise(k / perMm / 16, 3.7 * index, axis, seed);
      const back = 0.62 - 0.45 * strand.lateral ** 2 - 0.3 * strand.front;
      let u = out * (0.7 * strand.lateral * (1 - leaving) + 0.78 * leaving) + wander(0) * (1 - leaving);
      let v = back * (1 - leaving) - 0.12 * leaving + wander(9) * (1 - leaving);
      // Within the outline, whatever its shape.
      const room = Math.sqrt(Math.max(0.05, 1 - v * v)) * (1 - triangularity * v);
      u = Math.max(-0.88 * room, Math.min(0.88 * room, u)) * sacAcross;
      v *= sacAlong - strand.radiusMm - 0.3;
      // About the conus they lie on its sides.
      const gathered = smoothStep(((conusAt - k) / perMm + gatheringMm * 0.3) / gatheringMm);
      if (gathered > 0) {
        const angle = 0.35 + 1.1 * strand.lateral;
        u += gathered * (out * (cordAcross + 0.9) * Math.sin(angle) - u);
        v += gathered * (cordBack + (cordAlong + 0.9) * Math.cos(angle) * (strand.front > 0.5 ? -1 : 1) - v);
      }
      courses.set([u, v, strand.radiusMm], 3 * ((k - first) * strands.length + index));
    });
  }
  const n = strands.length;
  return sweep.solid(
    (u, v, _values, k) => {
      const sample = Math.min(last, Math.max(first, Math.round(k))) - first;
      let nearest = 30;
      for (let at = 3 * sample * n; at < 3 * (sample + 1) * n; at += 3) {
        const radius = courses[at + 2]!;
        if (radius === 0) continue;
        const du = u - courses[at]!;
        const dv = v - courses[at + 1]!;
        nearest = Math.min(nearest, Math.sqrt(du * du + dv * dv) - radius);
      }
      return nearest;
    },
    (values) => Math.max(values[0]!, values[1]!),
    first,
    last,
  );
}

function strandsOf(plan: SpinePlan, canal: Canal): Strand[] {
  const names = plan.vertebrae.map(({ name }) => name);
  const own = names.slice(names.indexOf('L1'), names.indexOf('S5') + 1);
  const strands: Strand[] = [];
  own.forEach((vertebra, index) => {
    // It leaves above its pedicle's lower edge; sacral ones at the end of the sac.
    const exit = Math.min(canal.placeOf({ vertebra, share: vertebra.startsWith('S') ? 0.1 : 0.25 }), canal.sacEndAt - 2);
    const lateral = 1 - index / (own.length - 0.5);
    const thick = vertebra.startsWith('S') ? Math.max(0.35, 0.75 - 0.1 * (Number(vertebra.slice(1)) - 1)) : 0.65 + 0.02 * index;
    for (const side of sides) {
      strands.push({ side, exit, lateral, front: 0.2, radiusMm: thick }, { side, exit, lateral: lateral * 0.85, front: 0.75, radiusMm: 0.7 * thick });
    }
  });
  return [...strands, { side: 'left', exit: canal.sacEndAt - 2, lateral: 0.02, front: 0, radiusMm: 0.55 }];
}

/** From the sac's corner under the pedicle and out: sleeve, root, ganglion; middle of the foramen as frame. */
export function foraminalRoot(
  segment: SegmentPlan, site: Pick<SegmentSite, 'frame' | 'foramina'>, side: Side, plan: SpinePlan, canal: Canal, alignment: Alignment,
): Structure[] {
  const [upperName, lowerName] = segment.name.split('-') as [string, string];
  const [upper, lower] = [vertebraOf(plan, upperName), vertebraOf(plan, lowerName)];
  const frame = alignment.vertebrae.get(upperName)!;
  const out = sign(side);
  const { ganglionMm } = segment.foramina[side];
  const ganglion = ganglionPlace(segment, site, side, upper, lower, frame);
  const cervical = upper.kind === 'cervical' || upper.kind === 'axis';
  const leaves = canal.placeOf(cervical ? { vertebra: upperName, share: 0.85 } : { vertebra: upperName, share: upper.kind === 'sacral' ? 0.2 : 0.4 });
  const inSac = leaves < canal.sacEndAt - 3;
  const { sacAcross, sacAlong } = canal.at(Math.min(leaves, canal.sacEndAt - 3));
  const start = inSac ? canal.sweep.pointAt(leaves, out * 0.8 * sacAcross, -0.15 * sacAlong) : canal.sweep.pointAt(leaves, out * 3, 0);
  const lateral = (mm: number, down: number, front: number): Vector3 => outOfFrame(frame, [ganglion[0] + out * mm, ganglion[1] - front, ganglion[2] - down]);
  const middle = outOfFrame(frame, ganglion);
  const root = ganglionMm * 0.28;
  const course: Vector3[] = [start, lateral(-ganglionMm, -ganglionMm * 0.5, 0), middle, lateral(ganglionMm * 1.2, ganglionMm, 1), lateral(ganglionMm * 2.6, ganglionMm * 2.6, cervical ? 4 : 5)];
  const label = spineLabels.root;
  const name = `${segment.name} ${side}`;
  const body = placed(
    { ...frame, originMm: middle },
    ellipsoid([ganglionMm * 0.6, ganglionMm * 0.36, ganglionMm * (cervical ? 0.42 : 0.5)]),
  );
  const structures: Structure[] = [];
  if (inSac) {
    const sleeve = tube([0, 1].map((index) => ({ centreMm: index === 0 ? start : between(start, course[1]!, 0.75), acrossMm: root + 0.7, alongMm: root + 0.7 })));
    structures.push({ name: `sleeve ${name}`, solid: sleeve, tissue: 'csf', opacity: 0.7, edgeMm: 0.6 });
  }
  structures.push(
    { name: `root ${name}`, solid: tube(course.map((centreMm, index) => ({ centreMm, acrossMm: index === 0 ? root * 0.7 : root, alongMm: index === 0 ? root * 0.7 : root }))), tissue: 'nerveRoot', label },
    { name: `ganglion ${name}`, solid: body, tissue: 'ganglion', label, edgeMm: 0.6 },
  );
  return structures;
}

/** In the frame of the upper vertebra: under its pedicle; in the neck before the facet at the height of the disc. */
function ganglionPlace(
  segment: SegmentPlan, site: Pick<SegmentSite, 'foramina'>, side: Side, upper: VertebraPlan, lower: VertebraPlan, frame: Frame,
): Vector3 {
  const { ganglionMm, widthMm } = segment.foramina[side];
  const [, y, z] = intoFrame(frame, site.foramina[side].originMm);
  const out = sign(side);
  const x = out * (upper.canal.widthMm / 2 + upper.pedicle.widthMm * 0.6);
  if (upper.kind === 'cervical' || upper.kind === 'axis') return [out * (lower.canal.widthMm / 2 + 3.5), y + 0.5, z - 0.5];
  if (upper.kind === 'sacral') return [x * 0.8, posteriorWallMm(upper) - 2, z];
  return [x, y + 0.03 * widthMm, upper.pedicle.raisedMm - upper.pedicle.heightMm / 2 - ganglionMm * 0.62 - 0.8];
}

/** Small veins of the foramen, round the ganglion. */
export function foraminalVeins(site: Pick<SegmentSite, 'foramina' | 'plan'>, side: Side): Solid {
  const { ganglionMm } = site.plan.foramina[side];
  const frame = site.foramina[side];
  const at = (x: number, y: number, z: number): Vector3 => outOfFrame(frame, [x, y, z]);
  const thin = (a: Vector3, b: Vector3) => tube([{ centreMm: a, acrossMm: 0.55, alongMm: 0.55 }, { centreMm: b, acrossMm: 0.55, alongMm: 0.55 }]);
  const g = ganglionMm;
  return union(
    thin(at(-3, -1.5, g * 0.15), at(6, -2.2, -g * 0.2)),
    thin(at(-3, 0.8, -g * 0.5), at(6, 0, -g * 0.9)),
    thin(at(-2, -1, -g * 0.9), at(5, -1.5, -g * 1.2)),
  );
}

function between(a: Vector3, b: Vector3, share: number): Vector3 {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}
