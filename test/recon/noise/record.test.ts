import { describe, expect, it } from 'vitest';
import { covarianceFor, parseNoise, serializeNoise, type NoiseRecord } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';

const random = new Random(1);
const record: NoiseRecord = {
  measurementId: '66056_4', coilNames: ['SP1', 'SP2', 'SP3'], dwellTimeUs: 5,
  covariance: { nCoils: 3, nSamples: 12_000, matrix: Float64Array.from({ length: 18 }, () => random.normal()) },
};

describe('a stored noise measurement', () => {
  it('comes back as it was', () => expect(parseNoise(serializeNoise(record))).toEqual(record));

  it('gives the covariance of fewer coils in another order', () => {
    const some = covarianceFor(record, ['SP3', 'SP1'])!;
    expect(some).toMatchObject({ nCoils: 2, nSamples: 12_000 });
    const at = (row: number, column: number) => record.covariance.matrix[2 * (3 * row + column)];
    expect([some.matrix[0], some.matrix[2], some.matrix[4], some.matrix[6]]).toEqual([at(2, 2), at(2, 0), at(0, 2), at(0, 0)]);
    expect(covarianceFor(record, ['SP3', 'HE1'])).toBeUndefined();
  });

  it.each(['', '{', '[]', '{"version":2}', serializeNoise(record).replace('"coilNames":["SP1",', '"coilNames":['), serializeNoise(record).replace('12000', '-1')])(
    'is refused when it is broken: %#',
    (text) => expect(() => parseNoise(text)).toThrowError(expect.objectContaining({ code: 'RECON_ERR_NOISE_RECORD' })),
  );
});
