/** The demo's scan: a stream on disk as a scanner would send it, and the truth that it was made from. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { encodeMessage } from 'ismrmrd';
import { referenceImage, SimulatedScan, type ScanOptions } from '../../simulator/index.js';
import { writeTruth, type DemoImage } from './images.js';

export const demoScan: Partial<ScanOptions> = {
  matrix: [320, 320],
  nSlices: 3,
  nCoils: 16,
  acceleration: 2,
  calibration: 'embedded',
  calibrationLines: 24,
  noiseStd: 0.012,
};

/** Writes the stream to `streamPath` and the noise-free, fully sampled truth to `truthPath`. */
export async function writePhantom(streamPath: string, truthPath: string, options: Partial<ScanOptions>): Promise<void> {
  const scan = new SimulatedScan(options);
  const file = createWriteStream(streamPath);
  for (const message of scan.messages()) {
    for (const piece of encodeMessage(message)) {
      if (!file.write(piece)) await once(file, 'drain');
    }
  }
  file.end();
  await finished(file);

  const { nSlices, nCoils, matrix } = scan.options;
  const truth = Array.from({ length: nSlices }, (_, slice): DemoImage => ({
    kind: 'image',
    slice,
    rows: matrix[1],
    columns: matrix[0],
    values: referenceImage(scan.kspace(slice), nCoils, scan.sampling, scan.noiseCovariance),
  }));
  await writeTruth(truthPath, truth);
}
