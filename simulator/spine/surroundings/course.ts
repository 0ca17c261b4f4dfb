/** The course of the vertebral column, to which everything round it keeps its distance. */
import type { Vector3 } from '../../../imaging/index.js';

export interface Station {
  /** `C2` … `T12`, `L1` … `S1`. */
  readonly name: string;
  /** Centre of the vertebral body, LPS, mm. */
  readonly centreMm: Vector3;
  readonly halfWidthMm: number;
  readonly halfDepthMm: number;
}

/** A person as the surroundings see one. */
export interface Person {
  /** Integer. */
  readonly seed: number;
  readonly sex: 'female' | 'male';
  /** Body length over the mean of the sex. */
  readonly statureScale: number;
  /** Thickness of the subcutaneous fat over the mean, from about 0.4 (lean) to 2.5. */
  readonly fatScale: number;
  /** Share of fat in the muscles of the back, 0 to 0.6. */
  readonly muscleFat: number;
}

export class ColumnCourse {
  readonly stations: readonly Station[];

  /** @param stations from top to bottom, at least two */
  constructor(stations: readonly Station[]) {
    this.stations = stations;
  }

  /** Centre of the column at a height, mm; straight on beyond the first and the last station. */
  at(z: number): { x: number; y: number; halfWidthMm: number; halfDepthMm: number } {
    const { stations } = this;
    let lower = 1;
    while (lower < stations.length - 1 && stations[lower]!.centreMm[2] > z) lower += 1;
    const [a, b] = [stations[lower - 1]!, stations[lower]!];
    const share = (z - a.centreMm[2]) / (b.centreMm[2] - a.centreMm[2]);
    // Beyond the ends the tilt of the last two would run away: it fades.
    const bounded = share < 0 ? -Math.tanh(-share) : share > 1 ? 1 + Math.tanh(share - 1) : share;
    const between = (from: number, to: number) => from + bounded * (to - from);
    const width = Math.min(1, Math.max(0, share));
    return {
      x: between(a.centreMm[0], b.centreMm[0]),
      y: between(a.centreMm[1], b.centreMm[1]),
      halfWidthMm: a.halfWidthMm + width * (b.halfWidthMm - a.halfWidthMm),
      halfDepthMm: a.halfDepthMm + width * (b.halfDepthMm - a.halfDepthMm),
    };
  }

  /** Height of a vertebra's centre; of one that is not among the stations, by the mean spacing of its neighbours. */
  heightOf(name: string): number {
    const known = this.stations.find((station) => station.name === name);
    if (known !== undefined) return known.centreMm[2];
    const order = orderOf(name);
    const first = this.stations[0]!;
    const last = this.stations.at(-1)!;
    const above = order < orderOf(first.name);
    const steps = above ? orderOf(first.name) - order : order - orderOf(last.name);
    const neighbour = above ? this.stations[1]! : this.stations.at(-2)!;
    const spacing = Math.abs(neighbour.centreMm[2] - (above ? first : last).centreMm[2]);
    return above ? first.centreMm[2] + steps * spacing : last.centreMm[2] - steps * spacing;
  }

  get topMm(): number {
    return this.stations[0]!.centreMm[2];
  }

  get bottomMm(): number {
    return this.stations.at(-1)!.centreMm[2];
  }
}

const regions: readonly (readonly [letter: string, first: number])[] = [['C', 0], ['T', 7], ['L', 19], ['S', 24]];

/** C1 is 1, T1 8, L1 20, S1 25. */
function orderOf(name: string): number {
  const first = regions.find(([letter]) => name.startsWith(letter))?.[1] ?? 0;
  return first + Number(name.slice(1));
}
