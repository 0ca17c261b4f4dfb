import fc from 'fast-check';
import { expect, it } from 'vitest';
import { freshKernels, place, randomComplex } from '../fft/reference.js';

it('the energy of rows is that of every so many columns of all coils', () => {
  const kernels = freshKernels();
  const { arena, wasm } = kernels;
  const size = (max: number) => fc.integer({ min: 1, max });
  fc.assert(fc.property(size(4), size(9), size(40), size(9), (nCoils, nRows, nColumns, step) => {
    const values = randomComplex(nCoils * nRows * nColumns, nColumns);
    const slab = place(kernels, values);
    const energies = arena.allocate(8 * nRows);
    wasm.rowEnergies(slab, 8 * nRows * nColumns, nCoils, nRows, nColumns, step, energies);
    const found = [...arena.f64(energies, nRows)];
    for (let row = 0; row < nRows; row++) {
      let expected = 0;
      for (let coil = 0; coil < nCoils; coil++) {
        for (let column = 0; column < nColumns; column += step) {
          const at = 2 * ((coil * nRows + row) * nColumns + column);
          expected += values[at]! ** 2 + values[at + 1]! ** 2;
        }
      }
      expect(found[row]).toBeCloseTo(expected, 10);
    }
    arena.release(slab);
    arena.release(energies);
  }));
});
