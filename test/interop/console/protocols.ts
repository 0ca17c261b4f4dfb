/** Protocols that are over soon: lumbar-fast with fewer pixels, coils and slices, recognised and promised like it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';

interface Size {
  readonly name: string;
  readonly nChannels: number;
  readonly sagittal: number;
  readonly axial: number;
  readonly nSagittalSlices: number;
}

/** Large enough for the analysis to find the spine. */
export const lightSize: Size = { name: 'lumbar-light', nChannels: 6, sagittal: 224, axial: 160, nSagittalSlices: 7 };
/** For what is not about the pictures. */
export const tinySize: Size = { name: 'lumbar-tiny', nChannels: 2, sagittal: 64, axial: 64, nSagittalSlices: 3 };

/** @returns its file */
export async function writeProtocol(folder: string, { name, nChannels, sagittal, axial, nSagittalSlices }: Size): Promise<string> {
  const { series, ...protocol } = await loadUnresolvedProtocol('lumbar-fast');
  const light = {
    ...protocol,
    name,
    title: `Lumbar spine, ${sagittal} pixels, STIR synthesised`,
    coil: { nChannels },
    series: series.map((one) => {
      const { geometry } = one;
      const isAxial = geometry.orientation === 'axial';
      const size = isAxial ? axial : sagittal;
      return {
        ...one,
        averages: 1,
        acceleration: { ...one.acceleration, factor: 2, calibrationLines: 24 },
        geometry: {
          ...geometry, phaseResolution: 1, phaseOversampling: isAxial ? 0.3 : 0.6, matrix: { readout: size, phase: size },
          slices: { ...geometry.slices, count: isAxial ? geometry.slices.count : nSagittalSlices },
        },
      };
    }),
  };
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(light));
  return file;
}
