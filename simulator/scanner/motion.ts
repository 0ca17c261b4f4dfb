/**
 * How the patient moves during a scan.
 *
 * A shift within the slice is a phase ramp in k-space, exp(-i 2π k·d), of every readout while it lasts
 * (Wood and Henkelman 1985, Med Phys 12:143). Turns and shifts through the slice change what is in it:
 * the object is painted anew in each of a few poses. The coils stay where they are. Within one train
 * of echoes nothing moves.
 */
import type { Vector3 } from '../../imaging/index.js';
import type { Random } from '../random.js';

/** A turn about axes through the isocentre, about x, then y, then z, and a shift; of the patient. */
export interface Pose {
  readonly turnDeg: Vector3;
  readonly shiftMm: Vector3;
}

export interface MotionState {
  /** Index of the pose. */
  readonly pose: number;
  /** Of the patient; the part within the slice is seen. */
  readonly shiftMm: Vector3;
}

export interface Motion {
  readonly poses: readonly Pose[];
  at(timeS: number): MotionState;
}

export type MotionKind = 'none' | 'breathing' | 'drift' | 'jump';

const rest: Pose = { turnDeg: [0, 0, 0], shiftMm: [0, 0, 0] };

/**
 * @param amplitudeMm of the breath, of the drift at the end of the scan, of the jump; 3, 2 and 2 mm
 *   where it is left out
 */
export function motionOf(kind: MotionKind, durationS: number, random: Random, amplitudeMm?: number): Motion {
  const still: MotionState = { pose: 0, shiftMm: [0, 0, 0] };
  switch (kind) {
    case 'none':
      return { poses: [rest], at: () => still };
    case 'breathing': {
      const amplitude = amplitudeMm ?? 3;
      const periodS = 3.5 + random.uniform();
      const phase = random.uniform();
      // Long at the end of expiration: an even power of a cosine (Lujan 1999, Med Phys 26:715).
      const breath = (timeS: number) => Math.cos(Math.PI * (timeS / periodS + phase)) ** 4;
      return {
        poses: [rest],
        at: (timeS) => ({ pose: 0, shiftMm: [0, -amplitude * breath(timeS), 0.3 * amplitude * breath(timeS)] }),
      };
    }
    case 'drift': {
      const amplitude = amplitudeMm ?? 2;
      const angle = 2 * Math.PI * random.uniform();
      return {
        poses: [rest],
        at: (timeS) => {
          const share = durationS > 0 ? timeS / durationS : 0;
          return { pose: 0, shiftMm: [0, amplitude * Math.sin(angle) * share, amplitude * Math.cos(angle) * share] };
        },
      };
    }
    case 'jump': {
      const amplitude = amplitudeMm ?? 2;
      const jumpS = durationS * (0.3 + 0.4 * random.uniform());
      const part = () => amplitude * (random.uniform() - 0.5) * 2;
      // As many degrees as mm: at a lever of 6 cm they move as far.
      const moved: Pose = { turnDeg: [part(), part() / 2, part() / 2], shiftMm: [part(), part(), part()] };
      return { poses: [rest, moved], at: (timeS) => ({ pose: timeS < jumpS ? 0 : 1, shiftMm: [0, 0, 0] }) };
    }
  }
}

/** Where a point of the scanner lies in the patient at rest. */
export function intoPatient({ turnDeg, shiftMm }: Pose, point: Vector3): Vector3 {
  return turned(turnDeg, [point[0] - shiftMm[0], point[1] - shiftMm[1], point[2] - shiftMm[2]]);
}

/** A direction of the scanner in the patient at rest: the turn undone. */
export function directionInPatient({ turnDeg }: Pose, direction: Vector3): Vector3 {
  return turned(turnDeg, direction);
}

function turned(turnDeg: Vector3, [x, y, z]: Vector3): Vector3 {
  const [cx, cy, cz] = turnDeg.map((angle) => Math.cos((angle * Math.PI) / 180)) as [number, number, number];
  const [sx, sy, sz] = turnDeg.map((angle) => -Math.sin((angle * Math.PI) / 180)) as [number, number, number];
  const [x1, y1] = [cz * x - sz * y, sz * x + cz * y];
  const [x2, z2] = [cy * x1 + sy * z, cy * z - sy * x1];
  return [x2, cx * y1 - sx * z2, sx * y1 + cx * z2];
}
