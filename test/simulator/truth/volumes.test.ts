import { describe, expect, it } from 'vitest';
import { pointOf, type ImageGeometry } from '../../../imaging/index.js';
import { intoFrame } from '../../../simulator/anatomy/index.js';
import { bodyLabel, spineLabels } from '../../../simulator/spine/index.js';
import { parameterVolumes, truthVolumes } from '../../../simulator/truth/index.js';
import { blockSpine, plainBlocks, tiltedFrame } from './blocks.js';

/** Oblique, not square, away from the isocentre. */
const geometry: ImageGeometry = {
  centreMm: [6, 0, 30],
  rowDirection: [0.8, 0.6, 0],
  columnDirection: [0, 0, -1],
  sliceDirection: [-0.6, 0.8, 0],
  fovMm: [96, 84, 30],
  matrixSize: [48, 28, 10],
};

describe('truth on a grid', () => {
  const { anatomy } = blockSpine();
  const volumes = truthVolumes(anatomy, geometry);

  it('labels each voxel by what lies at its centre', () => {
    const [nColumns, nRows, nSlices] = geometry.matrixSize;
    let counted = 0;
    for (let slice = 0; slice < nSlices; slice++) {
      for (let row = 0; row < nRows; row++) {
        for (let column = 0; column < nColumns; column++) {
          const [x, y, z] = intoFrame(tiltedFrame, pointOf(geometry, [column, row, slice]));
          const inUpper = Math.abs(x) < 21.9 && Math.abs(y) < 16.9 && z > 4.6 && z < 31.4;
          const label = volumes.labels.data[(slice * nRows + row) * nColumns + column];
          if (inUpper) {
            expect(label).toBe(bodyLabel('L4'));
            counted++;
          }
        }
      }
    }
    expect(counted).toBeGreaterThan(500);
    expect(volumes.labels.data).toContain(spineLabels.csf);
  });

  it('says what the tissue of a voxel is made of', () => {
    const bone = anatomy.tissues.get('cancellousBone')!;
    const { parameters } = volumes;
    let checked = 0;
    volumes.labels.data.forEach((label, voxel) => {
      if (label !== bodyLabel('L4')) return;
      // Voxels at the border hold two tissues.
      if (Math.abs(parameters.hounsfield.data[voxel]! - bone.hounsfield) > 1e-5 * Math.abs(bone.hounsfield)) return;
      checked++;
      expect(parameters.protonDensity.data[voxel]).toBeCloseTo(bone.protonDensity, 3);
      expect(parameters.fatFraction.data[voxel]).toBeCloseTo(bone.fatFraction, 3);
      expect(parameters.t1Ms.data[voxel]).toBeCloseTo(bone.t1Ms, 0);
      expect(parameters.t2Ms.data[voxel]).toBeCloseTo(bone.t2Ms, 1);
      expect(parameters.t2StarMs.data[voxel]).toBeCloseTo(bone.t2StarMs, 1);
    });
    expect(checked).toBeGreaterThan(200);
  });

  it('is air where nothing is', () => {
    const far = parameterVolumes(anatomy, { ...geometry, centreMm: [500, 0, 0], matrixSize: [4, 4, 1] });
    expect([...far.hounsfield.data].every((value) => value === -1000)).toBe(true);
    expect([...far.t1Ms.data, ...far.protonDensity.data].every((value) => value === 0)).toBe(true);
  });

  it('mixes the tissues of thick slices by their protons', () => {
    const thick = parameterVolumes(anatomy, { ...geometry, fovMm: [96, 84, 300], matrixSize: [48, 28, 1] });
    const [pd, hu] = [thick.protonDensity.data, thick.hounsfield.data];
    pd.forEach((value, voxel) => {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1.0001);
      expect(hu[voxel]).toBeGreaterThanOrEqual(-1000.01);
    });
    // The block of muscle is 140 mm thick at most: a slice of 300 mm is half air everywhere.
    expect(Math.max(...hu)).toBeLessThan(300);
    expect(plainBlocks.widthMm).toBeLessThan(300);
  });
});
