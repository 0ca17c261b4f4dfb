import { describe, expect, it } from 'vitest';
import { nRmse } from '../../../imaging/index.js';
import { parseHeader, serializeHeader } from 'ismrmrd';
import { GridScan, magnitudeOf, noiseRatio, reconstructGrid, type GridScanOptions, type SentReadout } from './gridScan.js';
import { reconstructSimulated } from './simulated.js';

const small: Partial<GridScanOptions> = { matrix: [40, 48, 1] };

describe('calibration lines that are interleaved', () => {
  it.each([2, 3] as const)('over averages: R = %i of them fill k-space, nothing is synthesised', (acceleration) => {
    const scan = new GridScan({ ...small, acceleration, calibration: 'averages', nAverages: 2 * acceleration });
    const { images } = reconstructGrid(scan);
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({ method: 'full', accelerationPhase: 1 });
    expect(nRmse(magnitudeOf(images[0]!), scan.truth())).toBeLessThan(0.005);
  });

  it.each([[2, 0.01], [3, 0.02], [4, 0.05]] as const)('over repetitions: the first R = %i calibrate all', (acceleration, bound) => {
    const scan = new GridScan({ ...small, acceleration, calibration: 'repetitions', nRepetitions: acceleration + 2 });
    const { images, notices } = reconstructGrid(scan);
    expect(images.map(({ counters }) => counters.repetition)).toEqual(Array.from({ length: acceleration + 2 }, (_, n) => n));
    const truth = scan.truth();
    for (const image of images) {
      expect(image).toMatchObject({ method: 'grappa', accelerationPhase: acceleration });
      expect(nRmse(magnitudeOf(image), truth)).toBeLessThan(bound);
    }
    expect(notices.map(({ code }) => code)).not.toContain('RECON_WARN_BORROWED_CALIBRATION');
  });

  it('over repetitions, several slices and partial Fourier', () => {
    const scan = new GridScan({ ...small, acceleration: 2, calibration: 'repetitions', nRepetitions: 3, nSlices: 2, partialFourier: 6 / 8 });
    const { images } = reconstructGrid(scan);
    expect(images).toHaveLength(6);
    const truth = scan.truth();
    for (const image of images) {
      const scale = 1 + 0.2 * image.counters.slice;
      expect(nRmse(magnitudeOf(image).map((value) => value / scale), truth)).toBeLessThan(0.015);
    }
  });

  it('are waited for no longer than the scan: images of fewer repetitions than R are zero-filled, and that is said', () => {
    const scan = new GridScan({ ...small, acceleration: 3, calibration: 'repetitions', nRepetitions: 1 });
    const { images, notices } = reconstructGrid(scan);
    expect(images[0]).toMatchObject({ method: 'zeroFilled' });
    expect(notices.map(({ code }) => code)).toContain('RECON_WARN_NO_CALIBRATION');
  });

  it('leave the noise map right', () => {
    const ratio = noiseRatio({ ...small, acceleration: 2, calibration: 'averages', nAverages: 4, noiseStd: 0.02 }, {}, 25);
    expect(ratio).toBeGreaterThan(0.96);
    expect(ratio).toBeLessThan(1.04);
  });
});

describe('a reference scan of its own', () => {
  it('that covers the whole slice calibrates as the central lines of it do', () => {
    const scan = new GridScan({ ...small, acceleration: 2, calibration: 'separate', calibrationLines: 48 });
    const { images } = reconstructGrid(scan);
    expect(nRmse(magnitudeOf(images[0]!), scan.truth())).toBeLessThan(0.01);
  });

  it('calibrates both contrasts and all repetitions, by the lines of one contrast', () => {
    const scan = new GridScan({ ...small, acceleration: 2, calibration: 'separate', nContrasts: 2, nRepetitions: 2 });
    const { images } = reconstructGrid(scan);
    expect(images).toHaveLength(4);
    const truth = scan.truth();
    for (const image of images) {
      const scale = 1 - 0.3 * image.counters.contrast;
      expect(nRmse(magnitudeOf(image).map((value) => value / scale), truth)).toBeLessThan(0.01);
    }
  });

  it('whose lines come among the imaging lines is waited for', () => {
    const options = { matrix: [64, 64], nCoils: 6, noiseStd: 0, acceleration: 2, calibration: 'separate', calibrationLines: 24 } as const;
    const [first] = reconstructSimulated(options).images;
    const { images, notices } = reconstructSimulated({ ...options, referenceScan: 'amongLines' });
    expect(images).toHaveLength(1);
    expect(nRmse(magnitudeOf(images[0]!), magnitudeOf(first!))).toBeLessThan(1e-5);
    expect(notices.map(({ code }) => code)).not.toContain('RECON_WARN_CALIBRATION_OFF_CENTRE');
  });

  /** The reference as an encoding of its own: fewer lines and samples of the same field of view, counted from 0. */
  function withReferenceEncoding(scan: GridScan, fovFactor: number): Parameters<typeof reconstructGrid>[0] {
    const header = scan.header;
    const [imaging] = header.encoding;
    const { matrixSize, fieldOfView_mm: fovMm } = imaging!.encodedSpace;
    const reference = {
      ...imaging!,
      encodedSpace: { matrixSize: { ...matrixSize, x: matrixSize.x / 2, y: 20 }, fieldOfView_mm: { ...fovMm, y: fovMm.y * fovFactor } },
      encodingLimits: { ...imaging!.encodingLimits, kspace_encoding_step_1: { minimum: 0, maximum: 19, center: 10 } },
    };
    const first = scan.nLines / 2 - 10;
    const moved = ({ header: readout, samples }: SentReadout): SentReadout => {
      if ((readout.flags & (1n << 19n)) === 0n) return { header: readout, samples };
      const { nSamples, nChannels, idx } = readout;
      const fewer = new Float32Array(samples.length / 2);
      for (let c = 0; c < nChannels; c++) fewer.set(samples.subarray(2 * c * nSamples + nSamples / 2, 2 * c * nSamples + (3 * nSamples) / 2), c * nSamples);
      return {
        header: {
          ...readout, encodingSpaceRef: 1, nSamples: nSamples / 2, centerSample: nSamples / 4,
          idx: { ...idx, kspaceEncodeStep1: idx.kspaceEncodeStep1 - first },
        },
        samples: fewer,
      };
    };
    return {
      options: scan.options, nSamples: scan.nSamples,
      header: parseHeader(serializeHeader({ ...header, encoding: [imaging!, reference] })),
      readouts: function* () {
        for (const readout of scan.readouts()) yield moved(readout);
      },
    };
  }

  it('may have an encoding of its own, of lower resolution', () => {
    const scan = new GridScan({ ...small, acceleration: 2, calibration: 'separate' });
    const { images } = reconstructGrid(withReferenceEncoding(scan, 1));
    expect(images[0]).toMatchObject({ method: 'grappa', partialFourier: 'none' });
    expect(nRmse(magnitudeOf(images[0]!), scan.truth())).toBeLessThan(0.015);
  });

  it('is left out, and that is said, where its field of view is another', () => {
    const scan = new GridScan({ ...small, acceleration: 2, calibration: 'separate' });
    const { images, notices } = reconstructGrid(withReferenceEncoding(scan, 1.5));
    expect(images[0]).toMatchObject({ method: 'zeroFilled' });
    expect(notices.map(({ code }) => code)).toContain('RECON_WARN_OTHER_ENCODING');
  });
});
