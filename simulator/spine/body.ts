/**
 * Vertebral bodies, in the vertebra's frame.
 *
 * Side wall: seen from above, an ellipse in front, cut off behind by the posterior wall, with its hollow; it
 * is scaled from the lower to the upper endplate and narrower at the waist. Faces: planes through the rims,
 * tilted by the wedge, hollowed by paraboloids (deeper and farther back below), with uncinate ridges in the
 * neck, dents, and roughness. Wall and faces meet in a rounded rim.
 */
import { ellipseDistance, smoothNoise, smoothUnion, tube, type Solid } from '../anatomy/index.js';
import { posteriorWallMm } from './alignment.js';
import { vertebraNumber } from './labels.js';
import type { VertebraPlan } from './plan.js';

/** Front half's depth, and that of the ellipse which the posterior wall cuts, as shares of the body's depth. */
const outlines = {
  axis: { widest: 0.1, behind: 0.75, cornerMm: 2.5 },
  cervical: { widest: 0.1, behind: 0.75, cornerMm: 2.5 },
  thoracic: { widest: 0.16, behind: 0.52, cornerMm: 5 },
  lumbar: { widest: 0.08, behind: 0.62, cornerMm: 5.5 },
  sacral: { widest: 0.1, behind: 0.62, cornerMm: 4 },
  coccygeal: { widest: 0, behind: 0.6, cornerMm: 2 },
} as const;

export interface Outline {
  /** Signed distance to the side wall at mid-height without waist, of the section that has the body's mean size. */
  distanceMm(x: number, y: number, waistMm: number): number;
  readonly halfWidthMm: number;
  readonly halfDepthMm: number;
}

/** Seen from above; y is 0 in the middle of the depth. */
export function outlineOf(
  kind: VertebraPlan['kind'], widthMm: number, depthMm: number, posteriorConcavityMm: number,
): Outline {
  const { widest, behind, cornerMm } = outlines[kind];
  const a = widthMm / 2;
  const wall = depthMm / 2;
  const y0 = widest * depthMm;
  const [front, back] = [wall + y0, behind * depthMm];
  const hollow = posteriorConcavityMm / (0.6 * a) ** 2;
  return {
    halfWidthMm: a,
    halfDepthMm: wall + 1.5 * posteriorConcavityMm,
    distanceMm(x, y, waistMm) {
      const round = ellipseDistance(x, y - y0, a, y < y0 ? front : back);
      const straight = y - wall - Math.min(1.5 * posteriorConcavityMm, hollow * x * x) + 0.4 * waistMm;
      return smoothMax(round + waistMm, straight, cornerMm);
    },
  };
}

export interface BodyInsets {
  readonly sideMm: number;
  readonly faceMm: number;
}

/** The body, or what lies within it at these depths under its surface. */
export function bodySolid(vertebra: VertebraPlan, seed: number, insets: BodyInsets = { sideMm: 0, faceMm: 0 }): Solid {
  const { kind, body } = vertebra;
  const wall = posteriorWallMm(vertebra);
  const depth = 2 * wall;
  const width = (body.upperWidthMm + body.lowerWidthMm) / 2;
  const height = (body.anteriorHeightMm + body.posteriorHeightMm) / 2;
  const outline = outlineOf(kind, width, depth, body.posteriorConcavityMm);
  const [widthGrowth, depthGrowth] = [
    (body.upperWidthMm - body.lowerWidthMm) / width / 2,
    (body.upperDepthMm - body.lowerDepthMm) / depth / 2,
  ];
  const half = height / 2;
  const sagittalSlope = (body.anteriorHeightMm - body.posteriorHeightMm) / 2 / depth;
  const coronalSlope = body.coronalWedgeMm / 2 / width;
  const [hollowX, hollowY] = [1 / (0.43 * width), 1 / (0.43 * depth)];
  const dents = { upper: body.dents.filter(({ face }) => face === 'upper'), lower: body.dents.filter(({ face }) => face === 'lower') };
  // One lattice serves all vertebrae, each on sheets of its own.
  const sheet = 2 * vertebraNumber(vertebra.name);
  const rounding = kind === 'cervical' || kind === 'axis' ? 0.9 : 1.4;
  const { sideMm, faceMm } = insets;

  /** Height of a face over the middle of the body: +1 the upper, -1 the lower one, mirrored. */
  const faceAt = (x: number, y: number, face: 1 | -1): number => {
    let z = half - sagittalSlope * y + coronalSlope * x;
    const deepest = face > 0 ? 0.04 * depth : 0.1 * depth;
    const [rx, ry] = [x * hollowX, (y - deepest) * hollowY];
    const hollow = 1 - rx * rx - ry * ry;
    if (hollow > 0) z -= (face > 0 ? body.upperConcavityMm : body.lowerConcavityMm) * hollow;
    if (body.uncinateMm > 0) {
      const ridge = smoothStep((Math.abs(x) / width - 0.3) / 0.17) * smoothStep((y / depth + 0.35) / 0.3);
      z += (face > 0 ? 1 : -0.45) * body.uncinateMm * ridge;
    }
    for (const dent of face > 0 ? dents.upper : dents.lower) {
      const [dx, dy] = [(x - dent.xMm) / dent.radiusXMm, (y - dent.yMm) / dent.radiusYMm];
      const inside = 1 - dx * dx - dy * dy;
      if (inside > 0) z -= dent.depthMm * inside * (2 - inside);
    }
    return z;
  };

  return {
    bounds: {
      min: [-width / 2 - 0.3 * Math.abs(body.upperWidthMm - body.lowerWidthMm), -wall - Math.abs(body.upperDepthMm - body.lowerDepthMm), -half - 3],
      max: [width / 2 + 0.3 * Math.abs(body.upperWidthMm - body.lowerWidthMm), wall + 2, half + 3 + body.uncinateMm],
    },
    distanceMm(x, y, z) {
      const t = Math.max(-1, Math.min(1, z / half));
      const [growX, growY] = [1 + widthGrowth * t, 1 + depthGrowth * t];
      const side =
        outline.distanceMm(x / growX, (y - wall) / growY + wall, body.waistMm * (1 - t * t)) * Math.min(growX, growY) + sideMm;
      let face = z > 0 ? z - faceAt(x, y, 1) : -z - faceAt(x, y, -1);
      if (Math.abs(face) < 2) face += body.endplateRoughnessMm * smoothNoise(x / 2.5, y / 2.5, z > 0 ? sheet : sheet + 1, seed);
      face = 0.9 * face + faceMm;
      const [s, f] = [side + rounding, face + rounding];
      return (s > 0 && f > 0 ? Math.sqrt(s * s + f * f) : Math.max(s, f)) - rounding;
    },
  };
}

/** The axis: its body carries the dens and, beside it, the shoulders on which the atlas turns. */
export function axisSolid(vertebra: VertebraPlan, seed: number, insets?: BodyInsets): Solid {
  const { body } = vertebra;
  const top = (body.anteriorHeightMm + body.posteriorHeightMm) / 4;
  const scale = body.lowerWidthMm / 17.5;
  const inset = insets?.sideMm ?? 0;
  const dens = tube(
    [
      { centreMm: [0, 0, top - 6], acrossMm: 5.6 * scale - inset, alongMm: 5.4 * scale - inset },
      { centreMm: [0, -0.5, top + 5], acrossMm: 4.8 * scale - inset, alongMm: 5 * scale - inset },
      { centreMm: [0, 0.3, top + 11], acrossMm: 5 * scale - inset, alongMm: 5.2 * scale - inset },
    ],
  );
  const shoulders = [-1, 1].map((out) =>
    tube([
      { centreMm: [out * 7 * scale, 1, top - 5], acrossMm: 5 * scale - inset, alongMm: 5 * scale - inset },
      { centreMm: [out * 14 * scale, 3, top - 5.5], acrossMm: 6 * scale - inset, alongMm: 5.5 * scale - inset },
    ], [0, 1, 0]),
  );
  return smoothUnion(3, bodySolid(vertebra, seed, insets), dens, ...shoulders);
}

function smoothMax(a: number, b: number, blendMm: number): number {
  const h = Math.max(blendMm - Math.abs(a - b), 0);
  return Math.max(a, b) + (h * h) / (4 * blendMm);
}

export function smoothStep(t: number): number {
  if (t <= 0) return 0;
  if (t >= 1) return 1;
  return t * t * (3 - 2 * t);
}
