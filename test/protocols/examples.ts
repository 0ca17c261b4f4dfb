/** A small protocol that is valid, to be varied by tests. */
import { protocolSchema } from '../../protocols/index.js';
import type { Protocol, ProtocolSource, Series, SeriesSource } from '../../protocols/index.js';

export const tseSource = {
  id: 'sag-t2w',
  role: 't2w',
  seriesDescription: 'T2w TSE sag',
  sequence: { kind: 'tse', trMs: 3000, teMs: 100, echoTrainLength: 16, echoSpacingMs: 10, bandwidthHzPerPixel: 200 },
  geometry: {
    orientation: 'sagittal',
    readout: 'anteriorPosterior',
    fovMm: { readout: 300, phase: 300 },
    matrix: { readout: 320, phase: 320 },
    slices: { count: 15, thicknessMm: 4, gapMm: 0.4 },
  },
} as const satisfies SeriesSource;

export const stirSource = {
  ...tseSource,
  id: 'sag-stir',
  role: 'stir',
  seriesDescription: 'STIR sag',
  sequence: { ...tseSource.sequence, kind: 'stirTse', trMs: 6000, teMs: 50, tiMs: 160 },
} as const satisfies SeriesSource;

export function protocolSource(...series: readonly SeriesSource[]): ProtocolSource {
  return {
    name: 'example',
    title: 'Example',
    bodyPart: 'LSPINE',
    region: 'lumbar',
    fieldStrengthT: 1.5,
    coil: { nChannels: 16 },
    source: ['made up for tests'],
    series: series.length === 0 ? [tseSource] : [...series],
  };
}

export const protocolOf = (...series: readonly SeriesSource[]): Protocol => protocolSchema.parse(protocolSource(...series));

export const seriesOf = (source: SeriesSource): Series => protocolOf(source).series[0]!;
