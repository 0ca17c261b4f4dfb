import { describe, expect, it } from 'vitest';
import { Places } from '../../synth/places.js';

describe('places', () => {
  const sagittal = { centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [1, 0, 0], fovMm: [90, 90, 20], matrixSize: [90, 90, 5] } as const;
  const axial = { ...sagittal, columnDirection: [0, 1, 0], rowDirection: [-1, 0, 0], sliceDirection: [0, 0, 1] } as const;
  it('are named by the patient, not by the picture', () => {
    const name = (places: Places, ...voxel: [number, number, number]) => places.nameOf(places.placeOf(...voxel));
    expect(name(new Places(sagittal), 3, 5, 80)).toBe('slice 4, upper third, posterior');
    expect(name(new Places(sagittal), 0, 85, 3)).toBe('slice 1, lower third, anterior');
    expect(name(new Places(axial), 0, 5, 3)).toBe('slice 1, anterior, left');
    expect(name(new Places(axial), 0, 45, 45)).toBe('slice 1, centre');
  });
  it('are named by a label map, and by where they lie where it names nothing', () => {
    const codes = new Uint8Array(5 * 90 * 90);
    codes[0] = 7;
    codes[1] = 9;
    const places = new Places(sagittal, { codes, names: new Map([[7, 'L3']]) });
    expect(places.nameOf(places.placeOf(0, 0, 0))).toBe('L3');
    expect(places.nameOf(places.placeOf(0, 0, 1))).toBe('slice 1, upper third, anterior');
  });
});
