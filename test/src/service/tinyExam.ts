/** A simulated exam that is over in a moment. */
import { connect } from 'node:net';
import { parseMessages } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
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

export interface Answer {
  readonly images: readonly MrdImage[];
  readonly texts: readonly string[];
}

/** One session, to the end of its answer. */
export function played(port: number, parts: Iterable<Uint8Array>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => socket.end()).on('close', () => {
      const messages = parseMessages(Buffer.concat(chunks));
      resolve({
        images: messages.flatMap((message) => (message.kind === 'image' ? [message.image] : [])),
        texts: messages.flatMap((message) => (message.kind === 'text' ? [message.text] : [])),
      });
    });
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
