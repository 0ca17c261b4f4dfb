import { describe, expect, it } from 'vitest';
import { flagNames, hasFlag, parseHeader, type Acquisition, type MrdMessage } from 'ismrmrd';
import {
  arrayCovariance,
  NoiseSource,
  Random,
  referenceImage,
  SimulatedScan,
  type ScanOptions,
} from '../../simulator/index.js';

const small: Partial<ScanOptions> = { matrix: [24, 20], nCoils: 3, calibrationLines: 6, noiseScanSamples: 100 };

function acquisitionsOf(messages: Iterable<MrdMessage>): Acquisition[] {
  return [...messages].flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : []));
}
const scan = (options: Partial<ScanOptions> = {}) => new SimulatedScan({ ...small, ...options });
const imagingOf = (options: Partial<ScanOptions>) =>
  acquisitionsOf(scan(options).messages()).filter(({ header }) => !hasFlag(header.flags, 'noiseMeasurement'));

describe('the stream', () => {
  it('is config, header, parameters, readouts, CLOSE', () => {
    const messages = [...scan({ config: 'grappa', parameters: { combine: 'rss' } }).messages()];
    const kinds = messages.map(({ kind }) => kind);
    expect(kinds.slice(0, 3)).toEqual(['configFile', 'header', 'text']);
    expect(new Set(kinds.slice(3, -1))).toEqual(new Set(['acquisition']));
    expect(kinds.at(-1)).toBe('close');
    expect(messages[2]).toEqual({ kind: 'text', text: '{"version":"1.1.0","parameters":{"combine":"rss"}}' });
  });

  it('is the same for the same seed; only the noise differs for another', () => {
    const data = (seed: number) => acquisitionsOf(scan({ seed }).messages());
    expect(data(3)).toEqual(data(3));
    const [a, b] = [data(3), data(4)];
    expect(a.map(({ header }) => header)).toEqual(b.map(({ header }) => header));
    expect(a.at(-1)!.data).not.toEqual(b.at(-1)!.data);
  });

  it('announces in the header what the readouts are', () => {
    const messages = [...scan({ acceleration: 2, calibrationLines: 6, nSlices: 2, nAverages: 2 }).messages()];
    const xml = messages.find((message) => message.kind === 'header')!;
    const header = parseHeader(xml.xml);
    const encoding = header.encoding[0]!;
    expect(encoding.encodedSpace).toMatchObject({ matrixSize: { x: 48, y: 20, z: 1 }, fieldOfView_mm: { x: 600, y: 300 } });
    expect(encoding.reconSpace).toMatchObject({ matrixSize: { x: 24, y: 20, z: 1 }, fieldOfView_mm: { x: 300, y: 300 } });
    expect(encoding.parallelImaging).toMatchObject({
      accelerationFactor: { kspace_encoding_step_1: 2, kspace_encoding_step_2: 1 },
      calibrationMode: 'embedded',
    });
    expect(header.acquisitionSystemInformation?.receiverChannels).toBe(3);
    expect(header.acquisitionSystemInformation?.coilLabel).toHaveLength(3);
    const limits = encoding.encodingLimits;
    for (const { header: { idx, nChannels, channelMask } } of acquisitionsOf(messages)) {
      expect(idx.slice).toBeLessThanOrEqual(limits.slice!.maximum);
      expect(idx.average).toBeLessThanOrEqual(limits.average!.maximum);
      expect(idx.kspaceEncodeStep1).toBeLessThanOrEqual(limits.kspace_encoding_step_1!.maximum);
      expect(nChannels).toBe(3);
      expect(channelMask[0]).toBe(0b111n);
    }
  });

  it('counts readouts, and its clock runs', () => {
    const headers = acquisitionsOf(scan().messages()).map(({ header }) => header);
    headers.forEach(({ scanCounter }, index) => expect(scanCounter).toBe(index + 1));
    const stamps = headers.map(({ acquisitionTimeStamp }) => acquisitionTimeStamp);
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
    expect(new Set(stamps).size).toBe(stamps.length);
  });
});

describe('lines', () => {
  const linesOf = (options: Partial<ScanOptions>) => imagingOf({ noiseStd: 0, ...options }).map(({ header }) => header);

  it('fully sampled: each once, none marked', () => {
    const headers = linesOf({});
    expect(headers.map(({ idx }) => idx.kspaceEncodeStep1)).toEqual(Array.from({ length: 20 }, (_, line) => line));
    expect(headers.some(({ flags }) => hasFlag(flags, 'parallelCalibration'))).toBe(false);
  });

  it.each([2, 3, 4])('R = %i, embedded: every R-th with the centre, and the central ones', (acceleration) => {
    const headers = linesOf({ acceleration, calibrationLines: 6 });
    const regular = (line: number) => (line - 10) % acceleration === 0;
    const central = (line: number) => line >= 7 && line < 13;
    const expected = Array.from({ length: 20 }, (_, line) => line).filter((line) => regular(line) || central(line));
    expect(headers.map(({ idx }) => idx.kspaceEncodeStep1)).toEqual(expected);
    for (const { idx, flags } of headers) {
      const line = idx.kspaceEncodeStep1;
      expect(hasFlag(flags, 'parallelCalibrationAndImaging')).toBe(regular(line) && central(line));
      expect(hasFlag(flags, 'parallelCalibration')).toBe(!regular(line) && central(line));
    }
  });

  it('separate: the calibration scan first, then every R-th line unmarked', () => {
    const headers = linesOf({ acceleration: 2, calibration: 'separate', calibrationLines: 6 });
    const marked = headers.map(({ flags }) => hasFlag(flags, 'parallelCalibration'));
    expect(marked).toEqual([...new Array(6).fill(true), ...new Array(10).fill(false)]);
    expect(headers.slice(6).every(({ idx }) => idx.kspaceEncodeStep1 % 2 === 0)).toBe(true);
  });

  it('none: every R-th line only', () => {
    expect(linesOf({ acceleration: 2, calibration: 'none' })).toHaveLength(10);
  });

  it.each([false, true])('slices in order or interleaved (%s): one first and one last readout each', (interleaveSlices) => {
    const headers = linesOf({ nSlices: 3, nAverages: 2, interleaveSlices });
    for (let slice = 0; slice < 3; slice++) {
      const own = headers.filter(({ idx }) => idx.slice === slice);
      expect(own).toHaveLength(40);
      expect(own.filter(({ flags }) => hasFlag(flags, 'firstInSlice'))).toEqual([own[0]]);
      expect(own.filter(({ flags }) => hasFlag(flags, 'lastInSlice'))).toEqual([own[39]]);
    }
    expect(headers.filter(({ flags }) => hasFlag(flags, 'lastInMeasurement'))).toEqual([headers.at(-1)]);
    const changes = headers.filter(({ idx }, index) => index > 0 && idx.slice !== headers[index - 1]!.idx.slice).length;
    expect(changes).toBe(interleaveSlices ? 119 : 2);
  });
});

describe('readouts', () => {
  it('without noise are the lines of k-space', () => {
    const quiet = scan({ noiseStd: 0 });
    const kspace = quiet.kspace(0);
    for (const { header, data } of acquisitionsOf(quiet.messages())) {
      for (let coil = 0; coil < 3; coil++) {
        const from = 2 * (coil * 20 + header.idx.kspaceEncodeStep1) * 48;
        expect(data.subarray(2 * coil * 48, 2 * (coil + 1) * 48)).toEqual(kspace.subarray(from, from + 96));
      }
    }
  });

  it.each([[false, 0], [true, 0], [false, 9], [true, 9]])(
    'reversed %s, %i samples missing: sample centerSample is the centre of k-space',
    (reverseOddLines, missingSamples) => {
      const quiet = scan({ noiseStd: 0, reverseOddLines, missingSamples });
      const kspace = quiet.kspace(0);
      for (const { header, data } of acquisitionsOf(quiet.messages())) {
        const { nSamples, centerSample, flags, idx } = header;
        const line = idx.kspaceEncodeStep1;
        expect(nSamples).toBe(48 - missingSamples);
        expect(hasFlag(flags, 'reverse')).toBe(reverseOddLines && line % 2 === 1);
        const direction = hasFlag(flags, 'reverse') ? -1 : 1;
        for (let sample = 0; sample < nSamples; sample++) {
          const k = direction * (sample - centerSample);
          expect(data[2 * sample]).toBe(kspace[2 * (line * 48 + 24 + k)]);
        }
      }
    },
  );

  it('of a slice lie at the centre of that slice', () => {
    const oblique = {
      centreMm: [5, -7, 11] as const,
      readDirection: [0, 0.8, 0.6] as const,
      phaseDirection: [0, 0.6, -0.8] as const,
      sliceDirection: [-1, 0, 0] as const,
    };
    const headers = imagingOf({ ...oblique, nSlices: 3, sliceSpacingMm: 5 }).map(({ header }) => header);
    for (const { idx, position, readDir, phaseDir, sliceDir } of headers) {
      expect(position).toEqual([5 - (idx.slice - 1) * 5, -7, 11]);
      expect([readDir, phaseDir, sliceDir]).toEqual([oblique.readDirection, oblique.phaseDirection, oblique.sliceDirection]);
    }
  });
});

describe('noise', () => {
  const nCoils = 4;
  const covarianceOf = (readouts: readonly Float32Array[]) => {
    const sum = new Float64Array(2 * nCoils * nCoils);
    let n = 0;
    for (const data of readouts) {
      const nSamples = data.length / (2 * nCoils);
      n += nSamples;
      for (let a = 0; a < nCoils; a++) {
        for (let b = 0; b < nCoils; b++) {
          for (let s = 0; s < nSamples; s++) {
            const [i, j] = [2 * (a * nSamples + s), 2 * (b * nSamples + s)];
            sum[2 * (a * nCoils + b)]! += data[i]! * data[j]! + data[i + 1]! * data[j + 1]!;
            sum[2 * (a * nCoils + b) + 1]! += data[i + 1]! * data[j]! - data[i]! * data[j + 1]!;
          }
        }
      }
    }
    return sum.map((value) => value / n);
  };
  const relativeError = (got: Float64Array, wanted: Float64Array) =>
    Math.sqrt(
      got.reduce((sum, value, i) => sum + (value - wanted[i]!) ** 2, 0) / wanted.reduce((sum, value) => sum + value ** 2, 0),
    );

  it('has the covariance that it was given: E[n nᴴ] is twice that of the real parts', () => {
    const covariance = arrayCovariance(nCoils, 0.5);
    const data = new Float32Array(2 * nCoils * 40_000);
    new NoiseSource(covariance, nCoils, new Random(5)).addTo(data, 1);
    expect(relativeError(covarianceOf([data]), covariance.map((value) => 2 * value))).toBeLessThan(1.5 * Math.sqrt(nCoils / 40_000));
  });

  it('scan: wide enough, flagged, with the variance that dwell times and receiver bandwidth give', () => {
    const noisy = scan({ nCoils, noiseStd: 3, noiseScanSamples: 30_000, noiseDwellTimeUs: 4, imagingDwellTimeUs: 10 });
    const noise = acquisitionsOf(noisy.messages()).filter(({ header }) => hasFlag(header.flags, 'noiseMeasurement'));
    const nSamples = noise.reduce((sum, { header }) => sum + header.nSamples, 0);
    expect(nSamples).toBeGreaterThanOrEqual(30_000);
    expect(noise.every(({ header }) => header.sampleTimeUs === 4 && flagNames(header.flags).length === 1)).toBe(true);
    const wanted = noisy.noiseCovariance.map((value) => 2 * value * (10 / 4) * 0.793);
    expect(relativeError(covarianceOf(noise.map(({ data }) => data)), wanted)).toBeLessThan(1.5 * Math.sqrt(nCoils / nSamples));
  });

  it('is in the imaging readouts with its own covariance', () => {
    const options = { nCoils, noiseStd: 3, nAverages: 20 };
    const noisy = imagingOf(options);
    const quiet = imagingOf({ ...options, noiseStd: 0 });
    const noise = noisy.map(({ data }, index) => data.map((value, at) => value - quiet[index]!.data[at]!));
    const wanted = scan(options).noiseCovariance.map((value) => 2 * value);
    expect(relativeError(covarianceOf(noise), wanted)).toBeLessThan(1.5 * Math.sqrt(nCoils / (400 * 48)));
  });

  it('refuses a covariance that is none', () => {
    expect(() => new NoiseSource(Float64Array.of(1, 0, 2, 0, 2, 0, 1, 0), 2, new Random(1))).toThrow('SIM_ERR_NOT_POSITIVE_DEFINITE');
  });
});

describe('the reference', () => {
  const nCoils = 3;
  const options = { ...small, matrix: [15, 12] as const, nCoils, noiseCorrelation: 0.6 };

  it('is the root sum of squares of the coil images, by the definition of the transform', () => {
    const scanned = new SimulatedScan(options);
    const kspace = scanned.kspace(0);
    const reference = referenceImage(kspace, nCoils, scanned.sampling);
    for (const [row, column] of [[6, 7], [0, 0], [3, 11], [11, 14]] as const) {
      let squares = 0;
      for (let coil = 0; coil < nCoils; coil++) {
        let [re, im] = [0, 0];
        for (let line = 0; line < 12; line++) {
          for (let sample = 0; sample < 30; sample++) {
            // 15 of 30 columns are kept; pixel 7 of 15 is pixel 15 of 30.
            const angle = 2 * Math.PI * (((line - 6) * (row - 6)) / 12 + ((sample - 15) * (column - 7)) / 30);
            const at = 2 * ((coil * 12 + line) * 30 + sample);
            re += kspace[at]! * Math.cos(angle) - kspace[at + 1]! * Math.sin(angle);
            im += kspace[at]! * Math.sin(angle) + kspace[at + 1]! * Math.cos(angle);
          }
        }
        squares += (re * re + im * im) / (12 * 30);
      }
      expect(reference[row * 15 + column]).toBeCloseTo(Math.sqrt(squares), 5);
    }
  });

  it('is in units of the noise: half the noise, twice the image', () => {
    const loud = new SimulatedScan({ ...options, noiseStd: 0.2 });
    const soft = new SimulatedScan({ ...options, noiseStd: 0.1 });
    const [a, b] = [loud, soft].map((s) => referenceImage(s.kspace(0), nCoils, s.sampling, s.noiseCovariance));
    a!.forEach((value, pixel) => expect(b![pixel]).toBeCloseTo(2 * value, 3));
  });

  it('does not change when channels are mixed, as long as the covariance is mixed with them', () => {
    const scanned = new SimulatedScan(options);
    const kspace = scanned.kspace(0);
    const nChannel = kspace.length / nCoils;
    // Channel 0 becomes 2 c0 + c1: Ψ becomes T Ψ Tᴴ.
    const mixed = kspace.map((value, index) => (index < nChannel ? 2 * value + kspace[index + nChannel]! : value));
    const psi = scanned.noiseCovariance;
    const t = [[2, 1, 0], [0, 1, 0], [0, 0, 1]];
    const mixedPsi = new Float64Array(2 * 9);
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) for (let l = 0; l < 3; l++) {
      mixedPsi[2 * (3 * i + j)]! += t[i]![k]! * t[j]![l]! * psi[2 * (3 * k + l)]!;
      mixedPsi[2 * (3 * i + j) + 1]! += t[i]![k]! * t[j]![l]! * psi[2 * (3 * k + l) + 1]!;
    }
    const before = referenceImage(kspace, nCoils, scanned.sampling, psi);
    const after = referenceImage(mixed, nCoils, scanned.sampling, mixedPsi);
    after.forEach((value, pixel) => expect(Math.abs(value - before[pixel]!)).toBeLessThan(1e-3 * before[6 * 15 + 7]!));
  });
});

describe('options', () => {
  it.each([
    [{ nCoils: 0 }, 'nCoils'],
    [{ acceleration: 2.5 }, 'acceleration'],
    [{ matrix: [1, 20] }, 'matrix columns'],
    [{ noiseStd: NaN }, 'noiseStd'],
    [{ noiseCorrelation: 1 }, 'noiseCorrelation'],
    [{ missingSamples: 24 }, 'missingSamples'],
    [{ imagingDwellTimeUs: 0 }, 'imagingDwellTimeUs'],
    [{ fovMm: [300, -1] }, 'fovMm'],
    [{ seed: -1 }, 'seed'],
  ] as [Partial<ScanOptions>, string][])('%o is refused by name', (options, name) => {
    expect(() => scan(options)).toThrow(name);
    expect(() => scan(options)).toThrow('SIM_ERR_OPTION');
  });
});
