import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeClose, encodeConfigFile, encodeHeader, parseHeader, parseMeta, serializeHeader } from 'ismrmrd';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NoiseRecord } from '../../../recon/index.js';
import { NoiseStore } from '../../../src/noise/index.js';
import { play } from '../fakes.js';
import { acquisition, concat, headerXml } from '../streams.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'conus-noise-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = (measurementId: string, coilNames: string[]): NoiseRecord => {
  const n = coilNames.length;
  const matrix = Float64Array.from({ length: 2 * n * n }, (_, i) => ((i / 2) % (n + 1) === 0 ? 2 + i : 0));
  return { measurementId, coilNames, dwellTimeUs: 5, covariance: { nCoils: n, nSamples: 10_000, matrix } };
};

const headerOf = (coilNames: readonly string[], dependsOn?: string) => {
  const header = parseHeader(headerXml());
  return {
    ...header,
    acquisitionSystemInformation: {
      receiverChannels: coilNames.length, coilLabel: coilNames.map((coilName, coilNumber) => ({ coilName, coilNumber })),
    },
    measurementInformation: {
      patientPosition: 'HFS', measurementID: 'scan',
      measurementDependency: dependsOn === undefined ? [] : [{ dependencyType: 'Noise', measurementID: dependsOn }],
    },
  } as typeof header;
};

describe('the noise store', () => {
  it('finds what it kept, also after a restart, by the measurement that the header names', () => {
    const store = new NoiseStore(folder);
    store.put(record('1_2', ['SP1', 'SP2']));
    store.put(record('1_3', ['SP1', 'SP2']));
    for (const opened of [store, new NoiseStore(folder)]) {
      expect(opened.find(headerOf(['SP1', 'SP2'], '1_2'))).toEqual(record('1_2', ['SP1', 'SP2']));
      expect(opened.find(headerOf(['SP1', 'SP2'], 'other'))).toBeUndefined();
    }
  });

  it('finds the latest measurement of the same coils, or of more of them, where the header names none', () => {
    const store = new NoiseStore(folder);
    store.put(record('a', ['SP1', 'SP2', 'SP3']));
    store.put(record('b', ['HE1', 'HE2']));
    expect(store.find(headerOf(['SP3', 'SP1']))?.measurementId).toBe('a');
    expect(store.find(headerOf(['SP3', 'HE1']))).toBeUndefined();
  });

  it('leaves broken files alone, and takes no path from a client', () => {
    writeFileSync(join(folder, 'broken.noise.json'), '{"version":1');
    const store = new NoiseStore(folder);
    store.put(record('../../escape', ['SP1']));
    expect(readdirSync(folder)).toHaveLength(2);
    expect(new NoiseStore(folder).measurementIds).toEqual(['../../escape']);
  });
});

describe('a session that brings a noise measurement', () => {
  it('has it stored, and is told so', async () => {
    const store = new NoiseStore(folder);
    const header = serializeHeader({ ...headerOf(['SP1', 'SP2']), measurementInformation: { patientPosition: 'HFS', measurementID: '7_8', measurementDependency: [] } });
    const { messages } = await play(
      [concat(encodeConfigFile('default_measurement_dependencies.xml')), concat(encodeHeader(header)), acquisition(0, {}, 'noiseMeasurement'), concat(encodeClose())],
      {}, { noiseStore: store },
    );
    const answer = messages.find(({ kind }) => kind === 'dependency') as { attributes: string };
    expect(parseMeta(answer.attributes).get('NoiseDependencies')).toEqual(['GadgetronNoiseCovarianceMatrix_7_8']);
    expect(store.measurementIds).toEqual(['7_8']);
    expect(messages.map(({ kind }) => kind)).toEqual(['dependency', 'close']);
  });
});
