import { afterAll, describe, expect, it } from 'vitest';
import { volumeOf } from '../../../imaging/index.js';
import type { ImageGeometry } from '../../../imaging/index.js';
import type { Protocol, Series } from '../../../protocols/index.js';
import type { ReconImage } from '../../../recon/index.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { ReconstructionPool } from '../../../src/reconstruction/index.js';
import { Session } from '../../../src/session/index.js';
import type { SessionAnswer } from '../../../src/session/index.js';
import { PreparedExam, SimulatedSeries } from '../../../src/simulation/index.js';
import type { ExamSpec } from '../../../src/simulation/index.js';
import { relativeScale, scanRecorder, signalScale } from '../../../src/synthesis/index.js';
import type { ScanPhysics, ScanRecord } from '../../../src/synthesis/index.js';

const standard = await loadUnresolvedProtocol('lumbar-standard');
const pool = new ReconstructionPool({ threads: 1 });
afterAll(() => pool.close());

/** A block of signal 1, whatever the sequence. */
const geometry: ImageGeometry = {
  centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0], fovMm: [240, 240, 60], matrixSize: [40, 40, 3],
};
const block = Float32Array.from({ length: 40 * 40 * 3 }, (_, index) => (Math.abs((index % 40) - 20) < 14 && Math.abs((Math.floor(index / 40) % 40) - 20) < 14 ? 1 : 0));

interface Changes {
  readonly series?: Partial<Series>;
  readonly geometry?: Partial<Series['geometry']>;
  readonly bandwidthHzPerPixel?: number;
  readonly thicknessMm?: number;
  readonly snr?: number;
  readonly fieldOfViewMm?: number;
}

/** Mean value within the block, and what the session told of its scan. */
async function scanned(changes: Changes, overrides: Record<string, string> = {}): Promise<{ mean: number; record: ScanRecord }> {
  const series = standard.series.find(({ id }) => id === 'sag-t2w')!;
  const protocol: Protocol = {
    ...standard, coil: { nChannels: 4 },
    series: [{
      ...series, averages: 1, saturation: [], acceleration: { factor: 1, calibration: 'none', calibrationLines: 0 }, ...changes.series,
      sequence: { ...series.sequence, bandwidthHzPerPixel: changes.bandwidthHzPerPixel ?? 190 } as Series['sequence'],
      geometry: {
        ...series.geometry, fovMm: { readout: 280, phase: 280 }, matrix: { readout: 64, phase: 64 }, phaseResolution: 1, phaseOversampling: 0, ...changes.geometry,
        slices: { ...series.geometry.slices, count: 1, thicknessMm: changes.thicknessMm ?? 4 },
      },
    }],
  };
  const spec: ExamSpec = { protocol, subject: { kind: 'picture', volume: volumeOf(geometry, block), gain: 1 }, scan: { seed: 5, snr: changes.snr ?? 3 }, ct: {} };
  const scan = new PreparedExam(spec).scan('sag-t2w');
  const stream = new SimulatedSeries([...scan.messages((slice) => scan.sliceReadouts(slice))], scan.durationMs);
  const images: ReconImage[] = [];
  const answer: SessionAnswer = {
    begin: () => undefined, image: (image) => images.push(image), returned: () => undefined, text: () => undefined, response: () => undefined,
    dependency: () => undefined, ready: () => undefined, notices: () => [], close: () => Promise.resolve(),
  };
  let record: ScanRecord | undefined;
  const session = new Session({ id: 'test', overrides, reconstructions: pool, answer, observer: scanRecorder((told) => (record = told)) });
  for (const { parts } of stream.timed()) for (const part of parts) await session.write(part);
  await session.end();
  const { rows, columns, data } = images[0]!;
  const [{ readout, phase }] = [protocol.series[0]!.geometry.fovMm];
  let [sum, n] = [0, 0];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [y, x] = [(row - Math.floor(rows / 2)) * (phase / rows), (column - Math.floor(columns / 2)) * (readout / columns)];
      // Away from the edges, which differ with the resolution.
      if (Math.abs(x) > 45 || Math.abs(y) > 45) continue;
      sum += Math.hypot(data[2 * (row * columns + column)]!, data[2 * (row * columns + column) + 1]!);
      n++;
    }
  }
  return { mean: sum / n, record: record! };
}

const plain = await scanned({});

describe('the scale from SNR units to one unit of signal', () => {
  // The array lies along the larger side of the field of view: that stays, so that the coils do.
  const many: Readonly<Record<string, Changes>> = {
    'another matrix and field of view': { geometry: { matrix: { readout: 96, phase: 80 }, fovMm: { readout: 280, phase: 220 } } },
    'another bandwidth and more averages': { bandwidthHzPerPixel: 350, series: { averages: 3 } },
    'thicker slices': { thicknessMm: 7 },
    'everything at once': {
      geometry: { phaseOversampling: 0.4, phaseResolution: 0.8, matrix: { readout: 112, phase: 96 }, fovMm: { readout: 280, phase: 260 } },
      series: { averages: 2, acceleration: { factor: 2, calibration: 'embedded', calibrationLines: 24 }, partialFourier: '6/8' }, bandwidthHzPerPixel: 260, thicknessMm: 5,
    },
  };
  it.each(Object.keys(many))('brings a scan with %s to the signal of the plain one, within 2 per cent', async (name) => {
    const other = await scanned(many[name]!);
    const scale = relativeScale([plain.record.physics, other.record.physics]);
    if (!('scales' in scale)) throw new Error(scale.unknown);
    const ratio = (other.mean * scale.scales[1]!) / (plain.mean * scale.scales[0]!);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.02);
    // And not because nothing had to be done.
    expect(Math.abs(other.mean / plain.mean - 1)).toBeGreaterThan(0.04);
  }, 60_000);

  it('is not claimed where the intensity was evened out', async () => {
    const { record } = await scanned({}, { intensityCorrection: 'estimate' });
    expect(relativeScale([plain.record.physics, record.physics])).toEqual({ unknown: 'the intensity of a series was evened out' });
  }, 60_000);

  it('is not claimed without a noise scan', async () => {
    const { record } = await scanned({ snr: Infinity });
    expect(signalScale(record.physics)).toBeUndefined();
  }, 60_000);

  it.each<[string, Partial<ScanPhysics>]>([
    ['other coils', { coilNames: ['A', 'B', 'C', 'D'] }],
    ['coils without names', { coilNames: [] }],
    ['a coil that broke meanwhile', { brokenCoils: ['coil 1'] }],
    ['another position', { patientPosition: 'FFS' }],
    ['another frame of reference', { frameOfReferenceUid: '1.2.3' }],
    ['an unknown dwell time', { dwellTimeUs: 0 }],
    ['noise of an unknown dwell time', { noiseDwellTimeUs: 0 }],
  ])('is not claimed with %s', (_what, changes) => {
    expect('unknown' in relativeScale([plain.record.physics, { ...plain.record.physics, ...changes }])).toBe(true);
  });

  it('is not claimed of a series from elsewhere', () => {
    expect('unknown' in relativeScale([plain.record.physics, undefined])).toBe(true);
  });

  it('is told with the sequence of the header', () => {
    expect(plain.record.sequence).toMatchObject({ trMs: 3500, isGradientEcho: false, hasInversion: false });
    expect(plain.record.fieldStrengthT).toBe(1.5);
  });
});
