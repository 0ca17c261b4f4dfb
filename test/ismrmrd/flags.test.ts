import { describe, expect, it } from 'vitest';
import { AcquisitionFlag, flagNames, flagsOf, hasFlag } from 'ismrmrd';

describe('acquisition flags', () => {
  it('sets bit n-1 for flag number n', () => {
    expect(flagsOf('noiseMeasurement')).toBe(1n << 18n);
    expect(flagsOf('user8')).toBe(1n << 63n);
  });

  it('names every combination back', () => {
    for (const name of Object.keys(AcquisitionFlag) as (keyof typeof AcquisitionFlag)[]) {
      expect(flagNames(flagsOf(name, 'reverse'))).toContain(name);
      expect(hasFlag(flagsOf('reverse'), name)).toBe(name === 'reverse');
    }
  });
});
