import { describe, expect, it } from 'vitest';
import { structureCodes, type Assessment, type Finding, type Spine } from '../../../analysis/index.js';
import { assessCordLesion, assessMalignantSigns, assessMarrowSignal, assessModic, fractureAgeOf } from '../../../analysis/measure/index.js';
import { affineLps, transformPoint, type Vector3 } from '../../../imaging/index.js';
import { alongEndplate, boxSpine, segmentNames, signals, within, type Tissue } from './boxSpine.js';

const shading = ([x, y, z]: Vector3) => Math.exp(0.009 * y + 0.0015 * z - 0.00001 * z * z + 0.002 * x);
const at = ({ findings }: Assessment, level: string): Finding => findings.find((finding) => finding.level === level)!;
const measureOf = ({ measures }: Finding, name: string) => measures.find((measure) => measure.name === name)!.value;
const paint = (...regions: readonly (readonly [(point: Vector3) => boolean, Tissue])[]) => (point: Vector3) => regions.find(([holds]) => holds(point))?.[1];

describe('Modic changes', () => {
  const spine = boxSpine({
    shading, noise: 0.05,
    tissueAt: paint(
      [alongEndplate('T12', 'lower', 8), 'oedema'], [alongEndplate('L1', 'upper', 8, 0.5), 'oedema'],
      [alongEndplate('L1', 'lower', 8), 'fatty'],
      [alongEndplate('L3', 'lower', 7), 'sclerosis'], [alongEndplate('L4', 'upper', 4), 'oedema'], [alongEndplate('L4', 'upper', 9), 'fatty'],
    ),
  });
  const assessment = assessModic(spine);

  it('have their type, share of the endplate and outlines', () => {
    expect(segmentNames.map((level) => at(assessment, level).grades[0]!.value)).toEqual(['1', '2', 'none', '1/3', 'none']);
    expect(measureOf(at(assessment, 'T12-L1'), 'shareOfUpperEndplate')).toBeGreaterThan(0.85);
    expect(Math.abs(measureOf(at(assessment, 'T12-L1'), 'shareOfLowerEndplate') - 0.5)).toBeLessThan(0.08);
    expect(measureOf(at(assessment, 'L2-L3'), 'shareOfUpperEndplate')).toBe(0);
    expect(at(assessment, 'T12-L1').drawing!.areas.map(({ text }) => text)).toEqual(expect.arrayContaining(['Modic 1']));
    expect(at(assessment, 'L3-L4').signs.join()).toContain('upper endplate of L4: type 1/2');
  });

  it('are not there without a pair of T1w and T2w', () => {
    const { findings, notAssessed } = assessModic(boxSpine({ contrasts: ['t2w'] }));
    expect(findings).toEqual([]);
    expect(notAssessed).toHaveLength(segmentNames.length);
    expect(notAssessed[0]).toMatchObject({ kind: 'modic', level: 'T12-L1', code: 'ANALYSIS_INFO_NO_SERIES' });
  });
});

describe('marrow', () => {
  it('has its ratios to disc and fluid whatever the shading', () => {
    const finding = at(assessMarrowSignal(boxSpine({ shading })), 'L2');
    expect(measureOf(finding, 't1wMarrowToDisc') / (signals.marrow[0] / signals.disc[0])).toBeCloseTo(1, 0.9);
    expect(measureOf(finding, 't2wMarrowToDisc') / (signals.marrow[1] / signals.disc[1])).toBeCloseTo(1, 0.9);
    expect(measureOf(finding, 't2wMarrowToFluid') / (signals.marrow[1] / signals.fluid[1])).toBeCloseTo(1, 0.6);
  });

  it('tells a fresh fracture from an old one, and says what that rests on', () => {
    const oedema = paint([alongEndplate('L1', 'upper', 18), 'oedema']);
    const scanned = boxSpine({ shading, noise: 0.05, tissueAt: oedema, contrasts: ['t1w', 't2w', 'stir'] });
    const ageOf = (spine: Spine, level: string) => fractureAgeOf(spine, level) as Finding[];
    expect(ageOf(scanned, 'L1')).toHaveLength(1);
    expect(ageOf(scanned, 'L1')[0]!.grades[0]).toMatchObject({ scale: 'fractureAge', value: 'acute' });
    expect(ageOf(scanned, 'L1')[0]!.signs[0]).toContain('scanned STIR');
    expect(ageOf(scanned, 'L2')[0]!.grades[0]!.value).toBe('old');
    const synthetic: Spine = { ...scanned, series: scanned.series.map((series) => ({ ...series, synthetic: series.contrast === 'stir' })) };
    const [marrow, computed] = ageOf(synthetic, 'L1');
    expect(marrow!.grades[0]!.value).toBe('acute');
    expect(marrow!.basis).toEqual({ seriesIndices: [0, 1], synthetic: false });
    expect(computed!.basis).toEqual({ seriesIndices: [2], synthetic: true });
    expect(computed!.signs[0]).toContain('synthetic STIR only');
    expect(computed!.grades[0]!.value).toBe('acute');
  });

  it('lists what speaks for a tumour, and nothing where there is none', () => {
    const assessment = assessMalignantSigns(boxSpine({ shading, noise: 0.05, tissueAt: paint([within('L2', 10), 'tumour']) }));
    expect(at(assessment, 'L2').signs).toEqual(expect.arrayContaining([expect.stringContaining('focal lesion'), 'there not brighter than disc on T1w']));
    expect(at(assessment, 'L2').drawing!.areas.length).toBeGreaterThan(0);
    for (const level of ['T12', 'L1', 'L3', 'L4', 'L5']) expect(at(assessment, level).signs, level).toEqual([]);
  });

});

describe('the cord', () => {
  it('has its lesion with length, volume and level', () => {
    const lesion = ([x, y, z]: Vector3) => Math.abs(x) < 4.5 && Math.abs(y - 29) < 3 && Math.abs(z - 60) < 10;
    const { findings } = assessCordLesion(boxSpine({ contrasts: ['t2w'], shading, noise: 0.05, tissueAt: paint([lesion, 'cordLesion']) }));
    expect(findings).toHaveLength(1);
    expect(findings[0]!.level).toBe('L1');
    expect(Math.abs(measureOf(findings[0]!, 'lesionLength') - 20)).toBeLessThan(1.5);
    expect(findings[0]!.drawing!.areas.length).toBeGreaterThan(0);
  });

  it('has none where fluid shines into a slice that cuts it less deep and fades along it, nor where that runs out of what is drawn', () => {
    const inSlice = ([x, y]: Vector3) => x > 2 && x < 6 && Math.abs(y - 29) < 4;
    for (const middle of [20, 115]) {
      const fluid = (point: Vector3) => (inSlice(point) ? 1 + 0.8 * Math.exp(-(((point[2] - middle) / 50) ** 2)) : 1);
      const spine = boxSpine({ contrasts: ['t2w'], noise: 0.05, shading: (point) => shading(point) * fluid(point) });
      const { codes } = spine.stacks[0]!;
      const [affine, [columns, rows]] = [affineLps(codes.geometry), codes.geometry.matrixSize];
      codes.data.forEach((code, voxel) => {
        const point = transformPoint(affine, [voxel % columns, Math.floor(voxel / columns) % rows, Math.floor(voxel / (columns * rows))]);
        if (code === structureCodes.cord && inSlice(point) && Math.abs(point[1] - 29) > 2.7) codes.data[voxel] = structureCodes.sac;
      });
      expect(assessCordLesion(spine).findings.map(({ measures }) => measures[0]), `${middle}`).toEqual([{ name: 'lesionCount', value: 0, unit: '1' }]);
    }
  });

  it('has two lesions of their own lengths beside each other, however faint one is', () => {
    const between = (from: number, to: number) => ([x, y, z]: Vector3) => Math.abs(x) < 4.5 && Math.abs(y - 29) < 3 && z > from && z < to;
    const [bright, faint] = [between(30, 50), between(0, 14)];
    const spine = boxSpine({ contrasts: ['t2w'], noise: 0.05, tissueAt: paint([bright, 'cordLesion'], [faint, 'cordLesion']), shading: (point) => (faint(point) ? 0.8 : 1) });
    const lengths = assessCordLesion(spine).findings.map((finding) => measureOf(finding, 'lesionLength'));
    expect(lengths).toHaveLength(2);
    expect(Math.abs(lengths[0]! - 20)).toBeLessThan(2);
    expect(Math.abs(lengths[1]! - 14)).toBeLessThan(2);
  });

  it('is extensive where it reaches over three vertebrae, not where it touches them', () => {
    const imll = (lengthMm: number) => {
      const lesion = ([x, y, z]: Vector3) => Math.abs(x) < 4.5 && Math.abs(y - 29) < 3 && Math.abs(z - 19) < lengthMm / 2;
      const { findings } = assessCordLesion(boxSpine({ contrasts: ['t2w'], noise: 0.05, tissueAt: paint([lesion, 'cordLesion']) }));
      return findings.map(({ grades }) => grades[0]!.value);
    };
    expect([44, 84].map(imll)).toEqual([['short'], ['extensive']]);
  });

  it('has none where it is even', () => {
    const { findings } = assessCordLesion(boxSpine({ contrasts: ['t2w'], shading, noise: 0.05 }));
    expect(findings.map(({ measures }) => measures[0])).toEqual([{ name: 'lesionCount', value: 0, unit: '1' }]);
  });
});
