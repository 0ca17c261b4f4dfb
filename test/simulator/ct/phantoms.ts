/** Bodies and small scanners for the CT tests. */
import type { CtOptions, FanBeam, ParallelBeam, PixelGrid, ScannedBody } from '../../../simulator/index.js';

/** A fan of the clinical opening with fewer channels and views. */
export const smallFan: FanBeam = {
  kind: 'fan',
  sourceIsocentreMm: 541,
  sourceDetectorMm: 949.075,
  nChannels: 300,
  channelStepRad: 0.95 / 300,
  channelOffset: 0.25,
  nViews: 400,
};

export const smallParallel: ParallelBeam = { kind: 'parallel', nChannels: 300, channelStepMm: 1.6, channelOffset: 0.25, nViews: 400 };

export interface EllipsePart {
  readonly xMm: number;
  readonly yMm: number;
  readonly aMm: number;
  readonly bMm: number;
  readonly angleRad: number;
  /** Added to what lies beneath. */
  readonly value: number;
}

/** The exact integral over the line (theta, t). */
export function lineIntegral({ xMm, yMm, aMm, bMm, angleRad, value }: EllipsePart, thetaRad: number, tMm: number): number {
  const distance = tMm - xMm * Math.cos(thetaRad) - yMm * Math.sin(thetaRad);
  const square = (aMm * Math.cos(thetaRad - angleRad)) ** 2 + (bMm * Math.sin(thetaRad - angleRad)) ** 2;
  return (2 * value * aMm * bMm * Math.sqrt(Math.max(0, square - distance ** 2))) / square;
}

/** Means over pixels, by subsamples. */
export function rasterised(parts: readonly EllipsePart[], grid: PixelGrid, subsamples = 4): Float32Array {
  const image = new Float32Array(grid.rows * grid.columns);
  for (const { xMm, yMm, aMm, bMm, angleRad, value } of parts) {
    const [cos, sin] = [Math.cos(angleRad), Math.sin(angleRad)];
    for (let row = 0; row < grid.rows * subsamples; row++) {
      const v = grid.firstYMm + ((row + 0.5) / subsamples - 0.5) * grid.pixelMm - yMm;
      for (let column = 0; column < grid.columns * subsamples; column++) {
        const u = grid.firstXMm + ((column + 0.5) / subsamples - 0.5) * grid.pixelMm - xMm;
        const inside = ((u * cos + v * sin) / aMm) ** 2 + ((v * cos - u * sin) / bMm) ** 2 <= 1;
        if (inside) image[Math.floor(row / subsamples) * grid.columns + Math.floor(column / subsamples)]! += value / subsamples ** 2;
      }
    }
  }
  return image;
}

/** A grid about the isocentre. */
export function centredGrid(size: number, pixelMm: number): PixelGrid {
  const first = (-(size - 1) / 2) * pixelMm;
  return { rows: size, columns: size, pixelMm, firstXMm: first, firstYMm: first };
}

/** A ball of (HU + 1000) about a point: in every plane a disc. */
export function ball(radiusMm: number, [x, y, z]: readonly [number, number, number] = [0, 0, 0], density = 1000): ScannedBody {
  const bounds = {
    min: [x - radiusMm, y - radiusMm, z - radiusMm] as const,
    max: [x + radiusMm, y + radiusMm, z + radiusMm] as const,
  };
  return {
    bounds,
    paint({ originMm, columnStepMm, rowStepMm, nColumns, nRows }, image, weight) {
      const discMm = Math.sqrt(Math.max(0, radiusMm ** 2 - (originMm[2] - z) ** 2));
      if (discMm === 0) return;
      const part = { xMm: x, yMm: y, aMm: discMm, bMm: discMm, angleRad: 0, value: weight * density };
      const grid = { rows: nRows, columns: nColumns, pixelMm: columnStepMm[0], firstXMm: originMm[0], firstYMm: originMm[1] };
      if (rowStepMm[1] !== columnStepMm[0]) throw new Error('square pixels are expected');
      rasterised([part], grid).forEach((value, pixel) => (image[pixel]! += value));
    },
  };
}

/** A quick scanner: 128 pixels of 2 mm. */
export const smallScan: Partial<CtOptions> = { beam: smallFan, matrix: 128, fovMm: 256, bodyPixelMm: 2, planesPerSlice: 1 };

/** Mean and standard deviation of a square region about a pixel. */
export function regionOf(image: Float32Array, columns: number, column: number, row: number, reach: number): { mean: number; std: number } {
  let [sum, squares, count] = [0, 0, 0];
  for (let r = row - reach; r <= row + reach; r++) {
    for (let c = column - reach; c <= column + reach; c++) {
      const value = image[r * columns + c]!;
      sum += value;
      squares += value * value;
      count++;
    }
  }
  const mean = sum / count;
  return { mean, std: Math.sqrt(squares / count - mean * mean) };
}

/** Muscle in fat in air, as two balls about one centre: (HU + 1000) is added up. */
export const muscleInFat: ScannedBody = {
  bounds: ball(80).bounds,
  paint: (plane, image, weight) => {
    ball(80, [0, 0, 0], 900).paint(plane, image, weight);
    ball(60, [0, 0, 0], 150).paint(plane, image, weight);
  },
};
