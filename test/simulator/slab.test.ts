import { describe, expect, it } from 'vitest';
import { hasFlag, parseHeader, serializeHeader } from 'ismrmrd';
import {
  coilKspace3d,
  ellipsoidsOnLattice,
  ellipsoidSpine,
  fitSensitivities,
  referenceImage,
  sensitivitiesAt,
  SimulatedScan,
  slabProfile,
  slabProfileAt,
  torsoArray,
  type ScanOptions,
  type WeightedEllipsoid,
} from '../../simulator/index.js';

const upTo = (n: number) => Array.from({ length: n }, (_, index) => index);
const oblique: WeightedEllipsoid = {
  shape: {
    centreMm: [7, -4, 3],
    semiAxesMm: [20, 9, 12],
    axes: [[0.6, 0.8, 0], [-0.64, 0.48, 0.6], [0.48, -0.36, 0.8]],
  },
  weight: 2,
};

/** Integral over an ellipsoid by brute force: f at midpoints of a fine grid. */
function integrate({ shape, weight }: WeightedEllipsoid, stepMm: number, f: (r: readonly [number, number, number]) => [number, number]) {
  const { centreMm, semiAxesMm, axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]] } = shape;
  const n = Math.ceil(Math.max(...semiAxesMm) / stepMm);
  let [re, im] = [0, 0];
  for (let i = -n; i <= n; i++) for (let j = -n; j <= n; j++) for (let l = -n; l <= n; l++) {
    const r = [i * stepMm, j * stepMm, l * stepMm] as const;
    const inside = axes.reduce((sum, axis, d) => sum + ((r[0] * axis[0]! + r[1] * axis[1]! + r[2] * axis[2]!) / semiAxesMm[d]!) ** 2, 0) <= 1;
    if (!inside) continue;
    const [a, b] = f([r[0] + centreMm[0], r[1] + centreMm[1], r[2] + centreMm[2]]);
    re += a;
    im += b;
  }
  return [re * stepMm ** 3 * weight, im * stepMm ** 3 * weight] as const;
}

describe('transform of ellipsoids', () => {
  const lattice = { stepU: 0.008, stepV: 0.007, stepW: 0.011, halfU: 3, halfV: 2, halfW: 2 };
  const values = ellipsoidsOnLattice([oblique], lattice);
  const at = (i: number, j: number, l: number) => {
    const index = 2 * (((l + 2) * 5 + j + 2) * 7 + i + 3);
    return [values[index]!, values[index + 1]!] as const;
  };

  it('is the integral, tilted as they are', () => {
    const volume = (4 / 3) * Math.PI * 20 * 9 * 12 * 2;
    expect(at(0, 0, 0)[0]).toBeCloseTo(volume, 6);
    for (const [i, j, l] of [[1, 0, 0], [-3, 2, 1], [2, -1, -2], [0, 0, 1], [3, 2, 2]] as const) {
      const wanted = integrate(oblique, 0.5, ([u, v, w]) => {
        const angle = -2 * Math.PI * (i * 0.008 * u + j * 0.007 * v + l * 0.011 * w);
        return [Math.cos(angle), Math.sin(angle)];
      });
      expect(Math.hypot(at(i, j, l)[0] - wanted[0], at(i, j, l)[1] - wanted[1]) / volume).toBeLessThan(2e-3);
    }
  });

  it('is symmetric as that of a real object', () => {
    for (const [i, j, l] of [[1, 2, 0], [3, -1, 2], [0, 0, 1], [2, 0, 0]] as const) {
      expect(at(-i, -j, -l)[0]).toBeCloseTo(at(i, j, l)[0], 9);
      expect(at(-i, -j, -l)[1]).toBeCloseTo(-at(i, j, l)[1], 9);
    }
  });

  it('refuses a flat one', () => {
    expect(() => ellipsoidsOnLattice([{ shape: { centreMm: [0, 0, 0], semiAxesMm: [1, 0, 1] }, weight: 1 }], lattice)).toThrow('SIM_ERR_SHAPE');
  });

  it('lesions and all lie in the body', () => {
    const spine = ellipsoidSpine();
    const [body] = spine;
    for (const { shape: { centreMm, semiAxesMm } } of spine.slice(1)) {
      // Farther than its largest extent from the surface along each axis: coarse, but enough here.
      const reach = centreMm.map((c, d) => (Math.abs(c) + (d === 1 ? semiAxesMm[1] : semiAxesMm[d]!)) / body!.shape.semiAxesMm[d]!);
      expect(Math.hypot(...reach)).toBeLessThan(1.25);
    }
  });
});

describe('the slab profile', () => {
  const profile = slabProfile(60, 160);

  it('is 1 inside, one half at the edge, and 0 outside', () => {
    expect(slabProfileAt(profile, 0)).toBeCloseTo(1, 4);
    expect(slabProfileAt(profile, 20)).toBeCloseTo(1, 2);
    expect(slabProfileAt(profile, 30)).toBeCloseTo(0.5, 4);
    expect(Math.abs(slabProfileAt(profile, 45))).toBeLessThan(1e-4);
    expect(Math.abs(slabProfileAt(profile, 80))).toBeLessThan(1e-4);
  });
});

describe('k-space of a slab', () => {
  const [fovMm, matrix] = [[160, 180], [12, 10]] as const;
  const partitions = { nPixels: 8, fovMm: 64, encodedFovMm: 64, nLines: 8, firstLine: 0, endLine: 8 };
  const sampling = { matrix, fovMm, readoutOversampling: 2, partitions } as const;
  const coils = fitSensitivities(torsoArray(2, [100, 120]), {
    periodMm: [320, 360], bodyMm: [100, 120], offMidlineMm: 0, nHarmonics: 3,
    across: { nHarmonics: 2, periodMm: 128, extentMm: 70 },
  });

  it('is the integral of object, profile and sensitivity', () => {
    const profile = slabProfile(20, 128);
    const kspace = coilKspace3d([oblique], coils, sampling, profile);
    const scale = (12 * 10 * 8) / (160 * 180 * 64 * Math.sqrt(24 * 10 * 8));
    const largest = kspace.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [coil, partition, line, sample] of [[0, 4, 5, 12], [1, 3, 6, 14], [0, 6, 2, 9]] as const) {
      const wanted = integrate(oblique, 0.5, ([u, v, w]) => {
        const s = sensitivitiesAt(coils, [[u, v, w]]);
        const angle = -2 * Math.PI * (((sample - 12) * u) / 320 + ((line - 5) * v) / 180 + ((partition - 4) * w) / 64);
        const excited = slabProfileAt(profile, w);
        const [re, im] = [s[2 * coil]! * excited, s[2 * coil + 1]! * excited];
        return [re * Math.cos(angle) - im * Math.sin(angle), re * Math.sin(angle) + im * Math.cos(angle)];
      });
      const index = 2 * (((coil * 8 + partition) * 10 + line) * 24 + sample);
      expect(Math.hypot(kspace[index]! - wanted[0] * scale, kspace[index + 1]! - wanted[1] * scale) / largest).toBeLessThan(2e-3);
    }
  }, 20_000);

  it('has sensitivities that follow the loops across the slab', () => {
    const values = sensitivitiesAt(coils, [[20, 10, -25], [20, 10, 25]]);
    // The loops lie right and left of the midline: one is nearer on one side, one on the other.
    const size = (coil: number, point: number) => Math.hypot(values[2 * (2 * coil + point)]!, values[2 * (2 * coil + point) + 1]!);
    expect((size(0, 0) - size(0, 1)) * (size(1, 0) - size(1, 1))).toBeLessThan(0);
  });
});

describe('a 3D scan', () => {
  const nCoils = 2;
  const options: Partial<ScanOptions> = { matrix: [24, 20], nPartitions: 8, nCoils, noiseStd: 0, calibrationLines: 6, calibrationPartitions: 4 };
  const scan = (more: Partial<ScanOptions> = {}) => new SimulatedScan({ ...options, ...more });
  const headersOf = (more: Partial<ScanOptions>) =>
    [...scan(more).messages()].flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition.header] : []));

  it('announces its partitions', () => {
    const encoding = parseHeader(serializeHeader(scan({ partitionOversampling: 0.25, partitionPartialFourier: 0.75, partialFourier: 0.75 }).header)).encoding[0]!;
    expect(encoding.encodedSpace).toMatchObject({ matrixSize: { x: 48, y: 20, z: 10 }, fieldOfView_mm: { z: 40 } });
    expect(encoding.reconSpace).toMatchObject({ matrixSize: { x: 24, y: 20, z: 8 }, fieldOfView_mm: { z: 32 } });
    expect(encoding.encodingLimits.kspace_encoding_step_1).toEqual({ minimum: 0, maximum: 14, center: 5 });
    expect(encoding.encodingLimits.kspace_encoding_step_2).toEqual({ minimum: 0, maximum: 7, center: 3 });
  });

  it('R = 2 x 2: the lattice in both directions and the block in the middle', () => {
    const headers = headersOf({ acceleration: 2, partitionAcceleration: 2 });
    const inBlock = (line: number, partition: number) => line >= 7 && line < 13 && partition >= 2 && partition < 6;
    const onLattice = (line: number, partition: number) => line % 2 === 0 && partition % 2 === 0;
    const wanted = upTo(8).flatMap((partition) => upTo(20).map((line) => [partition, line] as const))
      .filter(([partition, line]) => onLattice(line, partition) || inBlock(line, partition));
    expect(headers.map(({ idx }) => [idx.kspaceEncodeStep2, idx.kspaceEncodeStep1])).toEqual(wanted);
    for (const { idx, flags } of headers) {
      const [line, partition] = [idx.kspaceEncodeStep1, idx.kspaceEncodeStep2];
      expect(hasFlag(flags, 'parallelCalibration')).toBe(inBlock(line, partition) && !onLattice(line, partition));
      expect(hasFlag(flags, 'parallelCalibrationAndImaging')).toBe(inBlock(line, partition) && onLattice(line, partition));
    }
  });

  it('partial Fourier in both directions: lines of the whole k-space', () => {
    const whole = scan().kspace(0);
    for (const message of scan({ partialFourier: 0.75, partitionPartialFourier: 0.75 }).messages()) {
      if (message.kind !== 'acquisition') continue;
      const { header: { idx }, data } = message.acquisition;
      const from = 2 * 48 * ((idx.kspaceEncodeStep2 + 2) * 20 + idx.kspaceEncodeStep1 + 5);
      expect(data.subarray(0, 96)).toEqual(whole.subarray(from, from + 96));
    }
  });

  it('begins and ends once', () => {
    const headers = headersOf({});
    expect(headers).toHaveLength(160);
    expect(headers.filter(({ flags }) => hasFlag(flags, 'firstInSlice'))).toEqual([headers[0]]);
    expect(headers.filter(({ flags }) => hasFlag(flags, 'lastInSlice'))).toEqual([headers[159]]);
  });

  it('reconstructs to the excited ellipsoids: dark outside, the sac brightest', () => {
    const simulated = scan({ matrix: [40, 48], nPartitions: 10, sliceThicknessMm: 8 });
    const image = referenceImage(simulated.kspace(0), nCoils, simulated.sampling);
    expect(image).toHaveLength(10 * 48 * 40);
    const middle = image.subarray(5 * 48 * 40, 6 * 48 * 40);
    // Pixel floor(N / 2) is the origin; 7.5 x 6.25 mm a pixel.
    const at = (u: number, v: number) => middle[Math.round(24 + v / 6.25) * 40 + Math.round(20 + u / 7.5)]!;
    expect(at(140, 0)).toBeLessThan(0.1 * at(28, 60));
    expect(at(28, 60)).toBeGreaterThan(1.5 * at(-50, 0));
  });

  it('refuses several slabs', () => {
    expect(() => scan({ nSlices: 2 })).toThrow('SIM_ERR_OPTION');
  });
});
