import { describe, expect, it } from 'vitest';
import { hasFlag, parseHeader, serializeHeader, type Acquisition } from 'ismrmrd';
import { fatAt, fastSpinEcho, nullingInversionTimeMs, type Tissue, type Vector3 } from '../../imaging/index.js';
import { acquiredLines, protocolSchema, timingOf, type ProtocolSource, type SeriesSource } from '../../protocols/index.js';
import {
  anatomyObject,
  cuboid,
  defaultPulsation,
  echoOrder,
  elementSensitivity,
  ellipsoid,
  expandDecay,
  intoPatient,
  motionOf,
  moved,
  perfectTransmit,
  pulsationOf,
  Random,
  referenceImage,
  SeriesScan,
  spineArray,
  susceptibilityField,
  uniformField,
  type Anatomy,
  type SeriesScanOptions,
} from '../../simulator/index.js';

const upTo = (n: number) => Array.from({ length: n }, (_, index) => index);
const tissue = (more: Partial<Tissue>): Tissue =>
  ({ protonDensity: 1, fatFraction: 0, t1Ms: 900, t2Ms: 80, t2StarMs: 30, hounsfield: 0, susceptibilityPpm: 0, ...more });
const bodyOf = (tissues: Record<string, Tissue>, ...bodies: readonly (readonly [name: string, centre: Vector3, axes: Vector3])[]): Anatomy => ({
  structures: bodies.map(([name, centre, axes]) => ({ name, solid: moved(centre, ellipsoid(axes)), tissue: name })),
  tissues: new Map(Object.entries(tissues)),
});
const phantom = bodyOf(
  { muscle: tissue({}), csf: tissue({ t1Ms: 4000, t2Ms: 2000 }), fat: tissue({ fatFraction: 1 }) },
  ['muscle', [0, 0, 0], [90, 70, 90]], ['csf', [0, 20, 0], [12, 14, 40]], ['fat', [0, -30, 20], [25, 20, 25]],
);

const tse = { kind: 'tse', trMs: 3000, teMs: 30, echoTrainLength: 5, echoSpacingMs: 10, bandwidthHzPerPixel: 400 } as const;
const geometry = {
  orientation: 'sagittal', readout: 'anteriorPosterior', fovMm: { readout: 200, phase: 220 }, matrix: { readout: 40, phase: 44 },
  slices: { count: 3, thicknessMm: 4, gapMm: 1 },
} as const;
const seriesOf = (more: Partial<SeriesSource> = {}): SeriesSource =>
  ({ id: 'one', role: 't2w', seriesDescription: 'T2w sag', sequence: tse, geometry, ...more });
const protocolOf = (series: SeriesSource, more: Partial<ProtocolSource> = {}) =>
  protocolSchema.parse({
    name: 'small', title: 'Small', bodyPart: 'LSPINE', region: 'lumbar', fieldStrengthT: 1.5, coil: { nChannels: 3 },
    source: ['made up'], series: [series], ...more,
  });
const plain: Partial<SeriesScanOptions> = { snr: Infinity, transmit: perfectTransmit, pulsation: undefined, field: uniformField };
const scanOf = (series: SeriesSource, options: Partial<SeriesScanOptions> = {}, anatomy = phantom, more: Partial<ProtocolSource> = {}) => {
  const protocol = protocolOf(series, more);
  return new SeriesScan(protocol, protocol.series[0]!, anatomyObject(anatomy), { ...plain, ...options });
};
const acquisitionsOf = (scan: SeriesScan): Acquisition[] =>
  [...scan.messages()].flatMap((message) => (message.kind === 'acquisition' ? [message.acquisition] : []));
const largest = (values: ArrayLike<number>) => Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const lineOf = (scan: SeriesScan, kspace: Float32Array, line: number) => {
  const nLines = kspace.length / (2 * scan.nCoils * scan.nSamples);
  return Float32Array.from(upTo(scan.nCoils).flatMap((coil) => [...kspace.subarray(2 * (coil * nLines + line) * scan.nSamples, 2 * (coil * nLines + line + 1) * scan.nSamples)]));
};
/** Root of the mean square of a difference over the largest value. */
const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum / a.length) / largest(b);
};

describe('the order of echoes', () => {
  it.each([[17, 320, 10], [3, 259, 1], [5, 44, 3], [16, 172, 8], [8, 5, 2]])('%i echoes, %i lines: every line once, the centre at echo %i', (nEchoes, nLines, effective) => {
    const lines = upTo(nLines);
    const places = echoOrder(lines, Math.floor(nLines / 2), nEchoes, effective);
    expect(places.map(({ line }) => line).sort((a, b) => a - b)).toEqual(lines);
    expect(Math.max(...places.map(({ train }) => train)) + 1).toBe(Math.ceil(nLines / nEchoes));
    expect(new Set(places.map(({ train, echo }) => `${train},${echo}`)).size).toBe(nLines);
    expect(places.every(({ echo }) => echo >= 1 && echo <= nEchoes)).toBe(true);
    expect(places.find(({ line }) => line === Math.floor(nLines / 2))!.echo).toBe(effective);
  });

  it('neighbours near the centre are neighbours in the train, also for the first echo', () => {
    for (const [nEchoes, effective] of [[16, 8], [16, 1], [15, 10]] as const) {
      const places = new Map(echoOrder(upTo(256), 128, nEchoes, effective).map(({ line, echo }) => [line, echo]));
      for (let line = 110; line < 146; line++) {
        expect(Math.abs(places.get(line)! - places.get(line + 1)!)).toBeLessThanOrEqual(effective === 1 ? 2 : 1);
      }
    }
  });
});

describe('curves of decay', () => {
  it('describe every tissue to a thousandth of the largest signal, with few curves', () => {
    const signals = [15, 40, 43, 60, 80, 108, 200, 2000].map((t2Ms) => upTo(20).map((n) => (t2Ms / 100) * Math.exp((-10 * (n + 1)) / t2Ms)));
    const { coefficients, curves } = expandDecay(signals);
    expect(curves.length).toBeLessThan(6);
    const most = Math.max(...signals.flat());
    signals.forEach((signal, t) => signal.forEach((value, n) => {
      const sum = curves.reduce((s, curve, p) => s + curve[n]! * coefficients[t]![p]!, 0);
      expect(Math.abs(sum - value)).toBeLessThanOrEqual(1e-3 * most);
    }));
    expect(expandDecay([[0, 0], [0, 0]]).curves).toHaveLength(0);
  });
});

describe('a series', () => {
  it('acquires the lines of its protocol, with the counters and limits of partial Fourier', () => {
    const series = seriesOf({ acceleration: { factor: 2, calibration: 'embedded', calibrationLines: 8 }, partialFourier: '6/8', averages: 2 });
    const scan = scanOf(series);
    const wanted = acquiredLines(scan.series);
    const limits = scan.header.encoding[0]!.encodingLimits.kspace_encoding_step_1!;
    expect(limits).toEqual({ minimum: 0, maximum: 32, center: 11 });
    const acquisitions = acquisitionsOf(scan);
    expect(acquisitions).toHaveLength(3 * 2 * wanted.lines.length);
    for (const slice of upTo(3)) {
      const own = acquisitions.filter(({ header }) => header.idx.slice === slice).map(({ header }) => header);
      const lines = own.filter(({ idx }) => idx.average === 1).map(({ idx }) => idx.kspaceEncodeStep1).sort((a, b) => a - b);
      expect(lines).toEqual(wanted.lines.map(({ line }) => line - wanted.firstLine));
      const calibrating = own.filter(({ flags, idx }) => idx.average === 0 && hasFlag(flags, 'parallelCalibration')).map(({ idx }) => idx.kspaceEncodeStep1 + wanted.firstLine);
      expect(calibrating.sort((a, b) => a - b)).toEqual(wanted.lines.filter(({ use }) => use === 'calibration').map(({ line }) => line));
      expect(own.filter(({ flags }) => hasFlag(flags, 'firstInSlice'))).toEqual([own[0]]);
      expect(own.filter(({ flags }) => hasFlag(flags, 'lastInSlice'))).toEqual([own.at(-1)]);
    }
  });

  it('says in its header what it is', () => {
    const header = parseHeader(serializeHeader(scanOf(seriesOf({ acceleration: { factor: 2, calibration: 'separate', calibrationLines: 8 } })).header));
    expect(header.sequenceParameters).toMatchObject({ TR: [3000], TE: [30], TI: [], sequence_type: 'TurboSpinEcho', echo_spacing: [10] });
    expect(header.encoding[0]).toMatchObject({ echoTrainLength: 5, parallelImaging: { calibrationMode: 'separate' } });
    expect(header.acquisitionSystemInformation).toMatchObject({ systemFieldStrength_T: 1.5, receiverChannels: 3 });
    expect(header.measurementInformation).toMatchObject({ protocolName: 'T2w sag' });
    expect(header.subjectInformation?.patientName).toMatch(/^Simulated/);
    expect(header.measurementInformation?.frameOfReferenceUID).toMatch(/^2\.25\.[1-9]\d{30,38}$/);
  });

  it('lasts as long as the protocol reckons; its clock runs on, train by train', () => {
    const series = seriesOf({ averages: 2, dummies: 1, acceleration: { factor: 2, calibration: 'separate', calibrationLines: 8 } });
    const scan = scanOf(series);
    const timing = timingOf(scan.series, scan.protocol.preparation);
    expect(scan.durationMs).toBe(timing.totalMs);
    const times = scan.readouts.map(({ timeMs }) => timeMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)!).toBeLessThan(timing.totalMs);
    expect(times.at(-1)!).toBeGreaterThan(timing.totalMs - 3000);
    const stamps = acquisitionsOf(scan).map(({ header }) => header.acquisitionTimeStamp);
    expect(stamps).toEqual(times.map((time) => 20_000_000 + Math.round(time / 2.5)));
    const first = scan.readouts.filter(({ slice }) => slice === scan.readouts[0]!.slice);
    expect(first[1]!.timeMs - first[0]!.timeMs).toBe(10);
    expect(new Set(scan.readouts.map(({ slice, excitationMs }) => `${slice} ${excitationMs}`)).size).toBe(3 * (2 + 2 * 5));
  });

  it('is the same whichever slice is computed first, and another for another seed', () => {
    const noisy = { snr: 1, pulsation: defaultPulsation };
    const [a, b, c] = [scanOf(seriesOf(), noisy), scanOf(seriesOf(), noisy), scanOf(seriesOf(), { ...noisy, seed: 2 })];
    const forward = upTo(3).map((slice) => a.sliceReadouts(slice));
    const backward = [2, 1, 0].map((slice) => b.sliceReadouts(slice)).reverse();
    expect(forward).toEqual(backward);
    expect(c.sliceReadouts(1)).not.toEqual(forward[1]);
    const streamed = acquisitionsOf(a).filter(({ header }) => !hasFlag(header.flags, 'noiseMeasurement'));
    const next = [0, 0, 0];
    for (const { header: { idx }, data } of streamed) expect(data).toEqual(forward[idx.slice]![next[idx.slice]!++]);
  });

  it('lies where its geometry says: centre, blocks at discs, pixels', () => {
    const scan = scanOf(seriesOf({ geometry: { ...geometry, centreMm: [1, 2, 3] } }), { regionCentreMm: [10, 0, 0] });
    expect(scan.slicePlane(1)).toMatchObject({ centreMm: [11, 2, 3], readDirection: [0, 1, 0], phaseDirection: [0, 0, -1] });
    expect(scan.slicePlane(2).centreMm[0]).toBeCloseTo(11 - 5, 9);
    expect(scan.imagePlane(1)).toMatchObject({ originMm: [11, 2 - 100, 3 + 110], columnStepMm: [0, 5, 0], nColumns: 40, nRows: 44 });
    const axial: SeriesSource['geometry'] = { ...geometry, orientation: 'axial', readout: 'leftRight', discLevels: ['L4-L5', 'L5-S1'] };
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
    const frame = (z: number) => ({ originMm: [0, 5, z] as Vector3, x: [1, 0, 0] as Vector3, y: [0, c, s] as Vector3, z: [0, -s, c] as Vector3 });
    const blocks = scanOf(seriesOf({ geometry: axial }), { discs: new Map([['L4-L5', frame(20)], ['L5-S1', frame(-20)]]) });
    expect(blocks.nSlices).toBe(6);
    expect(blocks.slicePlane(4)).toMatchObject({ centreMm: [0, 5, -20], readDirection: [1, 0, 0], phaseDirection: [0, c, s], sliceDirection: [0, -s, c] });
    expect(() => scanOf(seriesOf({ geometry: axial })).slicePlane(0)).toThrow('L4-L5');
    // Four lumbar vertebrae: the two discs above the sacrum are those that are meant.
    const four = scanOf(seriesOf({ geometry: axial }), { discs: new Map([['L2-L3', frame(60)], ['L3-L4', frame(20)], ['L4-S1', frame(-20)]]) });
    expect([0, 4].map((slice) => four.slicePlane(slice).centreMm[2])).toEqual([blocks.slicePlane(0).centreMm[2], blocks.slicePlane(4).centreMm[2]]);
  });

  it('has the noise that was asked for: its covariance, and less in larger voxels', () => {
    const scan = scanOf(seriesOf(), { snr: 1, noiseScanSamples: 20_000 });
    const readouts = acquisitionsOf(scan).filter(({ header }) => hasFlag(header.flags, 'noiseMeasurement'));
    const n = 3;
    const sum = new Float64Array(2 * n * n);
    let nSamples = 0;
    for (const { data } of readouts) {
      const length = data.length / (2 * n);
      nSamples += length;
      for (const a of upTo(n)) for (const b of upTo(n)) for (let s = 0; s < length; s++) {
        const [i, j] = [2 * (a * length + s), 2 * (b * length + s)];
        sum[2 * (a * n + b)]! += data[i]! * data[j]! + data[i + 1]! * data[j + 1]!;
        sum[2 * (a * n + b) + 1]! += data[i + 1]! * data[j]! - data[i]! * data[j + 1]!;
      }
    }
    const factor = 2 * (scan.dwellTimeUs / scan.options.noiseDwellTimeUs) * scan.options.relativeReceiverNoiseBandwidth;
    const wanted = scan.noiseCovariance.map((value) => value * factor);
    const error = Math.sqrt(wanted.reduce((s, value, i) => s + (value - sum[i]! / nSamples) ** 2, 0) / wanted.reduce((s, value) => s + value ** 2, 0));
    expect(error).toBeLessThan(1.2 * Math.sqrt(n / nSamples));
    const thick = scanOf(seriesOf({ geometry: { ...geometry, slices: { count: 3, thicknessMm: 8 } } }), { snr: 1 });
    expect(scan.noiseStd / thick.noiseStd).toBeCloseTo(2, 9);
    const strong = scanOf(seriesOf(), { snr: 2 }, phantom, { fieldStrengthT: 3 });
    expect(scan.noiseStd / strong.noiseStd).toBeCloseTo(4, 9);
  });

  it('leaves the beginning of asymmetric echoes out, and broken coils with nothing', () => {
    const whole = acquisitionsOf(scanOf(seriesOf()));
    const part = acquisitionsOf(scanOf(seriesOf({ echoFraction: 0.75 }), { brokenCoils: [1] }));
    part.forEach(({ header, data }, index) => {
      expect([header.nSamples, header.centerSample]).toEqual([60, 20]);
      expect(data.subarray(0, 120)).toEqual(whole[index]!.data.subarray(40, 160));
      expect(data.subarray(120, 240).every((value) => value === 0)).toBe(true);
    });
  });
});

describe('signals', () => {
  const single = { ...tse, teMs: 10, echoTrainLength: 1 };

  it('one echo a train: the stream is the truth', () => {
    const scan = scanOf(seriesOf({ sequence: single }));
    const truth = scan.kspace(1);
    const own = scan.readouts.filter(({ slice }) => slice === 1);
    scan.sliceReadouts(1).forEach((data, index) => expect(data).toEqual(lineOf(scan, truth, own[index]!.line)));
  });

  it('decay along the train as the tissue relaxes: the lines of each echo are the truth times exp(-TE / T2)', () => {
    const muscle = bodyOf({ muscle: tissue({}) }, ['muscle', [0, 0, 0], [90, 70, 90]]);
    const scan = scanOf(seriesOf(), {}, muscle);
    const truth = scan.kspace(1);
    const own = scan.readouts.filter(({ slice }) => slice === 1);
    expect(new Set(own.map(({ echo }) => echo)).size).toBe(5);
    scan.sliceReadouts(1).forEach((data, index) => {
      const decay = Math.exp((30 - 10 * own[index]!.echo) / 80);
      const wanted = lineOf(scan, truth, own[index]!.line).map((value) => value * decay);
      expect(difference(data, wanted)).toBeLessThan(2e-4);
    });
  });

  it('are those of the signal equations: the image in the middle of a body', () => {
    const muscle = bodyOf({ muscle: tissue({ protonDensity: 0.8 }) }, ['muscle', [0, 0, 0], [90, 70, 90]]);
    const scan = scanOf(seriesOf(), {}, muscle);
    const image = referenceImage(scan.kspace(1), 3, scan.sampling);
    const { x, y, z } = { x: 0, y: 0, z: 0 };
    const body = spineArray(3, { min: [-90, -70, -90], max: [90, 70, 90] });
    const sizeAt = (point: Vector3) => Math.sqrt(body.reduce((sum, element) => sum + elementSensitivity(element, point).reduce((s, part) => s + part * part, 0), 0));
    const block = upTo(27).map((i) => sizeAt([30 * ((i % 3) - 1), 30 * ((Math.floor(i / 3) % 3) - 1), 80 * (Math.floor(i / 9) - 1)]));
    const sensitivity = sizeAt([x, y, z]) / (block.reduce((sum, size) => sum + size, 0) / 27);
    const signal = 0.8 * fastSpinEcho({ t1Ms: 900, t2Ms: 80 }, { ...tse, refocusingAngleDeg: 180 });
    // Mean of a few pixels: the edge of the body rings at this resolution.
    const pixels = [-2, -1, 0, 1, 2].flatMap((row) => [-2, -1, 0, 1, 2].map((column) => image[(22 + row) * 40 + 20 + column]!));
    const mean = pixels.reduce((sum, value) => sum + value, 0) / 25;
    expect(mean / (signal * sensitivity)).toBeGreaterThan(0.95);
    expect(mean / (signal * sensitivity)).toBeLessThan(1.05);
  });

  it('fat lies where its chemical shift puts it, by shift over bandwidth', () => {
    const place = (fatFraction: number) => {
      const ball = bodyOf({ ball: tissue({ fatFraction }) }, ['ball', [0, 10, 0], [30, 30, 30]]);
      const scan = scanOf(seriesOf({ sequence: { ...single, bandwidthHzPerPixel: 100 } }), {}, ball);
      const image = referenceImage(scan.kspace(1), 3, scan.sampling);
      let [sum, mass] = [0, 0];
      for (let row = 12; row < 32; row++) for (let column = 0; column < 40; column++) {
        sum += column * image[row * 40 + column]! ** 2;
        mass += image[row * 40 + column]! ** 2;
      }
      return sum / mass;
    };
    const shift = fatAt(1.5).peaks.reduce((sum, { shiftPpm, weight }) => sum + shiftPpm * weight, 0) * 42.577 * 1.5;
    // A lower frequency lies earlier in k-space's phase, exp(-i 2π k x): further along the readout.
    expect(place(1) - place(0)).toBeCloseTo(-shift / 100, 0);
    expect(place(1) - place(0)).toBeGreaterThan(1);
  });

  it('STIR: the inversion time is the null of fat at this repetition time, and fat is gone', () => {
    const stir = { ...tse, kind: 'stirTse', tiMs: 'auto' } as const;
    const fatOnly = bodyOf({ fat: tissue({ fatFraction: 1 }) }, ['fat', [0, 0, 0], [60, 50, 60]]);
    const scan = scanOf(seriesOf({ sequence: stir }), {}, fatOnly);
    const full = scanOf(seriesOf(), {}, fatOnly);
    const ti = scan.header.sequenceParameters!.TI[0]!;
    expect(ti).toBe(Math.round(nullingInversionTimeMs(fatAt(1.5).t1Ms, { ...tse, refocusingAngleDeg: 180 }, 0.98)));
    expect(largest(scan.kspace(1)) / largest(full.kspace(1))).toBeLessThan(0.01);
    const longer = scanOf(seriesOf({ sequence: stir }), { fat: { ...fatAt(1.5), t1Ms: 1.1 * fatAt(1.5).t1Ms } }, fatOnly);
    expect(longer.header.sequenceParameters!.TI[0]!).toBeGreaterThan(ti + 5);
  });

  it('spectral saturation takes fat and leaves water, unless the field is off', () => {
    const saturated = { ...single, fatSuppression: 'spectral' } as const;
    const of = (fatFraction: number, ppm: number) => {
      const ball = bodyOf({ ball: tissue({ fatFraction }) }, ['ball', [0, 0, 0], [60, 50, 60]]);
      const options = { field: { ppmAt: () => ppm } };
      return largest(scanOf(seriesOf({ sequence: saturated }), options, ball).kspace(1)) / largest(scanOf(seriesOf({ sequence: single }), {}, ball).kspace(1));
    };
    expect(of(1, 0)).toBeLessThan(0.2);
    expect(of(0, 0)).toBeGreaterThan(0.95);
    expect(of(1, 3)).toBeGreaterThan(0.6);
    expect(of(0, -3)).toBeLessThan(0.3);
  });

  it('gradient echoes: water and fat against each other at 2.3 ms, together at 4.6 ms; the field turns both', () => {
    const dixon: SeriesSource['sequence'] = { kind: 'dixonGre', trMs: 200, teMs: [2.3, 4.6], flipAngleDeg: 30, bandwidthHzPerPixel: 800 };
    const half = bodyOf({ ball: tissue({ fatFraction: 0.4, t1Ms: 300 }) }, ['ball', [0, 0, 0], [60, 50, 60]]);
    const scan = scanOf(seriesOf({ sequence: dixon }), {}, half);
    const size = (contrast: number) => largest(scan.kspace(1, contrast));
    expect(scan.header.sequenceParameters?.TE).toEqual([2.3, 4.6]);
    expect(size(1)).toBeGreaterThan(1.8 * size(0));
    const acquisitions = acquisitionsOf(scan);
    expect(acquisitions.filter(({ header }) => header.idx.contrast === 1)).toHaveLength(3 * 44);
    const off = scanOf(seriesOf({ sequence: dixon }), { field: { ppmAt: () => 1 } }, half);
    const [a, b] = [lineOf(scan, scan.kspace(1, 0), 22), lineOf(off, off.kspace(1, 0), 22)];
    const phase = 2 * Math.PI * 42.577478518 * 1.5 * 2.3e-3;
    const turned = a.map((value, i) => (i % 2 === 0 ? value * Math.cos(phase) - a[i + 1]! * Math.sin(phase) : a[i - 1]! * Math.sin(phase) + value * Math.cos(phase)));
    expect(difference(b, turned)).toBeLessThan(1e-4);
  });

  it('gradient echoes lose sinc(Δf TE) of what the field differs by through the slice', () => {
    const sequence: SeriesSource['sequence'] = { kind: 'dixonGre', trMs: 200, teMs: [2.3, 4.6], flipAngleDeg: 30, bandwidthHzPerPixel: 800 };
    const [ppmPerMm, thicknessMm] = [0.5, 4];
    const even = scanOf(seriesOf({ sequence }));
    const steep = scanOf(seriesOf({ sequence }), { field: { ppmAt: ([x]) => ppmPerMm * x } });
    for (const [contrast, teMs] of [[0, 2.3], [1, 4.6]] as const) {
      const turn = Math.PI * ppmPerMm * thicknessMm * 42.577478518 * 1.5 * teMs * 1e-3;
      const lost = even.kspace(1, contrast).map((value) => (value * Math.sin(turn)) / turn);
      expect(difference(steep.kspace(1, contrast), lost)).toBeLessThan(1e-4);
    }
  });

  it('the transmit field scales what is refocused', () => {
    const weak = scanOf(seriesOf({ sequence: { ...single, refocusingAngleDeg: 180 } }), { transmit: { relativeAt: () => 2 / 3, reachAt: () => 1 } });
    const full = scanOf(seriesOf({ sequence: single }));
    expect(largest(weak.kspace(1)) / largest(full.kspace(1))).toBeCloseTo(Math.sin(Math.PI / 3), 4);
  });
});

describe('motion', () => {
  it('within the slice turns the phases as a shift does', () => {
    const rest = scanOf(seriesOf({ sequence: { ...tse, teMs: 10, echoTrainLength: 1 } }));
    const atOnce = { preparation: { adjustmentsS: 0, noiseScanS: 0 } };
    const moving = scanOf(seriesOf({ sequence: { ...tse, teMs: 10, echoTrainLength: 1 } }), { motion: 'drift', motionAmplitudeMm: 5 }, phantom, atOnce);
    const truth = rest.kspace(1);
    const errors = moving.sliceReadouts(1).map((data, index) => difference(data, lineOf(rest, truth, moving.readouts.filter(({ slice }) => slice === 1)[index]!.line)));
    expect(errors[0]).toBeLessThan(0.01);
    expect(Math.max(...errors.slice(20))).toBeGreaterThan(0.02);
    expect(moving.kspace(1)).toEqual(truth);
  });

  it('by a jump: before it as at rest, after it as in the other pose', () => {
    const sequence = { ...tse, teMs: 10, echoTrainLength: 1 };
    const rest = scanOf(seriesOf({ sequence })).sliceReadouts(1);
    const scan = scanOf(seriesOf({ sequence }), { motion: 'jump', motionAmplitudeMm: 4 });
    const jumped = scan.sliceReadouts(1).map((data, index) => difference(data, rest[index]!) > 1e-6);
    const first = jumped.indexOf(true);
    expect(first).toBeGreaterThan(5);
    expect(first).toBeLessThan(40);
    expect(jumped.slice(first).every(Boolean)).toBe(true);
  });

  it('poses take a point back to where it came from', () => {
    const pose = { turnDeg: [10, -20, 30] as Vector3, shiftMm: [1, 2, 3] as Vector3 };
    const [a, b, c] = pose.turnDeg.map((angle) => (angle * Math.PI) / 180) as [number, number, number];
    const rx = ([x, y, z]: Vector3): Vector3 => [x, Math.cos(a) * y - Math.sin(a) * z, Math.sin(a) * y + Math.cos(a) * z];
    const ry = ([x, y, z]: Vector3): Vector3 => [Math.cos(b) * x + Math.sin(b) * z, y, -Math.sin(b) * x + Math.cos(b) * z];
    const rz = ([x, y, z]: Vector3): Vector3 => [Math.cos(c) * x - Math.sin(c) * y, Math.sin(c) * x + Math.cos(c) * y, z];
    const point: Vector3 = [5, -7, 11];
    const there = rz(ry(rx(point))).map((part, axis) => part + pose.shiftMm[axis]!) as unknown as Vector3;
    intoPatient(pose, there).forEach((part, axis) => expect(part).toBeCloseTo(point[axis]!, 9));
  });

  it('breathes within its amplitude and comes back', () => {
    const motion = motionOf('breathing', 60, new Random(3), 4);
    const shifts = upTo(600).map((i) => -motion.at(i / 10).shiftMm[1]);
    expect(Math.max(...shifts)).toBeGreaterThan(3.8);
    expect(Math.max(...shifts)).toBeLessThanOrEqual(4);
    expect(Math.min(...shifts)).toBeLessThan(0.01);
  });
});

describe('pulsation', () => {
  it('changes the fluid from beat to beat and nothing else', () => {
    const sequence = { ...tse, teMs: 10, echoTrainLength: 1 };
    const withoutFluid = bodyOf({ muscle: tissue({}) }, ['muscle', [0, 0, 0], [90, 70, 90]]);
    const pulsating = { pulsation: { ...defaultPulsation, flowingShare: 0.5 } };
    expect(scanOf(seriesOf({ sequence }), pulsating, withoutFluid).sliceReadouts(1)).toEqual(scanOf(seriesOf({ sequence }), {}, withoutFluid).sliceReadouts(1));
    const [still, moving] = [scanOf(seriesOf({ sequence })), scanOf(seriesOf({ sequence }), pulsating)];
    // The truth is fluid without loss.
    expect(difference(moving.kspace(1), still.kspace(1))).toBeLessThan(1e-4);
    const changes = moving.sliceReadouts(1).map((data, index) => difference(data, still.sliceReadouts(1)[index]!));
    expect(Math.max(...changes)).toBeGreaterThan(0.005);
  }, 20_000);

  it('is one half of the loss in systole and unity on the mean of a beat’s ends', () => {
    const pulsation = pulsationOf({ flowingShare: 1, loss: 0.5, phaseRad: 1, heartRatePerMin: 60 }, 30, new Random(1));
    const sizes = upTo(3000).map((i) => Math.hypot(...pulsation.at(i / 100)));
    expect(Math.min(...sizes)).toBeCloseTo(0.5, 2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1 + 1e-12);
  });
});

describe('the field of susceptibility', () => {
  it('of a sphere is that of a dipole outside, and none inside', () => {
    const radius = 40;
    const chi = 9.41 + 1;
    const ball: Anatomy = {
      structures: [{ name: 'ball', solid: ellipsoid([radius, radius, radius]), tissue: 'ball' }, { name: 'far', solid: moved([0, 0, 0], cuboid([90, 90, 90])), tissue: 'none', opacity: 1e-9 }],
      tissues: new Map([['ball', tissue({ susceptibilityPpm: chi })], ['none', tissue({ susceptibilityPpm: 9.41 })]]),
    };
    const field = susceptibilityField(anatomyObject({ ...ball, structures: [ball.structures[1]!, ball.structures[0]!] }), 90, false);
    const middle = field.ppmAt([0, 0, 0]);
    for (const [x, y, z] of [[60, 0, 0], [0, 0, 60], [30, 30, 45], [0, 55, 30]] as const) {
      const r = Math.hypot(x, y, z);
      const dipole = ((chi - 9.41) / 3) * (radius / r) ** 3 * (3 * (z / r) ** 2 - 1);
      expect(Math.abs(field.ppmAt([x, y, z]) - middle - dipole)).toBeLessThan(0.03);
    }
    expect(Math.abs(field.ppmAt([15, 0, 10]) - middle)).toBeLessThan(0.01);
  });

  it('is shimmed: a magnetised body without air has little left', () => {
    const block: Anatomy = { structures: [{ name: 'a', solid: cuboid([90, 70, 140]), tissue: 'a' }], tissues: new Map([['a', tissue({})]]) };
    const object = anatomyObject(block);
    const spread = (field: { ppmAt(point: Vector3): number }) => {
      const values = upTo(125).map((i) => field.ppmAt([20 * ((i % 5) - 2), 15 * ((Math.floor(i / 5) % 5) - 2), 20 * (Math.floor(i / 25) - 2)]));
      return Math.max(...values) - Math.min(...values);
    };
    expect(spread(susceptibilityField(object, 200))).toBeLessThan(0.6 * spread(susceptibilityField(object, 200, false)));
  });
});

describe('the array', () => {
  it.each([[8, 'trunk'], [16, 'trunk'], [20, 'neck'], [32, 'neck']] as const)('%i elements about a %s: outside the body, named, most under the back', (nCoils, region) => {
    const body = { min: [-160, -100, -140] as Vector3, max: [160, 110, 140] as Vector3 };
    const elements = spineArray(nCoils, body, region);
    expect(elements).toHaveLength(nCoils);
    expect(new Set(elements.map(({ name }) => name)).size).toBe(nCoils);
    const inside = (p: Vector3) => p.every((part, axis) => part > body.min[axis]! && part < body.max[axis]!);
    if (region === 'trunk') expect(elements.some(({ centreMm }) => inside(centreMm))).toBe(false);
    const back = elements.filter(({ normal }) => normal[1] === 1);
    expect(back.length).toBeGreaterThanOrEqual(nCoils / 2 - 2);
  });

  it('on its axis, across the main field, has the closed form R² / (2 (R² + d²)^1.5)', () => {
    const element = { name: 'a', centreMm: [0, 100, 0] as Vector3, normal: [0, 1, 0] as Vector3, radiusMm: 50 };
    for (const y of [-50, 0, 60]) {
      const [re, im] = elementSensitivity(element, [0, y, 0]);
      const closed = (2 * Math.PI * 50 ** 2) / (50 ** 2 + (100 - y) ** 2) ** 1.5;
      expect(re).toBeCloseTo(0, 9);
      expect((Math.abs(im) * 2 * Math.PI * 50) / 48 / closed).toBeCloseTo(1, 9);
    }
    // A loop across the main field's axis receives nothing on its own.
    expect(Math.hypot(...elementSensitivity({ ...element, centreMm: [0, 0, 100], normal: [0, 0, 1] }, [0, 0, 0]))).toBeLessThan(1e-9);
  });
});
