/** The program's brightness is that which the network was trained with. */
import { expect, it } from 'vitest';
import { normalise } from '../../../analysis/segment/normalise.js';
import golden from './normalise.golden.json' with { type: 'json' };

it.each(['mr', 'ct'] as const)('makes of an image what training makes of it: %s', (kind) => {
  const { image, normalised } = golden[kind];
  const slice = Float32Array.from(image);
  expect(normalise(slice, kind === 'ct')).toBe(true);
  expect(Math.max(...slice.map((value, pixel) => Math.abs(value - normalised[pixel]!)))).toBeLessThan(2e-5);
});
