/**
 * Discs, in the disc's frame: columns that reach into both bodies, which are painted over them, so that a disc
 * fills its gap whatever the endplates look like.
 *
 * Section: the outline between those of its endplates. Its margin stands out by the bulge, most at half the
 * height and not at the rims, and draws in beyond the rims so that nothing shows beside the waists of the
 * bodies. The nucleus is a smaller column, rounded, a little behind the middle.
 *
 * Degeneration (Pfirrmann 2001): 1 white and homogeneous, 2 with a dark cleft, 3 grey, border blurred, 4 dark,
 * 5 dark and collapsed. What the plan does not say (height, bulge) follows in no way from the grade here.
 */
import { ellipsoid, placed, roughened, smoothUnion, tube, type Frame, type Solid, type Structure } from '../anatomy/index.js';
import { outlineOf, type Outline } from './body.js';
import { discLabel } from './labels.js';
import type { DiscPlan, HerniationPlan, SegmentPlan, VertebraPlan } from './plan.js';

export interface DiscSolids {
  readonly column: Solid;
  readonly annulus: Solid;
  readonly nucleus: Solid;
  readonly cleft: Solid;
  readonly outline: Outline;
}

export function discSolids(segment: SegmentPlan, upper: VertebraPlan, lower: VertebraPlan): DiscSolids {
  const { disc } = segment;
  const width = (upper.body.lowerWidthMm + lower.body.upperWidthMm) / 2;
  const depth = (upper.body.lowerDepthMm + lower.body.upperDepthMm) / 2;
  const outline = outlineOf(upper.kind, width, depth, (upper.body.posteriorConcavityMm + lower.body.posteriorConcavityMm) / 2);
  const gap = gapOf(disc, width, depth);
  // Deep enough for the hollows of the endplates, dents included.
  const dents = [...upper.body.dents.filter(({ face }) => face === 'lower'), ...lower.body.dents.filter(({ face }) => face === 'upper')];
  const reach = Math.max(upper.body.lowerConcavityMm, lower.body.upperConcavityMm) + Math.max(0, ...dents.map(({ depthMm }) => depthMm)) + 2;
  const column = columnOf(outline, disc, gap, reach, 0);
  // The outer annulus is the dark one; the inner fibres run into the nucleus.
  const fibres = Math.min(2.2, 0.07 * depth);
  return {
    outline,
    column,
    annulus: columnOf(outline, disc, gap, reach, fibres),
    nucleus: nucleusOf(outline, disc, gap, reach),
    cleft: cleftOf(outline, disc),
  };
}

/** Painted in this order, under the bodies. */
export function discStructures(
  segment: SegmentPlan, solids: DiscSolids, place: (solid: Solid) => Solid, seed: number,
): Structure[] {
  const { name, disc } = segment;
  const label = discLabel(name);
  const grade = disc.degeneration;
  const mixed = (tissue: string, share: number, amplitude: number) =>
    ({ tissue, mean: Math.max(0, Math.min(1, share)), amplitude, scaleMm: [6, 6, 2.5] as const, seed });
  const nucleus: Pick<Structure, 'tissue' | 'texture'> =
    grade < 3.2
      ? { tissue: 'nucleus', texture: mixed('degeneratedNucleus', (grade - 1) / 2.2, 0.06) }
      : { tissue: 'degeneratedNucleus', texture: mixed('annulus', (grade - 3.2) / 1.5, 0.08) };
  const structures: Structure[] = [
    { name: `${name} outer annulus`, solid: place(solids.column), tissue: 'ligament', label, texture: mixed('annulus', 0.35, 0.1) },
    { name: `${name} annulus`, solid: place(solids.annulus), tissue: 'annulus', edgeMm: 1.2, texture: mixed('ligament', 0.1, 0.1) },
    { name: `${name} nucleus`, solid: place(solids.nucleus), edgeMm: 1.2 + 0.8 * Math.max(0, grade - 1.5), ...nucleus },
  ];
  if (grade > 1.3 && grade < 4) {
    const opacity = Math.min(0.55, 0.5 * (grade - 1.3));
    structures.push({ name: `${name} cleft`, solid: place(solids.cleft), tissue: 'annulus', edgeMm: 1.2, opacity });
  }
  disc.fissures.forEach(({ angleDeg, heightMm, widthMm }, index) => {
    const [angle, margin] = [(angleDeg * Math.PI) / 180, marginAt(solids.outline, angleDeg)];
    const [outX, outY] = [Math.sin(angle), Math.cos(angle)];
    const deep = margin - 2.2;
    const frame: Frame = { originMm: [deep * outX, deep * outY, 0], x: [outY, -outX, 0], y: [outX, outY, 0], z: [0, 0, 1] };
    const spot = placed(frame, ellipsoid([widthMm / 2, 1.1, heightMm / 2]));
    structures.push({ name: `${name} fissure ${index}`, solid: place(spot), tissue: 'jointFluid', edgeMm: 0.8, opacity: 0.8 });
  });
  if (disc.vacuumShare > 0) {
    structures.push({ name: `${name} vacuum`, solid: place(solids.cleft), tissue: 'bowelGas', edgeMm: 0.6, opacity: disc.vacuumShare });
  }
  return structures;
}

/** Half of the height between the rims at a point of the disc. */
type HalfGap = (x: number, y: number) => number;

function gapOf({ anteriorHeightMm, posteriorHeightMm, coronalWedgeMm }: DiscPlan, width: number, depth: number): HalfGap {
  const middle = (anteriorHeightMm + posteriorHeightMm) / 4;
  const [sagittal, coronal] = [(posteriorHeightMm - anteriorHeightMm) / 2 / depth, coronalWedgeMm / 2 / width];
  return (x, y) => Math.max(0.4, middle + sagittal * y + coronal * x);
}

function columnOf(outline: Outline, { bulgeMm }: DiscPlan, halfGap: HalfGap, reach: number, inset: number): Solid {
  const { halfWidthMm: w, halfDepthMm: d } = outline;
  const most = Math.max(bulgeMm.anterior, bulgeMm.posterior, bulgeMm.left, bulgeMm.right, 0);
  const top = Math.max(halfGap(-w, -d), halfGap(w, -d), halfGap(-w, d), halfGap(w, d)) + reach;
  return {
    bounds: { min: [-w - most, -d - most, -top], max: [w + most, d + most, top] },
    distanceMm(x, y, z) {
      const gap = halfGap(x, y);
      const beyond = Math.abs(z) - gap;
      let side = outline.distanceMm(x, y, 0) + inset;
      if (beyond < 0) {
        const [px, py] = [x / w, y / d];
        const size = px * px + py * py;
        const [sideways, along] = size === 0 ? [0, 0] : [(px * px) / size, (py * py) / size];
        const bulge = (x > 0 ? bulgeMm.left : bulgeMm.right) * sideways + (y > 0 ? bulgeMm.posterior : bulgeMm.anterior) * along;
        const share = z / gap;
        side -= bulge * (1 - share * share);
        return Math.max(side < 0 ? Math.max(side, 0.6 * (side + 1.3 * beyond)) : side, beyond - reach);
      }
      // Past the rims it draws in under the bodies' waists.
      return Math.max(0.6 * (side + 1.3 * beyond), beyond - reach);
    },
  };
}

function nucleusOf(outline: Outline, { nucleusShare }: DiscPlan, halfGap: HalfGap, reach: number): Solid {
  const scale = Math.sqrt(nucleusShare);
  const back = 0.06 * outline.halfDepthMm;
  const [a, b] = [scale * outline.halfWidthMm, scale * outline.halfDepthMm];
  const high = halfGap(0, 0) + 0.8 * reach;
  return {
    bounds: { min: [-a, back - b, -high], max: [a, back + b, high] },
    distanceMm(x, y, z) {
      // A lens: rounder at its rim than the gap is high.
      const [px, py, pz] = [x / a, (y - back) / b, z / high];
      const inPlane = Math.sqrt(px * px + py * py);
      const q = Math.sqrt(inPlane ** 4 + pz ** 4) ** 0.5;
      return (q - 1) * Math.min(a, b, high);
    },
  };
}

/** A thin dark sheet in the middle of the nucleus. */
function cleftOf(outline: Outline, { nucleusShare, anteriorHeightMm, posteriorHeightMm }: DiscPlan): Solid {
  const scale = 0.8 * Math.sqrt(nucleusShare);
  const [a, b] = [scale * outline.halfWidthMm, scale * outline.halfDepthMm];
  const thick = Math.max(0.5, 0.05 * (anteriorHeightMm + posteriorHeightMm));
  const back = 0.06 * outline.halfDepthMm;
  return {
    bounds: { min: [-a, back - b, -thick], max: [a, back + b, thick] },
    distanceMm(x, y, z) {
      const [px, py] = [x / a, (y - back) / b];
      const side = (Math.sqrt(px * px + py * py) - 1) * Math.min(a, b);
      return Math.max(side, Math.abs(z) - thick);
    },
  };
}

/**
 * Herniated material: a dome on the margin that is widest at its base; or, past the annulus, a neck and a body; or the
 * body alone.
 */
export function herniationSolid(plan: HerniationPlan, { outline }: DiscSolids, { bulgeMm }: DiscPlan, seed: number): Solid {
  const angle = (plan.angleDeg * Math.PI) / 180;
  const [outX, outY] = [Math.sin(angle), Math.cos(angle)];
  const margin = marginAt(outline, plan.angleDeg) + Math.max(0, Math.abs(angle) < Math.PI / 2 ? bulgeMm.posterior : bulgeMm.anterior) * 0.5;
  /** x along the margin, y outwards. */
  const frameAt = (mm: number, z: number): Frame =>
    ({ originMm: [mm * outX, mm * outY, z], x: [outY, -outX, 0], y: [outX, outY, 0], z: [0, 0, 1] });
  const { kind, baseWidthMm, widthMm, depthMm, heightMm, migrationMm } = plan;
  if (kind === 'protrusion') {
    return roughened(placed(frameAt(margin, migrationMm), ellipsoid([baseWidthMm / 2, depthMm, heightMm / 2])), 0.2, 3, seed);
  }
  const body = placed(frameAt(margin + depthMm / 2, migrationMm), ellipsoid([widthMm / 2, depthMm / 2, heightMm / 2]));
  if (kind === 'sequestration') return roughened(body, 0.25, 3, seed);
  const neck = tube([
    { centreMm: [(margin - 3) * outX, (margin - 3) * outY, 0], acrossMm: baseWidthMm / 2, alongMm: Math.min(baseWidthMm / 2, 3) },
    { centreMm: [(margin + depthMm / 2) * outX, (margin + depthMm / 2) * outY, migrationMm], acrossMm: baseWidthMm / 2, alongMm: Math.min(baseWidthMm / 2, 3) },
  ], [outY, -outX, 0]);
  return roughened(smoothUnion(1.5, body, neck), 0.25, 3, seed);
}

/** From the disc's middle to its unbulged margin: 0 to posterior, 90 degrees to the left. */
function marginAt(outline: Outline, angleDeg: number): number {
  const [outX, outY] = [Math.sin((angleDeg * Math.PI) / 180), Math.cos((angleDeg * Math.PI) / 180)];
  let [inside, outside] = [0, 2 * outline.halfWidthMm];
  for (let step = 0; step < 40; step++) {
    const middle = (inside + outside) / 2;
    if (outline.distanceMm(middle * outX, middle * outY, 0) < 0) inside = middle;
    else outside = middle;
  }
  return inside;
}
