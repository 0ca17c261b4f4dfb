/** The pair of golden.json, and what of a result is kept of it. */
import type { SynthesisInput, SynthesisResult, WantedContrast } from '../../synth/index.js';
import { columns, geometry, knowing, rows, scan, sequences, slices } from './phantom.js';

export interface Golden {
  readonly registration: readonly number[];
  readonly light: string;
  readonly reasons: readonly string[];
  /** Features in their order, and the score. */
  readonly gate: readonly (readonly number[])[];
  readonly probes: Readonly<Record<string, readonly number[]>>;
}

const texture = (slice: number, row: number, column: number) => 1 + 0.25 * Math.sin(0.9 * row + 0.4 * slice) * Math.sin(0.7 * column);
const isBlob = (slice: number, row: number, column: number) => slice === 1 && Math.hypot(row - 40, column - 33) < 5;

export function goldenPair(): { input: SynthesisInput; wanted: readonly WantedContrast[]; network: ReturnType<typeof knowing> } {
  const { t1w, t2w, fieldStrengthT } = scan({
    noise: 0.01,
    lnShading: (u, v) => 0.4 * u - 0.2 * v * v,
    change: (series, slice, row, column) => texture(slice, row, column) * (series === 't2w' && isBlob(slice, row, column) ? 1.8 : 1),
  });
  const [x, y, z] = geometry.centreMm;
  const moved = { ...geometry, centreMm: [x, y + 1.6, z - 2.1] as const };
  return {
    input: { t1w: { ...t1w, volume: { ...t1w.volume, geometry: moved }, relativeScale: 2 }, t2w: { ...t2w, relativeScale: 1 }, fieldStrengthT },
    wanted: [{ contrast: 'stir', sequence: sequences.stir }, { contrast: 't2fs', sequence: sequences.t2w }],
    network: knowing(1.5, { common: 0.03, explains: true }),
  };
}

/** Every 397th voxel of all that is delivered. */
export function probesOf({ series, fatFraction, pairResidual }: SynthesisResult): Record<string, number[]> {
  const some = (data: Float32Array) => Array.from({ length: Math.floor((rows * columns * slices) / 397) }, (_, k) => data[397 * k]!);
  return Object.fromEntries([
    ...series.flatMap(({ contrast, volume, low, high }) => [[contrast, some(volume.data)], [`${contrast} low`, some(low)], [`${contrast} high`, some(high)]] as const),
    ['fatFraction', some(fatFraction.data)], ['pairResidual', some(pairResidual.data)],
  ]);
}
