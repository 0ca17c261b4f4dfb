import { describe, expect, it } from 'vitest';
import { fatAt, inversionRecoveryFastSpinEcho, tissueAt, waterAndFat } from '../../../imaging/index.js';
import type { Protocol, Series } from '../../../protocols/index.js';
import type { ReconImage } from '../../../recon/index.js';
import { buildPatient, drawPatient, referenceImage, seriesScan } from '../../../simulator/index.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { ReconstructionPool } from '../../../src/reconstruction/index.js';
import { Session, type SessionAnswer } from '../../../src/session/index.js';
import { PreparedExam, SimulatedExam, type ExamSpec } from '../../../src/simulation/index.js';

const standard = await loadUnresolvedProtocol('lumbar-standard');

function tiny(id: string, changes: (series: Series) => Partial<Series>): Protocol {
  const series = standard.series.find((one) => one.id === id)!;
  const geometry = { ...series.geometry, matrix: { readout: 96, phase: 80 }, phaseResolution: 1, phaseOversampling: 0.5, slices: { ...series.geometry.slices, count: 1 } };
  return { ...standard, coil: { nChannels: 6 }, series: [{ ...series, averages: 1, geometry, ...changes({ ...series, geometry }) }] };
}

async function reconstructed(spec: ExamSpec): Promise<ReconImage[]> {
  const exam = new SimulatedExam(spec, 1);
  const pool = new ReconstructionPool({ threads: 1 });
  const images: ReconImage[] = [];
  const answer: SessionAnswer = {
    begin: () => undefined,
    image: (image) => images.push(image),
    returned: () => undefined,
    text: () => undefined,
    response: () => undefined,
    dependency: () => undefined,
    ready: () => undefined,
    notices: () => [],
    close: () => Promise.resolve(),
  };
  try {
    const stream = await exam.simulate(spec.protocol.series[0]!.id);
    const session = new Session({ id: 'test', overrides: { combine: 'rss' }, reconstructions: pool, answer, savesRaw: false });
    for (const { parts } of stream.timed()) for (const part of parts) await session.write(part);
    await session.end();
    return images;
  } finally {
    await exam.close();
    await pool.close();
  }
}

describe('a simulated stream', () => {
  it('without noise and fully sampled is reconstructed to the truth, band-limited to the matrix, at its place', async () => {
    // One echo a train: every line has the contrast of the truth.
    const protocol = tiny('sag-t2w', ({ sequence }) => ({
      sequence: { ...sequence, echoTrainLength: 1, echoSpacingMs: 100, teMs: 100 } as Series['sequence'],
      acceleration: { factor: 1, calibration: 'none', calibrationLines: 0 },
    }));
    const spec: ExamSpec = {
      protocol, subject: { kind: 'patient', record: drawPatient({ seed: 11, region: 'lumbar' }, 1.5) }, scan: { seed: 11, snr: Infinity, pulsation: undefined }, ct: {},
    };
    const [image] = await reconstructed(spec);
    const scan = new PreparedExam(spec).scan('sag-t2w');
    const truth = referenceImage(scan.kspace(0), scan.nCoils, scan.sampling);
    let [error, norm] = [0, 0];
    truth.forEach((value, pixel) => {
      error += (Math.hypot(image!.data[2 * pixel]!, image!.data[2 * pixel + 1]!) - value) ** 2;
      norm += value ** 2;
    });
    expect(Math.sqrt(error / norm)).toBeLessThan(1e-4);
    expect(image!.geometry?.centreMm).toEqual([0, 0, 0]);
  }, 60_000);
});

describe('STIR of a person', () => {
  it.each([[1, 1.5], [2, 1.5], [3, 3], [4, 3]] as const)('nulls the fat of seed %i at %f T: below a twentieth of muscle, oedema bright', (seed, fieldStrengthT) => {
    const protocol = { ...tiny('sag-stir', () => ({})), fieldStrengthT } as Protocol;
    const patient = buildPatient(drawPatient({ seed, region: 'lumbar' }, fieldStrengthT), fieldStrengthT);
    const { series } = seriesScan(protocol, protocol.series[0]!, patient.anatomy, { fat: patient.fat, discs: patient.discs });
    const { sequence } = series;
    if (sequence.kind !== 'stirTse') throw new Error('STIR is an inversion recovery');
    const tiMs = sequence.tiMs as number;
    // As the scanner sees it: an inversion that is nearly perfect.
    const signal = (fatFraction: number, name: 'muscle' | 'marrowOedema' | 'subcutaneousFat') => {
      const tissue = patient.anatomy.tissues.get(name) ?? tissueAt(name, fieldStrengthT);
      const parts = waterAndFat({ ...tissue, fatFraction }, patient.fat, (relaxation) => inversionRecoveryFastSpinEcho(relaxation, sequence, { tiMs, inversionEfficiency: 0.98 }));
      return Math.abs(parts.water + parts.fat);
    };
    const muscle = signal(0, 'muscle');
    expect(signal(1, 'subcutaneousFat')).toBeLessThan(0.05 * muscle);
    expect(signal(0.2, 'marrowOedema')).toBeGreaterThan(2 * muscle);
    expect(patient.fat.t1Ms).not.toBe(fatAt(fieldStrengthT).t1Ms);
  });
});
