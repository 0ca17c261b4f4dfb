import { describe, expect, it } from 'vitest';
import { ctAcquisitionOf, ctNoiseByDose, ctScannerOf, valuesOfMeta } from '../../../src/denoising/index.js';
import type { Vector3 } from '../../../imaging/index.js';
import type { CtScanner } from '../../../src/denoising/index.js';

const size = 96;
const pixelMm = 3;
/** A cylinder of water of 200 mm about the middle. */
const hounsfield = Float32Array.from({ length: size * size }, (_, p) => (Math.hypot((p % size) - 48, Math.floor(p / size) - 48) * pixelMm < 100 ? 0 : -1000));
const slice = { rows: size, columns: size, pixelMm, hounsfield };
const b30 = { kernel: 'B30f', tubeVoltageKv: 120, phantomDiameterMm: 200, exposureMas: 250, sliceThicknessMm: 5, noiseHu: 6, waterPerMm: 0.0193 };
const scanner: CtScanner = { kernels: [{ ...b30, tubeVoltageKv: 80, noiseHu: 16 }, b30, { ...b30, kernel: 'B70f', tubeVoltageKv: undefined, noiseHu: 30 }] };

const place = { centreMm: [10, -20, 30], rowDirection: [1, 0, 0], columnDirection: [0, 1, 0] } as const;
const acquired = (of: Readonly<Record<string, readonly string[]>>, more: Partial<typeof place> | { readonly columnDirection: Vector3 } = {}, thicknessMm = 5) =>
  ctAcquisitionOf(valuesOfMeta(new Map(Object.entries(of))), { ...place, ...more }, thicknessMm);
const told = { ConvolutionKernel: ['B30f'], Exposure: ['250'], KVP: ['120'] };
const inTheMiddle = (of: Readonly<Record<string, readonly string[]>>, from: CtScanner = scanner) => {
  const map = ctNoiseByDose(from, acquired(of), slice);
  if (!(map instanceof Float32Array)) throw new Error(map.unknown);
  return map[48 * size + 48]!;
};

describe('the noise of a CT image by dose and kernel', () => {
  it('is that of the phantom where all is as it was measured', () => {
    expect(inTheMiddle(told)).toBeCloseTo(6, 0);
    expect(inTheMiddle({ ...told, KVP: ['80'] }) / inTheMiddle(told)).toBeCloseTo(16 / 6, 5);
    expect(inTheMiddle({ ...told, ConvolutionKernel: ['B70f'], KVP: ['100'] }) / inTheMiddle(told)).toBeCloseTo(5, 5);
  });

  it('follows exposure and thickness, as attributes or as the header has it', () => {
    expect(inTheMiddle({ ...told, Exposure: ['62.5'] }) / inTheMiddle(told)).toBeCloseTo(2, 5);
    expect(inTheMiddle({ ConvolutionKernel: ['B30f'], KVP: ['120'], ExposureInuAs: ['62500'] }) / inTheMiddle(told)).toBeCloseTo(2, 5);
    expect(inTheMiddle({ ...told, SliceThickness: ['1.25'] }) / inTheMiddle(told)).toBeCloseTo(2, 5);
  });

  it('knows where the isocentre is, of which the bowtie is a matter', () => {
    const behind = { ...scanner, bowtie: { waterDiameterMm: 200, leastShare: 0.02 } };
    const aside = inTheMiddle({ ...told, DataCollectionCenterPatient: ['10', '-110', '30'] }, behind);
    expect(inTheMiddle({ ...told, DataCollectionCenterPatient: ['10', '-20', '0'] }, behind)).toBeCloseTo(inTheMiddle(told, behind), 6);
    expect(aside).toBeGreaterThan(1.2 * inTheMiddle(told, behind));
  });

  it.each([
    ['no ConvolutionKernel', {}, {}, 5],
    ['no Exposure', { ConvolutionKernel: ['B30f'] }, {}, 5],
    ['no Exposure', { ConvolutionKernel: ['B30f'], Exposure: [''] }, {}, 5],
    ['no Exposure', { ConvolutionKernel: ['B30f'], Exposure: ['-5'] }, {}, 5],
    ['no SliceThickness', told, {}, 0],
    ['no kernel "I30f"', { ...told, ConvolutionKernel: ['I30f'] }, {}, 5],
    ['no kernel "B30f" at 100 kV', { ...told, KVP: ['100'] }, {}, 5],
    ['no axial slice', told, { columnDirection: [0, 0, -1] as Vector3 }, 5],
  ])('is not known, and why: %s', (why, of, more, thicknessMm) => {
    expect(ctNoiseByDose(scanner, acquired(of as Record<string, string[]>, more, thicknessMm), slice)).toMatchObject({ unknown: expect.stringContaining(why) as unknown });
  });

  it('is not known of a body that goes on outside of the image', () => {
    const full = { ...slice, hounsfield: new Float32Array(size * size) };
    expect(ctNoiseByDose(scanner, acquired(told), full)).toMatchObject({ unknown: 'the body goes on outside of it' });
  });

  it('is of the scanner that is named', () => {
    const [one, any] = [{ ...scanner, station: 'CT1' }, scanner];
    expect(ctScannerOf(['CT1', undefined], [one, any])).toBe(one);
    expect(ctScannerOf([undefined, 'CT1'], [one])).toBe(one);
    expect(ctScannerOf(['CT2', '4711'], [one, any])).toBe(any);
    expect(ctScannerOf([undefined, undefined], [one])).toBeUndefined();
    expect(ctScannerOf(['CT1'], [])).toBeUndefined();
  });
});
