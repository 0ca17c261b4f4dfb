import { flagsOf } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import { SimulatedScan, type ScanOptions } from '../../../simulator/index.js';
import { magnitudeOf, reconstructGrid } from './gridScan.js';
import { played } from './simulated.js';

const options: Partial<ScanOptions> = { matrix: [64, 64], nCoils: 6, acceleration: 2, calibrationLines: 20, nAverages: 2, nSlices: 2, noiseStd: 0 };

describe('averages that the header does not announce', () => {
  it('are calibrated anew, after their images were delivered and the calibrations given up', () => {
    const announced = played(new SimulatedScan(options));
    const [encoding, ...others] = announced.header.encoding;
    const { average, ...encodingLimits } = encoding!.encodingLimits;
    expect(average?.maximum).toBe(1);
    const unannounced = {
      ...announced,
      header: { ...announced.header, encoding: [{ ...encoding!, encodingLimits }, ...others] },
      *readouts() {
        for (const { header, samples } of announced.readouts()) {
          yield { header: { ...header, flags: header.flags & ~flagsOf('firstInSlice', 'lastInSlice') }, samples };
        }
      },
    };
    const expected = reconstructGrid(announced).images;
    const { images, notices } = reconstructGrid(unannounced);
    expect(notices.map(({ code }) => code)).toContain('RECON_WARN_LATE_LINE');
    for (const image of expected) {
      const last = images.findLast(({ counters }) => counters.slice === image.counters.slice)!;
      expect(last.method).toBe('grappa');
      expect(nRmse(magnitudeOf(last), magnitudeOf(image))).toBeLessThan(1e-4);
    }
  });
});
