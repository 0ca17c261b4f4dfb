import { describe, expect, it } from 'vitest';
import { parseCalibration, uncalibrated } from '../../synth/index.js';
import { echoTimeError, lnStatedOverTrueOf } from '../../synth/echoTime.js';
import { judgeEchoTime } from '../../synth/verdict.js';

const model = { offsetMs: 0, slope: 1, deviationMs: 5, amber: 2.5 };

describe('the echo time of a series', () => {
  it('is heard from the tissue of a slice alone, and hardly from a slice without any', () => {
    const tissue = Uint8Array.from({ length: 1000 }, (_, pixel) => (pixel < 499 ? 1 : 0));
    expect(lnStatedOverTrueOf(Float32Array.from(tissue, (is) => (is === 1 ? 0.2 : 9)), tissue)).toBeCloseTo((0.2 * 499) / 500, 6);
    expect(lnStatedOverTrueOf(new Float32Array(1000).fill(9), new Uint8Array(1000))).toBe(0);
  });
  it('is off by what stated and true differ by, of slices that say it more and less clearly', () => {
    for (const trueMs of [75, 90, 105]) {
      const slices = [-0.1, 0, 0.1].map((ln) => ln + Math.log(90 / trueMs));
      expect(echoTimeError(slices, 90, model)).toEqual({ errorMs: expect.closeTo(trueMs - 90, 6) as number, deviationMs: 5 });
    }
  });
  it('takes off what sound series are off by, and takes back what draws it towards none', () => {
    expect(echoTimeError([Math.log(90 / 100)], 90, { ...model, offsetMs: 4, slope: 1.5 }).errorMs).toBeCloseTo(9, 9);
  });
  it('is amber from the calibrated number of deviations on, and says which echo time it looks like', () => {
    expect(judgeEchoTime({ errorMs: 12, deviationMs: 5 }, 95, model)).toEqual([]);
    const [reason] = judgeEchoTime({ errorMs: -15, deviationMs: 5 }, 95, model);
    expect(reason).toMatchObject({ code: 'SYNTH_WARN_ECHO_TIME', light: 'amber', message: 'T2w looks like an echo time of 80 ms, give or take 5 ms: 95 ms is stated' });
  });
  it('may be absent from a calibration, and must be whole where it is there', () => {
    expect(parseCalibration(uncalibrated).echoTime).toBeUndefined();
    expect(parseCalibration({ ...uncalibrated, echoTime: model }).echoTime).toEqual(model);
    expect(() => parseCalibration({ ...uncalibrated, echoTime: { ...model, deviationMs: 0 } })).toThrow(/deviationMs/);
  });
});
