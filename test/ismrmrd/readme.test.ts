/** What the README of the format package says is so. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const readme = readFileSync(new URL('../../ismrmrd/README.md', import.meta.url), 'utf8');

describe('the README of the format package', () => {
  it('imports only what the package exports', async () => {
    const library = await import('ismrmrd');
    const imports = [...readme.matchAll(/import \{([^}]*)\} from 'ismrmrd'/g)].flatMap(([, names]) => names!.split(','));
    const values = imports.map((name) => name.trim()).filter((name) => !name.startsWith('type '));
    expect(values.length).toBeGreaterThan(5);
    for (const name of values) expect(library).toHaveProperty(name);
  });

  it('states the limits that hold', async () => {
    const { DEFAULT_LIMITS } = await import('ismrmrd');
    expect(DEFAULT_LIMITS).toMatchObject({
      maxMessageBytes: 2 ** 30,
      maxChunksPerMessage: 2 ** 20,
      maxHeaderXmlBytes: 4 * 2 ** 20,
      maxAttributeBytes: 4 * 2 ** 20,
      maxChannels: 1024,
      maxSamples: 65_535,
      maxAcquisitionSamples: 2 ** 24,
      maxTrajectoryDimensions: 16,
      maxImagePixels: 2 ** 26,
      maxWaveformSamples: 2 ** 22,
    });
  });
});
