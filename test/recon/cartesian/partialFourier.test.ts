import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import { GridScan, magnitudeOf, noiseRatio, reconstructGrid, type GridScanOptions, type SentReadout } from './gridScan.js';

const cases: [string, Partial<GridScanOptions>, bound: number][] = [
  ['6/8 of the lines', { partialFourier: 6 / 8 }, 0.01],
  ['5/8 of the lines', { partialFourier: 5 / 8 }, 0.02],
  ['an asymmetric echo', { echo: 0.75 }, 0.01],
  ['an asymmetric echo, read backwards every other time', { echo: 0.75, reverseOddLines: true }, 0.01],
  ['both', { partialFourier: 6 / 8, echo: 0.75 }, 0.02],
  ['6/8 of the lines at R = 2', { partialFourier: 6 / 8, acceleration: 2 }, 0.01],
  ['phase oversampling', { partialFourier: 6 / 8, phaseOversampling: 1.25 }, 0.01],
  ['phase resolution', { partialFourier: 6 / 8, phaseResolution: 0.75 }, 0.01],
];

describe('partial Fourier', () => {
  it.each(cases)('%s: the image is that of all of k-space', (_, options, bound) => {
    const scan = new GridScan(options);
    const truth = scan.truth();
    const [completed] = reconstructGrid(scan).images;
    const [zeroFilled] = reconstructGrid(scan, { partialFourier: 'zeroFill' }).images;
    const error = nRmse(magnitudeOf(completed!), truth);
    expect(error).toBeLessThan(bound);
    expect(error).toBeLessThan(0.6 * nRmse(magnitudeOf(zeroFilled!), truth));
    expect(['homodyne', 'pocs']).toContain(completed!.partialFourier);
  });

  it('says what was sampled, what was done with it and why', () => {
    const { images, notices } = reconstructGrid(new GridScan({ partialFourier: 6 / 8 }));
    const said = notices.find(({ code }) => code === 'RECON_INFO_PARTIAL_FOURIER');
    expect(said?.message).toMatch(/75 % along the phase encoding, 100 % along the readout; completed by homodyne/);
    expect(images[0]!.partialFourier).toBe('homodyne');
  });

  it('is zero-filled where the phase is rough', () => {
    const { images } = reconstructGrid(new GridScan({ partialFourier: 6 / 8, phaseAt: (x, y) => 1.5 * Math.sign(Math.sin(17 * x) * Math.sin(13 * y)) }));
    expect(images[0]!.partialFourier).toBe('zeroFill');
  });

  it('is zero-filled, with a code, where the header has the k-space centre elsewhere', () => {
    const scan = new GridScan({ partialFourier: 6 / 8, phaseAt: (_, y) => 2 * Math.PI * 3 * y });
    const { images, notices } = reconstructGrid(scan);
    expect(images[0]!.partialFourier).toBe('zeroFill');
    expect(notices.find(({ code }) => code === 'RECON_WARN_KSPACE_CENTRE')?.message).toMatch(/in line 16; line 22 has/);
  });

  it('is zero-filled, with a code, in root-sum-of-squares images', () => {
    const { images, notices } = reconstructGrid(new GridScan({ partialFourier: 6 / 8 }), { combine: 'rss' });
    expect(images[0]!.partialFourier).toBe('zeroFill');
    expect(notices.map(({ code }) => code)).toContain('RECON_WARN_PARTIAL_FOURIER');
  });
});

describe('the centre line that Siemens readouts name themselves', () => {
  const scan = new GridScan({ matrix: [32, 40, 1], nCoils: 4, partialFourier: 6 / 8 });
  const said = (centre: number, systemVendor: string) => {
    const header = { ...scan.header, acquisitionSystemInformation: { ...scan.header.acquisitionSystemInformation!, systemVendor } };
    const readouts = function* (): Generator<SentReadout> {
      for (const { header: own, samples } of scan.readouts()) {
        yield { header: { ...own, idx: { ...own.idx, user: [0, 0, 0, 0, 0, centre, 0, 0] } }, samples };
      }
    };
    const { notices } = reconstructGrid({ header, options: scan.options, nSamples: scan.nSamples, readouts });
    return notices.filter(({ code }) => code === 'RECON_WARN_KSPACE_CENTRE').map(({ message }) => message);
  };

  it('is compared with that of the header', () => {
    expect(said(10, 'SIEMENS')).toEqual([]);
    expect(said(12, 'SIEMENS')).toEqual([expect.stringContaining('line 10; the readouts have it in line 12')]);
  });

  it('is not looked for where the counter is empty or another vendor\'s', () => {
    expect(said(0, 'Siemens Healthineers')).toEqual([]);
    expect(said(12, 'GE')).toEqual([]);
  });
});

describe('the noise map of partial Fourier', () => {
  const small = { noiseStd: 0.02, noisyCalibration: false, matrix: [32, 40, 1], nCoils: 6 } as const;
  const scans: [string, Partial<GridScanOptions>][] = [
    ['6/8 of the lines', { partialFourier: 6 / 8 }],
    ['6/8 of the lines at R = 2', { partialFourier: 6 / 8, acceleration: 2, calibration: 'separate' }],
    ['an asymmetric echo', { partialFourier: 6 / 8, echo: 0.75 }],
  ];
  for (const [name, options] of scans) {
    it.each(['zeroFill', 'homodyne', 'pocs'] as const)(`${name}: is the standard deviation over replicas, %s`, (partialFourier) => {
      // 30 replicas of some 500 pixels tell it to about 1 per cent; the noise scan to 1 per cent.
      const ratio = noiseRatio({ ...small, ...options }, { partialFourier }, 30);
      expect(ratio).toBeGreaterThan(0.96);
      expect(ratio).toBeLessThan(1.04);
    });
  }
});
