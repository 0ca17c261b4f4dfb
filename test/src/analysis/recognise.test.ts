import { describe, expect, it } from 'vitest';
import { contrastOf, orientationOf } from '../../../src/analysis/index.js';
import type { ImageGeometry } from '../../../imaging/index.js';

const mr = { modality: 'MR', isSynthetic: false, known: {}, description: '' } as const;

describe('the contrast of a series', () => {
  it.each([
    [{ trMs: 620, teMs: 10 }, 't1w'],
    [{ trMs: 3500, teMs: 100 }, 't2w'],
    [{ trMs: 3500, teMs: 100, isFatSuppressed: true }, 't2fs'],
    [{ trMs: 620, teMs: 10, isFatSuppressed: true }, 't1fs'],
    [{ trMs: 3000, teMs: 30 }, 'pdw'],
    [{ trMs: 5500, teMs: 54, hasInversion: true }, 'stir'],
  ] as const)('is told by the sequence %o', (known, contrast) => {
    expect(contrastOf({ ...mr, known })).toBe(contrast);
  });

  it('is that of the protocol before that of the sequence, and of the sequence before that of the name', () => {
    expect(contrastOf({ ...mr, role: 't2w', known: { trMs: 620, teMs: 10 } })).toBe('t2w');
    expect(contrastOf({ ...mr, known: { trMs: 620, teMs: 10 }, description: 'T2 TSE sag' })).toBe('t1w');
    expect(contrastOf({ ...mr, role: 'localiser', description: 'T2 STIR sag' })).toBe('stir');
  });

  it('is not guessed: gradient echoes and nameless series have none', () => {
    expect(contrastOf({ ...mr, known: { trMs: 500, teMs: 10, isGradientEcho: true } })).toBeUndefined();
    expect(contrastOf({ ...mr, description: 'localiser' })).toBeUndefined();
  });

  it('tells computed CT from scanned CT', () => {
    expect(contrastOf({ ...mr, modality: 'CT' })).toBe('ct');
    expect(contrastOf({ ...mr, modality: 'CT', isSynthetic: true })).toBe('syntheticCt');
  });
});

describe('the plane of a series', () => {
  const geometry = (rowDirection: ImageGeometry['rowDirection'], columnDirection: ImageGeometry['columnDirection']): ImageGeometry => ({
    rowDirection, columnDirection, sliceDirection: [0, 0, 1], centreMm: [0, 0, 0], fovMm: [1, 1, 1], matrixSize: [1, 1, 1],
  });

  it('is the nearest one, also of oblique slices', () => {
    expect(orientationOf(geometry([0, 1, 0], [0, 0, -1]))).toBe('sagittal');
    expect(orientationOf(geometry([1, 0, 0], [0, Math.cos(0.5), Math.sin(0.5)]))).toBe('axial');
    expect(orientationOf(geometry([1, 0, 0], [0, Math.cos(1.3), Math.sin(1.3)]))).toBe('coronal');
  });
});
