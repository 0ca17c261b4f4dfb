/** A simulated exam that is over in a moment. */
import { connect } from 'node:net';
import type { ImageGeometry } from '../../../imaging/index.js';
import { volumeOf } from '../../../imaging/index.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { SimulatedExam } from '../../../src/simulation/index.js';
import type { ExamSpec } from '../../../src/simulation/index.js';

/** The sagittal pair and a STIR, small, of something that is brighter in the middle. */
export async function tinyExam(): Promise<ExamSpec> {
  const { series, ...protocol } = await loadUnresolvedProtocol('lumbar-standard');
  const geometry: ImageGeometry = {
    centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0], fovMm: [200, 200, 60], matrixSize: [20, 20, 3],
  };
  const values = Float32Array.from({ length: 20 * 20 * 3 }, (_, index) => (Math.abs((index % 20) - 10) < 6 && Math.abs((Math.floor(index / 20) % 20) - 10) < 6 ? 1 : 0));
  return {
    protocol: {
      ...protocol,
      coil: { nChannels: 2 },
      series: series.filter(({ geometry: { orientation } }) => orientation === 'sagittal').map((one) => ({
        ...one,
        averages: 1,
        acceleration: { factor: 2, calibration: 'embedded', calibrationLines: 16 },
        geometry: { ...one.geometry, matrix: { readout: 32, phase: 32 }, phaseResolution: 1, phaseOversampling: 0, slices: { ...one.geometry.slices, count: 2 } },
      })),
    },
    subject: { kind: 'picture', volume: volumeOf(geometry, values), gain: 1 },
    scan: { seed: 7, snr: 20 },
    ct: {},
  };
}

function played(port: number, parts: Iterable<Uint8Array>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', reject).on('data', () => undefined).on('end', () => socket.end()).on('close', () => resolve());
    for (const part of parts) socket.write(part);
  });
}

/** Series of the exam, all of them by default, one after the other, each to the end of its answer. */
export async function scanned(spec: ExamSpec, port: number, ids = spec.protocol.series.map(({ id }) => id)): Promise<void> {
  const simulated = new SimulatedExam(spec, 1);
  try {
    for (const id of ids) {
      const stream = await simulated.simulate(id);
      await played(port, [...stream.timed()].flatMap(({ parts }) => [...parts]));
    }
  } finally {
    await simulated.close();
  }
}
