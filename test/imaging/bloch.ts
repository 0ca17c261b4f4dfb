/**
 * The Bloch equation, step by step, for a crowd of isochromats: what the signal equations are held against.
 * Pulses are instantaneous rotations; between them each isochromat precesses and relaxes.
 */

/** Magnetisation of each isochromat, [x, y, z]. */
type Crowd = Float64Array[];

export interface Pool {
  readonly t1Ms: number;
  readonly t2Ms: number;
}

/** A fast spin echo with Carr-Purcell-Meiboom-Gill phases, spoiled before the next preparation. */
export interface Train {
  readonly trMs: number;
  readonly echoSpacingMs: number;
  readonly echoTrainLength: number;
  readonly refocusingAngleDeg: number;
  /** A factor on the longitudinal magnetisation, so long before the excitation. */
  readonly preparation?: { readonly residual: number; readonly delayMs: number };
}

const nIsochromats = 64;

/** Echo amplitudes and longitudinal magnetisation at the excitation, after enough repetitions for a steady state. */
export function simulateTrain(pool: Pool, train: Train): { readonly echoes: readonly number[]; readonly atExcitation: number } {
  // Every isochromat winds up by its own angle in half an echo spacing: together they are a voxel under a crusher.
  const windings = Array.from({ length: nIsochromats }, (_, i) => (2 * Math.PI * i) / nIsochromats);
  const crowd: Crowd = windings.map(() => Float64Array.of(0, 0, 1));
  const { residual, delayMs } = train.preparation ?? { residual: 1, delayMs: 0 };
  let echoes: number[] = [];
  let atExcitation = 0;
  for (let repetition = 0; repetition < 30; repetition++) {
    for (const spin of crowd) {
      spin[0] = spin[1] = 0;
      spin[2]! *= residual;
    }
    relax(crowd, delayMs, pool);
    atExcitation = meanOf(crowd, 2);
    for (const spin of crowd) rotateAboutX(spin, Math.PI / 2);
    echoes = [];
    for (let echo = 0; echo < train.echoTrainLength; echo++) {
      precess(crowd, windings, train.echoSpacingMs / 2, pool);
      for (const spin of crowd) rotateAboutY(spin, (train.refocusingAngleDeg * Math.PI) / 180);
      precess(crowd, windings, train.echoSpacingMs / 2, pool);
      echoes.push(Math.hypot(meanOf(crowd, 0), meanOf(crowd, 1)));
    }
    for (const spin of crowd) spin[0] = spin[1] = 0;
    relax(crowd, train.trMs - delayMs - train.echoTrainLength * train.echoSpacingMs, pool);
  }
  return { echoes, atExcitation };
}

/** Spoiled gradient echo: the longitudinal magnetisation that a train of pulses settles at, and the signal it gives. */
export function simulateSpoiledGradientEcho(t1Ms: number, trMs: number, flipAngleDeg: number): number {
  const angle = (flipAngleDeg * Math.PI) / 180;
  let z = 1;
  let signal = 0;
  for (let repetition = 0; repetition < 5000; repetition++) {
    signal = z * Math.sin(angle);
    z = 1 + (z * Math.cos(angle) - 1) * Math.exp(-trMs / t1Ms);
  }
  return signal;
}

function precess(crowd: Crowd, windings: readonly number[], durationMs: number, pool: Pool): void {
  crowd.forEach((spin, i) => {
    const [cosine, sine] = [Math.cos(windings[i]!), Math.sin(windings[i]!)];
    const [x, y] = [spin[0]!, spin[1]!];
    spin[0] = cosine * x - sine * y;
    spin[1] = sine * x + cosine * y;
  });
  relax(crowd, durationMs, pool);
}

function relax(crowd: Crowd, durationMs: number, { t1Ms, t2Ms }: Pool): void {
  const [longitudinal, transverse] = [Math.exp(-durationMs / t1Ms), Math.exp(-durationMs / t2Ms)];
  for (const spin of crowd) {
    spin[0]! *= transverse;
    spin[1]! *= transverse;
    spin[2] = 1 + (spin[2]! - 1) * longitudinal;
  }
}

function rotateAboutX(spin: Float64Array, angle: number): void {
  const [y, z] = [spin[1]!, spin[2]!];
  spin[1] = Math.cos(angle) * y - Math.sin(angle) * z;
  spin[2] = Math.sin(angle) * y + Math.cos(angle) * z;
}

function rotateAboutY(spin: Float64Array, angle: number): void {
  const [x, z] = [spin[0]!, spin[2]!];
  spin[0] = Math.cos(angle) * x + Math.sin(angle) * z;
  spin[2] = -Math.sin(angle) * x + Math.cos(angle) * z;
}

function meanOf(crowd: Crowd, axis: 0 | 1 | 2): number {
  return crowd.reduce((sum, spin) => sum + spin[axis]!, 0) / crowd.length;
}
