import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acquiredLines, encodingOf } from '../../protocols/index.js';
import type { SeriesSource } from '../../protocols/index.js';
import { seriesOf, tseSource } from './examples.js';

const withGeometry = (geometry: Partial<SeriesSource['geometry']>, rest: Partial<SeriesSource> = {}) =>
  seriesOf({ ...tseSource, ...rest, geometry: { ...tseSource.geometry, ...geometry } });

describe('encodingOf', () => {
  it('keeps the pixel and counts lines as by hand', () => {
    const series = withGeometry({
      fovMm: { readout: 280, phase: 280 }, matrix: { readout: 384, phase: 384 }, phaseFov: 0.75, phaseOversampling: 0.5, phaseResolution: 0.8,
    });
    // 384 * 0.75 = 288 rows; 288 * 1.5 = 432 encoded; 432 * 0.8 = 345.6 lines.
    expect(encodingOf(series)).toEqual({
      imageMatrix: [384, 288],
      imageFovMm: [280, 210],
      encodedMatrix: [768, 432],
      encodedFovMm: [560, 315],
      nLines: 346,
      centreLine: 173,
      firstLine: 0,
      nSamples: 768,
    });
  });

  it('leaves out the first lines and samples', () => {
    const encoding = encodingOf(withGeometry({ matrix: { readout: 256, phase: 160 } }, { partialFourier: '6/8', echoFraction: 0.75 }));
    expect(encoding).toMatchObject({ nLines: 160, centreLine: 80, firstLine: 40, nSamples: 384 });
  });
});

const smallScan = fc.record({
  rows: fc.integer({ min: 64, max: 300 }),
  factor: fc.integer({ min: 1, max: 5 }),
  calibration: fc.constantFrom('embedded' as const, 'separate' as const, 'none' as const),
  calibrationLines: fc.integer({ min: 0, max: 14 }),
  partialFourier: fc.constantFrom('5/8' as const, '6/8' as const, '7/8' as const, '1' as const),
});

const scanOf = ({ rows, factor, calibration, calibrationLines, partialFourier }: typeof smallScan extends fc.Arbitrary<infer T> ? T : never) =>
  withGeometry({ matrix: { readout: 64, phase: rows } }, { acceleration: { factor, calibration, calibrationLines }, partialFourier });

describe('acquiredLines', () => {
  it('of R = 2 with four embedded lines are these', () => {
    const { lines } = acquiredLines(
      withGeometry({ matrix: { readout: 64, phase: 16 } }, { acceleration: { factor: 2, calibration: 'embedded', calibrationLines: 4 } }),
    );
    expect(lines.map(({ line, use }) => `${line}${use === 'imaging' ? '' : use === 'calibration' ? 'c' : 'b'}`)).toEqual([
      '0', '2', '4', '6b', '7c', '8b', '9c', '10', '12', '14',
    ]);
  });

  it('ascend without doubles, hold the centre, and every R-th line that partial Fourier leaves', () => {
    fc.assert(
      fc.property(smallScan, (options) => {
        const { lines, nLines, centreLine, firstLine } = acquiredLines(scanOf(options));
        const numbers = lines.map(({ line }) => line);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        const imaging = lines.filter(({ use }) => use !== 'calibration').map(({ line }) => line);
        const regular = Array.from({ length: nLines }, (_, line) => line).filter(
          (line) => line >= firstLine && Math.abs(line - centreLine) % options.factor === 0,
        );
        expect(imaging).toEqual(regular);
        expect(imaging).toContain(centreLine);
      }),
    );
  });

  it('hold the calibration block about the centre, in the scan or apart from it', () => {
    fc.assert(
      fc.property(smallScan, (options) => {
        const { lines, separateCalibration, centreLine } = acquiredLines(scanOf(options));
        const embedded = lines.filter(({ use }) => use !== 'imaging').map(({ line }) => line);
        const n = options.factor > 1 ? options.calibrationLines : 0;
        const block = Array.from({ length: n }, (_, index) => centreLine - Math.floor(n / 2) + index);
        if (options.calibration === 'separate') expect([embedded, separateCalibration]).toEqual([[], block]);
        else if (options.calibration === 'none') expect([embedded, separateCalibration]).toEqual([[], []]);
        // Unaccelerated, every line is measured anyway, and none is for calibration.
        else expect([embedded, separateCalibration]).toEqual([block, []]);
      }),
    );
  });

  it('refuse calibration lines that partial Fourier leaves out', () => {
    const series = (calibration: 'embedded' | 'separate') =>
      withGeometry(
        { matrix: { readout: 64, phase: 128 } },
        { acceleration: { factor: 2, calibration, calibrationLines: 40 }, partialFourier: '5/8' },
      );
    expect(() => acquiredLines(series('embedded'))).toThrow('PROTOCOL_ERR_LINES');
    expect(acquiredLines(series('separate')).separateCalibration).toHaveLength(40);
  });
});
