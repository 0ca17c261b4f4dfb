/** Saturation bands over random tissue, three kinds of it with fat everywhere among them. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../simulator/index.js';
import { findSaturation, saturationGains, type SaturationEdge } from '../../synth/saturation.js';
import { estimateShading } from '../../synth/shading.js';

const stack = { slices: 5, rows: 200, columns: 200, pixelMm: 1 };
const nPixels = stack.rows * stack.columns;
/** Fat, muscle, marrow: signals in T1w and T2w. */
const tissues = [[1, 0.8], [0.35, 0.3], [0.6, 0.5]] as const;

/** Patches of 7 mm, a smooth field that halves along the columns, and what the bands leave. */
function pair(edges: readonly SaturationEdge[]): { t1w: Float32Array; t2w: Float32Array } {
  const random = new Random(5);
  const gains = saturationGains(edges, stack);
  const images = { t1w: new Float32Array(stack.slices * nPixels), t2w: new Float32Array(stack.slices * nPixels) };
  for (let slice = 0; slice < stack.slices; slice++) {
    const patches = Array.from({ length: 30 * 30 }, () => tissues[Math.floor(3 * random.uniform())]!);
    for (let pixel = 0; pixel < nPixels; pixel++) {
      const [row, column] = [Math.floor(pixel / stack.columns), pixel % stack.columns];
      const [t1w, t2w] = patches[Math.floor(row / 7) * 30 + Math.floor(column / 7)]!;
      const gain = gains[pixel]! * Math.exp((-0.7 * column) / stack.columns);
      images.t1w[slice * nPixels + pixel] = 300 * gain * t1w;
      images.t2w[slice * nPixels + pixel] = 900 * gain * t2w;
    }
  }
  return images;
}

const degrees = (angle: number): [number, number] => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
const anterior: SaturationEdge = { normal: [-1, 0], placeMm: 40, widthMm: 10, efficiency: 0.8 };

describe('a saturation band', () => {
  it.each([
    ['before the spine', anterior],
    ['on the other side', { ...anterior, normal: [1, 0] as const, placeMm: 30 }],
    ['along rows, as in axial slices', { ...anterior, normal: [0, -1] as const, placeMm: 35, efficiency: 0.9 }],
    ['tilted by 12 degrees', { ...anterior, normal: degrees(192) }],
  ])('is found %s, with how much it takes', (_, edge) => {
    const { t1w, t2w } = pair([edge]);
    const found = findSaturation(t1w, t2w, stack);
    expect(found).toHaveLength(1);
    expect(found[0]!.normal[0] * edge.normal[0] + found[0]!.normal[1] * edge.normal[1]).toBeGreaterThan(Math.cos((3 * Math.PI) / 180));
    expect(Math.abs(found[0]!.placeMm - edge.placeMm)).toBeLessThan(1.5);
    expect(Math.abs(Math.log((1 - found[0]!.efficiency) / (1 - edge.efficiency)))).toBeLessThan(0.15);
  });

  it('has two edges where both are seen', () => {
    const edges: SaturationEdge[] = [{ ...anterior, placeMm: 10 }, { ...anterior, normal: [1, 0], placeMm: 60 }];
    const { t1w, t2w } = pair(edges);
    expect(findSaturation(t1w, t2w, stack)).toHaveLength(2);
  });

  it.each([0, 0.4])('is none where %d of the signal is taken', (efficiency) => {
    const { t1w, t2w } = pair([{ ...anterior, efficiency }]);
    expect(findSaturation(t1w, t2w, stack)).toEqual([]);
  });

  it('is none where there is no signal, or in one slice alone', () => {
    expect(findSaturation(new Float32Array(5 * nPixels), new Float32Array(5 * nPixels), stack)).toEqual([]);
    const [{ t1w, t2w }, even] = [pair([anterior]), pair([])];
    t1w.set(even.t1w.subarray(nPixels), nPixels);
    t2w.set(even.t2w.subarray(nPixels), nPixels);
    expect(findSaturation(t1w, t2w, stack)).toEqual([]);
  });

  it('is part of the shading that is taken off', () => {
    const { t1w, t2w } = pair([anterior]);
    const even = pair([]);
    const [found, without] = [estimateShading(t1w, t2w, stack.rows, stack.columns, stack.pixelMm), estimateShading(even.t1w, even.t2w, stack.rows, stack.columns, stack.pixelMm)];
    const gains = saturationGains([anterior], stack);
    const off = found.field.map((value, pixel) => Math.abs(Math.log(value / (without.field[pixel]! * gains[pixel]!)))).sort();
    expect(off[Math.floor(0.95 * off.length)]).toBeLessThan(0.2);
    expect(found.means[0] / without.means[0]).toBeCloseTo(1, 1);
  });
});
