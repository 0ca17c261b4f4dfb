import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { EchoTimeCalibration } from '../../synth/calibration.js';
import { echoTimeError, toldOfClasses, type ToldOfClasses } from '../../synth/echoTime.js';
import { parseCalibration, uncalibrated } from '../../synth/index.js';
import { judgeEchoTime } from '../../synth/verdict.js';

/** Classes of 30, 50, 75, ... ms; sound persons tell 0 of all of them, give or take a tenth. */
const t2Ms = [30, 40, 50, 75, 100, 150, 300, 2000];
const model: EchoTimeCalibration = {
  centres: t2Ms.map((ms) => [0, 7 / 0.3, Math.log(ms) / 0.25, 0]),
  means: new Array<number>(16).fill(0),
  covariance: Array.from({ length: 16 }, (_, row) => Array.from({ length: row + 1 }, (__, column) => (row === column ? 0.01 : 0))),
  offsetMs: 0, deviation: 1, amber: 2.5,
};
const perClass = 60;

interface Person {
  readonly gain?: number;
  /** Of a class. */
  readonly brightness?: (k: number) => number;
}

/** A slice whose T2w decayed for `ms` longer than expected. */
function slice(ms: number, { gain = 1, brightness = () => 1 }: Person = {}): ToldOfClasses {
  const ofClass = Uint8Array.from({ length: perClass * t2Ms.length }, (_, pixel) => pixel % t2Ms.length);
  const image = (value: (ms: number, k: number) => number) => Float32Array.from(ofClass, (k) => value(t2Ms[k]!, k));
  const expected = { t1w: image(() => 0.5), t2w: image((t2) => Math.exp(-90 / t2)), t2wLater: image((t2) => Math.exp(-91 / t2)) };
  const t2w = image((t2, k) => 3 * gain * brightness(k) * Math.exp(-(90 + ms) / t2));
  return toldOfClasses({
    t1w: image(() => 1), t2w, tissue: new Uint8Array(ofClass.length).fill(1), expected,
    maps: { protonDensity: image(() => 1), lnT1Ms: image(() => 7), lnT2Ms: image(Math.log), fatFraction: image(() => 0) },
  }, model.centres);
}
const series = (ms: number, person: Person = {}) => Array.from({ length: 5 }, () => slice(ms, person));

describe('the echo time of a series', () => {
  it('is as wrong as T2w decayed longer or shorter, whatever the gain', () => {
    for (const ms of [-15, 0, 15]) for (const gain of [1, 4]) expect(echoTimeError(series(ms, { gain }), model)!.errorMs).toBeCloseTo(ms, 1);
  });
  it('is less certain in persons whose tissues differ in other ways', () => {
    const odd = series(0, { brightness: (k) => (k % 2 === 0 ? 1.3 : 0.8) });
    expect(echoTimeError(odd, model)!.deviationMs).toBeGreaterThan(2 * echoTimeError(series(0), model)!.deviationMs);
  });
  it('takes off what sound series are off by', () => {
    expect(echoTimeError(series(15), { ...model, offsetMs: 4 })!.errorMs).toBeCloseTo(11, 1);
  });
  it('is not told by fewer than three slices, nor by few classes', () => {
    expect(echoTimeError(series(15).slice(0, 2), model)).toBeUndefined();
    const few = series(15).map(({ ofT2w, ofT1w, slope }) => ({ ofT2w: ofT2w.map((value, k) => (k < 5 ? value : NaN)), ofT1w, slope }));
    expect(echoTimeError(few, model)).toBeUndefined();
  });
  it('is amber from the calibrated number of deviations on, and says which echo time it looks like', () => {
    expect(judgeEchoTime({ errorMs: 12, deviationMs: 5 }, 95, model)).toEqual([]);
    const [reason] = judgeEchoTime({ errorMs: -15, deviationMs: 5 }, 95, model);
    expect(reason).toMatchObject({ code: 'SYNTH_WARN_ECHO_TIME', light: 'amber', message: 'T2w looks like an echo time of 80 ms, give or take 5 ms: 95 ms is stated' });
  });
  it('is what the calibration reckons with (echo_time.py)', async () => {
    type Golden = { slices: number; pixels: number; model: EchoTimeCalibration; told: (number | null)[][]; errorMs: number; deviationMs: number };
    const golden = JSON.parse(await readFile(new URL('echoTime.golden.json', import.meta.url), 'utf8')) as Golden;
    const { pixels, model: its } = golden;
    const at = (i: number, a: number) => { const x = Math.sin(i * 12.9898 + a * 78.233 + 1) * 43758.5453; return x - Math.floor(x); };
    const nClasses = its.centres.length;
    const centre = (j: number) => [-0.2 + 0.05 * j, 6.3 + 0.2 * j, 3.4 + 0.45 * ((3 * j) % nClasses), 0.1 * ((5 * j) % nClasses)] as const;
    const told = Array.from({ length: golden.slices }, (_, slice) => {
      const own = (value: (i: number) => number) => Float32Array.from({ length: pixels }, (__, pixel) => value(slice * pixels + pixel));
      const property = (m: 0 | 1 | 2 | 3) => (i: number) => centre(i % nClasses)[m] + 0.06 * (at(i, m) - 0.5) * [1, 2, 2, 0.5][m]!;
      const [e1, e2] = [(i: number) => 0.05 + 0.4 * at(i, 4), (i: number) => 0.05 + 0.4 * at(i, 5)];
      const rate = (i: number) => 1 / Math.exp(property(2)(i));
      const t1w = own((i) => e1(i) * 2 * Math.exp(0.3 * (at(i, 6) - 0.5)));
      const t2w = own((i) => e2(i) * 1.7 * Math.exp(0.3 * (at(i, 7) - 0.5) - 12 * rate(i)));
      return toldOfClasses({
        t1w, t2w, tissue: Uint8Array.from(t1w, (value, pixel) => (Math.max(value, t2w[pixel]!) > 0.15 ? 1 : 0)),
        expected: { t1w: own(e1), t2w: own(e2), t2wLater: own((i) => e2(i) * Math.exp(-rate(i))) },
        maps: {
          protonDensity: own((i) => Math.exp(property(0)(i))), lnT1Ms: own(property(1)), lnT2Ms: own(property(2)),
          fatFraction: own((i) => Math.max(0, Math.min(1, property(3)(i)))),
        },
      }, its.centres);
    });
    golden.told.forEach((row, what) => row.forEach((value, k) => {
      const mine = [told[0]!.ofT2w, told[0]!.ofT1w, told[0]!.slope][what]![k]!;
      if (value === null) expect(mine).toBeNaN();
      else expect(mine).toBeCloseTo(value, 5);
    }));
    const { errorMs, deviationMs } = echoTimeError(told, its)!;
    expect(errorMs).toBeCloseTo(golden.errorMs, 2);
    expect(deviationMs).toBeCloseTo(golden.deviationMs, 2);
  });
});

describe('the calibration of echo times', () => {
  it('may be absent, and is refused where covariances or means do not fit the classes', () => {
    expect(parseCalibration({ ...uncalibrated, echoTime: model })).toEqual({ ...uncalibrated, echoTime: model });
    for (const broken of [{ ...model, means: [0] }, { ...model, covariance: model.covariance.slice(1) }, { ...model, covariance: model.covariance.map((row) => [...row, 0]) }]) {
      expect(() => parseCalibration({ ...uncalibrated, echoTime: broken })).toThrow(expect.objectContaining({ code: 'SYNTH_ERR_CALIBRATION' }) as Error);
    }
  });
});
