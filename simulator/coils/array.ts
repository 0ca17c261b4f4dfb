/**
 * A receive array round the torso: loops under the back and over the belly.
 *
 * A loop receives in proportion to the field that it would make per unit current: by the law of Biot
 * and Savart, B(r) = Σ dl × (r - l) / |r - l|³, of which the part transverse to the main field
 * counts, S = Bx - i By (Roemer 1990, doi 10.1002/mrm.1910160203). Constant factors are left out; the
 * array is scaled as a whole (sensitivities.ts).
 *
 * Coordinates [u, v, w], mm: u and v as in the phantom, w across the slices; the main field lies
 * along v.
 */

export interface Loop {
  readonly name: string;
  readonly centreMm: readonly [number, number, number];
  readonly radiusMm: number;
}

const nSegments = 48;
/** Of the conductors from the skin: housing, padding, clothing. */
const gapMm = 60;
const radiusMm = 70;
/** Two loops a row, left and right of the midline. */
const besideMidlineMm = 45;

/**
 * About five of eight loops lie under the back, the others over the belly, in rows of two.
 * @param bodyMm extent of the body along u and v
 */
export function torsoArray(nCoils: number, bodyMm: readonly [number, number]): Loop[] {
  const nPosterior = Math.ceil((nCoils * 5) / 8);
  const side = (name: string, count: number, u: number): Loop[] => {
    const nRows = Math.ceil(count / 2);
    return Array.from({ length: count }, (_, index) => {
      const row = Math.floor(index / 2);
      const v = ((row + 0.5) / nRows - 0.5) * bodyMm[1];
      const w = (index % 2 === 0 ? 1 : -1) * besideMidlineMm;
      return { name: `${name}${row + 1}${index % 2 === 0 ? 'R' : 'L'}`, centreMm: [u, v, w], radiusMm };
    });
  };
  const u = bodyMm[0] / 2 + gapMm;
  return [...side('SP', nPosterior, u), ...side('BO', nCoils - nPosterior, -u)];
}

/** Complex sensitivity [re, im] of one loop at a point. */
export function loopSensitivity(loop: Loop, point: readonly [number, number, number]): [number, number] {
  // The loop lies in a plane of constant u.
  const du = point[0] - loop.centreMm[0];
  let [alongU, alongW] = [0, 0];
  for (let segment = 0; segment < nSegments; segment++) {
    const angle = (2 * Math.PI * (segment + 0.5)) / nSegments;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const dv = point[1] - loop.centreMm[1] - loop.radiusMm * cos;
    const dw = point[2] - loop.centreMm[2] - loop.radiusMm * sin;
    const share = 1 / Math.hypot(du, dv, dw) ** 3;
    // dl is proportional to (0, -sin, cos).
    alongU += share * (-sin * dw - cos * dv);
    alongW += share * sin * du;
  }
  return [alongU, -alongW];
}
