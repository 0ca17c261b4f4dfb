import { describe, expect, it } from 'vitest';
import {
  cosineEdgeMm, cuboid, ellipsoid, moved, paintChannels, paintLabels, paintShares, placed, type Anatomy, type Frame, type Plane, type Structure,
} from '../../../simulator/index.js';

const plane = (pixelMm: number, extentMm = 60): Plane => {
  const n = Math.round(extentMm / pixelMm);
  const first = -(n - 1) / 2 * pixelMm;
  return { originMm: [first, first, 0], columnStepMm: [pixelMm, 0, 0], rowStepMm: [0, pixelMm, 0], nColumns: n, nRows: n };
};
const anatomy = (...structures: Structure[]): Anatomy => ({ structures, tissues: new Map() });
const paint = (structures: Structure[], at: Plane, coefficients: Record<string, number[]>): Float32Array => {
  const channel = new Float32Array(at.nColumns * at.nRows);
  paintChannels(anatomy(...structures), at, new Map(Object.entries(coefficients)), [channel], 1);
  return channel;
};
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

describe('paintChannels', () => {
  it.each([0.5, 1, 2])('gives an ellipse its area at %s mm', (pixelMm) => {
    const image = paint([{ name: 'e', solid: ellipsoid([21.3, 12.7, 9]), tissue: 'a' }], plane(pixelMm), { a: [2] });
    const area = Math.PI * 21.3 * 12.7;
    expect(Math.abs((sum(image) * pixelMm ** 2) / 2 / area - 1)).toBeLessThan(2e-3 * pixelMm);
  });

  it('finds the centroid of a turned body off the grid', () => {
    const frame: Frame = { originMm: [5.3, -3.7, 0], x: [0.8, 0.6, 0], y: [-0.6, 0.8, 0], z: [0, 0, 1] };
    const at = plane(0.7);
    const image = paint([{ name: 'b', solid: placed(frame, cuboid([11, 5, 4], 1)), tissue: 'a' }], at, { a: [1] });
    let [x, y] = [0, 0];
    image.forEach((value, pixel) => {
      x += value * (at.originMm[0] + (pixel % at.nColumns) * 0.7);
      y += value * (at.originMm[1] + Math.floor(pixel / at.nColumns) * 0.7);
    });
    expect(x / sum(image)).toBeCloseTo(5.3, 2);
    expect(y / sum(image)).toBeCloseTo(-3.7, 2);
  });

  it('is the mean over each pixel, against subsamples', () => {
    const outer: Structure = { name: 'o', solid: ellipsoid([20, 15, 10]), tissue: 'a' };
    const inner: Structure = { name: 'i', solid: moved([4, 2, 0], ellipsoid([7, 9, 10])), tissue: 'b' };
    const coefficients = { a: [1], b: [-3] };
    const coarse = paint([outer, inner], plane(1), coefficients);
    const fine = paint([outer, inner], plane(0.1), coefficients);
    let worst = 0;
    for (let row = 0; row < 60; row++) {
      for (let column = 0; column < 60; column++) {
        let mean = 0;
        for (let r = 0; r < 10; r++) for (let c = 0; c < 10; c++) mean += fine[(row * 10 + r) * 600 + column * 10 + c]! / 100;
        worst = Math.max(worst, Math.abs(mean - coarse[row * 60 + column]!));
      }
    }
    expect(worst).toBeLessThan(0.25);
    // Of 1535 in all, inner and outer steps counted by their size.
    expect(Math.abs(sum(coarse) - sum(fine) / 100)).toBeLessThan(3);
  });

  it('lets later structures hide earlier ones and faint ones shine through', () => {
    const all = cuboid([50, 50, 5]);
    const at = plane(2);
    const middle = (at.nRows / 2) * at.nColumns + at.nColumns / 2;
    const coefficients = { a: [1], b: [5] };
    expect(paint([{ name: 'a', solid: all, tissue: 'a' }, { name: 'b', solid: all, tissue: 'b' }], at, coefficients)[middle]).toBe(5);
    const faint = paint([{ name: 'a', solid: all, tissue: 'a' }, { name: 'b', solid: all, tissue: 'b', opacity: 0.25 }], at, coefficients);
    expect(faint[middle]).toBeCloseTo(2, 6);
  });

  it('mixes textures in the given share', () => {
    const textured: Structure = {
      name: 't', solid: cuboid([40, 40, 5]), tissue: 'a',
      texture: { tissue: 'b', mean: 0.4, amplitude: 0.1, scaleMm: [2, 2, 2], seed: 3 },
    };
    const image = paint([textured], plane(0.5), { a: [0], b: [1] });
    const mean = sum(image) / image.length;
    const deviation = Math.sqrt(sum(image.map((value) => (value - mean) ** 2)) / image.length);
    expect(mean).toBeCloseTo(0.4, 1);
    expect(deviation).toBeGreaterThan(0.07);
    expect(deviation).toBeLessThan(0.13);
  });

  it('adds up planes by their weights and channels by their coefficients', () => {
    const at = plane(1);
    const structures = anatomy({ name: 'e', solid: ellipsoid([10, 10, 10]), tissue: 'a' });
    const channels = [new Float32Array(3600), new Float32Array(3600)];
    for (const weight of [0.25, 0.75]) paintChannels(structures, at, new Map([['a', [2, 3]]]), channels, weight);
    const middle = 30 * 60 + 30;
    expect(channels.map((channel) => channel[middle])).toEqual([2, 3]);
  });

  it('refuses planes that are none', () => {
    const none = anatomy();
    expect(() => paintLabels(none, { ...plane(1), nColumns: 0 })).toThrow(/SIM_ERR_PLANE/);
    expect(() => paintLabels(none, { ...plane(1), rowStepMm: [1, 0, 0] })).toThrow(/SIM_ERR_PLANE/);
    expect(() => paintLabels(none, { ...plane(1), nColumns: 1e5, nRows: 1e5 })).toThrow(/SIM_ERR_PLANE/);
    expect(() => paintChannels(none, plane(1), new Map(), [new Float32Array(5)], 1)).toThrow(/SIM_ERR_PLANE/);
  });
});

describe('paintLabels', () => {
  it('hides lesions under what is labelled, not under what is not', () => {
    const layers: Anatomy = {
      tissues: new Map(),
      structures: [
        { name: 'body', solid: cuboid([20, 20, 20]), tissue: 'a', label: 1 },
        { name: 'lesion', solid: cuboid([10, 10, 10]), tissue: 'c', lesion: 2 },
        { name: 'cover', solid: moved([8, 0, 0], cuboid([5, 20, 20])), tissue: 'b', label: 3 },
        { name: 'veil', solid: moved([-8, 0, 0], cuboid([5, 20, 20])), tissue: 'b' },
      ],
    };
    const { labels, lesions } = paintLabels(layers, { originMm: [-9.5, 0, 0], columnStepMm: [1, 0, 0], rowStepMm: [0, 1, 0], nColumns: 20, nRows: 1 });
    expect([...lesions]).toEqual([...labels].map((label, column) => (label === 1 && Math.abs(column - 9.5) < 10 ? 2 : 0)));
    expect(new Set(labels)).toEqual(new Set([1, 3]));
    expect(lesions.filter((code) => code === 2).length).toBe(13);
  });

  it('tells the topmost label and lesion at each pixel centre, whatever the grid', () => {
    const structures = anatomy(
      { name: 'body', solid: cuboid([20, 20, 20]), tissue: 'a', label: 7 },
      { name: 'unlabelled', solid: cuboid([15, 15, 20]), tissue: 'b' },
      { name: 'core', solid: ellipsoid([10, 10, 10]), tissue: 'a', label: 9 },
      { name: 'lesion', solid: moved([12, 0, 0], ellipsoid([5, 5, 5])), tissue: 'c', lesion: 2 },
      { name: 'faint', solid: cuboid([20, 20, 20]), tissue: 'c', lesion: 3, opacity: 0.3 },
    );
    for (const pixelMm of [0.5, 1.5]) {
      const at = plane(pixelMm);
      const { labels, lesions } = paintLabels(structures, at);
      for (let pixel = 0; pixel < labels.length; pixel++) {
        const x = at.originMm[0] + (pixel % at.nColumns) * pixelMm;
        const y = at.originMm[1] + Math.floor(pixel / at.nColumns) * pixelMm;
        const expected = Math.hypot(x, y) < 10 - 1e-6 ? 9 : Math.abs(x) < 20 && Math.abs(y) < 20 ? 7 : 0;
        if (Math.abs(Math.hypot(x, y) - 10) > 1e-6) expect(labels[pixel]).toBe(expected);
        if (Math.abs(Math.hypot(x - 12, y) - 5) > 1e-6) expect(lesions[pixel]).toBe(Math.hypot(x - 12, y) < 5 ? 2 : 0);
      }
    }
  });
});

describe('a cosine edge', () => {
  it('covers a half at the surface, nothing a pixel away, and as much in all as a box', () => {
    const slab = { structures: [{ name: 'a', solid: cuboid([4.3, 50, 50]), tissue: 'a' }], tissues: new Map() };
    const line = { originMm: [-10.2, 0, 0] as const, columnStepMm: [0.4, 0, 0] as const, rowStepMm: [0, 0.4, 0] as const, nColumns: 52, nRows: 1 };
    const painted = (['box', 'cosine'] as const).map((edge) => {
      const values = new Float32Array(52);
      paintChannels(slab, line, new Map([['a', [1]]]), [values], 1, edge);
      return values;
    });
    const [box, cosine] = painted as [Float32Array, Float32Array];
    expect(sum(cosine)).toBeCloseTo(sum(box), 3);
    expect(sum(cosine) * 0.4).toBeCloseTo(8.6, 2);
    cosine.forEach((value, column) => {
      const distance = Math.abs(-10.2 + 0.4 * column) - 4.3;
      if (distance >= cosineEdgeMm(line) / 2) expect(value).toBe(0);
      if (distance <= -cosineEdgeMm(line) / 2) expect(value).toBe(1);
    });
  });
});

describe('paintShares', () => {
  it('gives what paintChannels paints once its shares are weighed', () => {
    const textured: Structure = {
      name: 't', solid: cuboid([20, 14, 5]), tissue: 'a', opacity: 0.7,
      texture: { tissue: 'b', mean: 0.4, amplitude: 0.1, scaleMm: [2, 2, 2], seed: 3 },
    };
    const structures: Structure[] = [{ name: 'o', solid: ellipsoid([25, 20, 10]), tissue: 'c', edgeMm: 3 }, textured];
    const coefficients = { a: 2, b: -3, c: 5 };
    const at = plane(1);
    const weighed = new Float32Array(at.nColumns * at.nRows);
    paintShares(anatomy(...structures), at, (tissue) => (pixel, share) => {
      weighed[pixel]! += share * coefficients[tissue as 'a'];
    });
    const painted = paint(structures, at, { a: [2], b: [-3], c: [5] });
    expect(Math.max(...painted)).toBeGreaterThan(3);
    painted.forEach((value, pixel) => {
      expect(weighed[pixel]).toBeCloseTo(value, 5);
    });
  });
});
