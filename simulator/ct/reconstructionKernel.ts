/**
 * What of the ramp filter's |f| is kept at which frequency: W(f) in |f| W(f), f in line pairs a mm at the
 * isocentre, up to f_N = 1 / (2 line spacing).
 *
 *   ramLak   1
 *   soft     cos²(pi f / 2 f_c), Hann's window with f_c = 0.75: half at 3.75 and a tenth at 6 line pairs
 *            a cm, as body kernels have
 *   bone     (1 + 0.8 (f / f_N)²) up to 0.6 f_N, then rolled off by a quarter of a cosine squared to 0 at
 *            f_N: makes up for the width of the channels and lifts edges
 *
 * Kak & Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 3.3, on windows.
 */
export type ReconstructionKernel = 'ramLak' | 'soft' | 'bone';

const SOFT_CUTOFF_PER_MM = 0.75;
const BONE_EDGE_LIFT = 0.8;
const BONE_ROLL_OFF_FROM = 0.6;

/** W at a frequency from 0 to `nyquistPerMm`. */
export function kernelWindow(kernel: ReconstructionKernel, frequencyPerMm: number, nyquistPerMm: number): number {
  switch (kernel) {
    case 'ramLak':
      return 1;
    case 'soft':
      return quarterCosineSquared(frequencyPerMm / Math.min(SOFT_CUTOFF_PER_MM, nyquistPerMm));
    case 'bone': {
      const relative = frequencyPerMm / nyquistPerMm;
      const rollOff = quarterCosineSquared((relative - BONE_ROLL_OFF_FROM) / (1 - BONE_ROLL_OFF_FROM));
      return (1 + BONE_EDGE_LIFT * relative * relative) * rollOff;
    }
  }
}

/** 1 up to 0, 0 from 1 on. */
function quarterCosineSquared(x: number): number {
  return x <= 0 ? 1 : x >= 1 ? 0 : Math.cos((Math.PI / 2) * x) ** 2;
}
