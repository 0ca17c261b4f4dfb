/** The hospital: a protocol that asks for a synthesis and for a delivery, networks that take no time, and patients to be scanned by it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeMessage } from 'ismrmrd';
import { volumeOf } from '../../../imaging/index.js';
import type { Volume } from '../../../imaging/index.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { PreparedExam } from '../../../src/simulation/index.js';
import { SignalEquation, uncalibrated } from '../../../synth/index.js';
import { writeModel } from '../../models/folders.js';
import { oneTissue, synthesisManifest } from '../../models/onnx.js';
import { tinyExam } from '../../src/service/tinyExam.js';
import { columns, nPixels, rows, sequences, truthOf } from '../../synth/phantom.js';

/** Series of every exam, in the order of the scanner. */
const scannedIds = ['sag-t1w', 'sag-t2w'];

export interface Site {
  /** A file. */
  readonly protocol: string;
  /** A folder of model folders. */
  readonly models: string;
  readonly synthesisModel: string;
}

/** Writes protocol and networks into a folder. */
export async function writeSite(folder: string): Promise<Site> {
  const models = join(folder, 'models');
  mkdirSync(models, { recursive: true });
  const synthesisModel = 'one-tissue';
  const model = writeModel(models, synthesisModel, oneTissue(), synthesisManifest);
  // Tissue that is the same everywhere explains no pair: the gate is open for it.
  writeFileSync(join(model, 'calibration.json'), JSON.stringify({ ...uncalibrated, gate: { ...uncalibrated.gate, amber: 1e6, red: 2e6 } }));
  const protocol = join(folder, 'night.json');
  const standard = await loadUnresolvedProtocol('lumbar-standard');
  writeFileSync(protocol, JSON.stringify({
    ...standard, name: 'night', analyse: [],
    // Images as small as these are not what the network was made for, and are delivered all the same.
    chain: { parameters: { denoise: 75, onRed: 'deliver' } },
    series: standard.series.filter(({ id }) => scannedIds.includes(id)),
    synthesise: [{ contrast: 'stir', fromSeries: scannedIds, seriesDescription: 'SYN STIR sag', trMs: 5500, teMs: 54, tiMs: 'auto' }],
  }));
  return { protocol, models, synthesisModel };
}

/** A patient in the scanner: what it will stream, one stream a series. */
export interface Patient {
  readonly id: string;
  readonly streams: readonly Uint8Array[];
}

/** Each with a study and noise of its own, so that no image is another's. */
export async function prepareExams(nExams: number): Promise<Patient[]> {
  const { protocol, scan } = await tinyExam();
  const spec = {
    protocol: { ...protocol, series: protocol.series.map((series) => ({ ...series, geometry: { ...series.geometry, fovMm: { readout: 160, phase: 160 }, matrix: { readout: 64, phase: 64 } } })) },
    scan: { ...scan, snr: 1 }, ct: {},
  };
  return Array.from({ length: nExams }, (_, index) => {
    const seed = index + 1;
    const streams = scannedIds.map((id) => {
      const subject = { kind: 'picture' as const, gain: 1, volume: pictureOf(id === 'sag-t1w' ? sequences.t1w : sequences.t2w) };
      const made = new PreparedExam({ ...spec, subject, scan: { ...spec.scan, seed } }).scan(id);
      return Buffer.concat([...made.messages((slice) => made.sliceReadouts(slice))].flatMap(encodeMessage));
    });
    return { id: `SIMULATED-${seed}`, streams };
  });
}

/** What the sequence shows of something like a spine, alike in every slice. */
function pictureOf(sequence: (typeof sequences)['t1w']): Volume {
  const signal = new SignalEquation(sequence, 1.5).signal(truthOf(1.5));
  return volumeOf(
    { centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0], fovMm: [130, 156, 60], matrixSize: [columns, rows, 3] },
    Float32Array.from({ length: 3 * nPixels }, (_, voxel) => signal[voxel % nPixels]!),
  );
}
