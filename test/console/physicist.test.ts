/** What a physicist sees: decisions, differences, curves, maps, times. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { DecisionView, RecordView, SweepView, TimelineView } from '../../console/api/physics.js';

vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => undefined });
const { chosenDecisions, differencesOf } = await import('../../console/physicist/decisions.js');
const { differencePicture } = await import('../../console/physicist/differencePicture.js');
const { figuresWithin, objectMask, roundedUp, scaleOf } = await import('../../console/physicist/maps.js');
const { seriesAddress, seriesOfAddress } = await import('../../console/physicist/seriesAddress.js');
const { aligned, axesOf, curvesOf } = await import('../../console/physicist/sweepCurves.js');
const { sweepOfFile } = await import('../../console/physicist/sweepOfFile.js');
const { lastMoment, spanOf, stageShares, timelineRows, timeTicks } = await import('../../console/physicist/timeline.js');

const decision = (what: string, value: string, more: Partial<DecisionView> = {}): DecisionView => ({ kind: 'parameter', what, value, because: 'default', source: 'default', origin: 'default', ...more });
const everything = { words: '', onlyDecided: false, sortedBy: undefined, isDescending: false } as const;

describe('decisions', () => {
  const all = [
    decision('kernelReadout', '5'), decision('denoise', '75', { origin: 'operator', source: 'console', meaning: 'strength of the network' }),
    decision('acceleration', 'R = 2', { kind: 'header', origin: undefined, source: 'encoding[0].parallelImaging' }), decision('kernelPhase', '14'),
  ];
  const names = (choice: Partial<Parameters<typeof chosenDecisions>[1]>) => chosenDecisions(all, { ...everything, ...choice }).map(({ what }) => what);

  it('are found by words that may stand anywhere, all of them', () => {
    expect(names({ words: 'KERNEL' })).toEqual(['kernelReadout', 'kernelPhase']);
    expect(names({ words: 'network console' })).toEqual(['denoise']);
    expect(names({ words: 'network header' })).toEqual([]);
  });
  it('without defaults are those that somebody or the header decided', () => {
    expect(names({ onlyDecided: true })).toEqual(['denoise', 'acceleration']);
  });
  it('are sorted by numbers as numbers, and both ways', () => {
    expect(names({ words: 'kernel', sortedBy: 'value' })).toEqual(['kernelReadout', 'kernelPhase']);
    expect(names({ sortedBy: 'what', isDescending: true })).toEqual(['kernelReadout', 'kernelPhase', 'denoise', 'acceleration']);
  });
});

const timeline: TimelineView = {
  scan: [0, 1000], stages: { grappa: 30, combination: 10 }, lastReadoutToLastImageMs: 100,
  slices: [{ slice: 0, firstLineMs: 0, lastLineMs: 900, images: [{ kind: 'image', atMs: 950 }] }, { slice: 1, firstLineMs: 10, lastLineMs: 1000, images: [{ kind: 'image', atMs: 1100 }] }],
};
const record = (change: Partial<RecordView> = {}): RecordView => ({
  attempt: 1, nAttempts: 1, startedAt: 0, chain: 'default', outcome: 'completed', nReadouts: 1, timeline, remarks: [],
  decisions: [decision('denoise', '75'), decision('acceleration', 'R = 2', { kind: 'header' })], ...change,
});

describe('two scans', () => {
  it('that are the same differ in nothing', () => {
    expect(differencesOf(record(), record()).filter(({ isSame }) => !isSame)).toEqual([]);
  });
  it('differ where a value does, and where one has none', () => {
    const other = record({ decisions: [decision('denoise', '50', { origin: 'operator' }), decision('acceleration', 'R = 2', { kind: 'header' }), decision('psf', 'true')] });
    expect(differencesOf(record(), other).filter(({ isSame }) => !isSame)).toEqual([
      { about: 'parameter', what: 'denoise', left: '75', right: '50', leftOrigin: 'default', rightOrigin: 'operator', isSame: false },
      { about: 'parameter', what: 'psf', left: undefined, right: 'true', rightOrigin: 'default', isSame: false },
    ]);
  });
  it('have addresses that lead back to them', () => {
    fc.assert(fc.property(fc.stringMatching(/^[\w-]{12}$/), fc.string({ minLength: 1 }), fc.option(fc.integer({ min: 1, max: 999_999 }), { nil: undefined }), (examId, seriesId, attempt) => {
      const place = { examId, seriesId, ...(attempt !== undefined && { attempt }) };
      expect(seriesOfAddress(seriesAddress(place))).toEqual(place);
    }));
    for (const none of [undefined, '-', 'x', '~1~y', 'x~y', 'x~-1~y', 'x~y~z']) expect(seriesOfAddress(none)).toBeUndefined();
  });
});

describe('a difference', () => {
  const picture = (values: number[], more = {}) => ({
    examId: 'e', seriesId: 's', output: 'image', number: 1, slice: 0, rows: 1, columns: values.length, window: { centre: 5, width: 10 }, values: Float32Array.from(values), ...more,
  });
  const geometry = { originMm: [0, 0, 0], columnStepMm: [1, 0, 0], rowStepMm: [0, 1, 0], thicknessMm: 4 } as const;

  it('is left less right, black where they are the same', () => {
    const made = differencePicture(picture([3, 1]), picture([1, 1]))!;
    expect([[...made.values], made.window]).toEqual([[2, 0], { centre: 0, width: 4 }]);
  });
  it('is none of pictures of other sizes or places', () => {
    expect(differencePicture(picture([3, 1]), picture([1]))).toBeUndefined();
    const moved = { ...geometry, originMm: [0, 0, 4] } as const;
    expect(differencePicture(picture([3], { geometry }), picture([1], { geometry: moved }))).toBeUndefined();
    expect(differencePicture(picture([3], { geometry }), picture([1], { geometry }))).toBeDefined();
    expect(differencePicture(picture([3]), undefined)).toBeUndefined();
  });
});

describe('maps', () => {
  it('count the object only, and numbers only', () => {
    const mask = objectMask([100, 50, 4, 0]);
    expect([...mask]).toEqual([1, 1, 0, 0]);
    expect(figuresWithin([1, 3, 99, 99], mask)).toEqual({ mean: 2, median: 3, p99: 3 });
    expect(figuresWithin([NaN, 3, 99, 99], mask)).toEqual({ mean: 3, median: 3, p99: 3 });
    expect(figuresWithin([1], Uint8Array.of(0))).toBeUndefined();
    expect([...objectMask([0, 0])]).toEqual([0, 0]);
  });
  it('are shown up to a round number: g from 1, others from 0; images up to their brightest parts, residuals in their own window', () => {
    const figures = { mean: 1, median: 1, p99: 2.3 };
    const own = { centre: 7, width: 2 };
    expect(scaleOf('gFactor', figures, own)).toEqual({ centre: 1.75, width: 1.5 });
    expect(scaleOf('snr', figures, own)).toEqual({ centre: 1.25, width: 2.5 });
    expect(scaleOf('image', figures, own)).toEqual({ centre: 1.15, width: 2.3 });
    expect(scaleOf('residual', figures, own)).toEqual(own);
    expect(scaleOf('snr', undefined, own)).toEqual(own);
    fc.assert(fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (value) => {
      expect(roundedUp(value)).toBeGreaterThanOrEqual(value * (1 - 1e-8));
      expect(roundedUp(value)).toBeLessThanOrEqual(2 * value * (1 + 1e-8));
    }));
  });
});

describe('a time axis', () => {
  it('has few round ticks within it', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.double({ min: 1, max: 1e6, noNaN: true }), (from, length) => {
      const ticks = timeTicks([from, from + length]);
      expect(ticks.length).toBeLessThanOrEqual(9);
      for (const tick of ticks) expect(tick >= from - 1e-6 * (from + length) && tick <= from + length + 1e-6 * (from + length)).toBe(true);
    }));
  });
  it('reaches the last image, and its end begins before the last readout', () => {
    expect(lastMoment(timeline)).toBe(1100);
    expect(spanOf(timeline, 'whole')).toEqual([0, 1100]);
    const [from, to] = spanOf(timeline, 'end');
    expect(from).toBeLessThan(1000);
    expect(to).toBeGreaterThan(1100);
  });
  it('has a row a slice; the lines of a volume have one of their own', () => {
    expect(timelineRows(timeline).map(({ name, firstLineMs }) => [name, firstLineMs])).toEqual([['slice 0', 0], ['slice 1', 10]]);
    const volume = { ...timeline, slices: [timeline.slices[0]!, { slice: 1, images: [{ kind: 'image', atMs: 960 }] }] };
    expect(timelineRows(volume).map(({ name, firstLineMs, images }) => [name, firstLineMs, images.length])).toEqual([['volume', 0, 0], ['slice 0', undefined, 1], ['slice 1', undefined, 1]]);
  });
  it('is beside the work, which adds up', () => {
    expect(stageShares(timeline)).toEqual([{ stage: 'grappa', ms: 30, share: 0.75 }, { stage: 'combination', ms: 10, share: 0.25 }]);
  });
});

const uri = 'data:image/png;base64,AAAA';
const scale = { low: 0, high: 1, ramp: uri };
const row = (acceleration: number, calibrationLines: number, method: string, minutes: number, gMean?: number) => ({
  setting: { acceleration, calibrationLines, method, denoisePercent: 0 }, nLines: 100 / acceleration + calibrationLines, minutes, violations: [], remarks: [],
  figures: { nRmse: 0.01 * acceleration, ssim: 1 - 0.01 * acceleration, gMean }, pictures: { image: uri },
});
const sweep: SweepView = {
  version: 1, softwareVersion: '0', scan: { acceleration: 1, matrix: [8, 8], nSlices: 1 }, timing: { trMs: 1, echoTrainLength: 1, concatenations: 1 }, snrUnits: true, limits: {},
  pictures: { slice: 0, rows: 8, columns: 8, scales: { image: scale, error: scale, gFactor: scale } },
  rows: [
    { nLines: 100, minutes: 4, figures: { nRmse: 0, ssim: 1, gMean: 1 }, violations: [], remarks: [] },
    row(4, 16, 'grappa', 1.2, 2), row(2, 16, 'grappa', 2.2, 1.3), row(2, 24, 'grappa', 2.4, 1.2), row(2, 16, 'l1', 2.2),
  ],
};

describe('the curves of a sweep', () => {
  it('are one for each method and number of calibration lines, in order, with the data as they are', () => {
    expect(curvesOf(sweep, 'minutes')).toMatchObject([
      { label: 'grappa, 16 calibration lines', rows: [1, 2, 0], hue: 0, dash: 0 }, { label: 'grappa, 24 calibration lines', rows: [3, 0], dash: 1 }, { label: 'l1, 16 calibration lines', rows: [4, 0], hue: 1 },
    ]);
    expect(curvesOf(sweep, 'acceleration')[0]!.rows).toEqual([0, 2, 1]);
  });
  it('over calibration lines are one for each R, without the data as they are', () => {
    expect(curvesOf(sweep, 'calibrationLines')).toMatchObject([{ label: 'grappa, R 2', rows: [2, 3] }, { label: 'grappa, R 4', rows: [1] }, { label: 'l1, R 2', rows: [4] }]);
  });
  it('over strengths are one for each R, and beside other axes each strength has its own', () => {
    const denoised = (acceleration: number, denoisePercent: number) => ({ ...row(acceleration, 16, 'grappa', 4 / acceleration), setting: { acceleration, calibrationLines: 16, method: 'grappa', denoisePercent } });
    const strengths = { ...sweep, rows: [sweep.rows[0]!, denoised(2, 0), denoised(2, 50), denoised(2, 100), denoised(4, 0), denoised(4, 50)] };
    expect(axesOf(strengths)).toEqual(['minutes', 'nLines', 'acceleration', 'denoisePercent']);
    expect(curvesOf(strengths, 'denoisePercent')).toMatchObject([{ label: 'grappa, R 2', rows: [1, 2, 3] }, { label: 'grappa, R 4', rows: [4, 5] }]);
    expect(curvesOf(strengths, 'acceleration')).toMatchObject([
      { label: 'grappa, 16 calibration lines, conventional', rows: [0, 1, 4], hue: 0 }, { label: 'grappa, 16 calibration lines, denoised at 50 %', rows: [0, 2, 5], hue: 1 },
      { label: 'grappa, 16 calibration lines, denoised at 100 %', rows: [0, 3], hue: 2 },
    ]);
  });
  it('have a figure where there is one; a method without it has none', () => {
    const curves = curvesOf(sweep, 'minutes');
    const { x, y, rows } = aligned(sweep, curves, 'minutes', 'gMean');
    expect(x).toEqual([1.2, 2.2, 2.4, 4]);
    expect(y).toEqual([[2, 1.3, null, 1], [null, null, 1.2, 1], [null, null, null, null]]);
    expect(rows[0]).toEqual([1, 2, null, 0]);
  });
  it('are over minutes only where these are known', () => {
    expect(axesOf(sweep)).toEqual(['minutes', 'nLines', 'acceleration', 'calibrationLines']);
    expect(axesOf({ ...sweep, timing: undefined, rows: sweep.rows.slice(0, 3) })).toEqual(['nLines', 'acceleration']);
  });
});

describe('a sweep from a file', () => {
  it('is taken as it was written', () => {
    expect(sweepOfFile(JSON.stringify(sweep))).toEqual(JSON.parse(JSON.stringify(sweep)));
  });
  it.each([
    ['no JSON', '{'], ['another thing', '[]'], ['another version', JSON.stringify({ ...sweep, version: 2 })], ['no rows', JSON.stringify({ ...sweep, rows: [] })],
    ['a picture that is none', JSON.stringify({ ...sweep, rows: [{ ...sweep.rows[0], pictures: { image: 'javascript:alert(1)' } }] })],
    ['a figure that is none', JSON.stringify({ ...sweep, rows: [{ ...sweep.rows[0], figures: { nRmse: '0', ssim: 1 } }] })],
    ['no scales', JSON.stringify({ ...sweep, pictures: { slice: 0 } })],
  ])('that is %s is refused with words', (_what, text) => {
    expect(() => sweepOfFile(text)).toThrow(/^got /);
  });
});
