import { describe, expect, it } from 'vitest';
import { defaultParameters } from '../../../src/chain/index.js';
import { OnlookerMaps } from '../../../src/session/onlookerMaps.js';

describe('maps for whoever looks on', () => {
  it('are made beside what the client asked for, and not sent to it', () => {
    const maps = new OnlookerMaps(['gFactor', 'snr'], { ...defaultParameters, snrMap: true });
    expect(maps.parameters).toMatchObject({ gFactorMap: true, snrMap: true, noiseMap: false });
    expect(['image', 'denoised', 'gFactor', 'snr', 'noise'].map((kind) => maps.sends(kind as 'image'))).toEqual([true, true, false, true, true]);
  });

  it('leave everything as it is where nobody looks on', () => {
    const maps = new OnlookerMaps([], defaultParameters);
    expect(maps.parameters).toEqual(defaultParameters);
    expect(maps.sends('gFactor')).toBe(true);
  });

  it('that cannot be made are missed by a client that asked for maps only', () => {
    for (const asked of [false, true]) {
      const maps = new OnlookerMaps(['gFactor'], { ...defaultParameters, psf: asked });
      expect([maps.says('RECON_WARN_NO_MAPS'), maps.says('RECON_WARN_NO_CALIBRATION')]).toEqual([asked, true]);
    }
  });
});
