/** Signals of tissue as the usual sequences weigh it, from parameter maps: what a lesion is seen by. */
import { fatAt } from '../../../imaging/index.js';
import { paintLabels, type Plane } from '../../../simulator/anatomy/index.js';
import { bodyLabel, spineLabels, type BuiltSpine } from '../../../simulator/spine/index.js';
import { planeOf } from '../../../simulator/truth/section.js';
import { paintParameters } from '../../../simulator/truth/volumes.js';

export interface Signals {
  readonly t1w: number;
  readonly t2w: number;
  readonly stir: number;
}

/** In planes along vertebrae: means over a lesion of one, and over the healthy marrow of another. */
export function meanSignals({ anatomy, scene }: BuiltSpine, level: string, code: number, healthyLevel: string): { lesion: Signals; around: Signals } {
  const sums = { lesion: [0, 0, 0, 0], around: [0, 0, 0, 0] };
  for (const [name, wanted, sum] of [[level, code, sums.lesion], [healthyLevel, 0, sums.around]] as const) {
    for (const offsetMm of [-6, 0, 6]) {
      const plane = planeOf(scene.vertebrae.get(name)!.frame, { orientation: 'sagittal', offsetMm, u: [-10, 4], v: [-10.5, 10.5] }, 0.5);
      const { labels, lesions } = paintLabels(anatomy, plane);
      const maps = weighted(anatomy, plane);
      labels.forEach((label, pixel) => {
        if (label !== bodyLabel(name) || lesions[pixel] !== wanted) return;
        sum[0]!++;
        maps.forEach((map, index) => (sum[index + 1]! += map[pixel]!));
      });
    }
  }
  const mean = ([n, t1w, t2w, stir]: number[]): Signals => ({ t1w: t1w! / n!, t2w: t2w! / n!, stir: stir! / n! });
  return { lesion: mean(sums.lesion), around: mean(sums.around) };
}

/** T2-weighted signal of a lesion of the cord over that of the cord in the same planes. */
export function cordVisible({ anatomy, scene }: BuiltSpine, code: number, level: string): number {
  const { frame } = scene.vertebrae.get(level)!;
  const [lesion, cord] = [[0, 0], [0, 0]];
  for (const offsetMm of [-3, 0, 3]) {
    const plane = planeOf(frame, { orientation: 'axial', offsetMm, u: [-15, 15], v: [0, 40] }, 0.5);
    const { labels, lesions } = paintLabels(anatomy, plane);
    const t2w = weighted(anatomy, plane)[1]!;
    labels.forEach((label, pixel) => {
      // At its edge CSF shines in.
      const inner = [-2, -1, 1, 2].every((step) => labels[pixel + step] === label && labels[pixel + step * plane.nColumns] === label);
      if (label !== spineLabels.cord || !inner) return;
      const sum = lesions[pixel] === code ? lesion : cord;
      sum[0]!++;
      sum[1]! += t2w[pixel]!;
    });
  }
  return lesion[1]! / lesion[0]! / (cord[1]! / cord[0]!);
}

/** [T1w, T2w, STIR] fast spin echoes at 1.5 T, their weights those of a spin echo at the effective TE. */
function weighted(anatomy: BuiltSpine['anatomy'], plane: Plane): Float32Array[] {
  const [pd, t1, t2, , fat] = paintParameters(anatomy, [plane]) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  const { t1Ms: fatT1Ms, t2Ms: fatT2Ms } = fatAt(1.5);
  const image = (trMs: number, teMs: number, tiMs?: number) =>
    pd.map((protons, pixel) => {
      const relaxed = (t1Ms: number, t2Ms: number) =>
        t1Ms <= 0 || t2Ms <= 0 ? 0
          : Math.abs(1 - Math.exp(-trMs / t1Ms) - (tiMs === undefined ? 0 : 2 * (Math.exp(-tiMs / t1Ms) - Math.exp(-trMs / t1Ms)))) * Math.exp(-teMs / t2Ms);
      const share = fat[pixel]!;
      return protons * ((1 - share) * relaxed(t1[pixel]!, t2[pixel]!) + share * relaxed(fatT1Ms, fatT2Ms));
    });
  return [image(550, 10), image(3500, 100), image(4500, 45, fatT1Ms * Math.LN2)];
}
