import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as analysis from '../../analysis/index.js';
import { encodePng, greyPicture, montage, percentileWindow, voxelOf } from '../../imaging/index.js';
import * as simulator from '../../simulator/index.js';
import { truthSpine } from './truthSpine.js';

describe('codes and cut-offs', () => {
  it('are those of the simulator, which is the truth of every measure', () => {
    for (const name of ['C2', 'T12', 'L1', 'L6', 'S1']) {
      expect(analysis.bodyCode(name)).toBe(simulator.bodyLabel(name));
      expect(analysis.archCode(name)).toBe(simulator.archLabel(name));
    }
    expect(analysis.discCode('L5-S1')).toBe(simulator.discLabel('L5-S1'));
    for (const side of ['left', 'right'] as const) {
      expect(analysis.foramenCode('L4-L5', side)).toBe(simulator.foramenLabel('L4-L5', side));
      expect(analysis.facetCode('L4-L5', side)).toBe(simulator.facetLabel('L4-L5', side));
    }
    for (const [name, { cutoffs, grades, worse }] of Object.entries(analysis.scales)) {
      expect(simulator.scales[name as keyof typeof simulator.scales]).toMatchObject({ cutoffs, grades, worse });
    }
  });

  it('tell kind and level', () => {
    expect(analysis.levelCodeOf(analysis.discCode('L4-L5'))).toEqual({ kind: 'disc', level: 'L4' });
    expect(analysis.levelCodeOf(analysis.bodyCode('T12'))).toEqual({ kind: 'body', level: 'T12' });
    expect(analysis.levelCodeOf(analysis.structureCodes.sac)).toBeUndefined();
  });
});

describe('the truth as a spine', () => {
  it('has its bodies where its frames are', () => {
    const { spine } = truthSpine({ seed: 700_001 }, [{ contrast: 't2w', orientation: 'sagittal' }, { contrast: 't2w', orientation: 'axial', segment: 'L4-L5' }]);
    expect(spine.vertebrae.map(({ name }) => name)).toEqual(expect.arrayContaining(['T12', 'L1', 'L2', 'L3', 'L4', 'L5', 'S1']));
    const { codes } = spine.stacks[0]!;
    const [columns, rows, slices] = codes.geometry.matrixSize;
    for (const { name, frame } of spine.vertebrae) {
      const [column, row, slice] = voxelOf(codes.geometry, frame.originMm).map(Math.round) as [number, number, number];
      if (column < 0 || row < 0 || slice < 0 || column >= columns || row >= rows || slice >= slices) continue;
      expect(codes.data[(slice * rows + row) * columns + column], name).toBe(analysis.bodyCode(name));
    }
    if (process.env.CONUS_PICTURES !== undefined) {
      mkdirSync(process.env.CONUS_PICTURES, { recursive: true });
      const pictures = spine.series.flatMap(({ volume }, index) => {
        const [c, r, s] = volume.geometry.matrixSize;
        const slice = Math.floor(s / 2);
        const image = volume.data.subarray(slice * c * r, (slice + 1) * c * r);
        const stack = spine.stacks[index]!.codes;
        const [lc, lr] = stack.geometry.matrixSize;
        const labels = Float32Array.from(stack.data.subarray(slice * lc * lr, (slice + 1) * lc * lr), (code) => (code % 100) + code / 10);
        return [greyPicture(image, r, c, percentileWindow(image)), greyPicture(labels, lr, lc, percentileWindow(labels, 0, 100))];
      });
      pictures.forEach((picture, index) => writeFileSync(`${process.env.CONUS_PICTURES}/seam${index}.png`, encodePng(montage([picture]))));
    }
  });
});
