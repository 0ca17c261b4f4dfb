import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { axesOf, directionsOf, nSlicesOf } from '../../protocols/index.js';
import type { Orientation, Vector } from '../../protocols/index.js';
import { seriesOf, tseSource } from './examples.js';

const none = { leftRight: 0, anteriorPosterior: 0, headFeet: 0 };
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const close = (a: Vector, b: Vector) => a.forEach((value, axis) => expect(value).toBeCloseTo(b[axis]!, 12));

describe('directionsOf', () => {
  it('of straight stacks run to the left, to posterior and to the feet', () => {
    const sagittal = directionsOf({ orientation: 'sagittal', readout: 'anteriorPosterior', tiltDeg: none });
    close(sagittal.read, [0, 1, 0]);
    close(sagittal.phase, [0, 0, -1]);
    close(sagittal.slice, [-1, 0, 0]);
    close(directionsOf({ orientation: 'axial', readout: 'leftRight', tiltDeg: none }).slice, [0, 0, 1]);
    close(directionsOf({ orientation: 'coronal', readout: 'leftRight', tiltDeg: none }).slice, [0, 1, 0]);
  });

  it('turn as the right hand does: about the axis to the left, posterior goes to the head', () => {
    const { phase } = directionsOf({ orientation: 'axial', readout: 'leftRight', tiltDeg: { ...none, leftRight: 20 } });
    close(phase, [0, Math.cos(Math.PI / 9), Math.sin(Math.PI / 9)]);
  });

  it('stay orthonormal and right-handed however the stack is turned', () => {
    const angle = fc.double({ min: -90, max: 90, noNaN: true });
    const orientation = fc.constantFrom<Orientation>('sagittal', 'axial', 'coronal');
    fc.assert(
      fc.property(orientation, fc.boolean(), angle, angle, angle, (plane, isFirst, leftRight, anteriorPosterior, headFeet) => {
        const { read, phase, slice } = directionsOf({
          orientation: plane, readout: axesOf[plane][isFirst ? 0 : 1], tiltDeg: { leftRight, anteriorPosterior, headFeet },
        });
        for (const [a, b, product] of [[read, read, 1], [phase, phase, 1], [slice, slice, 1], [read, phase, 0], [read, slice, 0], [phase, slice, 0]] as const) {
          expect(dot(a, b)).toBeCloseTo(product, 12);
        }
        const determinant = dot(slice, [
          read[1] * phase[2] - read[2] * phase[1], read[2] * phase[0] - read[0] * phase[2], read[0] * phase[1] - read[1] * phase[0],
        ]);
        expect(determinant).toBeCloseTo(1, 12);
      }),
    );
  });
});

it('nSlicesOf counts a block at every disc', () => {
  const stack = seriesOf(tseSource);
  expect(nSlicesOf(stack)).toBe(15);
  const { geometry } = tseSource;
  expect(
    nSlicesOf(seriesOf({ ...tseSource, geometry: { ...geometry, orientation: 'axial', readout: 'leftRight', discLevels: ['L4-L5', 'L5-S1'] } })),
  ).toBe(30);
});
