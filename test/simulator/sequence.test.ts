import { describe, expect, it } from 'vitest';
import { hasFlag, parseHeader, serializeHeader, type Acquisition } from 'ismrmrd';
import { referenceImage, SimulatedScan, variableDensityLines, type ScanOptions } from '../../simulator/index.js';

const [columns, rows, nCoils] = [24, 20, 3];
const scan = (options: Partial<ScanOptions> = {}) =>
  new SimulatedScan({ matrix: [columns, rows], nCoils, calibrationLines: 6, noiseStd: 0, ...options });
const acquisitionsOf = (simulated: SimulatedScan): Acquisition[] =>
  [...simulated.messages()].flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : []));
const headersOf = (options: Partial<ScanOptions>) => acquisitionsOf(scan(options)).map(({ header }) => header);
const encodingOf = (options: Partial<ScanOptions>) => parseHeader(serializeHeader(scan(options).header)).encoding[0]!;
const linesOf = (options: Partial<ScanOptions>) => headersOf(options).map(({ idx }) => idx.kspaceEncodeStep1);
const upTo = (n: number) => Array.from({ length: n }, (_, index) => index);
/** Complex numbers [channel, line, sample] at one place of k-space. */
const at = (kspace: Float32Array, nLines: number, nSamples: number, channel: number, line: number, sample: number) => {
  const index = 2 * ((channel * nLines + line) * nSamples + sample);
  return [kspace[index]!, kspace[index + 1]!] as const;
};
const largestOf = (kspace: Float32Array) => kspace.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
/** The readouts put where their counters say, zeros elsewhere: [coil, (partition,) line, sample]. */
function assembled(simulated: SimulatedScan): Float32Array {
  const { encodedSpace: { matrixSize }, encodingLimits: limits } = simulated.header.encoding[0]!;
  const kspace = new Float32Array(2 * nCoils * matrixSize.x * matrixSize.y * matrixSize.z);
  const offset = (n: number, limit: { center: number } | undefined) => Math.floor(n / 2) - limit!.center;
  for (const { header: { idx, nSamples }, data } of acquisitionsOf(simulated)) {
    const line = idx.kspaceEncodeStep1 + offset(matrixSize.y, limits.kspace_encoding_step_1);
    const partition = idx.kspaceEncodeStep2 + offset(matrixSize.z, limits.kspace_encoding_step_2);
    for (let coil = 0; coil < nCoils; coil++) {
      const to = ((coil * matrixSize.z + partition) * matrixSize.y + line) * nSamples;
      kspace.set(data.subarray(2 * coil * nSamples, 2 * (coil + 1) * nSamples), 2 * to);
    }
  }
  return kspace;
}

describe('partial Fourier', () => {
  it('leaves out the beginning; counters start at 0 and the limits name the true centre', () => {
    const options = { partialFourier: 0.75 };
    expect(linesOf(options)).toEqual(upTo(15));
    expect(encodingOf(options).encodedSpace.matrixSize.y).toBe(20);
    expect(encodingOf(options).encodingLimits.kspace_encoding_step_1).toEqual({ minimum: 0, maximum: 14, center: 5 });
  });

  it('or the end', () => {
    const options = { partialFourier: 0.75, partialFourierSide: 'end' } as const;
    expect(linesOf(options)).toEqual(upTo(15));
    expect(encodingOf(options).encodingLimits.kspace_encoding_step_1).toEqual({ minimum: 0, maximum: 14, center: 10 });
  });

  it.each(['start', 'end'] as const)('(%s left out) the lines are those of the whole k-space', (partialFourierSide) => {
    const whole = scan().kspace(0);
    const partial = scan({ partialFourier: 0.75, partialFourierSide });
    const first = partialFourierSide === 'start' ? 5 : 0;
    for (const { header, data } of acquisitionsOf(partial)) {
      const from = 2 * 48 * (header.idx.kspaceEncodeStep1 + first);
      expect(data.subarray(0, 96)).toEqual(whole.subarray(from, from + 96));
    }
  });

  it('with acceleration keeps the centre line on the lattice, and the calibration lines', () => {
    const headers = headersOf({ partialFourier: 0.75, acceleration: 2, calibrationLines: 6 });
    expect(headers.filter(({ flags }) => hasFlag(flags, 'parallelCalibrationAndImaging')).map(({ idx }) => idx.kspaceEncodeStep1)).toEqual([3, 5, 7]);
    expect(headers.filter(({ flags }) => hasFlag(flags, 'parallelCalibration')).map(({ idx }) => idx.kspaceEncodeStep1)).toEqual([2, 4, 6]);
  });

  it('never loses the centre line', () => {
    const { maximum, center } = encodingOf({ partialFourier: 0.5, matrix: [24, 21] }).encodingLimits.kspace_encoding_step_1!;
    expect(center).toBeLessThanOrEqual(maximum);
  });

  it('tells the centre in the user counters where Siemens does', () => {
    for (const { idx } of headersOf({ partialFourier: 0.75, centreInUserCounters: true })) {
      expect(idx.user.slice(5, 7)).toEqual([5, 0]);
    }
  });
});

describe('field of view and resolution along the phase encoding', () => {
  it('oversampling: more lines over a wider field of view, every n-th of them as without', () => {
    const wide = scan({ phaseOversampling: 1 });
    const encoding = encodingOf({ phaseOversampling: 1 });
    expect(encoding.encodedSpace).toMatchObject({ matrixSize: { y: 40 }, fieldOfView_mm: { y: 600 } });
    expect(encoding.reconSpace).toMatchObject({ matrixSize: { y: 20 }, fieldOfView_mm: { y: 300 } });
    // With flat coils the two differ by their scale alone; the array's series have different periods.
    const [a, b] = [wide.kspace(0), scan().kspace(0)];
    const [error, largest] = [Math.abs(at(a, 40, 48, 0, 20, 24)[0] * Math.SQRT2 - at(b, 20, 48, 0, 10, 24)[0]), largestOf(b)];
    expect(error / largest).toBeLessThan(0.02);
  });

  it('whole pixels of oversampling where the share is odd', () => {
    const { encodedSpace, reconSpace } = encodingOf({ phaseOversampling: 0.33 });
    expect(encodedSpace.matrixSize.y).toBe(27);
    expect((encodedSpace.fieldOfView_mm.y / reconSpace.fieldOfView_mm.y) * 20).toBeCloseTo(27, 9);
  });

  it('oversampled, the image is the same: what is cropped away was air', () => {
    const [plain, wide] = [scan({ matrix: [48, 40] }), scan({ matrix: [48, 40], phaseOversampling: 0.5 })];
    const [a, b] = [plain, wide].map((s) => referenceImage(s.kspace(0), nCoils, s.sampling));
    const largest = largestOf(a!);
    const error = Math.sqrt(a!.reduce((sum, value, i) => sum + (value - b![i]!) ** 2, 0) / a!.length);
    expect(error / largest).toBeLessThan(0.03);
  });

  it('resolution: the central lines of the same k-space, larger as fewer are summed', () => {
    const encoding = encodingOf({ phaseResolution: 0.75 });
    expect(encoding.encodedSpace).toMatchObject({ matrixSize: { y: 15 }, fieldOfView_mm: { y: 300 } });
    expect(encoding.reconSpace.matrixSize.y).toBe(20);
    const [coarse, fine] = [scan({ phaseResolution: 0.75 }).kspace(0), scan().kspace(0)];
    for (const [coil, line, sample] of [[0, 7, 24], [1, 0, 3], [2, 14, 40]] as const) {
      const [got, wanted] = [at(coarse, 15, 48, coil, line, sample), at(fine, 20, 48, coil, line + 3, sample)];
      expect(got[0]).toBeCloseTo(wanted[0] * Math.sqrt(15 / 20), 5);
      expect(got[1]).toBeCloseTo(wanted[1] * Math.sqrt(15 / 20), 5);
    }
  });

  it('a rectangular field of view smaller than the body folds: line n is line 4n/3 of the square one', () => {
    const options = { matrix: [24, 16], fovMm: [300, 225] } as const;
    expect(encodingOf(options).encodedSpace).toMatchObject({ matrixSize: { x: 48, y: 16 }, fieldOfView_mm: { x: 600, y: 225 } });
    // The series has the period 2 * 225 in one and 2 * 300 in the other: equal up to the fit.
    const [small, square] = [scan(options).kspace(0), scan({ matrix: [24, 20] }).kspace(0)];
    const ratio = at(small, 16, 48, 1, 8, 24)[0] / at(square, 20, 48, 1, 10, 24)[0];
    const scale = (16 / 225 / Math.sqrt(16)) / (20 / 300 / Math.sqrt(20));
    expect(ratio / scale).toBeCloseTo(1, 1);
  });

  it('interpolation: the same lines; every other pixel of the image is one of the plain image', () => {
    const [plain, fine] = [scan(), scan({ interpolation: 2 })];
    expect(encodingOf({ interpolation: 2 }).reconSpace.matrixSize).toMatchObject({ x: 48, y: 40 });
    expect(encodingOf({ interpolation: 2 }).encodedSpace).toEqual(encodingOf({}).encodedSpace);
    expect(fine.kspace(0)).toEqual(plain.kspace(0));
    const [a, b] = [plain, fine].map((s) => referenceImage(s.kspace(0), nCoils, s.sampling));
    const largest = largestOf(a!);
    for (const row of upTo(rows)) {
      for (const column of upTo(columns)) {
        // An orthonormal transform of four times as many pixels: half as large.
        expect(Math.abs(2 * b![2 * row * 48 + 2 * column]! - a![row * columns + column]!) / largest).toBeLessThan(1e-5);
      }
    }
  });

  it('fully sampled, the assembled stream gives the truth', () => {
    for (const options of [{}, { phaseOversampling: 0.2, phaseResolution: 0.75 }, { nPartitions: 6, partitionOversampling: 0.34 }]) {
      const simulated = scan(options);
      expect(assembled(simulated)).toEqual(simulated.kspace(0));
    }
  });
});

describe('calibration', () => {
  const flagged = (options: Partial<ScanOptions>) =>
    headersOf(options).map(({ idx, flags }) => ({ ...idx, calibrates: hasFlag(flags, 'parallelCalibration') }));
  const separate = { acceleration: 2, calibration: 'separate', calibrationLines: 6, nSlices: 3 } as const;

  it('before the scan: all slices, then the imaging lines', () => {
    const lines = flagged({ ...separate, referenceScan: 'beforeScan' });
    expect(lines.map(({ calibrates }) => calibrates)).toEqual([...new Array(18).fill(true), ...new Array(30).fill(false)]);
    expect(lines.slice(0, 18).map(({ slice }) => slice)).toEqual([...new Array(6).fill(0), ...new Array(6).fill(1), ...new Array(6).fill(2)]);
    expect(encodingOf(separate).parallelImaging?.calibrationMode).toBe('separate');
  });

  it('among the imaging lines: spread over the slice', () => {
    const lines = flagged({ ...separate, nSlices: 1, referenceScan: 'amongLines' });
    expect(lines).toHaveLength(16);
    const places = lines.flatMap(({ calibrates }, index) => (calibrates ? [index] : []));
    expect(places).toHaveLength(6);
    for (const [index, place] of places.slice(1).entries()) expect(place - places[index]!).toBeGreaterThan(1);
  });

  it('has a contrast of its own where that is asked for', () => {
    const [own, same] = [20, undefined].map((referenceEchoTimeMs) =>
      acquisitionsOf(scan({ ...separate, nSlices: 1, referenceEchoTimeMs })));
    expect(own!.slice(0, 6).map(({ data }) => data)).not.toEqual(same!.slice(0, 6).map(({ data }) => data));
    expect(own!.slice(6)).toEqual(same!.slice(6));
  });

  it.each(['average', 'repetition'] as const)('interleaved over the %s: R shifted lattices fill k-space', (interleavingDimension) => {
    const options = {
      acceleration: 3, calibration: 'interleaved', interleavingDimension,
      nAverages: interleavingDimension === 'average' ? 3 : 1, nRepetitions: interleavingDimension === 'repetition' ? 3 : 1,
    } as const;
    const lines = flagged(options);
    for (const shot of upTo(3)) {
      const own = lines.filter((line) => line[interleavingDimension] === shot).map(({ kspaceEncodeStep1 }) => kspaceEncodeStep1);
      expect(own).toEqual(upTo(rows).filter((line) => (line - 10 - shot + 30) % 3 === 0));
    }
    expect(lines.map(({ kspaceEncodeStep1 }) => kspaceEncodeStep1).sort((a, b) => a - b)).toEqual(upTo(rows));
    expect(lines.some(({ calibrates }) => calibrates)).toBe(false);
    expect(encodingOf(options).parallelImaging).toMatchObject({ calibrationMode: 'interleaved', interleavingDimension });
  });
});

describe('loops', () => {
  it('repetitions, sets and contrasts: as many images as the limits announce, each begun and ended', () => {
    const options = { nRepetitions: 2, nSets: 2, echoTimesMs: [40, 100], nSlices: 2 };
    const { encodingLimits } = encodingOf(options);
    expect(encodingLimits).toMatchObject({ contrast: { maximum: 1 }, repetition: { maximum: 1 }, set: { maximum: 1 }, slice: { maximum: 1 } });
    const images = new Map<string, number[]>();
    headersOf(options).forEach(({ idx, flags }) => {
      const image = [idx.slice, idx.contrast, idx.repetition, idx.set].join();
      const [lines, first, last] = images.get(image) ?? [0, 0, 0];
      images.set(image, [lines! + 1, first! + Number(hasFlag(flags, 'firstInSlice')), last! + Number(hasFlag(flags, 'lastInSlice'))]);
    });
    expect(images.size).toBe(16);
    for (const counts of images.values()) expect(counts).toEqual([20, 1, 1]);
    expect(scan(options).header.sequenceParameters?.TE).toEqual([40, 100]);
  });

  it('contrasts decay: what is bright at 100 ms loses less from 40 to 100 ms than what is dark', () => {
    const kspace = (contrast: number) => scan({ echoTimesMs: [40, 100] }).kspace(0, contrast);
    expect(kspace(1)).toEqual(scan().kspace(0));
    expect(largestOf(kspace(0))).toBeGreaterThan(1.2 * largestOf(kspace(1)));
    const weights = scan({ echoTimesMs: [40, 100] }).phantom(0, 0).map(({ weight }) => weight);
    expect(weights.every((weight) => Math.abs(weight) <= 1)).toBe(true);
  });

  it.each([[5, [0, 2, 4, 1, 3]], [4, [1, 3, 0, 2]]])('%i slices, interleaved: %o', (nSlices, order) => {
    const slices = headersOf({ nSlices, sliceOrder: 'interleaved' }).map(({ idx }) => idx.slice);
    expect([...new Set(slices)]).toEqual(order);
  });
});

describe('readouts that are no image', () => {
  const kinds = (options: Partial<ScanOptions>, flag: Parameters<typeof hasFlag>[1]) =>
    acquisitionsOf(scan(options)).filter(({ header }) => hasFlag(header.flags, flag));

  it('dummies come first, brighter than the line that they repeat', () => {
    const options = { dummyReadouts: 2, nSlices: 2 };
    const dummies = kinds(options, 'dummyScan');
    expect(dummies).toHaveLength(4);
    expect(headersOf(options).slice(0, 2).every(({ flags }) => hasFlag(flags, 'dummyScan'))).toBe(true);
    expect(dummies[0]!.data[48]).toBeCloseTo(1.5 * at(scan(options).kspace(0), 20, 48, 0, 10, 24)[0], 5);
    expect(dummies.some(({ header }) => hasFlag(header.flags, 'firstInSlice'))).toBe(false);
  });

  it('navigators come before each average', () => {
    expect(kinds({ navigatorReadouts: 2, nAverages: 3 }, 'navigation').map(({ header }) => header.idx.average)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('surface-coil reference: the array as set 0, the two channels of the body coil as set 1', () => {
    const reference = kinds({ surfaceCoilLines: 4 }, 'surfaceCoilCorrection');
    expect(reference.map(({ header }) => [header.idx.kspaceEncodeStep1, header.idx.set, header.nChannels])).toEqual([
      [8, 0, 3], [9, 0, 3], [10, 0, 3], [11, 0, 3], [8, 1, 2], [9, 1, 2], [10, 1, 2], [11, 1, 2],
    ]);
    // The array's lines are its own; the body coil's channels are alike up to a quarter turn.
    expect(at(reference[2]!.data, 1, 48, 1, 0, 24)).toEqual(at(scan().kspace(0), 20, 48, 1, 10, 24));
    const body = reference[6]!.data;
    for (const sample of upTo(48)) {
      expect(body[2 * (48 + sample)]).toBeCloseTo(-body[2 * sample + 1]!, 5);
      expect(body[2 * (48 + sample) + 1]).toBeCloseTo(body[2 * sample]!, 5);
    }
  });

  it('of a broken coil are noise', () => {
    const noisy = acquisitionsOf(scan({ brokenCoils: [1], noiseStd: 0.01, noiseScanSamples: 0 }));
    const power = (channel: number) =>
      noisy.reduce((sum, { data }) => sum + data.subarray(96 * channel, 96 * (channel + 1)).reduce((s, v) => s + v * v, 0), 0) / (noisy.length * 96);
    expect(Math.sqrt(power(1))).toBeGreaterThan(0.005);
    expect(Math.sqrt(power(1))).toBeLessThan(0.02);
    expect(Math.sqrt(power(0))).toBeGreaterThan(0.05);
  });
});

describe('an echo-planar train', () => {
  const epi = { phaseErrorRad: 0.4, delaySamples: 0.3, phaseCorrectionReadouts: 3 };

  it('runs to and fro, with readouts for phase correction first', () => {
    const headers = headersOf({ epi });
    expect(headers.map(({ flags }) => hasFlag(flags, 'phaseCorrection'))).toEqual([true, true, true, ...new Array(20).fill(false)]);
    const reversed = headers.map(({ flags }) => hasFlag(flags, 'reverse'));
    expect(reversed).toEqual([false, true, false, ...upTo(20).map((index) => index % 2 === 1)]);
    expect(headers.map(({ idx }) => idx.segment)).toEqual(reversed.map(Number));
    const encoding = encodingOf({ epi });
    expect(encoding.trajectory).toBe('epi');
    expect(encoding.trajectoryDescription?.userParameterLong.find(({ name }) => name === 'numberOfNavigators')?.value).toBe(3);
  });

  it('without an error is the k-space as it was', () => {
    const exact = acquisitionsOf(scan({ epi: { ...epi, phaseErrorRad: 0, delaySamples: 0 } })).slice(3);
    const plain = acquisitionsOf(scan());
    exact.forEach(({ header, data }, index) => {
      const turned = hasFlag(header.flags, 'reverse') ? plain[index]!.data.map((_, i) => plain[index]!.data[96 * Math.floor(i / 96) + (94 - (i % 96)) + 2 * (i % 2)]!) : plain[index]!.data;
      expect(data).toEqual(turned);
    });
  });

  it('backward readouts have the constant and the linear phase in the image that were asked for', () => {
    const readouts = acquisitionsOf(scan({ matrix: [96, 20], epi })).filter(({ header }) => hasFlag(header.flags, 'phaseCorrection'));
    const nSamples = 192;
    /** Projection of one channel at a column, by the definition of the transform. */
    const projection = ({ header, data }: Acquisition, column: number) => {
      let [re, im] = [0, 0];
      for (const sample of upTo(nSamples)) {
        const k = (hasFlag(header.flags, 'reverse') ? -1 : 1) * (sample - header.centerSample);
        const angle = (2 * Math.PI * k * column) / nSamples;
        const [sRe, sIm] = [data[2 * sample]!, data[2 * sample + 1]!];
        re += sRe * Math.cos(angle) - sIm * Math.sin(angle);
        im += sRe * Math.sin(angle) + sIm * Math.cos(angle);
      }
      return [re, im] as const;
    };
    const [forward, backward] = readouts;
    for (const column of [-20, 0, 15]) {
      const [a, b] = [projection(forward!, column), projection(backward!, column)];
      const phase = Math.atan2(b[1] * a[0] - b[0] * a[1], b[0] * a[0] + b[1] * a[1]);
      // k + δ in k-space is exp(-i 2π δ x / N) in the image.
      expect(phase).toBeCloseTo(epi.phaseErrorRad - (2 * Math.PI * epi.delaySamples * column) / nSamples, 2);
    }
  });
});

describe('lists of lines', () => {
  it('are acquired as they are, slice by slice', () => {
    const lines = [[10, 3, 7], [0, 19]];
    const headers = headersOf({ lines, nSlices: 3 });
    expect(headers.map(({ idx }) => [idx.slice, idx.kspaceEncodeStep1])).toEqual([[0, 10], [0, 3], [0, 7], [1, 0], [1, 19], [2, 10], [2, 3], [2, 7]]);
  });

  it('are refused where they leave k-space', () => {
    expect(() => scan({ lines: [[20]] })).toThrow('SIM_ERR_OPTION');
    expect(() => scan({ lines: [] })).toThrow('SIM_ERR_OPTION');
  });

  it('of variable density: as many as asked for, all central ones, denser near the centre, others for another seed', () => {
    const options = { acceleration: 4, centreLines: 16, seed: 3 };
    const lines = variableDensityLines(256, options);
    expect(lines).toHaveLength(64);
    expect(new Set(lines).size).toBe(64);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
    expect(lines.filter((line) => line >= 120 && line < 136)).toHaveLength(16);
    const near = lines.filter((line) => Math.abs(line - 128) < 64).length - 16;
    const far = lines.filter((line) => Math.abs(line - 128) >= 64).length;
    expect(near / (112)).toBeGreaterThan(2 * (far / 128));
    expect(variableDensityLines(256, { ...options, seed: 4 })).not.toEqual(lines);
  });
});
