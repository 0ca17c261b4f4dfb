/** Computed CT and its interval, which are series of their own. */
import { describe, expect, it } from 'vitest';
import type { Volume } from '../../../imaging/index.js';
import type { ReadStudy } from '../../../src/analysis/index.js';
import { sourcedSeriesOf } from '../../../src/analysis/series.js';

const volume = (value: number, zMm = 0): Volume<Float32Array> => ({
  geometry: { centreMm: [0, 0, zMm], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0], fovMm: [4, 4, 8], matrixSize: [4, 4, 2] },
  data: new Float32Array(32).fill(value),
});
const study = (contrast: 'syntheticCt' | 't2w', zMm = 0): ReadStudy => ({
  series: [{ series: { volume: volume(100, zMm), contrast, orientation: 'sagittal', synthetic: contrast !== 't2w', denoised: false, description: contrast } }],
  patientAndStudy: {}, notices: [],
});
const endOf = (end: 'low' | 'high', value: number): ReadStudy => ({ series: [], intervalEnds: [{ end, volume: volume(value) }], patientAndStudy: {}, notices: [] });

describe('the interval of a computed CT', () => {
  it('goes with the series of its grid, and with no other', () => {
    const [ct, elsewhere, t2w] = sourcedSeriesOf([endOf('low', 40), study('syntheticCt'), study('syntheticCt', 3), study('t2w'), endOf('high', 160)]);
    expect([ct!.series.interval?.low.data[0], ct!.series.interval?.high.data[0]]).toEqual([40, 160]);
    expect(elsewhere!.series.interval).toBeUndefined();
    expect(t2w!.series.interval).toBeUndefined();
  });

  it('has both ends or is none', () => {
    expect(sourcedSeriesOf([study('syntheticCt'), endOf('low', 40)])[0]!.series.interval).toBeUndefined();
  });
});
