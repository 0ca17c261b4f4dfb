/**
 * The transmit field of a body coil over its nominal value, a smooth map:
 *
 *   b(r) = b0 - c (x² / X² + y² / Y²) + asymmetry,     and a fall-off towards the coil's ends along z
 *
 * At 3 T the wavelength in tissue comes near the size of the body: the middle is over- and the flanks
 * are underexcited (Dietrich 2008, Eur J Radiol 65:29); at 1.5 T that is little. Beyond
 * the coil's ends nothing is excited, so the trunk ends there as far as the scan is concerned.
 */
import type { FieldStrengthT, Vector3 } from '../../imaging/index.js';
import type { Random } from '../random.js';

export interface TransmitField {
  /** Flip angle over the nominal one. */
  relativeAt(point: Vector3): number;
  /** Share of the magnetisation within the coil's reach that is excited at all. */
  reachAt(zMm: number): number;
}

/** Half lengths between which the excitation ends. */
export const transmitReachMm = { full: 210, none: 270 } as const;

export function transmitField(fieldStrengthT: FieldStrengthT, random: Random): TransmitField {
  const [curvature, tilt] = fieldStrengthT === 3 ? [0.22, 0.06] : [0.05, 0.02];
  const [centre, tiltX, tiltY] = [1 + 0.02 * random.normal(), tilt * random.normal(), tilt * random.normal()];
  return {
    relativeAt([x, y]) {
      const value = centre + curvature * (0.5 - (x / 200) ** 2 - (y / 140) ** 2) + (tiltX * x) / 200 + (tiltY * y) / 140;
      return Math.min(1.5, Math.max(0.4, value));
    },
    reachAt(zMm) {
      const { full, none } = transmitReachMm;
      const beyond = (Math.abs(zMm) - full) / (none - full);
      return beyond <= 0 ? 1 : beyond >= 1 ? 0 : Math.cos((Math.PI / 2) * beyond) ** 2;
    },
  };
}

/** No error anywhere: for comparisons with exact transforms. */
export const perfectTransmit: TransmitField = { relativeAt: () => 1, reachAt: () => 1 };
