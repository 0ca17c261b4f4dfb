import { hasFlag, parseHeader } from 'ismrmrd';
import type { Acquisition, MrdHeader } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import type { ScanOptions } from '../../../simulator/index.js';
import {
  keptLinesOf, keptReadouts, readRecordedScan, rewrittenHeader, scanMinutes, sequenceTimingOf, undersampledStream, type Sampling,
} from '../../../src/sweep/index.js';
import { messagesOf, smallScan, streamOf, withTiming, type Opener } from './scans.js';

const noiseless = { ...smallScan, noiseStd: 0 };

async function undersampled(open: Opener, sampling: Partial<Sampling>): Promise<{ header: MrdHeader; acquisitions: Acquisition[] }> {
  const scan = await readRecordedScan(await open());
  const whole = { acceleration: 2, calibrationLines: 16, keepsAllLines: false, ...sampling };
  return gathered(undersampledStream(await open(), rewrittenHeader(scan, whole.acceleration), keptReadouts(scan, whole)));
}

async function gathered(bytes: AsyncIterable<Uint8Array>): Promise<{ header: MrdHeader; acquisitions: Acquisition[] }> {
  const messages = await messagesOf(bytes);
  const xml = messages.flatMap((message) => (message.kind === 'header' ? [message.xml] : []))[0]!;
  return { header: parseHeader(xml), acquisitions: messages.flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : [])) };
}

/** What a readout is, apart from when it came. */
const identityOf = ({ header, data }: Acquisition) => {
  const { slice, kspaceEncodeStep1 } = header.idx;
  const use = (['parallelCalibration', 'parallelCalibrationAndImaging', 'lastInSlice'] as const).map((flag) => Number(hasFlag(header.flags, flag)));
  return [slice, kspaceEncodeStep1, ...use, ...data.subarray(0, 64)].join();
};

describe('undersampling', () => {
  it.each<[string, Partial<ScanOptions>, Partial<ScanOptions>, Partial<Sampling>]>([
    ['fully sampled data, R = 2', {}, { acceleration: 2, calibrationLines: 16 }, { acceleration: 2 }],
    ['fully sampled data, R = 3', {}, { acceleration: 3, calibrationLines: 11 }, { acceleration: 3, calibrationLines: 11 }],
    ['partial Fourier', { partialFourier: 0.75 }, { partialFourier: 0.75, acceleration: 2, calibrationLines: 16 }, {}],
    ['accelerated data', { acceleration: 2, calibrationLines: 20 }, { acceleration: 4, calibrationLines: 16 }, { acceleration: 4 }],
    ['separate calibration lines', { acceleration: 2, calibration: 'separate', calibrationLines: 24 }, { acceleration: 4, calibration: 'separate', calibrationLines: 16 }, { acceleration: 4 }],
  ])('%s are what the scanner would have sent', async (_, given, wanted, sampling) => {
    const ours = await undersampled(streamOf({ ...noiseless, ...given }), sampling);
    const theirs = await gathered(await streamOf({ ...noiseless, ...wanted })());
    expect(ours.acquisitions.map(identityOf).sort()).toEqual(theirs.acquisitions.map(identityOf).sort());
    expect(ours.header.encoding).toEqual(theirs.header.encoding);
  });

  it('keeps the noise scan, and every line for the reference', async () => {
    const whole = await gathered(await streamOf(smallScan)());
    const { acquisitions } = await undersampled(streamOf(smallScan), { keepsAllLines: true });
    expect(acquisitions).toHaveLength(whole.acquisitions.length);
    const calibrating = acquisitions.filter(({ header }) => hasFlag(header.flags, 'parallelCalibrationAndImaging'));
    expect(new Set(calibrating.map(({ header }) => header.idx.kspaceEncodeStep1))).toEqual(new Set(Array.from({ length: 16 }, (_, i) => 24 + i)));
  });

  it.each<[string, Partial<ScanOptions>, Partial<Sampling>, string]>([
    ['a factor below that of the data', { acceleration: 2 }, { acceleration: 1 }, 'CONUS_ERR_SWEEP_ACCELERATION'],
    ['a factor that is no multiple of it', { acceleration: 2 }, { acceleration: 3 }, 'CONUS_ERR_SWEEP_ACCELERATION'],
    ['a factor that no reconstruction takes', {}, { acceleration: 12 }, 'CONUS_ERR_SWEEP_ACCELERATION'],
    ['calibration lines that were not acquired', { acceleration: 2, calibrationLines: 16 }, { calibrationLines: 18 }, 'CONUS_ERR_SWEEP_CALIBRATION'],
    ['calibration lines beyond partial Fourier', { partialFourier: 0.625 }, { calibrationLines: 40 }, 'CONUS_ERR_SWEEP_CALIBRATION'],
    ['3D data', { nSlices: 1, nPartitions: 8, matrix: [32, 32] }, {}, 'CONUS_ERR_SWEEP_DATA'],
    ['interleaved lattices', { acceleration: 2, calibration: 'interleaved', nAverages: 2 }, {}, 'CONUS_ERR_SWEEP_DATA'],
  ])('refuses %s', async (_, given, sampling, code) => {
    await expect(undersampled(streamOf({ ...noiseless, ...given }), sampling)).rejects.toThrow(code);
  });
});

describe('minutes of scan', () => {
  const minutesOf = async (options: Partial<ScanOptions>, sampling: Partial<Sampling> | undefined, change = withTiming(8)) => {
    const scan = await readRecordedScan(await streamOf({ ...noiseless, ...options }, change)());
    const timing = sequenceTimingOf(scan, {});
    const kept = sampling === undefined
      ? scan.readouts.map(({ flags }) => flags)
      : keptReadouts(scan, { acceleration: 2, calibrationLines: 16, keepsAllLines: false, ...sampling });
    return timing && { ...timing, minutes: scanMinutes(timing, keptLinesOf(scan, kept)) };
  };

  it('are TR times excitations, by hand', async () => {
    // 64 lines in 8 trains of 3 s; with R = 2 and 16 calibration lines 40 lines in 5 trains.
    expect(await minutesOf({}, undefined)).toMatchObject({ concatenations: 1, minutes: (8 * 3) / 60 });
    expect(await minutesOf({}, {})).toMatchObject({ minutes: (5 * 3) / 60 });
    expect(await minutesOf({ nAverages: 2, nRepetitions: 3 }, {})).toMatchObject({ minutes: (6 * 5 * 3) / 60 });
    // 32 lines in 4 trains, 16 separate calibration lines in 2.
    const separate = { acceleration: 2, calibration: 'separate', calibrationLines: 24 } as const;
    expect(await minutesOf(separate, {})).toMatchObject({ minutes: ((4 + 2) * 3) / 60 });
  });

  it('count a concatenation for slices that come one after the other', async () => {
    expect(await minutesOf({ nSlices: 3, interleaveSlices: false }, undefined)).toMatchObject({ concatenations: 3, minutes: (3 * 8 * 3) / 60 });
  });

  it('are unknown where the header leaves the echo train of a fast spin echo open', async () => {
    expect(await minutesOf({}, undefined, withTiming(undefined))).toBeUndefined();
    expect(await minutesOf({}, undefined, withTiming(8, 0))).toBeUndefined();
    const scan = await readRecordedScan(await streamOf(noiseless)());
    expect(sequenceTimingOf(scan, { trMs: 500, echoTrainLength: 4 })).toMatchObject({ trMs: 500, echoTrainLength: 4 });
  });
});
