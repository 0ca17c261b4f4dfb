import { describe, expect, it } from 'vitest';
import { parseHeader, type MrdHeader } from 'ismrmrd';
import { defaultReconParameters, planCartesian } from '../../../recon/index.js';

interface HeaderOptions {
  readonly encoded?: readonly [number, number, number];
  readonly encodedFovMm?: readonly [number, number, number];
  readonly recon?: readonly [number, number, number];
  readonly reconFovMm?: readonly [number, number, number];
  readonly limits?: string;
  readonly parallel?: string;
  readonly trajectory?: string;
}

function header(options: HeaderOptions = {}): MrdHeader {
  const {
    encoded = [640, 320, 1], encodedFovMm = [480, 240, 4], recon = [320, 320, 1], reconFovMm = [240, 240, 4],
    limits = '', parallel = '', trajectory = 'cartesian',
  } = options;
  const space = (name: string, [x, y, z]: readonly number[], [fx, fy, fz]: readonly number[]) =>
    `<${name}><matrixSize><x>${x}</x><y>${y}</y><z>${z}</z></matrixSize><fieldOfView_mm><x>${fx}</x><y>${fy}</y><z>${fz}</z></fieldOfView_mm></${name}>`;
  return parseHeader(
    `<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><experimentalConditions><H1resonanceFrequency_Hz>123000000</H1resonanceFrequency_Hz></experimentalConditions>` +
      `<encoding>${space('encodedSpace', encoded, encodedFovMm)}${space('reconSpace', recon, reconFovMm)}<encodingLimits>${limits}</encodingLimits>` +
      `<trajectory>${trajectory}</trajectory>${parallel}</encoding></ismrmrdHeader>`,
  );
}

const limit = (name: string, minimum: number, maximum: number, center: number) =>
  `<${name}><minimum>${minimum}</minimum><maximum>${maximum}</maximum><center>${center}</center></${name}>`;

const parallel = (r1: number, r2: number, mode: string) =>
  `<parallelImaging><accelerationFactor><kspace_encoding_step_1>${r1}</kspace_encoding_step_1><kspace_encoding_step_2>${r2}</kspace_encoding_step_2></accelerationFactor><calibrationMode>${mode}</calibrationMode></parallelImaging>`;

const plan = (options: HeaderOptions = {}) => planCartesian(header(options), defaultReconParameters).plan;

describe('the plan of a Cartesian scan', () => {
  it('removes oversampling along the readout and keeps the matrix', () => {
    expect(plan()).toMatchObject({ paddedColumns: 640, nColumns: 320, paddedRows: 320, nRows: 320, acceleration: 1, calibration: 'none' });
  });

  it('takes phase oversampling and interpolation from matrices and fields of view', () => {
    expect(plan({ encoded: [640, 240, 1], encodedFovMm: [480, 300, 4], recon: [512, 512, 1] })).toMatchObject({
      paddedColumns: 1024, nColumns: 512, paddedRows: 640, nRows: 512, nLines: 240,
    });
  });

  it('expects the lines that the limits give, and says when they leave a side of k-space out', () => {
    const planning = planCartesian(header({ limits: limit('kspace_encoding_step_1', 0, 239, 80) }), defaultReconParameters);
    expect(planning.plan).toMatchObject({ firstLine: 0, lastLine: 239, centreLine: 80 });
    expect(planning.decisions.map(({ what }) => what)).toContain('partial Fourier');
  });

  it.each([
    ['embedded', 'embedded'],
    ['separate', 'separate'],
    ['external', 'separate'],
    ['interleaved', 'embedded'],
    ['other', 'embedded'],
  ])('takes calibrationMode %s as %s', (mode, calibration) => {
    expect(plan({ parallel: parallel(2, 1, mode) })).toMatchObject({ acceleration: 2, calibration });
  });

  it('takes partitions, their oversampling and acceleration in 3D', () => {
    const { plan: of3D } = planCartesian(
      header({ encoded: [640, 320, 40], encodedFovMm: [480, 240, 50], recon: [320, 320, 32], reconFovMm: [240, 240, 40], parallel: parallel(2, 2, 'embedded') }),
      defaultReconParameters,
    );
    expect(of3D).toMatchObject({ nPartitions: 40, paddedSlices: 40, nSlices: 32, acceleration: 2, sliceAcceleration: 2, fovMm: [240, 240, 1.25] });
  });

  it('counts the loops', () => {
    const limits = [
      limit('kspace_encoding_step_1', 0, 319, 160), limit('average', 0, 2, 0), limit('slice', 0, 14, 0),
      limit('contrast', 0, 1, 0), limit('repetition', 0, 3, 0),
    ].join('');
    expect(plan({ limits })).toMatchObject({ nAverages: 3, nImagesPerSlice: 8 });
  });

  it('names the header field behind every decision', () => {
    const { decisions } = planCartesian(header({ parallel: parallel(3, 1, 'embedded') }), defaultReconParameters);
    expect(decisions.length).toBeGreaterThan(8);
    for (const { what, value, because, source } of decisions) {
      expect([what, value, because].every((text) => text.length > 0)).toBe(true);
      expect(source).toMatch(/encoding\[0\]|parameter |flag /);
    }
  });

  it.each<[string, HeaderOptions]>([
    ['RECON_ERR_TRAJECTORY', { trajectory: 'radial' }],
    ['RECON_ERR_3D', { recon: [320, 320, 64] }],
    ['RECON_ERR_3D', { limits: limit('kspace_encoding_step_2', 0, 7, 4) }],
    ['RECON_ERR_LIMITS', { encoded: [640, 320, 16], recon: [320, 320, 16], limits: limit('kspace_encoding_step_2', 0, 20, 4) }],
    ['RECON_ERR_ACCELERATION', { encoded: [640, 320, 16], recon: [320, 320, 16], parallel: parallel(1, 9, 'embedded') }],
    ['RECON_ERR_3D', { parallel: parallel(1, 2, 'embedded') }],
    ['RECON_ERR_MATRIX', { encoded: [640, 5000, 1] }],
    ['RECON_ERR_MATRIX', { recon: [0, 320, 1] }],
    ['RECON_ERR_FOV', { reconFovMm: [0, 240, 4] }],
    ['RECON_ERR_FOV', { encodedFovMm: [120, 240, 4] }],
    ['RECON_ERR_FOV', { reconFovMm: [0.001, 240, 4] }],
    ['RECON_ERR_ACCELERATION', { parallel: parallel(0, 1, 'embedded') }],
    ['RECON_ERR_ACCELERATION', { parallel: parallel(9, 1, 'embedded') }],
    ['RECON_ERR_LIMITS', { limits: limit('kspace_encoding_step_1', 0, 400, 160) }],
    ['RECON_ERR_LIMITS', { limits: limit('kspace_encoding_step_1', 10, 5, 7) }],
    ['RECON_ERR_LIMITS', { limits: limit('kspace_encoding_step_1', 0, 319, 10) }],
  ])('refuses with %s', (code, options) => {
    expect(() => plan(options)).toThrowError(expect.objectContaining({ code }));
  });

  it('refuses a header without an encoding', () => {
    expect(() => planCartesian({ ...header(), encoding: [] }, defaultReconParameters)).toThrowError(
      expect.objectContaining({ code: 'RECON_ERR_NO_ENCODING' }),
    );
  });
});
